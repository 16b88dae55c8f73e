/** Thousands of reads from an independent slave (pymodbus) through a line that damages, delays, swallows and mixes up answers. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Surroundings, Values } from '../../hal/contract.ts';
import { type Manners, type ModbusBus, modbusBus } from '../../hal/modbus/bus.ts';
import { modbusMeter } from '../../hal/modbus/modbus-meter.ts';
import type { RegisterMap } from '../../hal/modbus/register-map.ts';

const RIG = fileURLToPath(new URL('rigs/modbus-slave.py', import.meta.url));
const SDM630 = fileURLToPath(new URL('../../config/meters/eastron-sdm630.yaml', import.meta.url));
const SEED = 20261123;
/** Below the rig's late answers (45..160 ms), above its usual ones (a few ms). */
const MANNERS: Manners = { silenceMs: 0, timeoutMs: 35 };
const FAULTS = ['silent', 'crc', 'late', 'noise', 'truncated', 'other', 'mixed'] as const;
const READS_PER_FAULT = 300;
const FAULT_PERCENT = 8;

const surroundings: Surroundings = {
  clock: {
    now: () => performance.now(),
    after: (delayMs, action) => {
      const timer = setTimeout(action, Math.ceil(delayMs));
      return () => clearTimeout(timer);
    },
  },
  log: { info: () => undefined, warn: () => undefined },
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; !condition(); await pause(10)) {
    if (performance.now() > end) throw new Error(`not within 5 s: ${what}`);
  }
}

/** The meter's wire and what hangs on it. */
class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'modbus-'));
  readonly near = join(this.folder, 'meter');
  readonly #far = join(this.folder, 'far');
  #wire: ChildProcess | undefined;
  #slave: ChildProcessWithoutNullStreams | undefined;
  #answers: AsyncIterator<string> | undefined;

  async start(): Promise<void> {
    await this.plug();
    this.#slave = spawn('/usr/bin/python3', [RIG, this.#far, String(SEED)]);
    this.#slave.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#slave.stdout })[Symbol.asyncIterator]();
    await this.fault('none');
  }

  async plug(): Promise<void> {
    this.#wire = spawn('socat', [`pty,raw,echo=0,link=${this.near}`, `pty,raw,echo=0,link=${this.#far}`]);
    await until('socat', () => existsSync(this.near) && existsSync(this.#far));
  }

  async unplug(): Promise<void> {
    this.#wire?.kill('SIGTERM');
    await until('unplugged', () => !existsSync(this.near));
  }

  /** What the slave did since the last call. */
  async fault(kind: string, percent = FAULT_PERCENT): Promise<{ requests: number; injected: number }> {
    this.#slave?.stdin.write(`fault ${kind} ${kind === 'none' ? 0 : percent}\n`);
    const [, requests, injected] = String((await this.#answers?.next())?.value)
      .split(' ')
      .map(Number);
    return { requests: requests ?? 0, injected: injected ?? 0 };
  }

  stop(): void {
    this.#wire?.kill('SIGTERM');
    this.#slave?.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The rig's image, by its description. */
const valueAt = (address: number): number => address / 4 + 0.25;

/** One 16-bit word of it. */
function imageAt(address: number): number {
  const float = Buffer.alloc(4);
  float.writeFloatBE(valueAt(address & ~1));
  return float.readUInt16BE(2 * (address & 1));
}

/** Deterministic; most blocks have the same length, which is where answers could be mistaken for one another. */
function block(index: number): { address: number; count: number } {
  const count = [2, 2, 2, 12, 2, 80][index % 6] ?? 2;
  return { address: 2 * ((index * 37) % (0x100 - count / 2)), count };
}

type Result = 'right' | 'wrong' | 'failed';

async function read(bus: ModbusBus, index: number): Promise<Result> {
  const { address, count } = block(index);
  const registers = await bus.readRegisters(4, 1, address, count, MANNERS).catch(() => undefined);
  if (registers === undefined) return 'failed';
  const right = registers.length === count && registers.every((word, offset) => word === imageAt(address + offset));
  return right ? 'right' : 'wrong';
}

async function reads(bus: ModbusBus, count: number): Promise<{ [result in Result]: number }> {
  const results = { right: 0, wrong: 0, failed: 0 };
  for (let index = 0; index < count; index += 1) results[await read(bus, index)] += 1;
  return results;
}

const percentile = (times: readonly number[], part: number): number =>
  [...times].sort((a, b) => a - b)[Math.floor(part * (times.length - 1))] ?? Number.NaN;

async function timed(count: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    // The silence before a request passes between two polls: it is no part of a poll's time.
    await pause(4);
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

describe('a meter on a bad line', { timeout: 60_000 }, () => {
  const rig = new Rig();
  const serial = { path: rig.near, baudRate: 115_200, parity: 'none', stopBits: 1 } as const;
  let bus: ModbusBus;

  beforeAll(async () => {
    await rig.start();
    bus = modbusBus(serial, surroundings);
  });

  afterAll(async () => {
    await bus.close();
    rig.stop();
  });

  it('gives every value right on a good line', async () => {
    const results = await reads(bus, 1000);
    console.log('none', results);
    expect(results).toEqual({ right: 1000, wrong: 0, failed: 0 });
  });

  it.each(FAULTS)('never gives a wrong value, and is not dead afterwards: %s', async (kind) => {
    await rig.fault(kind);
    const results = await reads(bus, READS_PER_FAULT);
    const { requests, injected } = await rig.fault('none');
    console.log(kind, results, { requests, injected });
    expect(injected).toBeGreaterThan(10);
    expect(results.wrong).toBe(0);
    // A read fails only when all of its attempts do; a late answer can spoil two of them, and a busy machine a third one. A dead bus
    // would fail them all.
    expect(results.failed).toBeLessThan(READS_PER_FAULT / 10);
    expect(await reads(bus, 20)).toEqual({ right: 20, wrong: 0, failed: 0 });
  });

  it('gives whole readings of an SDM630 through all of it', async () => {
    const map = parse(readFileSync(SDM630, 'utf8')) as RegisterMap;
    const quick: RegisterMap = { ...map, read: { ...map.read, ...MANNERS } };
    const silences: boolean[] = [];
    const place = { unit: 1, maxA: 32, phases: 3, onSilent: (raised: boolean) => silences.push(raised) } as const;
    const meter = modbusMeter(bus, quick, place, surroundings);
    await rig.fault('mixed');
    let good = 0;
    for (let index = 0; index < 60; index += 1) {
      const reading = await meter.read().catch(() => undefined);
      if (reading === undefined) continue;
      good += 1;
      expect(reading.serialNumber).toBe(String(0x00c0ffee));
      expect(reading.values).toEqual(expectedValues(map));
    }
    const { requests, injected } = await rig.fault('none');
    console.log('readings', { good, of: 60, requests, injected, silences });
    expect(injected).toBeGreaterThan(5);
    expect(good).toBeGreaterThan(50);
  });

  it('goes on after the adapter vanished and came back at the same path', async () => {
    for (let time = 0; time < 2; time += 1) {
      const before = bus.openings;
      const underWay = read(bus, 5);
      await rig.unplug();
      expect(['right', 'failed']).toContain(await underWay);
      expect(await read(bus, 6)).toBe('failed');
      await rig.plug();
      let results: Result = 'failed';
      for (const end = performance.now() + 5000; results === 'failed' && performance.now() < end; ) {
        await pause(100);
        results = await read(bus, 7);
      }
      expect(results).toBe('right');
      expect(bus.openings).toBe(before + 1);
      expect(await reads(bus, 50)).toEqual({ right: 50, wrong: 0, failed: 0 });
    }
  });

  it('costs little more than the bare library for 80 registers', async () => {
    const ours = await timed(300, () => bus.readRegisters(4, 1, 0, 80, { ...MANNERS, timeoutMs: 1000 }));
    await bus.close();
    const { default: library } = await import('modbus-serial');
    const bare = new library.default();
    await bare.connectRTUBuffered(rig.near, { baudRate: 115_200 });
    bare.setID(1);
    bare.setTimeout(1000);
    const floor = await timed(300, () => bare.readInputRegisters(0, 80));
    await new Promise<void>((resolve) => bare.close(() => resolve()));
    const [p50, bareP50] = [percentile(ours, 0.5), percentile(floor, 0.5)];
    console.log('80 registers, ms', {
      ours: { p50, p99: percentile(ours, 0.99) },
      bare: { p50: bareP50, p99: percentile(floor, 0.99) },
      ratio: p50 / bareP50,
    });
    // Far above what is measured (see the output): this fails on an order of magnitude, not on a busy machine.
    expect(p50).toBeLessThan(10 * bareP50);
  });
});

function expectedValues(map: RegisterMap): Values {
  const lines = ['sum', 'L1', 'L2', 'L3', 'N'] as const;
  return Object.fromEntries(
    Object.entries(map.quantities).map(([quantity, registers]) => {
      const factor = registers.unit.startsWith('k') ? 1000 : 1;
      const present = lines.filter((line) => registers[line] !== undefined);
      return [quantity, Object.fromEntries(present.map((line) => [line, factor * valueAt(Number(registers[line]))]))];
    }),
  );
}
