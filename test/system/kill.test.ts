/** SIGKILL at fifty named moments, the link cut in between: real drivers, store and sockets; the central system is the witness. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AgentView } from '../../src/agent.ts';
import { callAgent } from '../../src/control/client.ts';
import type { Moment, Tell } from './rigs/kill-entry.ts';
import { bundled } from './support/bundled.ts';
import { chanceFrom, seedOf } from './support/chance.ts';
import { type Life, Site } from './support/site.ts';
import { coilOf, drives } from './support/wiring.ts';
import { judge, Ledger } from './support/witness.ts';

/** How often each moment is hit: fifty in all. */
const PLAN: { readonly [moment in Moment]: number } = {
  beforeStoreWrite: 6,
  afterStoreWrite: 6,
  beforeSend: 6,
  afterSend: 6,
  confReceived: 6,
  confStored: 5,
  contactorCommand: 5,
  compaction: 5,
  bootConfigured: 1,
  bootStoreOpen: 1,
  bootBoardOpen: 1,
  bootLedgerReads: 1,
  bootDialled: 1,
};
/** The latest hit that is waited for, exclusive. */
const HITS: { readonly [moment in Moment]?: number } = {
  contactorCommand: 2,
  compaction: 4,
  bootConfigured: 1,
  bootStoreOpen: 1,
  bootBoardOpen: 1,
  bootDialled: 1,
};
const USUAL_HITS = 6;

const KILLED_WITHIN_MS = 30_000;
const SETTLED_WITHIN_MS = 30_000;
const LONGEST_TRANSACTION_MS = 2_000;

// In the checkout's own node_modules, so that the bundle finds the native packages.
const bundles = mkdtempSync(join(import.meta.dirname, '../../node_modules/.kill-'));
const entry = join(bundles, 'kill-entry.mjs');
let site: Site;
let cuts = 0;

beforeAll(async () => {
  await bundled('kill-entry.ts', entry);
  site = await Site.open({ hastyMeter: true });
});
afterAll(async () => {
  await site?.close();
  rmSync(bundles, { recursive: true, force: true });
});

/** Starts the agent; what it tells goes to the ledger. */
function live(ledger: Ledger, moment: Moment | 'never', hit: number): Life {
  ledger.begin();
  const life = site.run([entry, site.config, moment, String(hit)], true);
  createInterface({ input: life.process.stdio[3] as Readable }).on('line', (line) => {
    ledger.take(JSON.parse(line) as Tell);
  });
  return life;
}

/** Begins and ends transactions, and cuts the link, as chance will have it, while the process lives. */
async function operate(chance: () => number, life: Life, goesOn: () => boolean): Promise<void> {
  const { central } = site;
  const died = life.exit.then(() => Promise.reject(new Error('the process has died')));
  died.catch(() => {});
  const alive = <T>(promise: Promise<T>): Promise<T> => Promise.race([promise, died]);
  while (goesOn() && !life.ended) {
    const from = central.calls.length;
    try {
      await alive(delay(20 + chance() * 80));
      const { status } = await central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' });
      if (status === 'Accepted') await alive(central.until('StartTransaction', undefined, { from, withinMs: 3_000 }));
      await alive(delay(chance() * LONGEST_TRANSACTION_MS));
      if (chance() < 0.3) await alive(cutLink(chance));
      const transactionId = central.lastTransactionId;
      const answer = await central.call('RemoteStopTransaction', { transactionId });
      if (answer['status'] === 'Accepted')
        await alive(central.until('StopTransaction', undefined, { from, withinMs: 3_000 }));
    } catch {
      // The process or the link has gone meanwhile; that is the point of it.
    }
  }
}

async function cutLink(chance: () => number): Promise<void> {
  const { central } = site;
  central.refusing = chance() < 0.5;
  central.cut();
  cuts++;
  await delay(chance() * 400);
  central.refusing = false;
  await central.untilConnected(2_000);
}

/** The agent is up, nothing waits for the central system any more, and nothing is under way. */
async function isSettled(): Promise<boolean> {
  const view = (await callAgent(site.controlSocket, { path: '/status' }).catch(() => undefined)) as
    | AgentView
    | undefined;
  return view?.connected === true && view.queue === 0 && view.connectors.every(({ status }) => status === 'Available');
}

function shuffled<T>(items: readonly T[], chance: () => number): readonly T[] {
  return items
    .map((item) => [chance(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

it('loses nothing and sends nothing twice through fifty kills, and every start begins with an open contactor', {
  timeout: 300_000,
}, async () => {
  const chance = chanceFrom(seedOf('kill test'));
  const { central, car, machine } = site;
  const ledger = new Ledger();
  const hits: Record<string, number> = {};
  const began = performance.now();
  const moments = (Object.keys(PLAN) as Moment[]).flatMap((moment) =>
    Array.from({ length: PLAN[moment] }, () => moment),
  );
  car.plug();
  for (const moment of shuffled(moments, chance)) {
    const hit = Math.trunc(chance() * (HITS[moment] ?? USUAL_HITS));
    const logged = machine.log.length;
    const life = live(ledger, moment, hit);
    const deadline = performance.now() + KILLED_WITHIN_MS;
    await operate(chance, life, () => performance.now() < deadline);
    expect(life.ended, `not killed at ${moment} ${hit}\n${life.output}`).toBe(true);
    expect(await life.exit, life.output).toEqual({ code: null, signal: 'SIGKILL' });
    hits[moment] = (hits[moment] ?? 0) + 1;
    const first = machine.log.slice(logged).find(drives);
    expect(first && coilOf(first), `${moment}: ${JSON.stringify(first?.what)}`).toBe('off');
    if (moment === 'contactorCommand') expect(car.coil).toBe('on');
  }
  const life = live(ledger, 'never', 0);
  let goesOn = true;
  const operator = operate(chance, life, () => goesOn);
  await delay(1_000);
  goesOn = false;
  await operator;
  car.unplug();
  for (const end = performance.now() + SETTLED_WITHIN_MS; !(await isSettled()); await delay(50)) {
    if (performance.now() > end) throw new Error(`not settled within ${SETTLED_WITHIN_MS} ms\n${life.output}`);
  }
  life.process.kill('SIGTERM');
  expect(await life.exit).toEqual({ code: 0, signal: null });

  const { violations, counts } = judge(ledger, central.calls, central.frames);
  console.log('killed at', hits);
  console.log('counts', {
    ...counts,
    kills: ledger.kills.length,
    cuts,
    links: central.links,
    seconds: Math.round((performance.now() - began) / 1000),
  });
  expect(violations.map((violation) => violation.slice(0, 400))).toEqual([]);
  expect(central.complaints).toEqual([]);
  expect(ledger.kills).toHaveLength(moments.length);
  expect(hits).toEqual(PLAN);
  expect(cuts).toBeGreaterThan(0);
});
