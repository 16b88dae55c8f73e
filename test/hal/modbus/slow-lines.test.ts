/** Every meter as it is shipped, alone and with others on its line, and an EV that takes 32 A of 6 A: bus, driver and watch in virtual time. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Reading } from '../../../hal/contract.ts';
import { FaultBook } from '../../../hal/fault-book.ts';
import { watchedMeter } from '../../../hal/meter-watch.ts';
import { modbusBus } from '../../../hal/modbus/bus.ts';
import { modbusMeter } from '../../../hal/modbus/modbus-meter.ts';
import type { RegisterMap } from '../../../hal/modbus/register-map.ts';
import { FakeLine, politeAnswer, surroundings, VirtualTime } from './bench.ts';
import { meterFile } from './maps.ts';

const NAMES = readdirSync(new URL('../../../config/meters/', import.meta.url)).map((file) => file.replace('.yaml', ''));
const DRAWN_A = 32;
/** From a request to its answer, beyond what the bytes take. */
const THINKS_MS = 30;

/** What is read and how is what is shipped; nothing is said of who it is. */
const mapOf = (name: string): RegisterMap => {
  const { identify: _, serialNumber: __, ...map } = meterFile(name);
  return map;
};

const currentOf = (map: RegisterMap) => map.quantities.current ?? { unit: 'A' };

const addressesOf = (map: RegisterMap): readonly number[] => {
  const { L1, L2, L3, sum } = currentOf(map);
  return [L1, L2, L3, sum].filter((address) => typeof address === 'number');
};

/** The words that say 32 A, by address. A decimal number of two words has its exponent, here 0, before the digits. */
function drawing(map: RegisterMap): ReadonlyMap<number, number> {
  const { scale = 1, type = map.read.type, wordOrder = map.read.wordOrder } = currentOf(map);
  const raw = Math.round(DRAWN_A / scale);
  const bytes = Buffer.alloc(4);
  if (type === 'float32') bytes.writeFloatBE(raw);
  else bytes.writeInt32BE(raw);
  const [high, low] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  const words = type.endsWith('16') ? [low] : wordOrder === 'lowFirst' ? [low, high] : [high, low];
  return new Map(addressesOf(map).flatMap((first) => words.map((word, index) => [first + index, word] as const)));
}

/** So long each connector took to be cut off, in seconds. One reading in `failing` finds nobody there. */
async function cutOffAfterS(
  name: string,
  meters: number,
  failing = Number.POSITIVE_INFINITY,
): Promise<readonly number[]> {
  const time = new VirtualTime();
  const map = mapOf(name);
  const { baudRate, parity, stopBits } = map.serial;
  const words = drawing(map);
  const wireMs = (bytes: number): number => (11_000 * bytes) / baudRate;
  const away = new Set<number>();
  const line = new FakeLine(time, (request) => {
    if (away.has(request[0] ?? 0)) return [];
    const bytes = politeAnswer(request, (_unit, address) => words.get(address) ?? 0);
    return [{ afterMs: THINKS_MS + wireMs(request.length + bytes.length), bytes }];
  });
  const bus = modbusBus({ path: '/dev/rs485', baudRate, parity, stopBits }, surroundings(time), line.open);
  const openedAt: number[] = [];
  for (let unit = 1; unit <= meters; unit++) {
    const book = new FaultBook();
    const state = { pilot: 'C' as const, contactor: 'closed' as 'open' | 'closed' };
    const trip = (): void => {
      state.contactor = 'open';
      openedAt.push(time.now() / 1000);
    };
    book.attach(unit, { trip, release: () => {} });
    const place = { unit, maxA: 63, phases: 3 as const, onSilent: () => expect.unreachable() };
    const meter = modbusMeter(bus, map, place, surroundings(time));
    let reads = 0;
    const read = (): Promise<Reading> => {
      reads += 1;
      if (reads % failing === 0) away.add(unit);
      else away.delete(unit);
      return meter.read();
    };
    watchedMeter({
      connectorId: unit,
      evse: { state, signalled: 6, onState: () => () => {} },
      meter: { offers: meter.offers, read },
      phases: () => 3,
      protection: { overCurrent: { factor: 1.1, marginA: 0.5, forS: 7 } },
      book,
      clock: time,
    });
  }
  for (let second = 0; openedAt.length < meters && second < 120; second++) await time.advance(1000);
  return openedAt;
}

/** As docs/protection.md says, in seconds, by how many are on the line. */
const AT_MOST_S: readonly (readonly [meters: number, seconds: number])[] = [
  [1, 15],
  [4, 30],
];

describe('an EV that takes 32 A of 6 A', () => {
  const watching = NAMES.filter((name) => addressesOf(meterFile(name)).length > 0);

  it('is seen by most meters', () => {
    expect(watching.length).toBeGreaterThan(20);
  });

  it.each(watching.flatMap((name) => AT_MOST_S.map(([meters, most]) => [name, meters, most] as const)))(
    'is cut off with %s, %i on the line, within %i s',
    async (name, meters, most) => {
      const took = await cutOffAfterS(name, meters);
      expect(took).toHaveLength(meters);
      expect(Math.max(...took)).toBeLessThanOrEqual(most);
    },
  );

  it.each(['abb-b23', 'eastron-sdm120', 'finder-7e78', 'siemens-pac2200'])(
    'is cut off with %s also where every second, third or fourth reading fails',
    async (name) => {
      for (const failing of [2, 3, 4]) {
        const [took] = await cutOffAfterS(name, 1, failing);
        expect(took).toBeLessThanOrEqual(30);
      }
    },
  );
});
