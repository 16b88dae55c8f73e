/** The list on the medium: a log of changes in small pieces, and one head that says which pieces count. */
import type { IdTagEntry } from '../../core/authorization.ts';
import type { KeyRange, Store } from '../../ports.ts';

/** A canonical idTag with its new entry; null removes it. */
export type ListChange = readonly [idTag: string, entry: IdTagEntry | null];

export interface Head {
  readonly version: number;
  /** Pieces from `first` up to, not including, `next` make the list, in this order. */
  readonly first: number;
  readonly next: number;
}

const EMPTY: Head = { version: 0, first: 0, next: 0 };

const HEAD_KEY = 'list/head';
const PIECE_PREFIX = 'list/piece/';
export const listRange: KeyRange = { from: 'list/', to: 'list0' };
const DIGITS = 12;
/** So few that reading, writing or taking in one of them holds nobody up. */
export const CHANGES_PER_PIECE = 100;
const PIECES_AT_ONCE = 5;

const pieceKey = (number: number): string => PIECE_PREFIX + String(number).padStart(DIGITS, '0');

/**
 * A list of 10,000 cannot be written in one synchronous slice. So pieces are written first, where nobody looks for them; then one
 * durable write of the head makes them count, all or none. Every method rejects with StoreError.
 */
export class ChangeLog {
  readonly #store: Store;
  #head: Head = EMPTY;

  constructor(store: Store) {
    this.#store = store;
  }

  get head(): Head {
    return this.#head;
  }

  /** Hands over the pieces that count, oldest first. */
  async open(take: (changes: readonly ListChange[]) => void): Promise<void> {
    this.#head = (await this.#store.get<Head>(HEAD_KEY)) ?? EMPTY;
    const { first, next } = this.#head;
    for (let from = first; from < next; from += PIECES_AT_ONCE) {
      const range = { from: pieceKey(from), to: pieceKey(Math.min(from + PIECES_AT_ONCE, next)) };
      for (const [, changes] of await this.#store.list<readonly ListChange[]>(range)) take(changes);
    }
  }

  /** Durable when it resolves. When it rejects nothing has changed. */
  async append(version: number, changes: Iterable<ListChange>): Promise<void> {
    const { first, next } = this.#head;
    await this.#commit({ version, first, next: await this.#write(changes, next) });
  }

  /** As `append`, but nothing that was there before counts any more. */
  async replace(version: number, changes: Iterable<ListChange>): Promise<void> {
    const { next } = this.#head;
    await this.#commit({ version, first: next, next: await this.#write(changes, next) });
  }

  /** Removes what does not count. */
  async sweep(): Promise<void> {
    const { first } = this.#head;
    for (;;) {
      const rows = await this.#store.list({ from: PIECE_PREFIX, to: pieceKey(first), limit: PIECES_AT_ONCE });
      if (rows.length === 0) return;
      await this.#store.batch(
        rows.map(([key]) => ({ type: 'delete', key })),
        'relaxed',
      );
    }
  }

  async #commit(head: Head): Promise<void> {
    await this.#store.batch([{ type: 'put', key: HEAD_KEY, value: head }], 'durable');
    this.#head = head;
  }

  /** Each write lets others take their turn. Returns the number after the last piece. */
  async #write(changes: Iterable<ListChange>, from: number): Promise<number> {
    let number = from;
    let piece: ListChange[] = [];
    const flush = async (): Promise<void> => {
      await this.#store.batch([{ type: 'put', key: pieceKey(number), value: piece }], 'relaxed');
      number += 1;
      piece = [];
    };
    for (const change of changes) {
      piece.push(change);
      if (piece.length === CHANGES_PER_PIECE) await flush();
    }
    if (piece.length > 0) await flush();
    return number;
  }
}
