/** What has changed among the outputs, numbered, for whoever asks later. */
import type { Outputs } from './document.ts';

export interface OutputEvent {
  readonly n: number;
  /** ISO 8601, of the agent's clock. */
  readonly at: string;
  /** As in `connectors.1.out.pilot`. */
  readonly path: string;
  readonly value: unknown;
}

export interface OutputEvents {
  readonly events: readonly OutputEvent[];
  /** The next `after`. */
  readonly next: number;
}

const KEPT = 2000;

export class OutputHistory {
  readonly #kept: OutputEvent[] = [];
  #last: Outputs;
  #n = 0;

  constructor(first: Outputs) {
    this.#last = first;
  }

  /** True if there was a change. */
  record(outputs: Outputs, at: string): boolean {
    const before = this.#n;
    for (const [place, members] of Object.entries(outputs)) {
      for (const [name, value] of Object.entries(members)) {
        if (this.#last[place]?.[name] === value) continue;
        this.#n += 1;
        this.#kept.push({ n: this.#n, at, path: `${place}.${name}`, value });
      }
    }
    this.#last = outputs;
    this.#kept.splice(0, this.#kept.length - KEPT);
    return this.#n > before;
  }

  /** Those after number `after`; all that are kept if there never was such a number: it is from an earlier process. */
  since(after: number): OutputEvents {
    const events = after > this.#n ? [...this.#kept] : this.#kept.filter(({ n }) => n > after);
    return { events, next: this.#n };
  }
}
