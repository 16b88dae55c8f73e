import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../../src/bench/replay/memory-store.ts';

describe('the store of a replay', () => {
  it('keeps keys in order, from inclusive and to exclusive', async () => {
    const store = memoryStore({ b: 2, a: 1, d: 4, c: 3 });
    expect(await store.list({ from: 'a', to: 'd' })).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    expect(await store.list({ from: 'a', to: 'e', limit: 2, reverse: true })).toEqual([
      ['d', 4],
      ['c', 3],
    ]);
  });

  it('does not follow a value that is changed after it was written', async () => {
    const store = memoryStore({});
    const value = { wh: 1 };
    await store.batch([{ type: 'put', key: 'a', value }], 'durable');
    value.wh = 2;
    expect(await store.get('a')).toEqual({ wh: 1 });
    await store.batch([{ type: 'delete', key: 'a' }], 'durable');
    expect(await store.get('a')).toBeUndefined();
  });

  it('rejects with storeClosed once it is closed', async () => {
    const store = memoryStore({ a: 1 });
    await store.close();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'storeClosed' });
    await expect(store.batch([], 'durable')).rejects.toMatchObject({ code: 'storeClosed' });
  });
});
