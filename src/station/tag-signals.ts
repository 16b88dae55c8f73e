/** What became of a tag, for whoever shows it to the person who holds it. */
import type { Unsubscribe } from '../ports.ts';

export interface TagOutcome {
  /** Those that the reader serves. */
  readonly connectorIds: readonly number[];
  readonly accepted: boolean;
}

export class TagSignals {
  readonly #listeners = new Set<(outcome: TagOutcome) => void>();

  tell(outcome: TagOutcome): void {
    for (const listener of [...this.#listeners]) listener(outcome);
  }

  on(listener: (outcome: TagOutcome) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
