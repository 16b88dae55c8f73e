/** `chargepoint outbox recover` on real stores: what a moved-aside one held is found, and queued again in the present one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { recoverOutbox } from '../../src/cli/outbox.ts';
import { storeDirectory } from '../../src/cli/store-directory.ts';
import { type Fact, factKey, factsFrom } from '../../src/ocpp/outbox/fact.ts';
import { openStore } from '../../src/platform/store.ts';
import type { Log } from '../../src/ports.ts';
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

async function brokenStore(): Promise<string> {
  const path = join(directory, 'store.broken-1');
  const { store } = await openStore(path, silent);
  await store.batch(
    facts.map((value, index) => ({ type: 'put', key: factKey(index), value })),
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

const queued = async (): Promise<readonly unknown[]> => {
  const { store } = await openStore(storeDirectory(join(directory, 'state')), silent);
  const rows = await store.list(factsFrom(0));
  await store.close();
  return rows.map(([, value]) => value);
};

describe('outbox recover', () => {
  it('only says what is there when no configuration is given', async () => {
    expect(await recoverOutbox(io, await brokenStore(), {})).toBe(0);
    expect(io.printed).toMatch(/Found +2 +messages that were not confirmed/);
  });

  it('queues the messages again, in their order, in the store of the configuration', async () => {
    expect(await recoverOutbox(io, await brokenStore(), { config: configuration() })).toBe(0);
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
