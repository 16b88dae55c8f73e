/** Spreads work over turns of the event loop: whoever floods us must not keep pilot, interlock and timers waiting. */

export class OnePerTurn {
  readonly #waiting: (() => void)[] = [];
  readonly #onCongestion: (congested: boolean) => void;
  #taken = false;

  /** `onCongestion` hears when something has to wait, and when nothing does any more. */
  constructor(onCongestion: (congested: boolean) => void) {
    this.#onCongestion = onCongestion;
  }

  /** Runs `action` at once if none has run in this turn, else in a turn of its own, in order. */
  run(action: () => void): void {
    if (this.#taken) {
      if (this.#waiting.push(action) === 1) this.#onCongestion(true);
      return;
    }
    this.#take(action);
  }

  /** Forgets what waits. */
  clear(): void {
    if (this.#waiting.splice(0).length > 0) this.#onCongestion(false);
  }

  #take(action: () => void): void {
    this.#taken = true;
    setImmediate(() => this.#next());
    action();
  }

  #next(): void {
    const action = this.#waiting.shift();
    this.#taken = false;
    if (action === undefined) return;
    if (this.#waiting.length === 0) this.#onCongestion(false);
    this.#take(action);
  }
}
