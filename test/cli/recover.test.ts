/** `chargepoint outbox recover` on real stores: what a moved-aside one held is found, and queued again in the present one. */
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { recoverOutbox } from '../../src/cli/outbox.ts';
import { storeDirectory } from '../../src/cli/store-directory.ts';
import { type Fact, factKey, factsFrom } from '../../src/ocpp/outbox/fact.ts';
import { openStore } from '../../src/platform/store.ts';
import type { KeyRange, Log } from '../../src/ports.ts';
import { bench } from '../config/support.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const facts: readonly Fact[] = [
  { action: 'StartTransaction', transaction: 't1', content: { connectorId: 1 } },
  { action: 'StopTransaction', transaction: 't1', content: { meterStop: 7 } },
];

let directory: string;
let io: Io & { printed: string };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'recover-'));
  const say = (text: string): void => {
    io.printed += text;
  };
  const script = resolve(import.meta.dirname, '../../src/main.ts');
  io = { printed: '', out: say, err: say, script, environment: {}, isTerminal: false };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function brokenStore(held: readonly Fact[] = facts): Promise<string> {
  const path = join(directory, 'store.broken-1');
  const { store } = await openStore(path, silent);
  await store.batch(
    held.map((value, index) => ({ type: 'put', key: factKey(index), value })),
    'durable',
  );
  await store.close();
  return path;
}

function configuration(): string {
  const path = join(directory, 'chargepoint.yaml');
  writeFileSync(path, JSON.stringify({ ...bench, stateDir: 'state' }));
  return path;
}

async function held(range: KeyRange): Promise<readonly (readonly [key: string, value: unknown])[]> {
  const { store } = await openStore(storeDirectory(join(directory, 'state')), silent);
  const rows = await store.list(range);
  await store.close();
  return rows;
}

const queued = async (): Promise<readonly unknown[]> => (await held(factsFrom(0))).map(([, value]) => value);

describe('outbox recover', () => {
  it('only says what is there when no configuration is given', async () => {
    expect(await recoverOutbox(io, await brokenStore(), {})).toBe(0);
    expect(io.printed).toMatch(/Found +2 +messages that were not confirmed/);
  });

  it('queues the messages again, in their order, in the store of the configuration', async () => {
    expect(await recoverOutbox(io, await brokenStore(), { config: configuration() })).toBe(0);
    expect(await queued()).toEqual(facts);
  });

  it('queues them once, however often it is asked, and says so; also when the store was copied elsewhere since', async () => {
    const path = await brokenStore();
    const config = configuration();
    expect(await recoverOutbox(io, path, { config })).toBe(0);
    const copy = join(directory, 'copy');
    cpSync(path, copy, { recursive: true });
    for (const again of [path, copy]) {
      io.printed = '';
      expect(await recoverOutbox(io, again, { config })).toBe(0);
      expect(io.printed).toContain('recovered before');
    }
    expect(await queued()).toEqual(facts);
  });

  it('does not take the present store for one that was moved aside', async () => {
    const config = configuration();
    await recoverOutbox(io, await brokenStore(), { config });
    const present = storeDirectory(join(directory, 'state'));
    expect(await recoverOutbox(io, present, { config })).toBe(70);
    expect(io.printed).toContain('Nothing was recovered: this is the present store');
    expect(await queued()).toEqual(facts);
  });

  it('believes no name that is none: what a link in the store leads to is not its business', async () => {
    const path = await brokenStore();
    const victim = join(directory, 'victim');
    writeFileSync(victim, 'a secret');
    symlinkSync(victim, join(path, 'RECOVERED'));
    const config = configuration();
    await recoverOutbox(io, path, { config });
    await recoverOutbox(io, path, { config });
    expect(io.printed).toContain('recovered before');
    expect(readFileSync(victim, 'utf8')).toBe('a secret');
    expect((await held({ from: '', to: '~' })).map(([key]) => key).join()).not.toContain('secret');
  });

  it('takes another store at the same path for another one', async () => {
    const config = configuration();
    const path = await brokenStore();
    await recoverOutbox(io, path, { config });
    rmSync(path, { recursive: true });
    const others = facts.map((fact) => ({ ...fact, transaction: 't2' }));
    await recoverOutbox(io, await brokenStore(others), { config });
    expect(await queued()).toEqual([...facts, ...others]);
  });

  it('queues nothing twice of a copy that was made before', async () => {
    const config = configuration();
    const path = await brokenStore();
    const copy = join(directory, 'copy');
    cpSync(path, copy, { recursive: true });
    await recoverOutbox(io, path, { config });
    await recoverOutbox(io, copy, { config });
    expect(await queued()).toEqual(facts);
  });

  it.each(['oldest', 'newest'])('queues nothing twice of two lost stores, the %s first', async (order) => {
    const config = configuration();
    const first = await brokenStore();
    await recoverOutbox(io, first, { config });
    const second = join(directory, 'store.broken-2');
    renameSync(storeDirectory(join(directory, 'state')), second);
    for (const path of order === 'oldest' ? [first, second] : [second, first])
      await recoverOutbox(io, path, { config });
    expect(await queued()).toEqual(facts);
  });

  it('keeps away from the store of a running agent', async () => {
    const { store } = await openStore(storeDirectory(join(directory, 'state')), silent);
    expect(await recoverOutbox(io, await brokenStore(), { config: configuration() })).toBe(70);
    expect(io.printed).toContain('An agent is running on this store');
    await store.close();
    expect(await queued()).toEqual([]);
  });

  it('says that there is nothing, with exit code 70, and makes nothing there', async () => {
    expect(await recoverOutbox(io, join(directory, 'nowhere'), {})).toBe(70);
    expect(io.printed).toContain('Nothing was recovered');
  });
});
