/** Decoding against an encoder that shares nothing with it, and the plan of the reads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Line, Quantity } from '../../../hal/contract.ts';
import { decode, identityOf, merge, rawValue } from '../../../hal/modbus/decode.ts';
import { expectedAnswer, findAnswer } from '../../../hal/modbus/frame.ts';
import {
  LINES,
  type PlannedRead,
  plan,
  quantitiesOf,
  type RegisterMap,
  type RegisterType,
  wordsOf,
} from '../../../hal/modbus/register-map.ts';
import { EASTRON, meterFile } from './maps.ts';

/** Node's Buffer writes what our DataView reads. */
function encode(type: RegisterType, value: number, lowFirst = false): number[] {
  const buffer = Buffer.alloc(2 * wordsOf(type));
  const writers: { readonly [type in RegisterType]: () => unknown } = {
    uint16: () => buffer.writeUInt16BE(value),
    int16: () => buffer.writeInt16BE(value),
    uint32: () => buffer.writeUInt32BE(value),
    int32: () => buffer.writeInt32BE(value),
    uint64: () => buffer.writeBigUInt64BE(BigInt(value)),
    int64: () => buffer.writeBigInt64BE(BigInt(value)),
    float32: () => buffer.writeFloatBE(value),
    float64: () => buffer.writeDoubleBE(value),
    decimalUint24: () => buffer.writeUIntBE(value, 1, 3),
    decimalInt24: () => buffer.writeIntBE(value, 1, 3),
    signThenUint16: () => buffer.writeUInt16BE(value < 0 ? 0xff00 : 0) && buffer.writeUInt16BE(Math.abs(value), 2),
  };
  writers[type]();
  const words = Array.from({ length: buffer.length / 2 }, (_, index) => buffer.readUInt16BE(2 * index));
  return lowFirst ? words.reverse() : words;
}

const finite = { noNaN: true, noDefaultInfinity: true } as const;
const VALUES: { readonly [type in RegisterType]: fc.Arbitrary<number> } = {
  uint16: fc.nat({ max: 0xffff }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint32: fc.nat({ max: 0xffffffff }),
  int32: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  uint64: fc.maxSafeNat(),
  int64: fc.maxSafeInteger(),
  float32: fc.float(finite),
  float64: fc.double(finite),
  decimalUint24: fc.nat({ max: 0xff_ffff }),
  decimalInt24: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
  signThenUint16: fc.integer({ min: -0xffff, max: 0xffff }),
};
const TYPES = Object.keys(VALUES) as RegisterType[];

const mapOf = (entry: RegisterMap['quantities'], read: Partial<RegisterMap['read']> = {}): RegisterMap => ({
  ...meterFile('eastron-sdm630'),
  quantities: entry,
  read: { ...meterFile('eastron-sdm630').read, ...read },
});

const only = (map: RegisterMap, registers: readonly number[]): unknown =>
  decode(map, plan(map)[0] as PlannedRead, registers);

describe('a register value', () => {
  it.each(TYPES)('of type %s is what an independent encoder wrote, in either word order, at any offset', (type) => {
    fc.assert(
      fc.property(VALUES[type], fc.boolean(), fc.nat({ max: 5 }), (value, lowFirst, offset) => {
        const registers = [...Array<number>(offset).fill(0xdead), ...encode(type, value, lowFirst), 0xbeef];
        expect(rawValue(registers, offset, type, lowFirst ? 'lowFirst' : 'highFirst')).toBe(value);
      }),
    );
  });

  it.each([
    ['float32', [0xffc0, 0]],
    ['float32', [0x7f80, 0]],
    ['float64', [0x7ff8, 0, 0, 0]],
    ['uint64', [0xffff, 0xffff, 0xffff, 0xffff]],
    ['float32', [0x4120]],
  ] as const)('of type %s is absent when it is no exact number: %j', (type, registers) => {
    expect(rawValue(registers, 0, type, 'highFirst')).toBeUndefined();
  });

  it.each([
    ['uint16', [0xffff]],
    ['int16', [0x7fff]],
    ['uint32', [0xffff, 0xffff]],
    ['int32', [0x7fff, 0xffff]],
  ] as const)('of type %s is absent when the meter marks it so (ABB), and only then', (type, registers) => {
    expect(rawValue(registers, 0, type, 'highFirst', 'max')).toBeUndefined();
    expect(
      rawValue(
        registers.map((word) => word - 1),
        0,
        type,
        'highFirst',
        'max',
      ),
    ).not.toBe(undefined);
  });
});

describe('a named type', () => {
  it.each([
    ['decimalUint24', [0xfe00, 0x5a28], 230.8],
    ['decimalUint24', [0x02ff, 0xffff], 1_677_721_500],
    ['decimalInt24', [0xffff, 0xfc18], -100],
    ['decimalInt24', [0xfd7f, 0xffff], 8388.607],
    ['signThenUint16', [0xff00, 0x2694], -9876],
    ['signThenUint16', [0x00ff, 0x2694], 9876],
  ] as const)('%s reads %j as %d', (type, registers, value) => {
    expect(rawValue(registers, 0, type, 'highFirst')).toBe(value);
  });
});

describe('a value of several registers', () => {
  const SPLIT = mapOf(
    { energyImport: { unit: 'Wh', type: 'int32', sum: [{ address: 0x400, scale: 1000 }, { address: 0x402 }] } },
    { wordOrder: 'lowFirst' },
  );

  it('is the sum of its parts: whole kWh and the Wh after them, by one read', () => {
    expect(plan(SPLIT)).toHaveLength(1);
    fc.assert(
      fc.property(fc.nat({ max: 2_000_000 }), fc.nat({ max: 999 }), (kwh, wh) => {
        const registers = [...encode('int32', kwh, true), ...encode('int32', wh, true)];
        expect(only(SPLIT, registers)).toEqual({ energyImport: { sum: 1000 * kwh + wh } });
      }),
    );
  });

  it('is the difference where a part is taken away, and absent if one part is', () => {
    const map = mapOf(
      { activePower: { unit: 'W', type: 'uint32', scale: 0.1, sum: [{ address: 0 }, { address: 2, scale: -0.1 }] } },
      { notAvailable: 'max' },
    );
    expect(only(map, [0, 5, 0, 36805])).toEqual({ activePower: { sum: -3680 } });
    expect(only(map, [0, 5, 0xffff, 0xffff])).toEqual({});
  });

  it('is multiplied with the power of ten in another register', () => {
    const map = mapOf({ energyImport: { unit: 'Wh', type: 'uint32', sum: [{ address: 418, exponentAt: 414 }] } });
    expect(plan(map)).toMatchObject([{ address: 414, count: 6 }]);
    expect(only(map, [1, 0, 0, 0, 0x0012, 0xd687])).toEqual({ energyImport: { sum: 12_345_670 } });
    expect(only(map, [0xffff, 0, 0, 0, 0x0012, 0xd687])).toEqual({ energyImport: { sum: 123_457 } });
  });
});

describe('a model code or a serial number', () => {
  const text = { function: 'input', address: 1, type: 'text', words: 4, codes: {} } as const;

  it('as text loses what is no letter, and blanks around it', () => {
    expect(identityOf(text, [0x2057, 0x4d33, 0x4d20, 0x0000], 'highFirst')).toBe('WM3M');
    expect(identityOf(text, [0, 0, 0, 0], 'highFirst')).toBeUndefined();
  });

  it('as a number is decimal', () => {
    expect(identityOf({ ...text, type: 'uint32' }, [0x00c0, 0xffee], 'highFirst')).toBe('12648430');
  });
});

describe('a physical value', () => {
  it('has the units of the contract', () => {
    const map = mapOf({
      voltage: { unit: 'V', type: 'uint32', scale: 0.1, L1: 0 },
      activePower: { unit: 'kW', sum: 2 },
      energyImport: { unit: 'kWh', sum: 4 },
    });
    const registers = [...encode('uint32', 2301), ...encode('float32', 7.2), ...encode('float32', 12345.678)];
    expect(only(map, registers)).toEqual({
      voltage: { L1: 230.1 },
      activePower: { sum: 7200 },
      energyImport: { sum: 12_345_678 },
    });
  });

  it('is whole Wh wherever float32 kWh can hold them, so that a difference is exact', () => {
    const map = mapOf({ energyImport: { unit: 'kWh', sum: 0 } });
    fc.assert(
      fc.property(fc.nat({ max: 16_383_999 }), (wh) => {
        expect(only(map, encode('float32', wh / 1000))).toEqual({ energyImport: { sum: wh } });
      }),
      { numRuns: 2000 },
    );
  });

  it('of the frequency is divided by ten where the firmware counts in tenths', () => {
    const map = meterFile('eastron-sdm630');
    const frequency = mapOf({ frequency: { ...map.quantities.frequency, unit: 'Hz' } });
    expect(only(frequency, encode('float32', 499.8))).toEqual({ frequency: { sum: 49.98 } });
    expect(only(frequency, encode('float32', 50.02))).toEqual({ frequency: { sum: 50.02 } });
  });

  it('that is no number is left out, the others stay', () => {
    const map = mapOf({ current: { unit: 'A', L1: 0, L2: 2 } });
    expect(only(map, [0x7fc0, 0, ...encode('float32', 16)])).toEqual({ current: { L2: 16 } });
  });
});

describe('the plan', () => {
  const lines = fc.dictionary(fc.constantFrom(...LINES), fc.nat({ max: 300 }), { minKeys: 1 });
  const entry = fc.record({
    lines,
    type: fc.constantFrom(...TYPES),
    function: fc.constantFrom('holding' as const, 'input' as const),
  });
  const names: readonly Quantity[] = ['voltage', 'current', 'activePower', 'energyImport', 'frequency'];
  const maps = fc
    .record({
      entries: fc.array(entry, { minLength: 1, maxLength: names.length }),
      maxRegistersPerRead: fc.integer({ min: 4, max: 125 }),
      mergeGap: fc.nat({ max: 20 }),
      breakBefore: fc.array(fc.nat({ max: 300 }), { maxLength: 3 }),
    })
    .map(({ entries, ...read }) =>
      mapOf(
        Object.fromEntries(
          entries.map(({ lines, ...rest }, index) => [names[index], { unit: 'Hz', ...rest, ...lines }]),
        ),
        read,
      ),
    );

  it('fetches every register of the map exactly once, within the limits of the device', () => {
    fc.assert(
      fc.property(maps, (map) => {
        const fetched = new Map<string, string>();
        for (const read of plan(map)) {
          expect(read.count).toBeLessThanOrEqual(map.read.maxRegistersPerRead);
          let end = read.address;
          for (const { quantity, line, offset } of read.fields) {
            const type = map.quantities[quantity]?.type ?? map.read.type;
            expect(read.address + offset - end).toBeLessThanOrEqual(map.read.mergeGap ?? 0);
            expect(offset + wordsOf(type)).toBeLessThanOrEqual(read.count);
            end = Math.max(end, read.address + offset + wordsOf(type));
            expect(fetched.has(`${quantity} ${line}`)).toBe(false);
            fetched.set(`${quantity} ${line}`, `${read.function} ${read.address + offset}`);
          }
          expect(end).toBe(read.address + read.count);
        }
        for (const [quantity, registers] of quantitiesOf(map.quantities)) {
          for (const line of LINES) {
            const address = registers[line];
            const want = address === undefined ? undefined : `${registers.function ?? map.read.function} ${address}`;
            expect(fetched.get(`${quantity} ${line}`)).toBe(want);
          }
        }
      }),
    );
  });

  it('never joins what must begin a read of its own', () => {
    fc.assert(
      fc.property(maps, (map) => {
        for (const read of plan(map)) {
          if (read.fields.length < 2) continue;
          for (const start of map.read.breakBefore ?? []) {
            const split = read.fields.some(({ offset }) => read.address + offset < start && read.address < start);
            const beyond = read.fields.some(({ offset }) => read.address + offset >= start);
            expect(split && beyond).toBe(false);
          }
        }
      }),
    );
  });

  it('of the SDM630 is one read of 80 registers and two small ones', () => {
    const reads = plan(meterFile('eastron-sdm630'));
    expect(reads.map(({ address, count }) => [address, count])).toEqual([
      [0x0000, 80],
      [0x00e0, 2],
      [0x015a, 12],
    ]);
  });

  it('of the SDM72D-M-V2 keeps to 10 registers and the frequency apart from the energies', () => {
    const reads = plan(meterFile('eastron-sdm72d-m-v2'));
    expect(Math.max(...reads.map(({ count }) => count))).toBe(10);
    expect(reads.map(({ address }) => address)).toContain(0x48);
  });
});

describe('the worked example of the Eastron manuals (230.2 V on L1)', () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
  const request = bytes('01 04 00 00 00 02 71 CB');
  const answer = bytes('01 04 04 43 66 33 34 1B 38');

  it.each(EASTRON)('is what %s reads', (name) => {
    const map = meterFile(name);
    const found = Buffer.from(findAnswer(answer, expectedAnswer(request)) ?? []);
    const registers = [found.readUInt16BE(3), found.readUInt16BE(5)];
    const read = {
      function: 'input',
      address: 0,
      count: 2,
      fields: [{ quantity: 'voltage', line: 'L1', offset: 0 }],
    } as const;
    expect(decode(map, read, registers)).toEqual({ voltage: { L1: 230.2 } });
  });
});

describe('the Eastron files', () => {
  it.each(EASTRON)('%s decodes an image written by address into the contract units', (name) => {
    const map = meterFile(name);
    const expected: { [quantity in Quantity]?: { [line in Line]?: number } } = {};
    const image = new Map<number, number>();
    let next = 1;
    for (const [quantity, registers] of quantitiesOf(map.quantities)) {
      for (const line of LINES) {
        const address = registers[line];
        if (typeof address !== 'number') continue;
        const raw = next++ + 0.5;
        for (const [index, word] of encode('float32', raw).entries()) image.set(address + index, word);
        const physical = registers.unit.startsWith('k') ? Math.round(raw * 1000) : raw;
        expected[quantity] = { ...expected[quantity], [line]: physical };
      }
    }
    const parts = plan(map).map((read) =>
      decode(
        map,
        read,
        Array.from({ length: read.count }, (_, index) => image.get(read.address + index) ?? 0),
      ),
    );
    expect(merge(parts)).toEqual(expected);
  });
});
