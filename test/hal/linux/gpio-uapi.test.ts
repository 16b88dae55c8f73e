/** The bytes of GPIO requests and answers. That the layout is the kernel's is shown by test/system/gpio-character-device.test.ts. */
import { describe, expect, it } from 'vitest';
import {
  chipInfo,
  consumerOf,
  inputRequest,
  levelIn,
  lineDescriptor,
  lineInfoRequest,
  lineValues,
  outputRequest,
  sequenceNumbers,
} from '../../../hal/linux/gpio-uapi.ts';

/** What is not 0: offset and byte. */
const set = (bytes: Buffer) =>
  [...bytes.entries()].filter(([, byte]) => byte !== 0).map(([at, byte]) => `${at}:${byte}`);

const NAME = [...'cp'].map((letter, index) => `${256 + index}:${letter.charCodeAt(0)}`);
const ONE_LINE = '560:1';

describe('a request of the GPIO character device', () => {
  it.each<[string, 0 | 1, boolean, string[]]>([
    ['low', 0, false, ['288:8', '296:1', '320:2', '336:1']],
    ['high', 1, false, ['288:8', '296:1', '320:2', '328:1', '336:1']],
    ['inactive and active low', 0, true, ['288:10', '296:1', '320:2', '336:1']],
  ])('makes a line an output that is %s from its first moment', (_name, initial, activeLow, config) => {
    const bytes = outputRequest(17, 'cp', { initial, activeLow });
    expect(bytes).toHaveLength(592);
    expect(set(bytes)).toEqual(['0:17', ...NAME, ...config, ONE_LINE]);
  });

  it.each<[string, Parameters<typeof inputRequest>[2], string[]]>([
    ['with both edges', { activeLow: false }, ['288:52']],
    ['with a pull-up', { activeLow: false, bias: 'up' }, ['288:52', '289:1']],
    ['with a pull-down', { activeLow: false, bias: 'down' }, ['288:52', '289:2']],
    ['without a resistor, active low', { activeLow: true, bias: 'none' }, ['288:54', '289:4']],
    [
      'with 5 ms of debounce',
      { activeLow: false, debounceUs: 5000 },
      ['288:52', '296:1', '320:3', '328:136', '329:19', '336:1'],
    ],
  ])('makes a line an input %s', (_name, config, bytes) => {
    expect(set(inputRequest(17, 'cp', config))).toEqual(['0:17', ...NAME, ...bytes, ONE_LINE]);
  });

  it('keeps the end of a text that is too long', () => {
    const bytes = inputRequest(0, 'x'.repeat(40), { activeLow: false });
    expect([bytes[256 + 30], bytes[256 + 31]]).toEqual(['x'.charCodeAt(0), 0]);
  });

  it('sets and asks for one line', () => {
    expect([set(lineValues(1)), set(lineValues(0))]).toEqual([['0:1', '8:1'], ['8:1']]);
    expect(set(lineInfoRequest(300))).toEqual(['64:44', '65:1']);
  });
});

describe('an answer of the GPIO character device', () => {
  it('holds the descriptor of the line', () => {
    const bytes = Buffer.alloc(592);
    bytes.writeInt32LE(4711, 588);
    expect(lineDescriptor(bytes)).toBe(4711);
  });

  it('holds the level of the line in the first bit', () => {
    expect([
      levelIn(lineValues(1)),
      levelIn(lineValues(0)),
      levelIn(Buffer.from([0xfe, ...Array(15).fill(0xff)])),
    ]).toEqual([1, 0, 0]);
  });

  it('holds name, label and size of the chip, a name of 32 bytes included', () => {
    const bytes = Buffer.alloc(68);
    bytes.write('gpiochip0', 0);
    bytes.write('x'.repeat(32), 32);
    bytes.writeUInt32LE(54, 64);
    expect(chipInfo(bytes)).toEqual({ name: 'gpiochip0', label: 'x'.repeat(32), lines: 54 });
  });

  it('names who has a line, if anybody has', () => {
    const bytes = Buffer.alloc(256);
    bytes.write('spi0_CS0', 32);
    expect(consumerOf(bytes)).toBeUndefined();
    bytes.writeBigUInt64LE(1n, 72);
    expect(consumerOf(bytes)).toBe('spi0_CS0');
  });

  it('holds edges, each with its number on the line', () => {
    const bytes = Buffer.alloc(2 * 48);
    bytes.writeUInt32LE(7, 20);
    bytes.writeUInt32LE(9, 68);
    expect(sequenceNumbers(bytes)).toEqual([7, 9]);
  });
});
