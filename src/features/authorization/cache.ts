/** The authorization cache: the latest word of the central system about each idTag (OCPP 1.6 section 3.5.1). */
import { canonical, type IdTagEntry, statusAt } from '../../core/authorization.ts';
import type { Clock, KeyRange, Log, Store, StoreOperation } from '../../ports.ts';

interface Row extends IdTagEntry {
  /** Grows with each message: how old an entry is survives a restart. */
  readonly order: number;
}

export interface CacheOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** At least 1. */
  readonly capacity?: number;
}

const PREFIX = 'cache/';
export const cacheRange: KeyRange = { from: PREFIX, to: 'cache0' };
const CAPACITY = 1000;

export class AuthorizationCache {
  readonly #options: CacheOptions;
  readonly #capacity: number;
  /** By canonical idTag; the one used longest ago comes first. */
  readonly #rows = new Map<string, Row>();
  #order = 0;

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? CAPACITY;
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    const stored = await this.#options.store.list<Row>(cacheRange);
    for (const [key, row] of stored.toSorted(([, a], [, b]) => a.order - b.order)) {
      this.#rows.set(key.slice(PREFIX.length), row);
      this.#order = row.order;
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Being asked about counts as use. */
  find(idTag: string): IdTagEntry | undefined {
    const key = canonical(idTag);
    const row = this.#rows.get(key);
    if (row !== undefined) this.#touch(key, row);
    return row;
  }

  /** Kept in memory at once and on the medium with the next durable write. */
  learn(idTag: string, entry: IdTagEntry): void {
    const key = canonical(idTag);
    const operations: StoreOperation[] = this.#rows.has(key) ? [] : this.#makeRoom();
    const row: Row = { ...entry, order: ++this.#order };
    this.#touch(key, row);
    this.#write([...operations, { type: 'put', key: PREFIX + key, value: row }]);
  }

  forget(isForgotten: (idTag: string) => boolean): void {
    this.#write(this.#remove([...this.#rows.keys()].filter(isForgotten)));
  }

  /** Empty, on the medium too, when this resolves. Rejects with StoreError: then nothing has been forgotten. */
  async clear(): Promise<void> {
    const cleared = [...this.#rows];
    await this.#options.store.batch(
      cleared.map(([key]) => ({ type: 'delete', key: PREFIX + key })),
      'durable',
    );
    // What was learnt meanwhile is newer than the order to forget.
    for (const [key, row] of cleared) if ((this.#rows.get(key)?.order ?? 0) <= row.order) this.#rows.delete(key);
  }

  #touch(key: string, row: Row): void {
    this.#rows.delete(key);
    this.#rows.set(key, row);
  }

  /** Section 3.5.1: when it is full, all that is not valid goes, and if that is not enough the oldest. */
  #makeRoom(): StoreOperation[] {
    if (this.#rows.size < this.#capacity) return [];
    const { clock } = this.#options;
    const wall = clock.wall(clock.now());
    const keys = [...this.#rows.keys()];
    const useless = [...this.#rows].flatMap(([key, row]) => (statusAt(row, wall) === 'Accepted' ? [] : [key]));
    return this.#remove(useless.length > 0 ? useless : keys.slice(0, 1));
  }

  #remove(keys: readonly string[]): StoreOperation[] {
    for (const key of keys) this.#rows.delete(key);
    return keys.map((key) => ({ type: 'delete', key: PREFIX + key }));
  }

  #write(operations: readonly StoreOperation[]): void {
    if (operations.length === 0) return;
    const { store, log } = this.#options;
    store.batch(operations, 'relaxed').catch((cause: unknown) => {
      log.warn('the authorization cache could not be stored', { cause });
    });
  }
}
