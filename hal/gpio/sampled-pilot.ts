/** The control pilot from a PWM channel and something that sees its levels. */
import type { Cancel, ControlPilot, Monotonic, Offer, PilotState, Timebase, Unsubscribe } from '../contract.ts';
import { dutyOf } from '../duty.ts';
import { type DiodeCheck, looked, paused, UNCHECKED } from './diode-check.ts';
import {
  asksForPower,
  FILTER_MOST_MS,
  type Filter,
  filtered,
  firstFilter,
  SAMPLE_MS,
  type Sample,
} from './pilot-filter.ts';
import { NOTHING_SEEN, type PilotLook, type PilotSense } from './pilot-sense.ts';
import type { Pwm } from './pwm.ts';

const FILTER_MS = 20;
/** Some cars glitch to B this long after the current was changed; meanwhile the filter is as slow as the budget allows. */
const UNSTEADY_MS = 600;

/** A sense that is broken, or works again, for so long is told of. The contactor has not waited for it. */
const BROKEN_MS = 1000;

export interface SampledPilotParts {
  readonly pwm: Pwm;
  readonly sense: PilotSense;
  /** 0..40. */
  readonly filterMs?: number;
  readonly clock: Timebase;
  /** `false`: the diode is missing. `true`: the EV that had none has left. */
  onDiode(ok: boolean): void;
  /** `false`: nobody knows any more what is plugged in, and it is not the EV. `true`: the pilot is seen again. */
  onSense(ok: boolean): void;
}

/**
 * Looks every 10 ms and at every edge. Where the diode can be checked, C and D are reported as B until the EV has passed: it
 * takes PWM to see the negative half, and the contactor must not close before.
 */
export class SampledPilot implements ControlPilot {
  readonly #parts: SampledPilotParts;
  readonly #listeners = new Set<(state: PilotState) => void>();
  readonly #unsubscribe: Unsubscribe;
  #offer: Offer = 'x1';
  #unsteadyUntil: Monotonic;
  #filter: Filter;
  #diode: DiodeCheck = UNCHECKED;
  #broken = false;
  /** Every look since then has said otherwise. */
  #otherwiseSince: Monotonic | undefined;
  #next: Cancel;
  #lookedAt: Monotonic;

  constructor(parts: SampledPilotParts) {
    this.#parts = parts;
    const now = parts.clock.now();
    this.#unsteadyUntil = now;
    this.#lookedAt = now;
    this.#filter = firstFilter(this.#look().sample, now);
    this.#unsubscribe = parts.sense.onEdge(() => this.#sample());
    this.#next = parts.clock.after(SAMPLE_MS, this.#tick);
  }

  get state(): PilotState {
    return this.#filter.state;
  }

  get lookedAt(): Monotonic {
    return this.#lookedAt;
  }

  signal(offer: Offer): void {
    this.#parts.pwm.duty(dutyOf(offer));
    if (typeof offer === 'number' && typeof this.#offer === 'number' && offer !== this.#offer) {
      this.#unsteadyUntil = this.#parts.clock.now() + UNSTEADY_MS;
    }
    this.#offer = offer;
    // Nobody sees behind an F whether the EV is exchanged: whoever is there afterwards has to show its diode.
    if (offer === 'F') this.#diode = { ...UNCHECKED, failed: this.#diode.failed };
  }

  onState(listener: (state: PilotState) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops looking. The signal stays what it is. */
  close(): void {
    this.#next();
    this.#unsubscribe();
    this.#listeners.clear();
  }

  readonly #tick = (): void => {
    this.#next = this.#parts.clock.after(SAMPLE_MS, this.#tick);
    this.#sample();
    // Not at an edge: those come without the loop.
    this.#lookedAt = this.#parts.clock.now();
  };

  #sample(): void {
    const now = this.#parts.clock.now();
    const { sample, negativeHalf, broken = false } = this.#look();
    this.#checkDiode(sample, negativeHalf, now);
    const filterMs = now < this.#unsteadyUntil ? FILTER_MOST_MS : (this.#parts.filterMs ?? FILTER_MS);
    const before = this.#filter.state;
    this.#filter = filtered(this.#filter, this.#believed(sample), now, filterMs);
    const { state } = this.#filter;
    if (state !== before) {
      if (state === 'A') this.#forgetTheEv();
      for (const listener of [...this.#listeners]) listener(state);
    }
    this.#checkSense(broken, now);
  }

  #checkSense(broken: boolean, now: Monotonic): void {
    this.#otherwiseSince = broken === this.#broken ? undefined : (this.#otherwiseSince ?? now);
    if (this.#otherwiseSince === undefined || now - this.#otherwiseSince < BROKEN_MS) return;
    this.#otherwiseSince = undefined;
    this.#broken = broken;
    this.#parts.onSense(!broken);
  }

  #look(): PilotLook {
    try {
      return this.#parts.sense.look(this.#offer);
    } catch {
      // What cannot be read is no sample: after 40 ms of that it is state E.
      return NOTHING_SEEN;
    }
  }

  #believed(sample: Sample): Sample {
    const unproven = this.#parts.sense.checksDiode && !this.#diode.verified;
    return unproven && asksForPower(sample) ? 'B' : sample;
  }

  #checkDiode(sample: Sample, negativeHalf: boolean | undefined, now: Monotonic): void {
    if (!this.#parts.sense.checksDiode) return;
    const before = this.#diode;
    const visible = typeof this.#offer === 'number' && (sample === 'B' || asksForPower(sample));
    if (!visible) this.#diode = paused(before);
    else if (negativeHalf !== undefined) this.#diode = looked(before, negativeHalf, now);
    if (this.#diode.failed && !before.failed) this.#parts.onDiode(false);
  }

  #forgetTheEv(): void {
    const { failed } = this.#diode;
    this.#diode = UNCHECKED;
    if (failed) this.#parts.onDiode(true);
  }
}
