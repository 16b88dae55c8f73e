/** Looks at every moment at what a fuse may have to carry: knows how the board is wired in truth, and nothing of the agent. */
import type { Board, EnergyMeter } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import type { ConnectorObservation } from '../../hal/mock/mock-connector.ts';
import { GRID_LINES, type GridLine, type Rotation } from '../../hal/mock/mock-grid.ts';
import { offerA } from './smart-charging.ts';

export interface Violation {
  readonly at: number;
  readonly line: GridLine;
  readonly usedA: number;
}

/** An offer from then on; what it may flow on. */
interface Offered {
  readonly at: number;
  readonly amps: number;
  readonly lines: string;
}

export interface FuseJudgeOptions {
  readonly fuseA: number;
  readonly connectors: readonly { readonly id: number; readonly rotation?: Rotation }[];
  readonly now: () => number;
}

/** IEC 61851-1: so long an EV may still draw what it was offered before. */
const COUNTS_FOR_MS = 5000;
const TOLERANCE_A = 0.05;

export class FuseJudge {
  readonly violations: Violation[] = [];
  /** The meters of these connectors do not answer, and no fault says so. */
  readonly silent = new Set<number>();
  readonly #options: FuseJudgeOptions;
  readonly #offers = new Map<number, readonly Offered[]>();
  #board: MockBoard | undefined;
  /** What flowed until a contactor opened, per phase. */
  readonly openings: { readonly at: number; readonly connectorId: number; readonly amps: number }[] = [];
  readonly #before = new Map<number, ConnectorObservation>();
  /** The most that was seen on a phase: a judge that never sees anything judges nothing. */
  mostA = 0;

  constructor(options: FuseJudgeOptions) {
    this.#options = options;
  }

  /** For WorldOptions.furnish: watches a board from its first moment on. What was before a loss of power does not flow any more. */
  readonly furnish = (board: MockBoard): Board => {
    this.#board = board;
    this.#offers.clear();
    this.#before.clear();
    this.silent.clear();
    board.onOutput(() => this.look());
    const connectors = board.connectors.map((hardware) => ({
      ...hardware,
      meter: this.#hushed(hardware.id, hardware.meter),
    }));
    return Object.create(board, { connectors: { value: connectors } }) as Board;
  };

  look(): void {
    const board = this.#board;
    if (board === undefined) return;
    const at = this.#options.now();
    const { connectors, fuseA } = this.#options;
    for (const { id, rotation = 'RST' } of connectors) {
      this.#note(board, id, rotation, at);
      this.#watchContactor(board, id, at);
    }
    for (const line of GRID_LINES) {
      const usedA = connectors.reduce(
        (sum, { id }) => sum + Math.max(this.#offeredA(id, line), board.connector(id).drawA(line)),
        0,
      );
      this.mostA = Math.max(this.mostA, usedA);
      if (usedA > fuseA + TOLERANCE_A) this.violations.push({ at, line, usedA });
    }
  }

  #note(board: MockBoard, id: number, rotation: Rotation, at: number): void {
    const offers = this.#offers.get(id) ?? [];
    const amps = offerA({ board }, id);
    const lines = rotation.slice(0, board.connector(id).observe().phases);
    const last = offers.at(-1);
    const isNew = last === undefined || last.amps !== amps || last.lines !== lines;
    const all = isNew ? [...offers, { at, amps, lines }] : offers;
    this.#offers.set(
      id,
      all.filter((_, index) => at - (all[index + 1]?.at ?? at) < COUNTS_FOR_MS),
    );
  }

  #watchContactor(board: MockBoard, connectorId: number, at: number): void {
    const [before, now] = [this.#before.get(connectorId), board.connector(connectorId).observe()];
    if (before?.contactor === 'closed' && now.contactor === 'open')
      this.openings.push({ at, connectorId, amps: before.amps });
    this.#before.set(connectorId, now);
  }

  #offeredA(id: number, line: GridLine): number {
    const offers = this.#offers.get(id) ?? [];
    return Math.max(0, ...offers.filter(({ lines }) => lines.includes(line)).map(({ amps }) => amps));
  }

  #hushed(id: number, meter: EnergyMeter): EnergyMeter {
    return {
      offers: meter.offers,
      read: () => (this.silent.has(id) ? Promise.reject(new Error('silent')) : meter.read()),
    };
  }
}
