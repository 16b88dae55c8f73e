/** A meter behind the bus: identity, plausibility, silence. */
import { describe, expect, it } from 'vitest';
import type { Reading } from '../../../hal/contract.ts';
import { modbusBus } from '../../../hal/modbus/bus.ts';
import { type MeterDriver, modbusMeter, RETRY_MS } from '../../../hal/modbus/modbus-meter.ts';
import { FakeLine, framed, politeAnswer, SERIAL, surroundings, VirtualTime } from './bench.ts';
import { meterFile } from './maps.ts';

const MAP = meterFile('eastron-sdm630');
const IMPORT = 0x48;

/** An SDM630 as a table of float32 by address. */
class Sdm630 {
  readonly time = new VirtualTime();
  readonly floats = new Map<number, number>([
    [0x00, 230.1],
    [0x06, 16],
    [0x34, 3680],
    [0x46, 50],
    [IMPORT, 1234.567],
  ]);
  modelCode = 0x70;
  serialNumber = 0x00c0ffee;
  dead = false;
  readonly faults: boolean[] = [];
  readonly line = new FakeLine(this.time, (request) =>
    this.dead ? [] : [{ afterMs: 20, bytes: politeAnswer(request, (_unit, address) => this.#word(address)) }],
  );
  readonly bus = modbusBus(SERIAL, surroundings(this.time), this.line.open);
  readonly meter: MeterDriver = modbusMeter(
    this.bus,
    MAP,
    { unit: 1, maxA: 32, phases: 3, onSilent: (raised) => this.faults.push(raised) },
    surroundings(this.time),
  );

  read(): Promise<Reading> {
    return this.time.until(this.meter.read());
  }

  code(): Promise<unknown> {
    return this.read().then(
      () => 'resolved',
      (error: { code?: unknown }) => error.code,
    );
  }

  requestsOf(code: number): number {
    return this.line.requests.filter(({ bytes }) => bytes[1] === code).length;
  }

  #word(address: number): number {
    if (address === 0xfc02) return this.modelCode;
    if (address === 0xfc00) return this.serialNumber >>> 16;
    if (address === 0xfc01) return this.serialNumber & 0xffff;
    const float = Buffer.alloc(4);
    float.writeFloatBE(this.floats.get(address & ~1) ?? 0);
    return float.readUInt16BE(2 * (address & 1));
  }
}

describe('a Modbus meter', () => {
  it('offers what its file lists, before anything was read', () => {
    const { meter, line } = new Sdm630();
    expect(meter.offers.current).toEqual(['L1', 'L2', 'L3', 'N']);
    expect(meter.offers.energyImport).toEqual(['sum', 'L1', 'L2', 'L3']);
    expect(meter.offers.temperature).toBeUndefined();
    expect(line.opened).toBe(0);
  });

  it('gives one reading in contract units, with its serial number', async () => {
    const { values, serialNumber, at } = await new Sdm630().read();
    expect(values.voltage?.L1).toBe(230.1);
    expect(values.energyImport?.sum).toBe(1_234_567);
    expect(serialNumber).toBe(String(0x00c0ffee));
    expect(at).toBeGreaterThan(0);
  });

  it('lets all who ask at the same time share one reading', async () => {
    const bench = new Sdm630();
    await bench.read();
    const before = bench.line.requests.length;
    const [one, two] = await bench.time.until(Promise.all([bench.meter.read(), bench.meter.read()]));
    expect(one).toBe(two);
    expect(bench.line.requests.length - before).toBe(3);
  });

  it('dates a reading before the energy register was asked for, so that one that began before an event shows it', async () => {
    const bench = new Sdm630();
    await bench.read();
    const polite = bench.line.script;
    let sentAt = Number.NaN;
    bench.line.script = (request, index) => {
      const [, code, , address = 0, , count = 0] = request;
      if (code === 4 && address <= IMPORT && IMPORT < address + count) sentAt = bench.time.now();
      return polite(request, index).map(({ bytes }) => ({ afterMs: 700, bytes }));
    };
    const first = bench.meter.read();
    // The request is under way, the answer is not there yet.
    await bench.time.advance(500);
    const eventAt = bench.time.now();
    const joined = bench.meter.read();
    const { at } = await bench.time.until(joined);
    expect(await first).toBe(await joined);
    expect(sentAt).toBeLessThan(eventAt);
    expect(at).toBeLessThanOrEqual(sentAt);
    const { at: later } = await bench.read();
    expect(later).toBeGreaterThanOrEqual(eventAt);
  });

  it('asks who the device is once, and again after the bus was reopened', async () => {
    const bench = new Sdm630();
    await bench.read();
    await bench.read();
    expect(bench.requestsOf(3)).toBe(2);
    bench.line.unplug();
    bench.line.plugged = true;
    await bench.time.advance(1500);
    await bench.read();
    expect(bench.requestsOf(3)).toBe(4);
  });

  it('refuses another model and names both', async () => {
    const bench = new Sdm630();
    bench.modelCode = 0x89;
    await expect(bench.read()).rejects.toThrow(/SDM630.*SDM72D-M-V2.*0x0089/);
    expect(bench.requestsOf(4)).toBe(0);
  });

  it('does without the model code where the firmware has none', async () => {
    const bench = new Sdm630();
    const polite = bench.line.script;
    bench.line.script = (request, index) =>
      request[1] === 3 ? [{ afterMs: 20, bytes: framed(1, 0x83, 2) }] : polite(request, index);
    expect((await bench.read()).serialNumber).toBeUndefined();
  });

  it.each([
    ['an energy register at zero', IMPORT, 0],
    ['an energy register that runs away', IMPORT, 9999],
    ['an energy register that is no number', IMPORT, Number.NaN],
    ['a voltage of 1e9 V', 0, 1e9],
    ['a current of 1000 A', 6, 1000],
  ])('looks again at %s, and rejects it if it stays', async (_what, address, wrong) => {
    const bench = new Sdm630();
    await bench.read();
    const right = bench.floats.get(address) ?? 0;
    bench.floats.set(address, wrong);
    expect(await bench.code()).toBe('meterImplausible');

    const polite = bench.line.script;
    let looks = 0;
    bench.line.script = (request, index) => {
      if (request[1] === 4 && request[3] === 0 && ++looks === 2) bench.floats.set(address, right);
      return polite(request, index);
    };
    bench.floats.set(address, wrong);
    expect((await bench.read()).values.energyImport?.sum).toBe(1_234_567);
    expect(looks).toBe(2);
  });

  it('accepts the energy that 3 phases of 32 A bring, and no more', async () => {
    const bench = new Sdm630();
    await bench.read();
    await bench.time.advance(3_600_000);
    bench.floats.set(IMPORT, 1234.567 + 24);
    expect(await bench.code()).toBe('resolved');
    await bench.time.advance(3_600_000);
    bench.floats.set(IMPORT, 1234.567 + 24 + 40);
    expect(await bench.code()).toBe('meterImplausible');
  });

  it('believes registers that began anew only after nine looks that agree', async () => {
    const bench = new Sdm630();
    await bench.read();
    bench.floats.set(IMPORT, 5);
    expect([await bench.code(), await bench.code(), await bench.code()]).toEqual([
      'meterImplausible',
      'meterImplausible',
      'resolved',
    ]);
    expect((await bench.read()).values.energyImport?.sum).toBe(5000);
  });

  it('begins anew at once with an exchanged meter, whose serial number differs', async () => {
    const bench = new Sdm630();
    await bench.read();
    bench.line.unplug();
    bench.line.plugged = true;
    bench.serialNumber = 42;
    bench.floats.set(IMPORT, 1);
    await bench.time.advance(1500);
    const { serialNumber, values } = await bench.read();
    expect([serialNumber, values.energyImport?.sum]).toEqual(['42', 1000]);
  });

  it('raises its silence once, after three failed reads or ten seconds, and clears it at the first good one', async () => {
    const bench = new Sdm630();
    await bench.read();
    bench.dead = true;
    const began = bench.time.now();
    expect(await bench.code()).toBe('meterSilent');
    expect(bench.faults).toEqual([]);
    for (let read = 0; read < 4; read += 1) expect(await bench.code()).toBe('meterSilent');
    expect(bench.faults).toEqual([true]);
    expect(bench.time.now() - began).toBeLessThan(40_000);
    bench.dead = false;
    expect(await bench.code()).toBe('resolved');
    expect(bench.faults).toEqual([true, false]);
  });

  it('raises its silence after ten seconds although nobody asks again', async () => {
    const bench = new Sdm630();
    await bench.read();
    bench.dead = true;
    await bench.code();
    const reported = bench.requestsOf(4);
    await bench.time.advance(RETRY_MS - 1);
    expect([bench.faults, bench.requestsOf(4)]).toEqual([[], reported]);
    await bench.time.advance(10_000);
    expect(bench.faults).toEqual([true]);
  });

  it('hears by itself that it is back, asking no more than every ten seconds meanwhile', async () => {
    const bench = new Sdm630();
    await bench.read();
    bench.dead = true;
    for (let read = 0; read < 3; read += 1) await bench.code();
    const before = bench.line.requests.length;
    await bench.time.advance(3_600_000);
    const retries = (bench.line.requests.length - before) / 3;
    expect(retries).toBeGreaterThan(200);
    expect(retries).toBeLessThanOrEqual(360);
    bench.dead = false;
    await bench.time.advance(RETRY_MS + 10_000);
    expect(bench.faults).toEqual([true, false]);
    const after = bench.line.requests.length;
    await bench.time.advance(3_600_000);
    expect(bench.line.requests.length).toBe(after);
  });

  it('asks nothing any more once it is closed', async () => {
    for (const closeAfterMs of [0, RETRY_MS + 100]) {
      const bench = new Sdm630();
      bench.dead = true;
      await bench.code();
      await bench.time.advance(closeAfterMs);
      bench.meter.close();
      await bench.time.advance(10_000);
      const before = bench.line.requests.length;
      await bench.time.advance(3_600_000);
      expect(bench.line.requests.length).toBe(before);
    }
  });

  it('counts from the first failure: one failed read a minute later than the other is silence', async () => {
    const bench = new Sdm630();
    await bench.read();
    bench.dead = true;
    await bench.code();
    await bench.time.advance(60_000);
    await bench.code();
    expect(bench.faults).toEqual([true]);
  });
});
