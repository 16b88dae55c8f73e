/** A residual current device that can be tested, and one way in which it can be broken. */
import type { Timebase, Unsubscribe } from '../contract.ts';
import type { RcdDevice } from '../rcd.ts';

const TRIPS_AFTER_MS = 100;
const RECOVERS_AFTER_MS = 500;

export class MockRcd implements RcdDevice {
  /** Does not trip in its test. */
  isDeaf = false;
  readonly #clock: Timebase;
  readonly #listeners = new Set<(tripped: boolean) => void>();
  #tripped = false;
  #isTested = false;

  constructor(clock: Timebase) {
    this.#clock = clock;
  }

  get tripped(): boolean {
    return this.#tripped;
  }

  onTripped(listener: (tripped: boolean) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  test(on: boolean): void {
    this.#isTested = on;
    this.#clock.after(on ? TRIPS_AFTER_MS : RECOVERS_AFTER_MS, () => {
      if (this.#isTested === on) this.#become(on && !this.isDeaf);
    });
  }

  #become(tripped: boolean): void {
    if (tripped === this.#tripped) return;
    this.#tripped = tripped;
    for (const listener of [...this.#listeners]) listener(tripped);
  }
}
