/** A scan in virtual time: the order of the guesses, what counts as an answer, and how a meter is recognised. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { OpenBytePort, SerialBus } from '../../../hal/modbus/byte-port.ts';
import type { Model } from '../../../hal/modbus/recognise.ts';
import type { SerialSettings } from '../../../hal/modbus/register-map.ts';
import { longestScanMs, type ScanResult, scanBus } from '../../../hal/modbus/scan.ts';
import { GUESSES, settingsText } from '../../../hal/modbus/scan-order.ts';
import { FakeLine, framed, politeAnswer, surroundings, VirtualTime } from './bench.ts';
import { meterFile } from './maps.ts';

const NAMES = readdirSync(new URL('../../../config/meters/', import.meta.url)).map((name) => name.replace('.yaml', ''));
const model = (name: string): Model => ({ name, map: meterFile(name) });
const MODELS = NAMES.map(model);

/** A bus on which units answer at one setting only; a register is a float32 by its address. */
class Bus {
  readonly time = new VirtualTime();
  readonly tried: string[] = [];
  readonly opened: string[] = [];
  readonly floats = new Map<number, number>();
  readonly words = new Map<number, number>();
  /** Instead of registers. */
  answer: (request: Uint8Array) => Uint8Array = (request) =>
    politeAnswer(request, (_unit, address) => this.#word(address));
  readonly #settings: string;
  readonly #units: readonly number[];
  readonly abort = new AbortController();

  constructor(settings: string, units: readonly number[]) {
    this.#settings = settings;
    this.#units = units;
  }

  scan(options: { units?: readonly number[]; models?: readonly Model[] } = {}): Promise<ScanResult> {
    const result = scanBus(
      {
        path: '/dev/rs485',
        guesses: GUESSES,
        units: options.units ?? [1, 2, 3],
        models: options.models ?? MODELS,
        signal: this.abort.signal,
        trying: (settings, unit) => void this.tried.push(`${settingsText(settings)} ${unit}`),
        openPort: (serial) => this.#port(serial),
      },
      surroundings(this.time),
    );
    return this.time.until(result);
  }

  #port(serial: SerialBus): OpenBytePort {
    this.opened.push(settingsText(serial));
    const isRight = settingsText(serial) === this.#settings;
    return new FakeLine(this.time, (request) =>
      isRight && this.#units.includes(request[0] ?? 0) ? [{ afterMs: 60, bytes: this.answer(request) }] : [],
    ).open;
  }

  #word(address: number): number {
    const word = this.words.get(address);
    if (word !== undefined) return word;
    const float = Buffer.alloc(4);
    float.writeFloatBE(this.floats.get(address & ~1) ?? 0);
    return float.readUInt16BE(2 * (address & 1));
  }
}

/** An SDM630 with its model code. */
function sdm630(bus: Bus, code = 0x70): Bus {
  for (const [address, value] of [
    [0, 230.1],
    [2, 231.4],
    [4, 229.8],
    [0x46, 50],
    [0x48, 1234.567],
  ] as const)
    bus.floats.set(address, value);
  bus.words.set(0xfc02, code);
  return bus;
}

describe('the order of the guesses', () => {
  it('begins with what most meters leave the factory with, and holds the factory settings of every map', () => {
    const guesses = GUESSES.map(settingsText);
    expect(guesses.slice(0, 3)).toEqual(['9600 8N1', '9600 8E1', '19200 8E1']);
    expect(new Set(guesses).size).toBe(guesses.length);
    for (const { map } of MODELS) expect(guesses).toContain(settingsText(map.serial as SerialSettings));
  });

  it('tries the first unit with all of them before any other unit', async () => {
    const bus = new Bus('never', []);
    const { devices, aborted } = await bus.scan();
    expect([devices, aborted]).toEqual([[], false]);
    expect(bus.tried).toHaveLength(3 * GUESSES.length);
    expect(bus.tried.slice(0, GUESSES.length)).toEqual(GUESSES.map((guess) => `${settingsText(guess)} 1`));
    expect(bus.time.now()).toBeLessThanOrEqual(longestScanMs({ guesses: GUESSES, units: [1, 2, 3] }) * 1.1);
  });
});

describe('a scan', () => {
  it('asks all units at the settings that the first answers to, and nothing after that', async () => {
    const bus = sdm630(new Bus('19200 8E1', [1, 3]));
    const { devices } = await bus.scan({ models: [model('eastron-sdm630')] });
    expect(devices).toMatchObject([
      { unit: 1, settings: { baudRate: 19_200, parity: 'even', stopBits: 1 }, fits: [{ name: 'eastron-sdm630' }] },
      { unit: 3 },
    ]);
    expect(bus.tried).toEqual(['9600 8N1 1', '9600 8E1 1', '19200 8E1 1', '19200 8E1 2', '19200 8E1 3']);
  });

  it('takes an exception for an answer: there is a device, if none that we know', async () => {
    const bus = new Bus('9600 8E1', [2]);
    bus.answer = ([unit = 0, code = 0]) => framed(unit, code | 0x80, 1);
    const { devices } = await bus.scan();
    expect(devices).toEqual([{ unit: 2, settings: { baudRate: 9600, parity: 'even', stopBits: 1 }, fits: [] }]);
  });

  it('says at which settings bytes came that are no answer', async () => {
    const bus = new Bus('9600 8E1', [1]);
    bus.answer = () => Uint8Array.from([1, 4, 99]);
    const { devices, garbled } = await bus.scan();
    expect([devices, garbled.map(settingsText)]).toEqual([[], ['9600 8E1']]);
  });

  it('ends at once when it is told to', async () => {
    const bus = new Bus('never', []);
    bus.time.after(1000, () => bus.abort.abort());
    const { aborted } = await bus.scan();
    expect(aborted).toBe(true);
    expect(bus.time.now()).toBeLessThan(1500);
  });

  it('fails with the port', async () => {
    const time = new VirtualTime();
    const line = new FakeLine(time);
    line.plugged = false;
    const scan = scanBus(
      {
        path: '/dev/x',
        guesses: GUESSES,
        units: [1],
        models: [],
        signal: new AbortController().signal,
        openPort: () => line.open,
      },
      surroundings(time),
    );
    await expect(time.until(scan)).rejects.toMatchObject({ code: 'busClosed' });
  });
});

describe('a meter', () => {
  it('that tells its code is that model and no other', async () => {
    const { devices } = await sdm630(new Bus('9600 8N1', [1])).scan();
    expect(devices[0]?.fits).toMatchObject([{ name: 'eastron-sdm630', by: 'modelCode', called: 'SDM630' }]);
    expect(devices[0]?.fits[0]?.values.energyImport?.sum).toBe(1_234_567);
  });

  it('whose code is of a model without a map is named, and not taken for its sister', async () => {
    const bus = sdm630(new Bus('9600 8N1', [1]), 0x84);
    const { devices } = await bus.scan({ models: [model('eastron-sdm630')] });
    expect(devices[0]).toMatchObject({ fits: [], other: 'SDM72D-M' });
  });

  it('without a code fits by its values, the map with every phase alive first', async () => {
    const bus = new Bus('9600 8N1', [1]);
    const polite = bus.answer;
    sdm630(bus);
    bus.floats.delete(2);
    bus.floats.delete(4);
    // No register beyond the input registers: an SDM120 tells no model.
    bus.answer = (request) => (request[1] === 3 ? framed(request[0] ?? 0, 0x83, 2) : polite(request));
    const { devices } = await bus.scan();
    const names = devices[0]?.fits.map(({ name, by }) => `${name} ${by}`) ?? [];
    expect(names.slice(0, 2)).toEqual(['eastron-sdm120 values', 'eastron-sdm230 values']);
    expect(names).toContain('eastron-sdm54 values');
  });

  it.each([
    ['no mains voltage', 0, 40],
    ['a frequency of no grid', 0x46, 12],
    ['a negative energy', 0x48, -5],
    ['a current beyond the meter', 0x06, 500],
  ])('with %s fits no map', async (_what, address, value) => {
    const bus = new Bus('9600 8N1', [1]);
    const polite = bus.answer;
    sdm630(bus);
    for (const phase of address === 0 ? [0, 2, 4] : [address]) bus.floats.set(phase, value);
    bus.answer = (request) => (request[1] === 3 ? framed(request[0] ?? 0, 0x83, 2) : polite(request));
    expect((await bus.scan()).devices[0]?.fits).toEqual([]);
  });
});
