/** What is owed to a failing store never overwrites what was written later. */
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import { Ledger } from '../../../src/ocpp/outbox/ledger.ts';
import type { Store, StoreOperation } from '../../../src/ports.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';

/** A store whose batches settle on command, in order. */
class ScriptedStore implements Store {
  readonly healthy = true;
  readonly held = new Map<string, unknown>();
  readonly #waiting: (readonly [readonly StoreOperation[], (error?: Error) => void])[] = [];

  async get<T>(key: string): Promise<T | undefined> {
    return this.held.get(key) as T | undefined;
  }
  async list<T>({ from, to, limit }: { from: string; to: string; limit?: number }): Promise<[string, T][]> {
    const rows = [...this.held].filter(([key]) => key >= from && key < to).sort();
    return rows.slice(0, limit) as [string, T][];
  }
  batch(operations: readonly StoreOperation[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push([operations, (error) => (error === undefined ? resolve() : reject(error))]);
    });
  }
  async close(): Promise<void> {}

  async next(outcome: 'written' | 'failed'): Promise<void> {
    const [operations, settle] = this.#waiting.shift() ?? [[], () => undefined];
    if (outcome === 'failed') settle(new StoreError('storeBroken', 'scripted'));
    else {
      for (const operation of operations) {
        if (operation.type === 'put') this.held.set(operation.key, operation.value);
        else this.held.delete(operation.key);
      }
      settle();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const put = (key: string, value: unknown): StoreOperation => ({ type: 'put', key, value });

describe('the ledger', () => {
  it('forgets what it owes for a key once a later write of that key succeeded', async () => {
    const store = new ScriptedStore();
    const ledger = new Ledger(store);
    void ledger.writeOrOwe([put('k', 'older')]);
    void ledger.write([put('k', 'newer')], 'durable');
    await store.next('failed');
    await store.next('written');
    expect(ledger.owing).toBe(false);
    expect(store.held.get('k')).toBe('newer');
  });

  it('still owes a deletion when an older put of the same key is written meanwhile', async () => {
    const store = new ScriptedStore();
    const ledger = new Ledger(store);
    void ledger.writeOrOwe([put('k', 'v')]);
    await store.next('failed');
    void ledger.writeOrOwe([{ type: 'delete', key: 'k' }]);
    void ledger.write([put('other', 1)], 'durable');
    await store.next('failed');
    await store.next('written');
    expect(store.held.get('k')).toBe('v');
    void ledger.writeOrOwe([]);
    await store.next('written');
    expect([...store.held.keys()]).toEqual(['other']);
    expect(ledger.owing).toBe(false);
  });

  it('has made durable what it says is paid, whatever write it rode with', async () => {
    const disk = new MemoryDisk();
    const ledger = new Ledger(disk.open());
    disk.failWrites(true);
    await ledger.writeOrOwe([put('k', 'owed')]);
    disk.failWrites(false);
    await ledger.writeOrOwe([put('other', 1)], 'relaxed');
    expect(ledger.owing).toBe(false);
    await disk.powerCut();
    expect(await disk.open().get('k')).toBe('owed');
  });

  it('lists what is owed among what is stored, page by page', async () => {
    const store = new ScriptedStore();
    const ledger = new Ledger(store);
    for (const key of ['a', 'c', 'e', 'g']) store.held.set(key, key);
    void ledger.writeOrOwe([put('b', 'b'), put('h', 'h'), put('f', 'f'), { type: 'delete', key: 'c' }]);
    await store.next('failed');
    const keys = async (from: string, limit: number): Promise<string[]> =>
      (await ledger.list({ from, to: 'z', limit })).map(([key]) => key);
    expect(await keys('a', 3)).toEqual(['a', 'b', 'e']);
    expect(await keys('f', 3)).toEqual(['f', 'g', 'h']);
    expect(await keys('a', 9)).toEqual(['a', 'b', 'e', 'f', 'g', 'h']);
  });
});
