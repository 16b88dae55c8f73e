/** The bus against slaves that misbehave, in virtual time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Manners, type ModbusBus, modbusBus } from '../../../hal/modbus/bus.ts';
import {
  type Answered,
  FakeLine,
  framed,
  politeAnswer,
  registerAt,
  SERIAL,
  surroundings,
  VirtualTime,
} from './bench.ts';

const MANNERS: Manners = { silenceMs: 100, timeoutMs: 300 };
const LONGEST_MS = 30_000;

function bench(script?: FakeLine['script']): { time: VirtualTime; line: FakeLine; bus: ModbusBus } {
  const time = new VirtualTime();
  const line = new FakeLine(time, script);
  return { time, line, bus: modbusBus(SERIAL, surroundings(time), line.open) };
}

const registers = (unit: number, address: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => registerAt(unit, address + index));

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code,
  );

const polite = (request: Uint8Array, afterMs = 20): Answered => ({ afterMs, bytes: politeAnswer(request) });

describe('the Modbus bus', () => {
  it('opens nothing before the first request', async () => {
    const { time, line, bus } = bench();
    await time.advance(1000);
    expect(line.opened).toBe(0);
    expect(await time.until(bus.readRegisters(4, 1, 0x48, 2, MANNERS))).toEqual(registers(1, 0x48, 2));
    expect([line.opened, bus.openings]).toEqual([1, 1]);
  });

  it('sends the requests of the specification', async () => {
    const { time, line, bus } = bench();
    await time.until(bus.readRegisters(3, 7, 0xfc02, 1, MANNERS));
    await time.until(bus.writeRegisters(7, 1000, [16, 0x1234], MANNERS));
    expect(line.requests.map(({ bytes }) => bytes)).toEqual([
      framed(7, 3, 0xfc, 0x02, 0, 1),
      framed(7, 16, 0x03, 0xe8, 0, 2, 4, 0, 16, 0x12, 0x34),
    ]);
  });

  it('reads coils, and writes one coil or one register', async () => {
    const { time, line, bus } = bench();
    expect(await time.until(bus.readRegisters(1, 7, 20000, 3, MANNERS))).toEqual([1, 0, 1]);
    await time.until(bus.writeSingle('coil', 7, 20000, 1, MANNERS));
    await time.until(bus.writeSingle('coil', 7, 20000, 0, MANNERS));
    await time.until(bus.writeSingle('register', 7, 22000, 16, MANNERS));
    expect(line.requests.map(({ bytes }) => bytes)).toEqual([
      framed(7, 1, 0x4e, 0x20, 0, 3),
      framed(7, 5, 0x4e, 0x20, 0xff, 0),
      framed(7, 5, 0x4e, 0x20, 0, 0),
      framed(7, 6, 0x55, 0xf0, 0, 16),
    ]);
  });

  it('never takes a late acknowledgement of "on" for that of "off"', async () => {
    // The first is answered after its time-out, while the second is waited for.
    const { time, line, bus } = bench((request, index) => [polite(request, index === 0 ? 350 : 20)]);
    const once = { ...MANNERS, attempts: 1 };
    expect(await time.until(code(bus.writeSingle('coil', 1, 20000, 1, once)))).toBe('meterSilent');
    await time.until(bus.writeSingle('coil', 1, 20000, 0, once));
    const writes = line.requests.filter(({ bytes }) => bytes[1] === 5).map(({ bytes }) => bytes[4]);
    // Sent at once, and once more behind a request of another form.
    expect(writes).toEqual([0xff, 0, 0]);
  });

  it('gives each of many concurrent callers its own registers, one request at a time, silence between', async () => {
    const { time, line, bus } = bench();
    const asked = Array.from({ length: 20 }, (_, index) => index);
    const answers = asked.map((index) => bus.readRegisters(4, 1 + (index % 3), 10 * index, 2, MANNERS));
    expect(await time.until(Promise.all(answers))).toEqual(
      asked.map((index) => registers(1 + (index % 3), 10 * index, 2)),
    );
    const gaps = line.requests.slice(1).map(({ at }, index) => at - (line.requests[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20 + MANNERS.silenceMs);
  });

  it('keeps the silence and the time-out of each device', async () => {
    const { time, line, bus } = bench((request) => (request[0] === 2 ? [polite(request, 700)] : [polite(request)]));
    const slow = bus.readRegisters(4, 2, 0, 1, { silenceMs: 50, timeoutMs: 1000, attempts: 1 });
    const fast = bus.readRegisters(4, 1, 0, 1, { silenceMs: 500, timeoutMs: 100, attempts: 1 });
    expect(await time.until(Promise.all([slow, fast]))).toEqual([registers(2, 0, 1), registers(1, 0, 1)]);
    expect((line.requests[1]?.at ?? 0) - (line.requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(1200);
  });

  it('never lets a late answer stand for other registers of the same length', async () => {
    for (const lateMs of [350, 400, 550, 700, 900, 1200, 2000, 3000]) {
      const { time, bus } = bench((request, index) => [polite(request, index === 0 ? lateMs : 20)]);
      const first = bus.readRegisters(4, 1, 200, 2, { ...MANNERS, attempts: 1 });
      const second = bus.readRegisters(4, 1, 300, 2, { ...MANNERS, attempts: 10 });
      expect(await time.until(code(first))).toBe('meterSilent');
      expect(await time.until(second)).toEqual(registers(1, 300, 2));
    }
  });

  it('sends a write at once even if the device is not heard, and believes no late acknowledgement', async () => {
    const heard: number[] = [];
    const { time, line, bus } = bench((request, index) => {
      if (request[1] === 16) heard.push(request[8] ?? -1);
      return index < 4 ? [] : [polite(request)];
    });
    expect(await time.until(code(bus.writeRegisters(1, 1000, [16], MANNERS)))).toBe('meterSilent');
    const asked = line.requests.length;
    await time.until(bus.writeRegisters(1, 1000, [0], { ...MANNERS, urgent: true }));
    expect(line.requests[asked]?.bytes).toEqual(framed(1, 16, 3, 0xe8, 0, 1, 2, 0, 0));
    expect(heard).toEqual([16, 16, 16, 0, 0]);
  });

  it('stays right when a late answer satisfies the repetition and its own answer comes even later', async () => {
    const { time, bus } = bench((request, index) => [polite(request, [800, 700, 20, 20, 20][index] ?? 20)]);
    expect(await time.until(bus.readRegisters(4, 1, 200, 2, MANNERS))).toEqual(registers(1, 200, 2));
    expect(await time.until(bus.readRegisters(4, 1, 300, 2, MANNERS))).toEqual(registers(1, 300, 2));
    expect(await time.until(bus.readRegisters(4, 1, 400, 2, MANNERS))).toEqual(registers(1, 400, 2));
  });

  it('tries three times, then says meterSilent, in bounded time', async () => {
    const { time, line, bus } = bench(() => []);
    expect(await time.until(code(bus.readRegisters(4, 1, 0, 2, MANNERS)))).toBe('meterSilent');
    expect(line.requests).toHaveLength(3);
    expect(time.now()).toBeLessThan(3 * (100 + 300 + 400 + 50));
  });

  it('says badReply when every frame is damaged', async () => {
    const { time, line, bus } = bench((request) => {
      const bytes = politeAnswer(request);
      bytes[4] = (bytes[4] ?? 0) ^ 1;
      return [{ afterMs: 20, bytes }];
    });
    expect(await time.until(code(bus.readRegisters(4, 1, 0, 2, MANNERS)))).toBe('badReply');
    expect(line.requests).toHaveLength(3);
  });

  it.each([1, 2, 3])('does not ask again after exception %d, which is final', async (exception) => {
    const { time, line, bus } = bench((request) => [
      { afterMs: 20, bytes: framed(request[0] ?? 0, 0x80 | (request[1] ?? 0), exception) },
    ]);
    expect(await time.until(code(bus.readRegisters(4, 1, 0, 2, MANNERS)))).toBe('badReply');
    expect(line.requests).toHaveLength(1);
  });

  it('asks again when the device is busy (exception 6)', async () => {
    const { time, bus } = bench((request, index) =>
      index === 0 ? [{ afterMs: 20, bytes: framed(1, 0x84, 6) }] : [polite(request)],
    );
    expect(await time.until(bus.readRegisters(4, 1, 0, 2, MANNERS))).toEqual(registers(1, 0, 2));
  });

  it('is not stopped by a line that never falls silent', async () => {
    const { time, line, bus } = bench();
    const chatter = (): void => {
      line.say(Uint8Array.from([0x55]));
      time.after(7, chatter);
    };
    time.after(0, chatter);
    await time.advance(100);
    expect(await time.until(bus.readRegisters(4, 1, 0, 2, MANNERS))).toEqual(registers(1, 0, 2));
    expect(time.now()).toBeGreaterThan(1000);
  });

  it('puts an urgent write before queued reads and between the attempts of a dead one', async () => {
    const { time, line, bus } = bench((request) => (request[0] === 9 ? [] : [polite(request)]));
    const dead = code(bus.readRegisters(4, 9, 0, 2, MANNERS));
    const reads = [1, 2, 3].map((unit) => bus.readRegisters(4, unit, 0, 2, MANNERS));
    await time.advance(250);
    const asked = time.now();
    await time.until(bus.writeRegisters(5, 1000, [0], { ...MANNERS, urgent: true }));
    expect(line.requests.map(({ bytes }) => bytes[0])).toEqual([9, 5]);
    expect(time.now() - asked).toBeLessThan(300 + 100 + 60);
    expect(await time.until(Promise.all(reads))).toHaveLength(3);
    expect(await time.until(dead)).toBe('meterSilent');
  });

  it('serves the others while one device is dead', async () => {
    const { time, line, bus } = bench((request) => (request[0] === 9 ? [] : [polite(request)]));
    const dead = code(bus.readRegisters(4, 9, 0, 2, MANNERS));
    await time.until(bus.readRegisters(4, 1, 0, 2, MANNERS));
    expect(line.requests.map(({ bytes }) => bytes[0])).toEqual([9, 1]);
    await time.until(dead);
  });

  it('opens a vanished adapter again after 1 s, then 2, 4, 8 and at most 10 s', async () => {
    const { time, line, bus } = bench();
    const ask = (): Promise<unknown> => time.until(code(bus.readRegisters(4, 1, 0, 2, MANNERS)));
    expect(await ask()).toBe('resolved');
    let tries = 0;
    const open = line.open;
    line.unplug();
    const counted = modbusBus(SERIAL, surroundings(time), (events) => {
      tries += 1;
      return open(events);
    });
    const attempts: number[] = [];
    for (const start = time.now(); time.now() - start < 40_000; await time.advance(100)) {
      const before = tries;
      expect(await time.until(code(counted.readRegisters(4, 1, 0, 2, MANNERS)))).toBe('busClosed');
      if (tries > before) attempts.push(Math.round((time.now() - start) / 1000));
    }
    expect(attempts).toEqual([0, 1, 3, 7, 15, 25, 35]);
    line.plugged = true;
    await time.advance(10_000);
    expect(await time.until(counted.readRegisters(4, 1, 5, 2, MANNERS))).toEqual(registers(1, 5, 2));
    expect(await ask()).toBe('resolved');
    expect(bus.openings).toBe(2);
  });

  it('ends the request under way when the adapter vanishes', async () => {
    const { time, line, bus } = bench(() => []);
    const asked = code(bus.readRegisters(4, 1, 0, 2, { ...MANNERS, timeoutMs: 60_000 }));
    await time.advance(500);
    line.unplug();
    await time.advance(1);
    expect(await asked).toBe('busClosed');
  });

  it('gives up on a port that never finishes opening, and closes it should it open after all', async () => {
    const time = new VirtualTime();
    let closed = false;
    const close = async (): Promise<void> => {
      closed = true;
    };
    const port = { write: () => undefined, flush: async () => undefined, close };
    const bus = modbusBus(
      SERIAL,
      surroundings(time),
      () => new Promise((resolve) => time.after(5000, () => resolve(port))),
    );
    expect(await time.until(code(bus.readRegisters(4, 1, 0, 2, MANNERS)))).toBe('busClosed');
    expect(time.now()).toBeLessThan(4000);
    await time.advance(5000);
    expect(closed).toBe(true);
  });

  it('rejects everything once closed', async () => {
    const { time, bus } = bench(() => []);
    const waiting = [0, 1, 2].map((address) => code(bus.readRegisters(4, 1, address, 2, MANNERS)));
    await time.advance(150);
    await time.until(bus.close());
    expect(await Promise.all(waiting)).toEqual(['busClosed', 'busClosed', 'busClosed']);
    expect(await time.until(code(bus.readRegisters(4, 1, 0, 2, MANNERS)))).toBe('busClosed');
    await time.until(bus.close());
  });

  it('answers every request in bounded time with the right registers or an error, whatever the slaves do', async () => {
    const misdeed = fc.constantFrom('none', 'silent', 'late', 'damaged', 'cut', 'noise', 'other', 'twice', 'slices');
    const story = fc.array(fc.record({ misdeed, lateMs: fc.integer({ min: 301, max: 3000 }) }), { maxLength: 12 });
    const asked = fc.array(fc.record({ unit: fc.integer({ min: 1, max: 2 }), address: fc.nat({ max: 99 }) }), {
      minLength: 2,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(story, asked, async (deeds, requests) => {
        const { time, bus } = bench((request, index) =>
          misbehave(request, deeds[index] ?? { misdeed: 'none', lateMs: 0 }),
        );
        for (const { unit, address } of requests) {
          const before = time.now();
          const answer = await time.until(
            bus.readRegisters(4, unit, address, 2, MANNERS).catch(() => 'error' as const),
          );
          if (answer !== 'error') expect(answer).toEqual(registers(unit, address, 2));
          expect(time.now() - before).toBeLessThan(LONGEST_MS);
        }
        await time.advance(LONGEST_MS);
        expect(await time.until(bus.readRegisters(4, 1, 7, 2, { ...MANNERS, attempts: 20 }))).toEqual(
          registers(1, 7, 2),
        );
      }),
      { numRuns: 60 },
    );
  });
});

function misbehave(request: Uint8Array, { misdeed, lateMs }: { misdeed: string; lateMs: number }): readonly Answered[] {
  const bytes = politeAnswer(request);
  const damaged = Uint8Array.from(bytes, (byte, index) => (index === 4 ? byte ^ 0x10 : byte));
  const other = framed(9, 4, 4, 1, 2, 3, 4);
  switch (misdeed) {
    case 'silent':
      return [];
    case 'late':
      return [{ afterMs: lateMs, bytes }];
    case 'damaged':
      return [{ afterMs: 20, bytes: damaged }];
    case 'cut':
      return [{ afterMs: 20, bytes: bytes.subarray(0, 6) }];
    case 'noise':
      return [
        { afterMs: 5, bytes: Uint8Array.from([1, 4, 4, 0, 0xff]) },
        { afterMs: 20, bytes },
      ];
    case 'other':
      return [
        { afterMs: 5, bytes: other },
        { afterMs: 40, bytes },
      ];
    case 'twice':
      return [
        { afterMs: 20, bytes },
        { afterMs: 60, bytes },
      ];
    case 'slices':
      return [...bytes].map((byte, index) => ({ afterMs: 20 + 3 * index, bytes: Uint8Array.from([byte]) }));
    default:
      return [{ afterMs: 20, bytes }];
  }
}
