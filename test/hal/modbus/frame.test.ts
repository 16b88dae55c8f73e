/** Finding the one valid answer in noise. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, expectedAnswer, findAnswer } from '../../../hal/modbus/frame.ts';
import { framed } from './bench.ts';

const REQUEST = framed(1, 4, 0, 0x48, 0, 2);
const ANSWER = framed(1, 4, 4, 0x41, 0x20, 0, 0);

describe('a Modbus RTU frame', () => {
  it('ends with the CRC of the specification', () => {
    // Modbus over serial line V1.02, appendix B: unit 2, function 7 gives 0x1241, low byte first.
    expect(crc16(Uint8Array.from([2, 7]))).toBe(0x1241);
  });

  it('is found whatever noise surrounds it', () => {
    const noise = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        const found = findAnswer(Buffer.concat([before, ANSWER, after]), expectedAnswer(REQUEST));
        expect(found && [...found]).toEqual([...ANSWER]);
      }),
    );
  });

  it('is refused when any single bit of it is wrong', () => {
    fc.assert(
      fc.property(fc.nat({ max: ANSWER.length * 8 - 1 }), (bit) => {
        const damaged = Uint8Array.from(ANSWER);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(findAnswer(damaged, expectedAnswer(REQUEST))).toBeUndefined();
      }),
    );
  });

  it.each([
    ['another unit', framed(2, 4, 4, 0x41, 0x20, 0, 0)],
    ['another function', framed(1, 3, 4, 0x41, 0x20, 0, 0)],
    ['another byte count', framed(1, 4, 2, 0x41, 0x20)],
    ['a cut frame', ANSWER.subarray(0, 8)],
    ['nothing', new Uint8Array(0)],
  ])('is not taken from %s', (_what, bytes) => {
    expect(findAnswer(bytes, expectedAnswer(REQUEST))).toBeUndefined();
  });

  it('may be an exception', () => {
    expect(findAnswer(framed(1, 0x84, 2), expectedAnswer(REQUEST))).toEqual(framed(1, 0x84, 2));
  });

  it('of coils has a byte for each eight of them', () => {
    const coils = (count: number) => expectedAnswer(framed(1, 1, 0x4e, 0x20, 0, count));
    expect(findAnswer(framed(1, 1, 1, 1), coils(8))).toBeDefined();
    expect(findAnswer(framed(1, 1, 1, 1), coils(9))).toBeUndefined();
    expect(findAnswer(framed(1, 1, 2, 1, 0), coils(9))).toBeDefined();
  });

  it.each([5, 6])('acknowledges a single write of function %d only with the same value', (code) => {
    const write = framed(1, code, 0x4e, 0x20, 0xff, 0);
    expect(findAnswer(write, expectedAnswer(write))).toBeDefined();
    expect(findAnswer(framed(1, code, 0x4e, 0x20, 0, 0), expectedAnswer(write))).toBeUndefined();
  });

  it('acknowledges a write only with the same address and count', () => {
    const write = framed(1, 16, 3, 0xe8, 0, 1, 2, 0, 16);
    expect(findAnswer(framed(1, 16, 3, 0xe8, 0, 1), expectedAnswer(write))).toBeDefined();
    expect(findAnswer(framed(1, 16, 3, 0xe9, 0, 1), expectedAnswer(write))).toBeUndefined();
  });
});
