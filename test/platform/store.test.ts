/** The durable store: order, failure and healing, damage, foreign formats, two processes on one directory. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { MemoryLevel } from 'memory-level';
import { afterAll, describe, expect, it } from 'vitest';
import type { StoreError } from '../../src/errors.ts';
import { salvagedFrom } from '../../src/ocpp/outbox/salvaged.ts';
import { type Database, LevelStore } from '../../src/platform/level-store.ts';
import { formatKey, openStore, readStored, salvage } from '../../src/platform/store.ts';
import type { Log, Store, StoreOperation } from '../../src/ports.ts';

const root = mkdtempSync(join(tmpdir(), 'store-'));
let directories = 0;
const freshDirectory = (): string => join(root, String(++directories), 'store');
afterAll(() => rmSync(root, { recursive: true }));

const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};
const put = (key: string, value: unknown): StoreOperation => ({ type: 'put', key, value });
const all = { from: '', to: '~' };
const codeOf = (error: StoreError): string => error.code;

async function rowsOf(directory: string): Promise<readonly (readonly [string, unknown])[]> {
  const { store } = await openStore(directory, log);
  const rows = await store.list<unknown>({ from: 'a', to: 'm' });
  await store.close();
  return rows;
}

describe('the store', () => {
  it('keeps JSON values in the order of their keys, in ranges, both ways', async () => {
    const { store, movedAside } = await openStore(freshDirectory(), log);
    await store.batch([put('b', { deep: [1, null, 'é'] }), put('a', 0), put('c', false)], 'durable');
    expect(movedAside).toBeUndefined();
    expect(await store.get('b')).toEqual({ deep: [1, null, 'é'] });
    expect(await store.get('absent')).toBeUndefined();
    expect(await store.list({ from: 'a', to: 'c' })).toEqual([
      ['a', 0],
      ['b', { deep: [1, null, 'é'] }],
    ]);
    expect(await store.list({ from: 'a', to: 'd', limit: 1, reverse: true })).toEqual([['c', false]]);
    await store.close();
  });

  it('counts what can be read: fewer values than the limit mean the end, however many are unreadable', async () => {
    const rows = fc.array(fc.boolean(), { maxLength: 12 });
    const limits = fc.integer({ min: 1, max: 13 });
    await fc.assert(
      fc.asyncProperty(rows, limits, fc.boolean(), async (isReadable, limit, reverse) => {
        const level = new MemoryLevel<string, string>();
        const keys = isReadable.map((_, n) => `k${String.fromCharCode(97 + n)}`);
        await level.batch(keys.map((key, n) => ({ type: 'put', key, value: isReadable[n] ? '1' : '{"a' })));
        const store = new LevelStore(level as unknown as Database, log);
        const readable = keys.filter((_, n) => isReadable[n]);
        const expected = (reverse ? readable.toReversed() : readable).slice(0, limit);
        const found = await store.list({ from: 'k', to: 'l', limit, reverse });
        expect(found.map(([key]) => key)).toEqual(expected);
      }),
    );
  });

  it('is for its owner only, also if it was not before: secrets are in it', async () => {
    const directory = freshDirectory();
    const mode = (): number => statSync(directory).mode & 0o777;
    await (await openStore(directory, log)).store.close();
    expect(mode()).toBe(0o700);
    chmodSync(directory, 0o755);
    await (await openStore(directory, log)).store.close();
    expect(mode()).toBe(0o700);
  });

  it('is read by root through no link: a name that LevelDB is going to write may be one in the folder of the service', async () => {
    const directory = freshDirectory();
    const { store } = await openStore(directory, log);
    await store.batch([put('a', 1)], 'durable');
    await store.close();
    const victim = `${directory}.victim`;
    writeFileSync(victim, 'kept');
    const numbers = Array.from({ length: 40 }, (_, n) => String(n).padStart(6, '0'));
    for (const name of numbers.flatMap((n) => [`${n}.ldb`, `${n}.dbtmp`])) symlinkSync(victim, join(directory, name));
    expect(await readStored(directory, log, (stored) => stored.get('a'))).toBe(1);
    expect(readFileSync(victim, 'utf8')).toBe('kept');
  });

  it('applies and settles batches in the order in which they were asked for', async () => {
    const { store } = await openStore(freshDirectory(), log);
    const settled: number[] = [];
    await Promise.all(
      Array.from({ length: 600 }, (_, n) =>
        store.batch([put('k', n)], n % 2 === 0 ? 'relaxed' : 'durable').then(() => settled.push(n)),
      ),
    );
    expect(settled).toEqual(Array.from({ length: 600 }, (_, n) => n));
    expect(await store.get('k')).toBe(599);
    await store.close();
  });

  it('forces to the medium every write that holds something durable, and no other', async () => {
    const durability = fc.constantFrom('durable' as const, 'relaxed' as const);
    const asked = fc.array(durability, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(asked, async (durabilities) => {
        const written: string[] = [];
        const batch = async (rows: readonly { readonly value: string }[], { sync }: { readonly sync: boolean }) => {
          const values = rows.map(({ value }) => JSON.parse(value) as string);
          expect(sync).toBe(values.includes('durable'));
          written.push(...values);
        };
        const store = new LevelStore({ batch } as unknown as Database, log);
        await Promise.all(durabilities.map((value, n) => store.batch([put(`${n}`, value)], value)));
        expect(written).toEqual(durabilities);
      }),
    );
  });

  it('writes what was asked for before it closes, and refuses afterwards', async () => {
    const directory = freshDirectory();
    const { store } = await openStore(directory, log);
    const writing = store.batch([put('a', 1)], 'durable');
    await store.close();
    await writing;
    expect(await store.batch([put('a', 2)], 'durable').catch(codeOf)).toBe('storeClosed');
    expect(await store.get('a').catch(codeOf)).toBe('storeClosed');
    await store.close();
    expect(await rowsOf(directory)).toEqual([['a', 1]]);
  });

  it('refuses a value that is no JSON, and only that', async () => {
    const { store } = await openStore(freshDirectory(), log);
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const outcomes = await Promise.all([
      store.batch([put('a', undefined)], 'durable').catch(codeOf),
      store.batch([put('a', cyclic)], 'durable').catch(codeOf),
      store.batch([put('b', 1)], 'durable'),
    ]);
    expect(outcomes).toEqual(['storeFormat', 'storeFormat', undefined]);
    expect(store.healthy).toBe(true);
    await store.close();
  });

  it('says that another agent is running, and moves nothing aside', async () => {
    const directory = freshDirectory();
    const { store } = await openStore(directory, log);
    const second = openStore(directory, log);
    await expect(second).rejects.toMatchObject({
      code: 'storeLocked',
      message: expect.stringContaining('another agent'),
    });
    expect(readdirSync(join(directory, '..'))).toEqual(['store']);
    await store.close();
  });
});

type Batch = (operations: unknown, options: unknown) => Promise<void>;
type Failure = 'beforeLog' | 'afterLog';

/**
 * LevelDB with a medium that fails the next write: before the record is in its log, or after, as when fdatasync fails. Then the record is
 * not visible, but comes back when the log is read again.
 */
function makeFail(level: Database, failure: Failure): void {
  const batch = level.batch.bind(level) as unknown as Batch;
  const open = level.open.bind(level) as () => Promise<void>;
  const failing: Batch = async (operations) => {
    level.batch = batch as unknown as typeof level.batch;
    if (failure === 'afterLog') {
      level.open = (async () => {
        await open();
        await batch(operations, {});
      }) as typeof level.open;
    }
    throw Object.assign(new Error('IO error: 000003.log: Input/output error'), { code: 'LEVEL_IO_ERROR' });
  };
  level.batch = failing as unknown as typeof level.batch;
}

describe('a failed write', () => {
  const RETRY_MS = 20;

  async function failing(failure: Failure): Promise<{ store: Store; location: string }> {
    const location = freshDirectory();
    const level = new ClassicLevel<string, string>(location);
    await level.open();
    const store = new LevelStore(level, log, RETRY_MS);
    await store.batch([put('kept', 'old'), put('gone', 1)], 'durable');
    makeFail(level, failure);
    return { store, location };
  }

  it.each(['beforeLog', 'afterLog'] as const)('leaves nothing behind once the store has healed (%s)', async (when) => {
    const { store } = await failing(when);
    const refused = store.batch([put('kept', 'new'), put('fresh', 1), { type: 'delete', key: 'gone' }], 'durable');
    expect(await refused.catch(codeOf)).toBe('storeBroken');
    expect(store.healthy).toBe(false);
    expect(await store.get('kept')).toBe('old');
    await store.batch([put('next', 1)], 'durable');
    expect(store.healthy).toBe(true);
    expect(await store.list(all)).toEqual([
      ['gone', 1],
      ['kept', 'old'],
      ['next', 1],
    ]);
    await store.close();
  });

  it('does not leave the store unhealthy for longer than the medium fails, though nobody writes', async () => {
    const { store, location } = await failing('afterLog');
    const probeIsDirectory = `${location}.probe`;
    mkdirSync(probeIsDirectory);
    expect(await store.batch([put('kept', 'new')], 'durable').catch(codeOf)).toBe('storeBroken');
    await new Promise((resolve) => setTimeout(resolve, 5 * RETRY_MS));
    expect(store.healthy).toBe(false);
    rmSync(probeIsDirectory, { recursive: true });
    await expect.poll(() => store.healthy).toBe(true);
    expect(await store.get('kept')).toBe('old');
    await store.close();
  });

  it('is not tried out on a file that somebody has linked to', async () => {
    const { store, location } = await failing('afterLog');
    const victim = `${location}.victim`;
    writeFileSync(victim, 'kept');
    symlinkSync(victim, `${location}.probe`);
    expect(await store.batch([put('kept', 'new')], 'durable').catch(codeOf)).toBe('storeBroken');
    await expect.poll(() => store.healthy).toBe(true);
    expect(readFileSync(victim, 'utf8')).toBe('kept');
    await store.close();
  });

  it('can still be read while the directory takes no data', async () => {
    const { store, location } = await failing('beforeLog');
    const probeIsDirectory = `${location}.probe`;
    mkdirSync(probeIsDirectory);
    for (let n = 0; n < 3; n++) expect(await store.batch([put('a', 1)], 'durable').catch(codeOf)).toBe('storeBroken');
    expect(await store.get('kept')).toBe('old');
    rmSync(probeIsDirectory, { recursive: true });
    await store.batch([put('a', 2)], 'durable');
    expect(await store.get('a')).toBe(2);
    await store.close();
  });
});

describe('a store that cannot be used', () => {
  async function holding(values: readonly [string, unknown][], directory = freshDirectory()): Promise<string> {
    const level = new ClassicLevel<string, string>(directory);
    await level.batch(values.map(([key, value]) => ({ type: 'put', key, value: JSON.stringify(value) })));
    await level.close();
    return directory;
  }

  it.each([
    ['of a newer format', [[formatKey, { format: 2 }]]],
    ['without a format', [['someone', 'else']]],
    ['with nonsense for a format', [[formatKey, 'x']]],
  ] as [string, [string, unknown][]][])('%s is moved aside and a fresh one starts', async (_, values) => {
    const directory = await holding(values);
    const opened = await openStore(directory, log);
    expect(opened.movedAside).toBe(`${directory}.broken-1`);
    expect(opened.reason).toMatch(/format/);
    expect(await opened.store.list(all)).toEqual([[formatKey, { format: 1 }]]);
    await opened.store.close();
    await holding(values, directory);
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file where the store should be');
    const again = await openStore(directory, log);
    expect(again.movedAside).toBe(`${directory}.broken-2`);
    await again.store.close();
    expect(existsSync(`${directory}.broken-1`)).toBe(true);
  });

  it('is salvaged: the facts, bindings and letters that can be read', async () => {
    const fact = (n: number) => ({ action: 'MeterValues', transaction: 'a', content: n });
    const directory = await holding([
      [formatKey, { format: 1 }],
      ['outbox/fact/000000000000003', fact(3)],
      ['outbox/fact/000000000000004', fact(4)],
      ['outbox/head', { sequence: 4, failures: 0 }],
      ['binding/a', { transactionId: 12 }],
    ]);
    rmSync(join(directory, 'CURRENT'));
    const damaged = await openStore(directory, log);
    await damaged.store.close();
    const { rows, unreadable } = await salvage(damaged.movedAside ?? directory);
    expect(unreadable).toBe(0);
    expect(salvagedFrom(rows)).toEqual({ facts: [fact(4)], deadLetters: [], bindings: [['a', 12]] });
  });

  it('is not invented by salvage where there is none', async () => {
    await expect(salvage(freshDirectory())).rejects.toMatchObject({ code: 'storeBroken' });
  });

  it('never makes opening, reading or salvaging crash, whatever bytes are flipped or cut off', async () => {
    const template = await holding([
      [formatKey, { format: 1 }],
      ...Array.from({ length: 300 }, (_, n): [string, unknown] => [`key/${n}`, noise(n, 100)]),
    ]);
    // Opened once more, so that there are tables beside the log.
    await holding([['key/last', 1]], template);
    const kind = fc.constantFrom('flip', 'truncate', 'remove', 'zero');
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), kind, async (which, where, how) => {
        const directory = freshDirectory();
        cpSync(template, directory, { recursive: true });
        const files = readdirSync(directory).filter((name) => statSync(join(directory, name)).size > 0);
        damage(join(directory, files[which % files.length] ?? 'CURRENT'), where, how);
        const opened = await openStore(directory, log);
        await opened.store.list(all).catch(codeOf);
        await opened.store.batch([put('alive', 1)], 'durable');
        expect(await opened.store.get('alive')).toBe(1);
        await opened.store.close();
        if (opened.movedAside !== undefined) await salvage(opened.movedAside).catch(codeOf);
      }),
      { numRuns: 40 },
    );
  });

  it('is moved aside by the next start when damage is met only while reading', async () => {
    const directory = await holding([
      [formatKey, { format: 1 }],
      ...Array.from({ length: 6000 }, (_, n): [string, unknown] => [`key/${String(n).padStart(5, '0')}`, noise(n, 60)]),
    ]);
    const level = new ClassicLevel<string, string>(directory);
    await level.open();
    await level.compactRange('', '~');
    await level.close();
    const table = readdirSync(directory).find((name) => name.endsWith('.ldb')) ?? '';
    const bytes = readFileSync(join(directory, table));
    bytes.fill(0xff, Math.floor(bytes.length * 0.7), Math.floor(bytes.length * 0.7) + 500);
    writeFileSync(join(directory, table), bytes);
    const first = await openStore(directory, log);
    expect(first.movedAside).toBeUndefined();
    // Nor is the mark made of a file that somebody has linked to.
    const victim = `${directory}.victim`;
    writeFileSync(victim, 'kept');
    symlinkSync(victim, `${directory}.damaged`);
    expect(await first.store.list({ from: 'key/', to: 'key0' }).catch(codeOf)).toBe('storeBroken');
    expect(first.store.healthy).toBe(false);
    await first.store.close();
    expect(readFileSync(victim, 'utf8')).toBe('kept');
    const second = await openStore(directory, log);
    expect(second.movedAside).toBe(`${directory}.broken-1`);
    await second.store.close();
    const { rows } = await salvage(`${directory}.broken-1`);
    expect(rows.length).toBeGreaterThan(5900);
    const third = await openStore(directory, log);
    expect(third.movedAside).toBeUndefined();
    await third.store.close();
  });
});

/** Text that does not compress, so that damage to a table hits rows. */
function noise(seed: number, length: number): string {
  return createHash('sha512').update(String(seed)).digest('hex').slice(0, length);
}

function damage(file: string, where: number, how: string): void {
  const bytes = readFileSync(file);
  const at = where % bytes.length;
  if (how === 'remove') rmSync(file);
  else if (how === 'truncate') truncateSync(file, at);
  else {
    if (how === 'zero') bytes.fill(0, at);
    else bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
  }
}
