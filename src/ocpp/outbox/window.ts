/** The next facts to send: at most two pages of the queue in memory, the rest stays in the store. */
import { type Fact, factsFrom, isFact, sequenceOf } from './fact.ts';
import type { Ledger } from './ledger.ts';

const PAGE = 100;

export interface Entry {
  readonly sequence: number;
  readonly fact: Fact;
}

export class Window {
  readonly #ledger: Ledger;
  readonly #entries: Entry[] = [];
  /** Every fact below this is in `#entries` or done. */
  #end: number;
  /** Facts at and above this are not accepted yet. */
  #admitted: number;
  #size: number;

  /** `from` .. `to`: the sequence numbers that the store may hold, `to` exclusive. */
  constructor(ledger: Ledger, from: number, to: number) {
    this.#ledger = ledger;
    this.#end = from;
    this.#admitted = to;
    this.#size = to - from;
  }

  /** Facts not yet done, in memory and in the store. */
  get size(): number {
    return this.#size;
  }

  /** The oldest fact, unless it must be fetched with `fill` first. */
  get first(): Entry | undefined {
    return this.#entries[0];
  }

  /** The sequence number from which on the store has facts that are not done. */
  get start(): number {
    return this.#entries[0]?.sequence ?? this.#end;
  }

  /**
   * Facts have become durable (or are owed); told in the order of their numbers. They stay in memory only if nothing lies between and
   * there is room. While `fill` reads, something does lie between.
   */
  admit(first: number, facts: readonly Fact[]): void {
    this.#admitted = first + facts.length;
    this.#size += facts.length;
    if (this.#end !== first || this.#entries.length + facts.length > PAGE) return;
    facts.forEach((fact, index) => {
      this.#entries.push({ sequence: first + index, fact });
    });
    this.#end = this.#admitted;
  }

  /** A fact says something else from now on. */
  replace(sequence: number, fact: Fact): void {
    const index = this.#entries.findIndex((entry) => entry.sequence === sequence);
    if (index >= 0) this.#entries[index] = { sequence, fact };
  }

  /** The oldest fact is done. */
  shift(): void {
    this.#entries.shift();
    this.#size--;
  }

  /** Fetches the next page; called while there is a fact and none in memory. Rejects with StoreError. */
  async fill(): Promise<void> {
    const to = this.#admitted;
    const rows = await this.#ledger.list({ ...factsFrom(this.#end, to), limit: PAGE });
    for (const [key, value] of rows) {
      if (isFact(value)) this.#entries.push({ sequence: sequenceOf(key), fact: value });
    }
    const last = rows.at(-1);
    // Only an empty page is the end: one with a hole (a value that is unreadable) may be short.
    this.#end = last === undefined ? to : sequenceOf(last[0]) + 1;
    // Sequence numbers may have gaps (a refused add, a sample lost in a power cut): now the count is exact again.
    if (this.#end === this.#admitted) this.#size = this.#entries.length;
  }
}
