/** What systemd hears of the real process: a socket that we did not write (Python) takes down every datagram, with time and sender. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BenchAgent } from './support/bench-agent.ts';
import { bundled } from './support/bundled.ts';
import { CentralSystem } from './support/central-system.ts';
import { CHARGEPOINT, Site } from './support/site.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Inside the checkout, because the bundle looks for the native packages above itself. */
const bundles = join(ROOT, 'node_modules', '.cache', `systemd-test-${process.pid}`);
const ENTRY = join(bundles, 'dist', 'notify-entry.mjs');
const LISTENER = join(import.meta.dirname, 'rigs/notify-listener.py');
const NS_PER_MS = 1_000_000n;
const WATCHDOG_MS = 2_000;
/** Two cores, shared with other tests: a feed may be so late and still be the one of this half second. */
const LATE_MS = 700;

interface Told {
  readonly ns: bigint;
  readonly pid: number;
  readonly text: string;
}

class Listener {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  #rest = '';
  #bound = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async on(address: string): Promise<Listener> {
    const child = spawn('/usr/bin/python3', [LISTENER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
    const listener = new Listener(child);
    child.stdout.on('data', (chunk: Buffer) => listener.#take(chunk.toString()));
    for (; !listener.#bound; await delay(5));
    return listener;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'listening') {
        this.#bound = true;
        continue;
      }
      const { ns, ...rest } = JSON.parse(line) as { ns: string; pid: number; text: string };
      this.told.push({ ...rest, ns: BigInt(ns) });
    }
  }

  with(word: string): readonly Told[] {
    return this.told.filter(({ text }) => text.split('\n').includes(word));
  }

  async until(what: string, fits: () => boolean, withinMs = 10_000): Promise<void> {
    for (const end = performance.now() + withinMs; !fits(); await delay(10))
      if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}; ${JSON.stringify(this.texts)}`);
  }

  get texts(): readonly string[] {
    return this.told.map(({ text }) => text);
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

let folder: string;
let central: CentralSystem;
let agent: BenchAgent | undefined;
let listener: Listener;
const listeners: Listener[] = [];

beforeAll(async () => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
  mkdirSync(join(bundles, 'dist'), { recursive: true });
  await bundled('notify-entry.ts', ENTRY);
});
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'systemd-test-'));
  central = await CentralSystem.start();
});
afterEach(async () => {
  await agent?.close();
  agent = undefined;
  for (const each of listeners.splice(0)) await each.stop();
  await central.stop();
  rmSync(folder, { recursive: true, force: true });
});

const witness = () => join(folder, 'witness');

async function start(address: string, program = CHARGEPOINT, inputs: unknown = {}): Promise<BenchAgent> {
  listener = await Listener.on(address);
  listeners.push(listener);
  agent = new BenchAgent({
    program,
    centralPort: central.port,
    connectors: [1, 2],
    environment: { NOTIFY_SOCKET: address, WATCHDOG_USEC: String(WATCHDOG_MS * 1000), WITNESS: witness() },
  });
  await agent.start(inputs);
  return agent;
}

async function charging(): Promise<BenchAgent> {
  const running = await start(join(folder, 'notify'), ENTRY, {
    connectors: { 1: { ev: { plugged: true, amps: 16, phases: 3 } } },
  });
  await running.until('Accepted', ({ out }) => out.boot === 'Accepted');
  await running.tap('TAG1', 1);
  await running.until('it charges', ({ connectors }) => connectors['1']?.out.status === 'Charging');
  return running;
}

const ms = (ns: bigint) => Number(ns / NS_PER_MS);

describe.each([
  ['a path', () => join(folder, 'notify')],
  ['an abstract name', () => `@chargepoint-test-${process.pid}`],
])('a notify socket with %s', (_, address) => {
  it('hears READY once, a status that follows, and WATCHDOG every 500 ms, all from the main process', async () => {
    const running = await start(address());
    await listener.until('fed four times', () => listener.with('WATCHDOG=1').length > 4);
    await running.patch({ connectors: { 1: { ev: { plugged: true } } } });
    await listener.until('the status follows', () =>
      listener.texts.some((text) => text.includes('STATUS=1 Preparing, 2 Available; online, Accepted, 0 queued')),
    );
    expect(listener.with('READY=1')).toHaveLength(1);
    expect(listener.texts[0]).toMatch(/^READY=1\nSTATUS=1 Available, 2 Available; /);
    const feeds = listener.with('WATCHDOG=1').map(({ ns }) => ms(ns));
    for (const [index, at] of feeds.entries())
      if (index > 0) expect(at - (feeds[index - 1] ?? 0)).toBeLessThan(500 + LATE_MS);
    expect(new Set(listener.told.map(({ pid }) => pid))).toEqual(new Set([running.pid]));
  });
});

describe('a process that hangs', () => {
  it('feeds nobody any more', async () => {
    const running = await start(join(folder, 'notify'));
    await listener.until('fed', () => listener.with('WATCHDOG=1').length > 1);
    process.kill(running.pid, 'SIGSTOP');
    try {
      await delay(100);
      const fed = listener.with('WATCHDOG=1').length;
      await delay(WATCHDOG_MS);
      expect(listener.with('WATCHDOG=1')).toHaveLength(fed);
    } finally {
      process.kill(running.pid, 'SIGCONT');
    }
  });

  it('feeds nobody either while only the loop of its hardware stands', async () => {
    const running = await start(join(folder, 'notify'), ENTRY);
    await listener.until('fed', () => listener.with('WATCHDOG=1').length > 1);
    process.kill(running.pid, 'SIGUSR2');
    await listener.until('it says so', () => listener.texts.at(-1) === 'STATUS=the hardware is not watched');
    const fed = listener.with('WATCHDOG=1').length;
    await delay(WATCHDOG_MS);
    expect(listener.with('WATCHDOG=1')).toHaveLength(fed);
    expect(listener.texts.at(-1)).toBe('STATUS=the hardware is not watched');
    expect(running.lastWords).toContain('the watchdog is not fed');
  });
});

describe('SIGTERM', () => {
  it('is answered by an open contactor, then by STOPPING, then by an end in time', async () => {
    const running = await charging();
    expect(readFileSync(witness(), 'utf8')).toMatch(/^\d+ closed\n$/);
    const ended = await running.end();
    expect(ended.code).toBe(0);
    await listener.until('STOPPING', () => listener.with('STOPPING=1').length > 0);
    const [stopping] = listener.with('STOPPING=1');
    const [ns, what] = readFileSync(witness(), 'utf8').trim().split('\n').at(-1)?.split(' ') ?? [];
    expect(what).toBe('open');
    expect(BigInt(ns ?? 0) < (stopping?.ns ?? 0n)).toBe(true);
    expect(listener.with('STOPPING=1')).toHaveLength(1);
  });
});

describe('on real drivers', () => {
  const CONTACTOR_OPEN = join(ROOT, 'systemd/contactor-open');
  const KILLED_TO_OPEN_MS = 500;

  it('feeds the watchdog while it charges; killed, it leaves the coil on, and contactor-open switches it off within 500 ms', async () => {
    const address = `@chargepoint-site-${process.pid}`;
    listener = await Listener.on(address);
    listeners.push(listener);
    const site = await Site.open();
    try {
      const { car, central: ours, machine } = site;
      const env = { ...process.env, NOTIFY_SOCKET: address, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) };
      const child = machine.spawn(process.execPath, [CHARGEPOINT, 'run', '--config', site.config], {
        env,
        stdio: 'ignore',
      });
      await ours.until('StatusNotification', ({ connectorId, status }) => connectorId === 1 && status === 'Available');
      car.plug();
      await ours.until('StatusNotification', ({ status }) => status === 'Preparing');
      await ours.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' });
      await ours.until('StatusNotification', ({ status }) => status === 'Charging', { withinMs: 10_000 });
      const fed = listener.with('WATCHDOG=1').length;
      await listener.until('fed while it charges', () => listener.with('WATCHDOG=1').length >= fed + 3);
      expect(listener.texts.at(-1)).toContain('STATUS=1 Charging; online, Accepted');

      child.kill('SIGKILL');
      const killedAt = performance.now();
      await once(child, 'exit');
      machine.look();
      expect(car.coil).toBe('on');
      const opening = machine.spawn('/bin/sh', [CONTACTOR_OPEN], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      opening.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const [code] = await once(opening, 'close');
      const tookMs = performance.now() - killedAt;
      machine.look();
      expect([code, car.coil], said).toEqual([0, 'off']);
      expect(said).toMatch(/gpio pinctrl-fake 17 is at 0 \(sysfs\)\n.*pwm \*\.pwm 0 is at 100 \(sysfs\)\n/);
      console.log('killed to open', Math.round(tookMs), 'ms');
      expect(tookMs).toBeLessThan(KILLED_TO_OPEN_MS);
    } finally {
      await site.close();
    }
  });
});

describe('without what it takes to be heard', () => {
  async function run(nodeArguments: readonly string[] = []): Promise<readonly [code: number, said: string]> {
    const config = join(folder, 'chargepoint.yaml');
    const content = {
      chargePoint: { identity: 'cp', vendor: 'Acme', model: 'Pi' },
      centralSystem: { url: `ws://127.0.0.1:${central.port}` },
      board: 'mock',
      connectors: [{ id: 1, cable: 'socket' }],
      stateDir: 'state',
    };
    writeFileSync(config, JSON.stringify(content));
    const child = spawn(process.execPath, [...nodeArguments, CHARGEPOINT, 'run', '--config', config], {
      env: { ...process.env, NOTIFY_SOCKET: join(folder, 'nobody') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (chunk: Buffer) => {
      said += chunk.toString();
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', keep);
    const [code] = await once(child, 'close');
    return [code, said];
  }

  it('ends with 70 and says so, where nobody listens', async () => {
    expect(await run()).toEqual([70, expect.stringContaining('systemd does not hear that the agent runs: errno 2')]);
  });

  it('ends with 70 and says what to do, where the installation has no koffi', async () => {
    const hide = join(folder, 'hide.cjs');
    writeFileSync(
      hide,
      `const { Module } = require('node:module'); const resolve = Module._resolveFilename;
       Module._resolveFilename = (name, ...more) => resolve(name === 'koffi' ? 'koffi-is-not-here' : name, ...more);`,
    );
    expect(await run(['--require', hide])).toEqual([
      70,
      expect.stringMatching(/koffi cannot be loaded.*Install the release again/),
    ]);
  });
});
