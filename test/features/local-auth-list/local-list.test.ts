/** The local list: every refusal, every restart, and 10,000 idTags without holding anybody up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import type { Settings } from '../../../src/features/feature.ts';
import type { AnyKey } from '../../../src/features/keys.ts';
import {
  localAuthListEnabled,
  localAuthListMaxLength,
  sendLocalListMaxLength,
} from '../../../src/features/local-auth-list/local-auth-list.keys.ts';
import { type ListUpdate, LocalList } from '../../../src/features/local-auth-list/local-list.ts';
import { openStore } from '../../../src/platform/store.ts';
import type { Clock, Store, StoreOperation } from '../../../src/ports.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { settle } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';
import { longestTurnOfBest, MOST_MS } from '../../turns.ts';

type Values = Readonly<Record<string, unknown>>;

const settingsOf = (values: Values): Settings =>
  ({
    get: ({ name, initial }: AnyKey) => values[name] ?? initial,
    find: (name: string) => ({ value: String(values[name] ?? localAuthListEnabled.initial) }),
  }) as unknown as Settings;

const realTime: Pick<Clock, 'afterReal'> = {
  afterReal: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

async function opened(store: Store, values: Values = {}): Promise<LocalList> {
  const list = new LocalList({ store, settings: settingsOf(values), log: silentLog, clock: realTime });
  await list.open();
  return list;
}

const fresh = (values: Values = {}) => opened(new MemoryDisk().open(), values);

const accepted = (idTag: string) => ({ idTag, idTagInfo: { status: 'Accepted' } as const });
const full = (listVersion: number, ...idTags: string[]): ListUpdate => ({
  listVersion,
  updateType: 'Full',
  localAuthorizationList: idTags.map(accepted),
});
const differential = (listVersion: number, ...idTags: string[]): ListUpdate => ({
  ...full(listVersion, ...idTags),
  updateType: 'Differential',
});
const many = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `TAG${String(from + index).padStart(9, '0')}`);

describe('SendLocalList (OCPP 1.6 sections 5.15 and 6.41)', () => {
  it.each<[string, Values, ListUpdate, string]>([
    ['a full list', {}, full(2, 'A', 'B'), 'Accepted'],
    ['a full list with an older version', {}, full(1, 'A'), 'Accepted'],
    ['changes', {}, differential(6, 'C'), 'Accepted'],
    ['no changes', {}, differential(6), 'Accepted'],
    ['changes of the same version', {}, differential(5, 'C'), 'VersionMismatch'],
    ['changes of an older version', {}, differential(4, 'C'), 'VersionMismatch'],
    ['the same idTag twice', {}, full(6, 'A', 'B', 'A'), 'Failed'],
    ['the same idTag twice, in another case', {}, differential(6, 'a', 'A'), 'Failed'],
    ['more than SendLocalListMaxLength', { [sendLocalListMaxLength.name]: 2 }, full(6, 'A', 'B', 'C'), 'Failed'],
    ['as many as SendLocalListMaxLength', { [sendLocalListMaxLength.name]: 2 }, full(6, 'A', 'B'), 'Accepted'],
    ['a list longer than LocalAuthListMaxLength', { [localAuthListMaxLength.name]: 2 }, differential(6, 'C'), 'Failed'],
    [
      'a list as long as LocalAuthListMaxLength',
      { [localAuthListMaxLength.name]: 3 },
      differential(6, 'C'),
      'Accepted',
    ],
    ['idTags it has already', { [localAuthListMaxLength.name]: 2 }, differential(6, 'a', 'b'), 'Accepted'],
    ['version 0 (errata 3.52)', {}, full(0, 'A'), 'Failed'],
    ['version -1 (errata 3.52)', {}, full(-1, 'A'), 'Failed'],
    ['a version that no number can hold exactly', {}, full(1e300, 'A'), 'Failed'],
    [
      'a full list with an entry that says nothing',
      {},
      { ...full(6), localAuthorizationList: [{ idTag: 'A' }] },
      'Failed',
    ],
  ])('%s', async (_, values, update, status) => {
    const list = await fresh(values);
    expect(await list.update(full(5, 'A', 'B'))).toBe('Accepted');
    expect(await list.update(update)).toBe(status);
    if (status === 'Accepted') expect(list.version).toBe(update.listVersion);
    else {
      expect(list.version).toBe(5);
      expect([list.size, list.find('A')?.status, list.find('C')]).toEqual([2, 'Accepted', undefined]);
    }
  });

  it('removes an idTag whose entry says nothing, and has version 0 when the last one is gone', async () => {
    const list = await fresh();
    await list.update(full(1, 'A', 'B'));
    expect(await list.update({ ...differential(2), localAuthorizationList: [{ idTag: 'a' }] })).toBe('Accepted');
    expect([list.size, list.version]).toEqual([1, 2]);
    await list.update({ ...differential(3), localAuthorizationList: [{ idTag: 'B' }, { idTag: 'unknown' }] });
    expect([list.size, list.version]).toEqual([0, 0]);
    expect(await list.update(differential(1, 'A'))).toBe('Accepted');
    expect(list.version).toBe(1);
  });

  it('is NotSupported while the list is disabled; what is on it comes back with it', async () => {
    const values = { [localAuthListEnabled.name]: true };
    const list = await fresh(values);
    await list.update(full(1, 'A'));
    values[localAuthListEnabled.name] = false;
    expect(await list.update(full(2, 'B'))).toBe('NotSupported');
    expect([list.version, list.find('A')]).toEqual([-1, undefined]);
    values[localAuthListEnabled.name] = true;
    expect([list.version, list.find('A')?.status]).toEqual([1, 'Accepted']);
  });

  it('takes one update after the other, in the order in which they came', async () => {
    const list = await fresh();
    const statuses = [full(1, 'A'), differential(2, 'B'), differential(2, 'C'), full(9, 'D')].map((update) =>
      list.update(update),
    );
    expect(await Promise.all(statuses)).toEqual(['Accepted', 'Accepted', 'VersionMismatch', 'Accepted']);
    expect([list.size, list.version]).toEqual([1, 9]);
  });
});

describe('the stored list', () => {
  it('is what was confirmed, after every story of updates, failures and losses of power', async () => {
    const update = fc.record({
      isFull: fc.boolean(),
      put: fc.uniqueArray(fc.integer({ min: 0, max: 250 }), { maxLength: 240 }),
      removed: fc.uniqueArray(fc.integer({ min: 251, max: 300 }), { maxLength: 20 }),
    });
    const move = fc.oneof(
      { weight: 5, arbitrary: update },
      { weight: 1, arbitrary: fc.constantFrom('kill' as const, 'powerCut' as const, 'fail' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 12 }), async (moves) => {
        const disk = new MemoryDisk();
        let list = await opened(disk.open());
        let model = new Map<string, number>();
        let version = 0;
        for (const [index, next] of moves.entries()) {
          if (next === 'fail') {
            disk.failWrites(true);
            expect(await list.update(full(index + 1, 'NEVER'))).toBe('Failed');
            disk.failWrites(false);
            continue;
          }
          if (next === 'kill' || next === 'powerCut') {
            await disk[next]();
            list = await opened(disk.open());
          } else {
            const changed = new Map(next.isFull ? [] : model);
            for (const tag of next.put) changed.set(`tag${tag}`, index);
            if (!next.isFull) for (const tag of next.removed) changed.delete(`tag${tag}`);
            const removed = next.isFull ? [] : next.removed.map((tag) => ({ idTag: `TAG${tag}` }));
            const put = next.put.map((tag) => ({
              idTag: `Tag${tag}`,
              idTagInfo: { status: 'Accepted' as const, parentIdTag: String(index) },
            }));
            const status = await list.update({
              listVersion: index + 1,
              updateType: next.isFull ? 'Full' : 'Differential',
              localAuthorizationList: [...put, ...removed],
            });
            expect(status).toBe('Accepted');
            model = changed;
            version = model.size === 0 ? 0 : index + 1;
          }
          expect([list.version, list.size]).toEqual([version, model.size]);
          for (const [tag, at] of model) expect(list.find(tag)?.parentIdTag).toBe(String(at));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is the old one when the power goes before the update counts', async () => {
    const disk = new MemoryDisk();
    const list = await opened(disk.open());
    await list.update(full(1, 'A'));
    await settle();
    void list.update(full(2, ...many(0, 500)));
    await disk.kill();
    const again = await opened(disk.open());
    expect([again.version, again.size]).toEqual([1, 1]);
    expect(await again.update(differential(2, 'B'))).toBe('Accepted');
    expect([again.find('A')?.status, again.find('B')?.status]).toEqual(['Accepted', 'Accepted']);
  });

  it('is the old one when everything but the last write succeeds', async () => {
    const disk = new MemoryDisk();
    const store = disk.open();
    let isBroken = false;
    const breaking: Store = {
      healthy: true,
      get: (key) => store.get(key),
      list: (range) => store.list(range),
      close: () => store.close(),
      batch: (operations, durability) =>
        isBroken && durability === 'durable'
          ? Promise.reject(new StoreError('storeFull', 'no space is left'))
          : store.batch(operations, durability),
    };
    const list = await opened(breaking);
    await list.update(full(1, 'A'));
    isBroken = true;
    expect(await list.update(differential(2, ...many(0, 300)))).toBe('Failed');
    expect(await list.update(full(2, ...many(0, 300)))).toBe('Failed');
    isBroken = false;
    expect(await list.update(differential(2, 'B'))).toBe('Accepted');
    expect([list.version, list.size]).toEqual([2, 2]);
    await disk.powerCut();
    const again = await opened(disk.open());
    expect([again.version, again.size, again.find('B')?.status]).toEqual([2, 2, 'Accepted']);
  });

  it('does not grow with the number of updates', async () => {
    const disk = new MemoryDisk();
    const list = await opened(disk.open());
    for (let version = 1; version <= 300; version++) await list.update(differential(version, `TAG${version % 7}`));
    await settle();
    expect((await disk.read({ from: 'list/', to: 'list0' })).length).toBeLessThan(60);
    await disk.powerCut();
    const again = await opened(disk.open());
    expect([again.version, again.size]).toEqual([300, 7]);
  });
});

describe('10,000 idTags in requests of 500', () => {
  it('are written, read and replaced in pieces of at most 100', async () => {
    const store = new MemoryDisk().open();
    const counts: number[] = [];
    const counting: Store = {
      healthy: true,
      get: (key) => store.get(key),
      list: (range) => store.list(range),
      close: () => store.close(),
      batch: (operations: readonly StoreOperation[], durability) => {
        const changes = operations.map((operation) =>
          operation.type === 'put' && Array.isArray(operation.value) ? operation.value.length : 1,
        );
        counts.push(changes.reduce((sum, count) => sum + count, 0));
        return store.batch(operations, durability);
      },
    };
    const list = await opened(counting);
    for (let part = 0; part < 20; part++)
      expect(await list.update(differential(part + 1, ...many(part * 500, 500)))).toBe('Accepted');
    expect([list.size, list.version]).toEqual([10_000, 20]);
    expect(await list.update(differential(21, 'ONE-MORE'))).toBe('Failed');
    expect(await list.update(full(22, 'ONLY'))).toBe('Accepted');
    expect(Math.max(...counts)).toBeLessThanOrEqual(100);
  });

  it('hold up nobody for more than 5 ms, on a real disk', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'list-'));
    try {
      const { store } = await openStore(join(directory, 'store'), silentLog);
      const list = await opened(store);
      const updating = await longestTurnOfBest(async () => {
        await list.update({ listVersion: 1, updateType: 'Full' });
        for (let part = 0; part < 20; part++)
          expect(await list.update(differential(part + 1, ...many(part * 500, 500)))).toBe('Accepted');
      });
      const reading = await longestTurnOfBest(() => opened(store));
      await store.close();
      expect([updating, reading].map((best) => best < MOST_MS)).toEqual([true, true]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
