/** The control pilot from a PWM channel and comparators on its peaks. */
import type { Cancel, ControlPilot, Monotonic, Offer, PilotState, Timebase, Unsubscribe } from '../contract.ts';
import { dutyOf } from '../duty.ts';
import { type DiodeCheck, looked, paused, UNCHECKED } from './diode-check.ts';
import type { InputLine } from './line.ts';
import {
  asksForPower,
  FILTER_MOST_MS,
  type Filter,
  filtered,
  firstFilter,
  type Levels,
  SAMPLE_MS,
  type Sample,
  sampleOf,
} from './pilot-filter.ts';
import type { Pwm } from './pwm.ts';

export const FILTER_MS = 20;
/** Some cars glitch to B this long after the current was changed; meanwhile the filter is as slow as the budget allows. */
export const UNSTEADY_MS = 600;

export interface ComparatorPilotParts {
  readonly pwm: Pwm;
  /** From the highest threshold down: 10.5, 7.5, 4.5, 1.5 V. */
  readonly above: readonly [InputLine, InputLine, InputLine, InputLine];
  /** Absent: this board cannot check the diode. */
  readonly belowMinus10V5?: InputLine;
  /** 0..40. */
  readonly filterMs?: number;
  readonly clock: Timebase;
  /** `false`: the diode is missing. `true`: the EV that had none has left. */
  onDiode(ok: boolean): void;
}

/**
 * Samples every 10 ms and at every edge. Where the diode can be checked, C and D are reported as B until the EV has passed: it
 * takes PWM to see the negative half, and the contactor must not close before.
 */
export class ComparatorPilot implements ControlPilot {
  readonly #parts: ComparatorPilotParts;
  readonly #listeners = new Set<(state: PilotState) => void>();
  readonly #unsubscribe: readonly Unsubscribe[];
  #offer: Offer = 'x1';
  #unsteadyUntil: Monotonic;
  #filter: Filter;
  #diode: DiodeCheck = UNCHECKED;
  #next: Cancel;

  constructor(parts: ComparatorPilotParts) {
    this.#parts = parts;
    const now = parts.clock.now();
    this.#unsteadyUntil = now;
    this.#filter = firstFilter(this.#read(), now);
    const lines = [...parts.above, ...(parts.belowMinus10V5 === undefined ? [] : [parts.belowMinus10V5])];
    this.#unsubscribe = lines.map((line) => line.onChange(() => this.#sample()));
    this.#next = parts.clock.after(SAMPLE_MS, this.#tick);
  }

  get state(): PilotState {
    return this.#filter.state;
  }

  signal(offer: Offer): void {
    this.#parts.pwm.duty(dutyOf(offer));
    if (typeof offer === 'number' && typeof this.#offer === 'number' && offer !== this.#offer) {
      this.#unsteadyUntil = this.#parts.clock.now() + UNSTEADY_MS;
    }
    this.#offer = offer;
  }

  onState(listener: (state: PilotState) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops looking. The signal stays what it is. */
  close(): void {
    this.#next();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#listeners.clear();
  }

  readonly #tick = (): void => {
    this.#next = this.#parts.clock.after(SAMPLE_MS, this.#tick);
    this.#sample();
  };

  #sample(): void {
    const now = this.#parts.clock.now();
    const sample = this.#read();
    this.#checkDiode(sample, now);
    const filterMs = now < this.#unsteadyUntil ? FILTER_MOST_MS : (this.#parts.filterMs ?? FILTER_MS);
    const before = this.#filter.state;
    this.#filter = filtered(this.#filter, this.#believed(sample), now, filterMs);
    const { state } = this.#filter;
    if (state === before) return;
    if (state === 'A') this.#forgetTheEv();
    for (const listener of [...this.#listeners]) listener(state);
  }

  #read(): Sample {
    try {
      const levels = this.#parts.above.map((line) => line.read());
      return sampleOf(levels as unknown as Levels, this.#offer === 'F');
    } catch {
      // A line that cannot be read is no sample: after 40 ms of that it is state E.
      return 'nonsense';
    }
  }

  #believed(sample: Sample): Sample {
    const unproven = this.#parts.belowMinus10V5 !== undefined && !this.#diode.verified;
    return unproven && asksForPower(sample) ? 'B' : sample;
  }

  #checkDiode(sample: Sample, now: Monotonic): void {
    const line = this.#parts.belowMinus10V5;
    if (line === undefined) return;
    const visible = typeof this.#offer === 'number' && (sample === 'B' || asksForPower(sample));
    const before = this.#diode;
    this.#diode = visible ? looked(before, negativeHalf(line), now) : paused(before);
    if (this.#diode.failed && !before.failed) this.#parts.onDiode(false);
  }

  #forgetTheEv(): void {
    const { failed } = this.#diode;
    this.#diode = UNCHECKED;
    if (failed) this.#parts.onDiode(true);
  }
}

/** A comparator that cannot be read proves nothing. */
function negativeHalf(line: InputLine): boolean {
  try {
    return line.read();
  } catch {
    return false;
  }
}
