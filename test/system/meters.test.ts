/** Every map of config/meters reads what an independent peer shows, and `chargepoint meter` finds, reads and watches it on a bus. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Quantity, Reading } from '../../hal/contract.ts';
import { modbusBus } from '../../hal/modbus/bus.ts';
import { ENERGIES } from '../../hal/modbus/decode.ts';
import { modbusMeter } from '../../hal/modbus/modbus-meter.ts';
import type { RegisterMap } from '../../hal/modbus/register-map.ts';
import { scanBus } from '../../hal/modbus/scan.ts';
import { toolSurroundings } from '../../src/cli/meter-source.ts';
import { bundled } from './support/bundled.ts';
import { MeterBus, type Scenario, type Shown } from './support/meter-bus.ts';

const ROOT = join(import.meta.dirname, '../..');
const METERS = join(ROOT, 'config/meters');
const NAMES = readdirSync(METERS).map((name) => name.replace('.yaml', ''));
/** Integers without a mark for it are never absent. */
const scenariosOf = ({ read }: RegisterMap): readonly Scenario[] =>
  read.type === 'float32' || read.notAvailable !== undefined
    ? ['plain', 'negative', 'large', 'absent']
    : ['plain', 'negative', 'large'];
const SERIAL_NUMBER = '12648430';

const mapOf = (name: string): RegisterMap => parse(readFileSync(join(METERS, `${name}.yaml`), 'utf8')) as RegisterMap;

describe('the maps of config/meters, against tables that know nothing of them', { timeout: 30_000 }, () => {
  const bus = new MeterBus();
  afterAll(() => bus.stop());
  beforeEach(() => bus.clear());

  async function read(name: string, scenario: Scenario): Promise<{ shown: Shown; reading: Reading; map: RegisterMap }> {
    const shown = await bus.add(name, { scenario });
    const map = mapOf(name);
    const surroundings = await toolSurroundings();
    const modbus = modbusBus({ path: bus.port, baudRate: 115_200, parity: 'none', stopBits: 1 }, surroundings);
    const quick = { ...map, read: { ...map.read, silenceMs: 0, timeoutMs: 500 } };
    const place = { unit: 1, maxA: 32, phases: 3, onSilent: () => undefined } as const;
    const meter = modbusMeter(modbus, quick, place, surroundings);
    try {
      return { shown, reading: await meter.read(), map };
    } finally {
      meter.close();
      await modbus.close();
    }
  }

  it.each(NAMES.flatMap((name) => scenariosOf(mapOf(name)).map((scenario) => [name, scenario] as const)))(
    '%s reads what the meter shows: %s',
    async (name, scenario) => {
      const { shown, reading, map } = await read(name, scenario);
      let compared = 0;
      for (const [quantity, registers] of Object.entries(map.quantities) as [Quantity, object][]) {
        for (const line of ['sum', 'L1', 'L2', 'L3', 'N'] as const) {
          if (!(line in registers)) continue;
          const value = reading.values[quantity]?.[line];
          const physical = shown[quantity]?.[line];
          const what = `${quantity}.${line}`;
          compared += 1;
          expect(physical, `${what}: the table knows no such register`).toBeDefined();
          if (physical === null || physical === undefined) expect(value, what).toBeUndefined();
          else if (ENERGIES.includes(quantity)) expect(value, what).toBe(Math.round(physical));
          else expect(value, what).toBeCloseTo(physical, 3);
        }
      }
      expect(compared).toBeGreaterThanOrEqual(3);
      if (map.serialNumber !== undefined) expect(reading.serialNumber).toBe(SERIAL_NUMBER);
    },
  );
});

describe('a scan of all of them', { timeout: 120_000 }, () => {
  const bus = new MeterBus();
  afterAll(() => bus.stop());

  it('recognises every model that tells its code or shows a voltage', async () => {
    for (const [index, name] of NAMES.entries()) await bus.add(name, { unit: index + 1 });
    const quick = ({ read, ...map }: RegisterMap): RegisterMap => ({ ...map, read: { ...read, silenceMs: 0 } });
    const { devices } = await scanBus(
      {
        path: bus.port,
        guesses: [{ baudRate: 115_200, parity: 'none', stopBits: 1 }],
        units: NAMES.map((_name, index) => index + 1),
        models: NAMES.map((name) => ({ name, map: quick(mapOf(name)) })),
        signal: new AbortController().signal,
      },
      await toolSurroundings(),
    );
    for (const [index, name] of NAMES.entries()) {
      const fits = devices.find(({ unit }) => unit === index + 1)?.fits.map((fit) => fit.name);
      expect(fits, name).toContain(name);
      expect(fits?.length, `${name}: ${fits}`).toBeLessThanOrEqual(5);
    }
  });
});

describe('chargepoint meter', { timeout: 120_000 }, () => {
  const bundles = mkdtempSync(join(ROOT, 'node_modules/.meter-'));
  const entry = join(bundles, 'meter-entry.mjs');
  const library = join(bundles, 'serial-asked.so');
  let bus: MeterBus;

  beforeAll(async () => {
    const preloaded = join(import.meta.dirname, 'rigs/serial-asked.c');
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, preloaded, '-ldl']);
    await bundled('meter-entry.ts', entry);
  });
  afterAll(() => rmSync(bundles, { recursive: true, force: true }));
  beforeEach(() => {
    bus = new MeterBus({ parity: true });
  });
  afterEach(() => bus.stop());

  function start(...argv: string[]): ChildProcess {
    const environment = { ...process.env, LD_PRELOAD: library, SERIAL_ASKED: bus.asked };
    return spawn(process.execPath, [entry, join(ROOT, 'src/main.ts'), 'meter', ...argv], { env: environment });
  }

  async function end(child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> {
    const texts = { out: '', err: '' };
    child.stdout?.on('data', (text) => {
      texts.out += text;
    });
    child.stderr?.on('data', (text) => {
      texts.err += text;
    });
    const [code] = await once(child, 'close');
    return { code, ...texts };
  }

  const chargepoint = (...argv: string[]) => end(start(...argv));

  it('scan finds rate, parity, unit and model, and says what to configure', async () => {
    await bus.add('eastron-sdm630', { unit: 7, settings: { baudRate: 19_200, parity: 'even' } });
    const { code, out, err } = await chargepoint('scan', '--port', bus.port, '--units', '6-8');
    expect(err).toContain('9600 8N1 unit 6 ...');
    expect(out).toContain('1 device answers at 19200 8E1');
    expect(out).toContain('Unit 7: Eastron SDM630-Modbus, serial number 12648430; says so itself (SDM630)');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const snippet = out.slice(out.indexOf('    meter:'));
    expect(parse(snippet)).toEqual({
      meter: {
        model: 'eastron-sdm630',
        unit: 7,
        bus: { port: bus.port, baudRate: 19_200, parity: 'even', stopBits: 1 },
      },
    });
    expect(code).toBe(0);
  });

  it('scan finds all units of the bus, two maps for one, and what of a map is not verified', async () => {
    const settings = { baudRate: 9600, parity: 'none' } as const;
    await bus.add('eastron-sdm120', { unit: 1, settings });
    await bus.add('carlo-gavazzi-em340', { unit: 3, settings });
    const { code, out } = await chargepoint('scan', '--port', bus.port, '--units', '1-4');
    expect(out).toContain('2 devices answer at 9600 8N1');
    expect(out).toMatch(/Several maps fit;.*\n {4}eastron-sdm120 .*\n {4}eastron-sdm230 /);
    expect(out).toContain('Unit 3: Carlo Gavazzi EM340');
    expect(out).toContain('not verified: serial settings:');
    expect(code).toBe(0);
    const { devices } = JSON.parse((await chargepoint('scan', '--port', bus.port, '--units', '1-4', '--json')).out);
    const [first, second] = devices as { fits: { name: string; by: string }[] }[];
    expect(first?.fits.slice(0, 2).map(({ name, by }) => `${name} ${by}`)).toEqual([
      'eastron-sdm120 values',
      'eastron-sdm230 values',
    ]);
    expect(second).toMatchObject({
      unit: 3,
      settings: { baudRate: 9600, parity: 'none', stopBits: 1 },
      fits: [{ name: 'carlo-gavazzi-em340' }],
    });
  });

  it('scan on a dead bus ends by itself, or by Ctrl-C', async () => {
    const short = await chargepoint('scan', '--port', bus.port, '--baud', '9600', '--units', '1-2');
    expect(short).toMatchObject({ code: 70, out: expect.stringContaining('nothing answers') });
    const child = start('scan', '--port', bus.port, '--units', '1-247');
    const ended = end(child);
    await once(child.stderr as NonNullable<ChildProcess['stderr']>, 'data');
    // Untold, it would go on for half an hour: the time-out of this test is the bound.
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 70, out: expect.stringContaining('ended before') });
  });

  it('read and watch go to the bus where no agent runs', async () => {
    await bus.add('abb-b23', { unit: 2, settings: { baudRate: 19_200, parity: 'even' } });
    const direct = ['--port', bus.port, '--model', 'abb-b23', '--unit', '2'];
    const { code, out } = await chargepoint('read', ...direct);
    expect(out).toContain('ABB B23, unit 2 on');
    expect(out).toMatch(/Voltage +V +230\.1 +231\.4 +229\.8\n/);
    expect(out).toMatch(/Energy import +Wh +9876540 +3292180/);
    expect(out).toContain('not verified: serial settings');
    expect(code).toBe(0);
    const json = JSON.parse((await chargepoint('read', ...direct, '--json')).out);
    expect(json).toMatchObject({ name: 'abb-b23', serialNumber: SERIAL_NUMBER, values: { voltage: { L1: 230.1 } } });
    const watched = await chargepoint('watch', ...direct, '--count', '2', '--every', '1');
    expect(watched.out.match(/Z {2}230\.1\/231\.4\/229\.8 V {2}16\.02\/15\.9\/16\.2 A {2}11040 W/g)).toHaveLength(2);
    const silent = await chargepoint('read', ...direct, '--baud', '9600');
    expect(silent).toMatchObject({ code: 70, err: expect.stringContaining('does not answer') });
  });

  it('watch ends with Ctrl-C, exit code 0', async () => {
    await bus.add('abb-b23', { unit: 2, settings: { baudRate: 19_200, parity: 'even' } });
    const child = start('watch', '--port', bus.port, '--model', 'abb-b23', '--unit', '2', '--every', '60');
    const ended = end(child);
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (text) => String(text).includes('11040 W') && resolve());
    });
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });

  it('read without an agent takes the meter of the connector from the configuration', async () => {
    await bus.add('orno-we516', { unit: 4, settings: { baudRate: 9600, parity: 'even' } });
    const file = join(bus.folder, 'chargepoint.yaml');
    const meter = `{ model: orno-we516, unit: 4, bus: { port: ${bus.port} } }`;
    const text = readFileSync(join(ROOT, 'config/chargepoint.yaml'), 'utf8');
    const shipped = parse(text) as Record<string, unknown>;
    const config = {
      ...shipped,
      board: 'raspberry-pi-lab',
      bench: undefined,
      acknowledgeLabUse: true,
      stateDir: bus.folder,
      connectors: [{ id: 1, cable: 'attached', meter: parse(meter) }],
    };
    writeFileSync(file, JSON.stringify(config));
    const { code, out, err } = await chargepoint('read', '--connector', '1', '--config', file);
    expect(err).toBe('');
    expect(out).toMatch(/Connector 1: Orno OR-WE-516[\s\S]*Voltage +V +230\.1/);
    expect(code).toBe(0);
  });
});
