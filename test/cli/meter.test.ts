/** `chargepoint meter` beside a running agent: the agent owns the bus and reads for it. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Board, ConnectorHardware, Reading } from '../../hal/contract.ts';
import { HalError } from '../../hal/hal-error.ts';
import { GUESSES, settingsText } from '../../hal/modbus/scan-order.ts';
import { meterRoutes } from '../../src/cli/meter-route.ts';
import { Asked, scanText, unitsText } from '../../src/cli/meter-scan-text.ts';
import type { AgentConfig } from '../../src/config.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { bench, lab, load } from '../config/support.ts';
import { silentLog } from '../sim/world.ts';
import { typed } from './support/typed.ts';

let directory: string;
let socket: string;
let port: string;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meter-'));
  socket = join(directory, 'control.sock');
  port = join(directory, 'ttyUSB0');
  writeFileSync(port, '');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const chargepoint = (...argv: string[]) => typed(['meter', ...argv]);

const READING: Reading = {
  at: 0,
  serialNumber: '4711',
  values: {
    voltage: { L1: 230.1, L2: 231.4, L3: 229.8 },
    current: { L1: 16.02, L2: 15.9, L3: 16.2 },
    activePower: { sum: 11_040 },
    energyImport: { sum: 9_876_540 },
  },
};

/** Calls what waits for real time at once when told to. */
class Timers {
  readonly waiting = new Set<() => void>();
  afterReal(_delayMs: number, action: () => void): () => void {
    this.waiting.add(action);
    return () => this.waiting.delete(action);
  }
}

const onRealBoard = (): AgentConfig => {
  const meter = { model: 'carlo-gavazzi-em340', unit: 3, bus: { port } };
  const { config } = load({ ...lab, connectors: [{ id: 1, cable: 'attached', meter }] });
  if (config === undefined) throw new Error('the configuration does not load');
  return config;
};

async function withAgent(read: () => Promise<Reading>, config = onRealBoard(), timers = new Timers()): Promise<void> {
  const connector = { id: 1, meter: { offers: {}, read } };
  const board: Pick<Board, 'connectors'> = { connectors: [connector as unknown as ConnectorHardware] };
  const routes = meterRoutes({ config, board, clock: timers });
  server = await serveControl({ socket: socketFile(socket), log: silentLog, routes });
}

const fits = (text: string): boolean => text.split('\n').every((line) => [...line].length <= 80);

describe('meter read', () => {
  it('asks the agent, and shows a row for each quantity and what is not verified', async () => {
    await withAgent(async () => READING);
    const { code, out, err } = await chargepoint('read', '--socket', socket);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Connector 1: Carlo Gavazzi EM340, unit 3 on');
    expect(out).toMatch(/serial\s+number 4711/);
    expect(out).toContain('  not verified: serial settings: from memory, no source\n');
    expect(out).toMatch(
      / {5}sum +L1 +L2 +L3\nVoltage +V +230\.1 +231\.4 +229\.8\n[\s\S]*Energy import +Wh +9876540\n$/,
    );
    expect(fits(out)).toBe(true);
  });

  it('gives the same as JSON', async () => {
    await withAgent(async () => READING);
    const { out } = await chargepoint('read', '--socket', socket, '--connector', '1', '--json');
    const { values, serialNumber } = READING;
    expect(JSON.parse(out)).toMatchObject({
      connector: 1,
      name: 'carlo-gavazzi-em340',
      unit: 3,
      port,
      values,
      serialNumber,
    });
  });

  it('says why there is no reading, and where to look; exit code 70', async () => {
    await withAgent(async () => {
      throw new HalError('meterSilent', 'EM340 (unit 3): no reading', { cause: new Error('unit 3 does not answer') });
    });
    const { code, out, err } = await chargepoint('read', '--socket', socket);
    expect([code, out]).toEqual([70, '']);
    expect(err).toBe(
      'No reading: EM340 (unit 3): no reading: unit 3 does not answer.\n' +
        'Look at power, A/B, termination, baud rate, parity and unit: chargepoint meter scan\n',
    );
  });

  it('does not wait for a meter that takes longer than whoever asks', async () => {
    const timers = new Timers();
    await withAgent(
      () => {
        // Asked: from now on time passes.
        queueMicrotask(() => setImmediate(() => [...timers.waiting].forEach((action) => void action())));
        return new Promise(() => {});
      },
      onRealBoard(),
      timers,
    );
    const { code, err } = await chargepoint('read', '--socket', socket);
    expect([code, err]).toEqual([70, expect.stringContaining('no reading within 4 s')]);
  });

  it('knows no connector that is not there, and no model that has no file; exit code 78', async () => {
    await withAgent(async () => READING);
    const nobody = await chargepoint('read', '--socket', socket, '--connector', '2');
    expect(nobody).toMatchObject({ code: 78, err: 'there is no connector 2.\n' });
    const unknown = await chargepoint('read', '--port', port, '--model', 'eastron-sdm6300');
    expect(unknown).toMatchObject({
      code: 78,
      err: expect.stringMatching(/no meter eastron-sdm6300, did you mean eastron-sdm630\?/),
    });
    const unit = await chargepoint('read', '--port', port, '--model', 'abb-b23', '--unit', '248');
    expect(unit).toMatchObject({ code: 78, err: expect.stringContaining('a Modbus unit from 1 to 247') });
    const half = await chargepoint('read', '--port', port);
    expect(half).toMatchObject({ code: 78, err: expect.stringContaining('--port and --model') });
  });

  it('where no agent runs on a mock board there is no meter', async () => {
    const config = join(directory, 'chargepoint.yaml');
    writeFileSync(config, JSON.stringify({ ...bench, stateDir: directory }));
    const { code, err } = await chargepoint('read', '--config', config);
    expect([code, err]).toEqual([
      78,
      'The meter of the mock board exists in a running agent only: chargepoint bench\n',
    ]);
  });
});

describe('meter watch', () => {
  it('says one line for each reading, and goes on after one that failed', async () => {
    let read = 0;
    await withAgent(async () => {
      read += 1;
      if (read === 2) throw new HalError('meterImplausible', 'voltage L1 999 V');
      return READING;
    });
    const { code, out, err } = await chargepoint('watch', '--socket', socket, '--count', '3', '--every', '1');
    const line = '230.1/231.4/229.8 V  16.02/15.9/16.2 A  11040 W  9876540 Wh';
    expect(out.split('\n').filter((text) => text.endsWith(line))).toHaveLength(2);
    expect(err).toBe('No reading: voltage L1 999 V.\n');
    expect([code, fits(out)]).toEqual([0, true]);
  });
});

describe('meter scan', () => {
  it('keeps its hands off a port that the agent owns, by whatever name, and says what to do instead', async () => {
    await withAgent(async () => READING);
    const other = join(directory, 'by-id');
    symlinkSync(port, other);
    for (const name of [port, other]) {
      const { code, out, err } = await chargepoint('scan', '--socket', socket, '--port', name);
      expect([code, out]).toEqual([78, '']);
      expect(err).toMatch(/The running agent owns[\s\S]*chargepoint meter read[\s\S]*systemctl stop chargepoint/);
      const direct = ['read', '--socket', socket, '--port', name, '--model', 'abb-b23'];
      expect((await chargepoint(...direct)).err).toContain('The running agent owns');
    }
  });

  it('names a port that is not there, and one that is no serial port', async () => {
    const missing = await chargepoint('scan', '--socket', socket, '--port', join(directory, 'none'));
    expect(missing).toMatchObject({ code: 78, err: expect.stringContaining(`There is no ${directory}`) });
    const file = await chargepoint('scan', '--socket', socket, '--port', port);
    expect(file).toMatchObject({ code: 70, err: expect.stringMatching(/cannot be used: [\s\S]*systemctl stop/) });
  });

  it.each(['0', '248', '5-3', 'all', '1-300'])('refuses the units %s', async (units) => {
    const { code, err } = await chargepoint('scan', '--units', units);
    expect([code, err]).toEqual([78, expect.stringContaining('Modbus units from 1 to 247')]);
  });

  it('that was ended claims nothing of what it has not heard out', () => {
    const settings = GUESSES.slice(0, 3);
    const order = [
      ...settings.map((guess) => [guess, 1] as const),
      ...settings.flatMap((guess) => [2, 3, 33].map((unit) => [guess, unit] as const)),
    ];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: order.length }), (count) => {
        const asked = new Asked();
        for (const [guess, unit] of order.slice(0, count)) asked.trying(guess, unit);
        const text = asked.text();
        const heard = [...text.replace(/\s+/g, ' ').matchAll(/units ([\d, -]+?) at ([\dEN, ]+?)(?=;|\.)/g)].flatMap(
          ([, units = '', guesses = '']) =>
            units.split(', ').flatMap((range) => {
              const [from = 0, to = from] = range.split('-').map(Number);
              const each = Array.from({ length: to - from + 1 }, (_, at) => from + at);
              return each.flatMap((unit) => guesses.split(', ').map((guess) => `${guess} ${unit}`));
            }),
        );
        const wanted = order.slice(0, count - 1).map(([guess, unit]) => `${settingsText(guess)} ${unit}`);
        expect(heard.toSorted()).toEqual(wanted.toSorted());
        expect(fits(text)).toBe(true);
      }),
    );
    const cut = scanText('/dev/ttyUSB0', { devices: [], garbled: [], aborted: true });
    expect(cut).toBe('The scan was ended before it was through.\n/dev/ttyUSB0: nothing has answered so far.\n');
    const noise = scanText('/dev/ttyUSB0', { devices: [], garbled: settings.slice(0, 1), aborted: true });
    expect(noise).toContain('no valid answer so far');
    expect(scanText('/dev/ttyUSB0', { devices: [], garbled: [], aborted: false })).toContain('nothing answers.');
  });

  it('shows units as ranges', () => {
    expect(unitsText([1, 2, 3, 33, 45, 46])).toBe('1-3, 33, 45-46');
  });
});
