/**
 * Trip or loss of the pilot -> contactor-open command (facts/performance.md), of the built program on its real drivers: from the moment at
 * which the fake kernel moves the input to the one at which it gets the write to the coil, by its own clock. The floor is a process that does
 * nothing else, on the same kernel, in turn with the agent, so that both see the same machine. It is at peace, as in the benchmark, also where the
 * agent has to answer calls or to drain a backlog; how the floor does under the same load is printed beside it.
 *
 * The filter time is apart: `filterMs` is 0 here, so that the first edge counts. A loss is compared with a floor that reads its comparators
 * as well: a reading costs as much as the wake-up in a file system of this kind. Where a converter is sampled instead (IIO), the wait
 * for the next sample is all there is to see: pilot-converters.test.ts bounds that.
 *
 * What is asked for:
 * - p50 at most 1.5 times its floor. That is the goal itself, and a ratio holds on a slow machine as well.
 * - p99 at most 30 ms, and max at most 70 ms. The goals of 2 and 10 ms are those of `npm run bench:check`, on pipes and a machine of its own;
 *   here the floor itself misses them now and then. What no machine may exceed comes from the 100 ms of IEC 61851-1 table A.6
 *   (design, Safety): they leave 70 ms beside the 30 in which the contactor releases, and 30 ms beside the slowest filter, 40 ms, as well.
 *   Where the p99 of the floor is worse than 15 ms the machine has stood still, and twice that is allowed.
 * - Agent, floor and the fake kernel run under `chrt -r 1`, as in the benchmark: otherwise whoever else computes is measured too. Where that is
 *   not permitted p50 alone is judged.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callAgent } from '../../src/control/client.ts';
import { bindingKey, factKey, headKey, isHead } from '../../src/ocpp/outbox/fact.ts';
import { openStore } from '../../src/platform/store.ts';
import type { Happened } from './rigs/fake-sysfs.ts';
import { numberOf } from './rigs/fake-sysfs.ts';
import { quantile } from './support/board-rig.ts';
import { bundled } from './support/bundled.ts';
import { BusyCentralSystem } from './support/busy-central-system.ts';
import { CHARGEPOINT, type Life, Site } from './support/site.ts';
import { BOARD_YAML, type CarState, carPulls, coilOf, MIRROR, RCD } from './support/wiring.ts';

const LIMITS = { p50Ratio: 1.5, p99Ms: 30, p99Ratio: 2, maxMs: 70 };
const IDENTITY = 'cp-system';
const COIL = 17;
/** The first comparator that an EV moves when it leaves C. */
const ABOVE_7V5 = 23;
/** EV and comparators of the floor are lines of its own. */
const FLOOR = { output: 40, trip: 41, comparators: [42, 43, 44, 45, 46] };
const FLOOR_VALUE = `/gpio/gpio${numberOf(FLOOR.output)}/value`;
const CALLS_PER_SECOND = 5_000;
const BACKLOG = 40_000;
const BLOCKS = 5;
const WARM_MS = 100;
const SETTLE_MS = 3;
const WITHIN_MS = 10_000;

// In the checkout's own node_modules, so that the bundle finds the native packages.
const bundles = mkdtempSync(join(import.meta.dirname, '../../node_modules/.latency-'));
const floorProgram = join(bundles, 'edge-floor.mjs');
let central: BusyCentralSystem;
let site: Site;
let life: Life;
let floorProcess: ChildProcess;
let realtime = false;

beforeAll(async () => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
  await bundled('edge-floor.ts', floorProgram);
  central = await BusyCentralSystem.start();
  site = await Site.open({ centralPort: central.port });
  // The mirror contact follows in the fake kernel, and the EV is moved from here: neither waits for this process.
  site.car.stuck = true;
  site.machine.sysfs.control(`wire ${COIL} ${MIRROR}`);
  const board = BOARD_YAML.replace('driver: comparatorPilot', '$&\n      filterMs: 0').replace(
    'info: RCD tripped',
    'clearsAfterMs: 5',
  );
  writeFileSync(join(site.folder, 'board.yaml'), board);
  const { output, trip, comparators } = FLOOR;
  const [outputNumber, tripNumber, ...numbers] = [output, trip, ...comparators].map((line) => String(numberOf(line)));
  const url = `ws://127.0.0.1:${central.port}/floor`;
  floorProcess = site.machine.spawn(
    process.execPath,
    [floorProgram, outputNumber ?? '', tripNumber ?? '', url, ...numbers],
    { stdio: 'inherit' },
  );
  life = site.run();
  await Promise.all([central.link('floor'), central.link(IDENTITY)]);
  realtime = [life.process.pid, floorProcess.pid, daemonOf(site.machine.sysfs.folder)].every(madeRealtime);
  if (!realtime) console.info('chrt -r 1 was not permitted: p99 and max are not judged');
  const link = await central.link(IDENTITY);
  await link.call('ChangeConfiguration', { key: 'StopTransactionOnEVSideDisconnect', value: 'false' });
  await charge();
});
afterAll(async () => {
  await site?.close();
  await central?.stop();
  rmSync(bundles, { recursive: true, force: true });
});

/** The process that is the fake kernel. */
function daemonOf(folder: string): number {
  const mine = readdirSync('/proc').find((name) => {
    const file = `/proc/${name}/cmdline`;
    return /^\d+$/.test(name) && existsSync(file) && readFileSync(file, 'utf8').includes(`\0${folder}/mount\0`);
  });
  return Number(mine);
}

/** All of its threads, and those that it makes. */
const madeRealtime = (pid: number | undefined): boolean =>
  spawnSync('chrt', ['-a', '-r', '-p', '1', String(pid)]).status === 0;

const isOff = (entry: Happened): boolean => coilOf(entry) === 'off';
const isOn = (entry: Happened): boolean => coilOf(entry) === 'on';
const floorWrote =
  (value: string) =>
  (entry: Happened): boolean =>
    entry.what === FLOOR_VALUE && entry.value === value;

async function happened(fits: (entry: Happened) => boolean, from: number, what: string): Promise<Happened> {
  for (const end = performance.now() + WITHIN_MS; ; await delay(2)) {
    const found = site.machine.log.slice(from).find(fits);
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${WITHIN_MS} ms: ${what}\n${life.output.slice(-4000)}`);
  }
}

/** Milliseconds from the first of these pulls to what follows from it. */
async function answered(pulls: readonly string[], fits: (entry: Happened) => boolean): Promise<number> {
  const from = site.machine.log.length;
  site.machine.sysfs.control(...pulls);
  const { ns } = await happened(fits, from, pulls.join(', '));
  const pulled = site.machine.log.slice(from).find(({ what }) => what.startsWith('pull'));
  await delay(SETTLE_MS);
  return Number(ns - (pulled?.ns ?? 0n)) / 1e6;
}

async function charge(): Promise<void> {
  const link = await central.link(IDENTITY);
  site.machine.sysfs.control(...carPulls('B'));
  for (let status: unknown; status !== 'Accepted'; await delay(50))
    ({ status } = await link.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' }));
  await answered(carPulls('C'), isOn);
}

/** What is measured: the same of the agent and of the floor. */
interface Subject {
  trip(): Promise<number>;
  pilotLoss(): Promise<number>;
}

const agent: Subject = {
  async trip() {
    const tookMs = await answered([`pull ${RCD} 1`], isOff);
    const from = site.machine.log.length;
    site.machine.sysfs.control(`pull ${RCD} 0`);
    // A tripped RCD is latched: a technician resets it, and the transaction goes on.
    while (!site.machine.log.slice(from).some(isOn)) {
      await delay(10);
      await callAgent(site.controlSocket, { method: 'POST', path: '/faults/reset', body: { connectorId: 1 } });
    }
    await delay(SETTLE_MS);
    return tookMs;
  },
  /** Unplugged, plugged in again. The comparators see the voltage rise through all of their thresholds. */
  async pilotLoss() {
    const tookMs = await answered(carPulls('A').toReversed(), isOff);
    await comesBack('B', 'C');
    return tookMs;
  },
};

async function comesBack(...states: readonly CarState[]): Promise<void> {
  const from = site.machine.log.length;
  for (const state of states) {
    site.machine.sysfs.control(...carPulls(state));
    await delay(30);
  }
  await happened(isOn, from, 'closed again');
  await delay(SETTLE_MS);
}

const floorAfter = async (line: number | undefined): Promise<number> => {
  const tookMs = await answered([`pull ${line} 1`], floorWrote('0'));
  await answered([`pull ${line} 0`], floorWrote('1'));
  return tookMs;
};
const floor: Subject = {
  trip: () => floorAfter(FLOOR.trip),
  pilotLoss: () => floorAfter(FLOOR.comparators[0]),
};

/** `busyFloor`: the floor under the load that the agent has. */
type Taker = 'agent' | 'floor' | 'busyFloor';
const noSamples = (): Record<Taker, number[]> => ({ agent: [], floor: [], busyFloor: [] });

class Samples {
  readonly #taken = { trip: noSamples(), pilotLoss: noSamples() };

  async take(taker: Taker, trips: number, losses: number): Promise<void> {
    const { trip, pilotLoss } = taker === 'agent' ? agent : floor;
    for (let time = 0; time < trips; time++) this.#taken.trip[taker].push(await trip());
    for (let time = 0; time < losses; time++) this.#taken.pilotLoss[taker].push(await pilotLoss());
  }

  judge(load: string): void {
    for (const [name, { agent, floor, busyFloor }] of Object.entries(this.#taken)) {
      const [ours, peace] = [spreadOf(agent), spreadOf(floor)];
      const ratio = ours.p50 / peace.p50;
      const busy =
        busyFloor.length === 0 ? '' : `; busy floor ${textOf(busyFloor)}, ${timesOf(ours, spreadOf(busyFloor))}`;
      console.info(`${name}, ${load}: ${textOf(agent)}; floor ${textOf(floor)}, ${timesOf(ours, peace)}${busy}`);
      expect(ratio, `${name}, ${load}: p50 / floor`).toBeLessThanOrEqual(LIMITS.p50Ratio);
      if (!realtime) continue;
      const p99Ms = Math.max(LIMITS.p99Ms, LIMITS.p99Ratio * peace.p99);
      expect(ours.p99, `${name}, ${load}: p99 in ms`).toBeLessThanOrEqual(p99Ms);
      expect(ours.max, `${name}, ${load}: max in ms`).toBeLessThanOrEqual(LIMITS.maxMs);
    }
  }
}

type Spread = ReturnType<typeof spreadOf>;
function spreadOf(samples: readonly number[]) {
  const sorted = samples.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) };
}

const timesOf = (value: Spread, ground: Spread): string => `${(value.p50 / ground.p50).toFixed(2)} x`;

function textOf(samples: readonly number[]): string {
  const { p50, p99, max } = spreadOf(samples);
  return `${[p50, p99, max].map((ms) => ms.toFixed(2)).join(' / ')} ms of ${samples.length}`;
}

const meanOf = (values: readonly number[]): number =>
  Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);

describe('trip or pilot loss -> contactor-open command, p50 / p99 / max', () => {
  it('is as fast as the thing itself', async () => {
    const samples = new Samples();
    for (let round = 0; round < 10; round++) {
      for (let time = 0; time < 11; time++) {
        await samples.take('floor', 1, 0);
        await samples.take('agent', 1, 0);
      }
      await samples.take('floor', 0, 2);
      await samples.take('agent', 0, 1);
    }
    samples.judge('quiet');
  });

  it('stays so under a flood of calls', async () => {
    const samples = new Samples();
    const links = { agent: await central.link(IDENTITY), busyFloor: await central.link('floor') };
    const rates: Record<keyof typeof links, number[]> = { agent: [], busyFloor: [] };
    const flooded = async (taker: keyof typeof links, trips: number, losses: number): Promise<void> => {
      const end = links[taker].flood(CALLS_PER_SECOND);
      await delay(WARM_MS);
      await samples.take(taker, trips, losses);
      rates[taker].push(end());
    };
    for (let block = 0; block < BLOCKS; block++) {
      await samples.take('floor', 15, 5);
      await flooded('busyFloor', 12, 4);
      await flooded('agent', 22, 2);
    }
    samples.judge(`${meanOf(rates.agent)} calls answered each second (${meanOf(rates.busyFloor)} by the floor)`);
  });
});

describe('what a trip or a pilot loss makes the process do', () => {
  it('begins with the write to the coil: before any other write, file or frame, of any thread', async () => {
    const rounds = 5;
    const link = await central.link(IDENTITY);
    // Nothing else is written meanwhile.
    await link.call('ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '0' });
    const file = join(site.folder, 'trace');
    const what = ['-e', `trace=pread64,${WRITING.join(',')}`, '-e', 'signal=none'];
    const tracer = spawn('strace', ['-f', '-y', ...what, '-p', String(life.process.pid), '-o', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(tracer.stderr, 'data');
    for (let round = 0; round < rounds; round++) {
      await delay(QUIET_MS);
      await agent.trip();
      await delay(QUIET_MS);
      await agent.pilotLoss();
    }
    tracer.kill('SIGTERM');
    await once(tracer, 'exit');
    await link.call('ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '1' });
    const openings = openingsIn(readFileSync(file, 'utf8'));
    expect(openings.map(({ before }) => before)).toEqual(Array(2 * rounds).fill([]));
    // One reading of the line has to do.
    expect(openings.map(({ readings }) => readings).filter((readings) => readings.length === 1)).toHaveLength(rounds);
  });

  it('would be seen if a frame, a line of the log or a file came first', () => {
    const story = [
      `1 pread64(36</sys/class/gpio/gpio${numberOf(RCD)}/value>,  <unfinished ...>`,
      '2 write(16<anon_inode:[eventfd]>, "\\1", 8) = 8',
      '1 <... pread64 resumed>"1", 1, 0) = 1',
      '1 writev(39<socket:[1]>, [{iov_base="x", iov_len=1}], 1 <unfinished ...>',
      '2 fdatasync(19</state/store/000003.log>) = 0',
      '1 <... writev resumed>) = 1',
      `1 pwrite64(22</sys/class/gpio/gpio${numberOf(COIL)}/value>, "0", 1, 0) = 1`,
      '1 write(1</output>, "x", 1) = 1',
    ];
    expect(openingsIn(story.join('\n')).map(({ before }) => before.map((call) => call.split('(')[0]))).toEqual([
      ['writev', 'fdatasync'],
    ]);
  });
});

describe('trip or pilot loss -> contactor-open command after a reconnect', () => {
  it('stays so while a backlog is drained', async () => {
    life.process.kill('SIGTERM');
    await life.exit;
    await fillOutbox();
    central.hold(IDENTITY);
    central.hold('floor');
    const floorLink = await central.link('floor');
    await floorLink.call('DataTransfer', { vendorId: 'drain', data: join(site.folder, 'drained') });
    await central.cut(IDENTITY);
    site.machine.sysfs.control(...carPulls('A'));
    life = site.run();
    await central.link(IDENTITY);
    madeRealtime(life.process.pid);
    await charge();
    await central.cut(IDENTITY);
    const links = { agent: await central.link(IDENTITY), busyFloor: floorLink };
    const samples = new Samples();
    const rates: Record<keyof typeof links, number[]> = { agent: [], busyFloor: [] };
    const drained = async (taker: keyof typeof links, trips: number, losses: number): Promise<void> => {
      const identity = taker === 'agent' ? IDENTITY : 'floor';
      const [begun, before] = [performance.now(), links[taker].taken];
      central.letGo(identity);
      await delay(WARM_MS);
      await samples.take(taker, trips, losses);
      central.hold(identity);
      rates[taker].push((1000 * (links[taker].taken - before)) / (performance.now() - begun));
    };
    for (let block = 0; block < BLOCKS; block++) {
      await samples.take('floor', 15, 5);
      await drained('busyFloor', 12, 4);
      await drained('agent', 22, 2);
    }
    expect(links.agent.taken, 'the backlog was at its end too early').toBeLessThan(BACKLOG);
    samples.judge(`${meanOf(rates.agent)} messages drained each second (${meanOf(rates.busyFloor)} by the floor)`);
  });
});

const QUIET_MS = 200;
const WRITING = [
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'sendto',
  'sendmsg',
  'fsync',
  'fdatasync',
  'rename',
  'unlink',
];

interface Opening {
  /** Of the inputs, from the one that said it on. */
  readonly readings: string[];
  /** What was written before the coil. */
  readonly before: string[];
}

/** From the reading that says that the contactor has to open, to the write that opens it. strace tells a call where it begins, or ends if it is a reading. */
function openingsIn(trace: string): readonly Opening[] {
  const [rcd, above7V5, coil] = [RCD, ABOVE_7V5, COIL].map((line) => `gpio${numberOf(line)}/value>`);
  const openings: Opening[] = [];
  let isClosed = true;
  let opening: Opening | undefined;
  for (const call of callsIn(trace)) {
    const isCoil = call.startsWith('pwrite64') && call.includes(`${coil}, `);
    if (call.startsWith('pread64')) {
      const says = [rcd, above7V5].some((line) => call.includes(`${line}, "1"`));
      if (isClosed && says) opening ??= { readings: [], before: [] };
      opening?.readings.push(call);
    } else if (isCoil && call.includes(', "1"')) isClosed = true;
    else if (isCoil) {
      if (opening !== undefined) openings.push(opening);
      opening = undefined;
      isClosed = false;
    } else if (!call.includes('<anon_inode:[eventfd]>')) opening?.before.push(call);
  }
  return openings;
}

function callsIn(trace: string): readonly string[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const isReading = call.startsWith('pread64');
    const rest = /^<\.\.\. pread64 resumed>(.*)$/.exec(call)?.[1];
    if (rest !== undefined) return [`${begun.get(thread)}${rest}`];
    if (isReading && call.endsWith(UNFINISHED)) {
      begun.set(thread, call.slice(0, -UNFINISHED.length));
      return [];
    }
    return /^\w+\(/.test(call) ? [call] : [];
  });
}

const UNFINISHED = ' <unfinished ...>';

/** As after days offline: sampled values of a transaction that the central system knows. */
async function fillOutbox(): Promise<void> {
  const quiet = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const { store } = await openStore(join(site.folder, 'state/store'), quiet as never);
  const head = await store.get<unknown>(headKey);
  const first = isHead(head) ? head.sequence : 0;
  const stamp = { bootId: 'before', at: 0, wall: Date.parse('2026-03-01T10:00:00Z'), trusted: true };
  const value = { value: '1234', measurand: 'Energy.Active.Import.Register', unit: 'Wh' };
  const facts = Array.from({ length: BACKLOG }, (_, index) => ({
    type: 'put' as const,
    key: factKey(first + index),
    value: { action: 'MeterValues', transaction: 'offline', content: { connectorId: 1, values: [value], stamp } },
  }));
  await store.batch([{ type: 'put', key: bindingKey('offline'), value: { transactionId: 1 } }, ...facts], 'durable');
  await store.close();
}
