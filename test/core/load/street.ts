/** Several EVs at one supply, in virtual time: late ones, paused ones, silent meters, rotated phases. What they draw is the truth. */
import { balance, type ConnectorLoad, type Pace, type Shares, type Supply } from '../../../src/core/load/balance.ts';
import { type GridPhase, type PerLine, type PerPhase, type Rotation, wiringOf } from '../../../src/core/load/grid.ts';
import type { Draw } from '../../../src/core/load/usage.ts';

export interface PlaceOptions {
  readonly rotation: Rotation;
  readonly phases: 1 | 3;
  readonly capA: number;
  /** How long the EV takes to follow a lower limit, 0..5000 ms. */
  readonly lateMs: number;
  readonly wantsA: number;
  readonly evPhases: 1 | 3;
}

export interface Change {
  readonly at: number;
  readonly limitA: number;
}

const POLL_MS = 2000;
const OPENS_WITHIN_MS = 6000;
const EMPTY: PerPhase = [0, 0, 0];

class Place {
  readonly id: number;
  options: PlaceOptions;
  active = false;
  closed = false;
  silent = false;
  draw: Draw | undefined;
  /** What it may draw from then on, oldest first. */
  readonly changes: Change[] = [];
  #offA: number | undefined;
  #offSince = 0;

  constructor(id: number, options: PlaceOptions) {
    this.id = id;
    this.options = options;
  }

  get limitA(): number {
    return this.changes.at(-1)?.limitA ?? 0;
  }

  get wiring() {
    return wiringOf(this.options.rotation, this.options.phases, 3);
  }

  /** Ampere per line that really flow: it comes up at once, and goes down as late as it likes. */
  flow(at: number): PerLine {
    if (!this.closed) return EMPTY;
    const followed = this.changes.filter((change) => at - change.at < this.options.lateMs);
    const earlier = this.changes.findLast((change) => at - change.at >= this.options.lateMs)?.limitA ?? 0;
    const mayA = Math.max(earlier, ...followed.map(({ limitA }) => limitA));
    const amps = Math.min(this.options.wantsA, mayA);
    const lines = Math.min(this.options.phases, this.options.evPhases);
    return [amps, lines > 1 ? amps : 0, lines > 1 ? amps : 0];
  }

  onGrid(at: number): PerPhase {
    const { rotation, phases } = this.options;
    // Where nobody has said how it is wired, it is wired somehow.
    return wiringOf(rotation === 'Unknown' ? 'TSR' : rotation, phases, 3).onGrid(this.flow(at));
  }

  /** The contactor closes with a current, and opens when the EV has let go, at the latest after 6 s. */
  settle(at: number): void {
    if (this.limitA > 0 && this.active) {
      this.#offA = undefined;
      if (this.options.wantsA > 0) this.closed = true;
    } else if (this.closed) {
      if (this.#offA === undefined) this.#offSince = at;
      this.#offA = 0;
      if (at - this.#offSince >= Math.min(this.options.lateMs, OPENS_WITHIN_MS)) this.closed = false;
    }
    if (this.options.wantsA === 0) this.closed = false;
  }

  /** The most that it was allowed within the last 5 s, per grid phase. */
  allowed(at: number): PerPhase {
    const recent = this.changes.filter((_, index) => {
      const endedAt = this.changes[index + 1]?.at;
      return endedAt === undefined || at - endedAt < 5000;
    });
    const amps: [number, number, number] = [0, 0, 0];
    for (const phase of this.wiring.phases) amps[phase] = Math.max(0, ...recent.map(({ limitA }) => limitA));
    return amps;
  }
}

export class Street {
  readonly places: readonly Place[];
  supply: Supply;
  pace: Pace;
  at = 0;
  shares: Shares = new Map();
  urgent = false;
  reasons = new Map<number, string>();
  #nextAt: number | undefined;
  #polledAt = Number.NEGATIVE_INFINITY;

  constructor(places: readonly PlaceOptions[], amps: PerPhase, pace: Pace = { randomDelayMs: 0, chance: 0.5 }) {
    this.places = places.map((options, index) => new Place(index + 1, options));
    this.supply = { amps, reasons: ['the fuse', 'the fuse', 'the fuse'] };
    this.pace = pace;
  }

  place(id: number): Place {
    const found = this.places[id - 1];
    if (found === undefined) throw new Error(`there is no place ${id}`);
    return found;
  }

  review(): void {
    const result = balance(
      this.shares,
      this.places.map((place) => this.#load(place)),
      this.supply,
      this.pace,
      this.at,
    );
    this.shares = result.shares;
    this.#nextAt = result.nextAt;
    for (const place of this.places) {
      const outcome = result.outcomes.get(place.id);
      const limitA = place.active ? (outcome?.limitA ?? 0) : 0;
      this.reasons.set(place.id, outcome?.reason ?? '');
      if (limitA !== place.limitA) place.changes.push({ at: this.at, limitA });
      place.settle(this.at);
    }
  }

  /** Calls `look` after each step of time. */
  advance(ms: number, look: (street: Street) => void = () => {}, stepMs = 250): void {
    const end = this.at + ms;
    while (this.at < end) {
      this.at = Math.min(end, this.at + stepMs);
      for (const place of this.places) place.settle(this.at);
      const isPoll = this.at - this.#polledAt >= POLL_MS;
      if (isPoll) this.#poll();
      if (isPoll || (this.#nextAt !== undefined && this.at >= this.#nextAt)) this.review();
      look(this);
    }
  }

  /** Per grid phase, the sum of what was allowed in the last 5 s or is drawn. */
  used(): PerPhase {
    const phases = [0, 1, 2] as const;
    return phases.map((phase) =>
      this.places.reduce(
        (sum, place) => sum + Math.max(place.allowed(this.at)[phase], place.onGrid(this.at)[phase]),
        0,
      ),
    ) as unknown as PerPhase;
  }

  #poll(): void {
    this.#polledAt = this.at;
    for (const place of this.places)
      if (!place.silent) place.draw = { at: this.at, amps: place.wiring.onGrid(place.flow(this.at)) };
  }

  #load({ id, active, closed, draw, options, wiring }: Place): ConnectorLoad {
    return {
      id,
      active,
      closed,
      draw,
      phases: wiring.phases as readonly GridPhase[],
      leastA: 6,
      cap: { limitA: options.capA, reason: 'its cap', urgent: this.urgent },
    };
  }
}
