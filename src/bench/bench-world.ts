/** Keeps the inputs of the bench and makes the mock board, the network, the storage and the clock follow them. */
import type { FaultDetails } from '../../hal/mock/fault-causes.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import type { Clock } from '../ports.ts';
import { type BenchInputs, type ConnectorInputs, FAULT_OF, inputsAtPowerUp, type Site } from './inputs.ts';
import { isObject, patched } from './merge-patch.ts';

/** The agent's clock, which the bench may bend. */
export interface BenchClock extends Clock {
  /** Agent time per real time, above 0. */
  setRate(rate: number): void;
  setOffset(offsetMs: number): void;
}

export interface BenchWorldParts {
  readonly board: MockBoard;
  readonly clock: BenchClock;
  readonly storage: { fail(on: boolean): void };
  readonly link: { setLink(link: 'up' | 'down'): void };
}

export class BenchWorld {
  readonly #parts: BenchWorldParts;
  #inputs: BenchInputs;

  constructor(parts: BenchWorldParts) {
    this.#parts = parts;
    this.#inputs = inputsAtPowerUp(
      parts.board.connectors.map(({ id }) => id),
      siteOfBoard(parts.board),
    );
  }

  /** With the registers of the meters as they are now. */
  get inputs(): BenchInputs {
    const connectors = Object.entries(this.#inputs.connectors).map(([id, connector]) => {
      const { energyWh } = this.#parts.board.connector(Number(id)).observe();
      // In steps of 1 mWh: what is below is the grain of binary fractions.
      const wh = Math.round(energyWh * 1000) / 1000;
      return [id, { ...connector, meter: { ...connector.meter, wh } }] as const;
    });
    return { ...this.#inputs, connectors: Object.fromEntries(connectors) };
  }

  /** A merge patch, all or nothing; what it changes has acted on return. The answer is what is wrong with it. */
  patch(patch: unknown): string | undefined {
    const before = this.inputs;
    const result = patched(before, patch);
    if (!result.ok) return result.error;
    this.#inputs = result.inputs;
    this.#follow(before, result.inputs, patch);
    return undefined;
  }

  /** The surroundings first: who fails the storage and plugs in means a car at a charge point that cannot write. */
  #follow(before: BenchInputs, after: BenchInputs, patch: unknown): void {
    const { board, clock, storage, link } = this.#parts;
    if (after.clock.rate !== before.clock.rate) clock.setRate(after.clock.rate);
    if (after.clock.offsetMs !== before.clock.offsetMs) clock.setOffset(after.clock.offsetMs);
    if (after.storage !== before.storage) storage.fail(after.storage === 'fail');
    if (after.link !== before.link) link.setLink(after.link);
    if (after.power !== before.power) board.inputs.setMains(after.power);
    if (after.grid !== undefined) board.inputs.setGrid(after.grid);
    if (after.dimming !== undefined) board.inputs.setDimming(after.dimming);
    if (after.rcd !== undefined) board.inputs.setRcd(after.rcd);
    for (const [id, connector] of Object.entries(after.connectors)) {
      const earlier = before.connectors[id];
      if (earlier === undefined) continue;
      this.#followFaults(Number(id), earlier.faults, connector.faults);
      this.#followConnector(Number(id), earlier, connector, namesRegister(patch, id));
    }
  }

  #followFaults(id: number, before: ConnectorInputs['faults'], after: ConnectorInputs['faults']): void {
    const { inputs } = this.#parts.board;
    for (const [errorCode, code] of Object.entries(FAULT_OF)) {
      const [earlier, details] = [before[errorCode], after[errorCode]];
      if (details === undefined && earlier !== undefined) inputs.setFault(id, code, null);
      else if (details !== undefined && !sameDetails(earlier, details)) inputs.setFault(id, code, details);
    }
  }

  #followConnector(id: number, before: ConnectorInputs, after: ConnectorInputs, isSwap: boolean): void {
    const { wh, ...meter } = after.meter;
    const ev = differences(before.ev, after.ev);
    const change = {
      ...(after.jam === before.jam ? {} : { jam: after.jam }),
      ...(after.temperatureC === before.temperatureC ? {} : { temperatureC: after.temperatureC }),
      ...(Object.keys(ev).length === 0 ? {} : { ev }),
      meter: { ...differences(before.meter, meter), ...(isSwap || wh !== before.meter.wh ? { wh } : {}) },
    };
    this.#parts.board.inputs.patchConnector(id, change);
  }
}

/** The inputs that play what this board has. */
export const siteOfBoard = ({ gridMeter, dimming, testsRcds }: MockBoard): Site => ({
  grid: gridMeter !== undefined,
  dimming: dimming !== undefined,
  rcd: testsRcds,
});

/** Setting the register to what it is already is a declared meter swap all the same. */
function namesRegister(patch: unknown, id: string): boolean {
  const meter = ['connectors', id, 'meter'].reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), patch);
  return isObject(meter) && Object.hasOwn(meter, 'wh');
}

function differences<T extends object>(before: T, after: Partial<T>): Partial<T> {
  const changed = Object.entries(after).filter(([name, value]) => value !== before[name as keyof T]);
  return Object.fromEntries(changed) as Partial<T>;
}

const sameDetails = (a: FaultDetails | undefined, b: FaultDetails): boolean =>
  a !== undefined && a.info === b.info && a.vendorErrorCode === b.vendorErrorCode && a.vendorId === b.vendorId;
