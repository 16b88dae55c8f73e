/** The outbox's way to the store: while the store fails, writes that must not be lost are owed and ride with the next write. */
import type { KeyRange, Store, StoreOperation } from '../../ports.ts';

interface Ordered {
  readonly operation: StoreOperation;
  /** Which write it first came with; a later one that succeeds for the same key makes it obsolete. */
  readonly order: number;
}

export class Ledger {
  readonly #store: Store;
  readonly #owed = new Map<string, Ordered>();
  #order = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  /** True while something is only in memory. */
  get owing(): boolean {
    return this.#owed.size > 0;
  }

  owes(key: string): boolean {
    return this.#owed.has(key);
  }

  /** Writes at once. Rejects with StoreError, and then none of `operations` will ever be written. */
  write(operations: readonly StoreOperation[], durability: 'durable' | 'relaxed'): Promise<void> {
    return this.#write(ordered(operations, ++this.#order), durability);
  }

  /** Writes durably if possible, else owes. Resolves to the failure, or to undefined when it is durable. Never rejects. */
  async writeOrOwe(
    operations: readonly StoreOperation[],
    durability: 'durable' | 'relaxed' = 'durable',
  ): Promise<unknown> {
    const entries = ordered(operations, ++this.#order);
    try {
      await this.#write(entries, durability);
      return undefined;
    } catch (failure) {
      for (const entry of entries) this.#owed.set(entry.operation.key, entry);
      return failure ?? new Error('the store failed');
    }
  }

  /** What the store holds, with what is owed laid over it. Forward only. Rejects with StoreError. */
  async list(range: KeyRange & { readonly limit: number }): Promise<readonly (readonly [string, unknown])[]> {
    const rows = await this.#store.list<unknown>(range);
    if (!this.owing) return rows;
    const last = rows.length < range.limit ? undefined : rows.at(-1)?.[0];
    const merged = new Map(rows);
    for (const [key, { operation }] of this.#owed) {
      if (key < range.from || key >= range.to || (last !== undefined && key > last)) continue;
      if (operation.type === 'put') merged.set(key, operation.value);
      else merged.delete(key);
    }
    return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, range.limit);
  }

  /** Resolves when no write is under way. */
  async quiet(): Promise<void> {
    for (let seen: unknown; seen !== this.#last; ) {
      seen = this.#last;
      await seen;
    }
  }

  #write(entries: readonly Ordered[], durability: 'durable' | 'relaxed'): Promise<void> {
    const written = [...this.#owed.values(), ...entries];
    const operations = written.map((entry) => entry.operation);
    const done = this.#store.batch(operations, this.owing ? 'durable' : durability).then(() => this.#paid(written));
    this.#last = done.catch(() => undefined);
    return done;
  }

  #paid(written: readonly Ordered[]): void {
    for (const { operation, order } of written) {
      const owed = this.#owed.get(operation.key);
      if (owed !== undefined && owed.order <= order) this.#owed.delete(operation.key);
    }
  }
}

function ordered(operations: readonly StoreOperation[], order: number): readonly Ordered[] {
  return operations.map((operation) => ({ operation, order }));
}
