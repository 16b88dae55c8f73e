/** What a tag becomes. The decimal forms were worked out by Python, not by this code. */
import { describe, expect, it } from 'vitest';
import type { NormaliseDescription } from '../../../hal/board-description.ts';
import { normalise, rawText } from '../../../hal/rfid/normalise.ts';

const uid = (hex: string) => ({ uid: Uint8Array.from(Buffer.from(hex, 'hex')) });

describe('a UID', () => {
  it.each<[string, NormaliseDescription, string, string]>([
    ['upper case as it was read, by default', {}, '04a1b2c3d4e5f6', '04A1B2C3D4E5F6'],
    ['of ten bytes just fits', {}, '00112233445566778899', '00112233445566778899'],
    ['in lower case', { case: 'lower' }, '04A1B2C3', '04a1b2c3'],
    ['the last byte first', { reverse: true }, '04A1B2C3', 'C3B2A104'],
    ['as a decimal number', { as: 'decimal' }, '04A1B2C3', '77705923'],
    ['reversed as a decimal number', { reverse: true, as: 'decimal' }, '04A1B2C3', '3283263748'],
    ['as a decimal number of ten digits', { as: 'decimal', digits: 10 }, '04A1B2C3', '0077705923'],
    ['beyond what a double can count', { as: 'decimal' }, 'FEEDDCCBBAA998', '71756176651102616'],
    ['filled up', { digits: 10 }, '04A1B2C3', '0004A1B2C3'],
    ['with a prefix that stays as it is', { prefix: 'de-', case: 'upper' }, '04a1b2c3', 'de-04A1B2C3'],
  ])('%s', (_name, options, hex, idTag) => {
    expect(normalise(uid(hex), options)).toEqual({ idTag });
  });

  it('is refused where the identifier would be longer than 20 characters', () => {
    expect(normalise(uid('00112233445566778899'), { prefix: 'X' })).toEqual({
      refused: '21 characters, and an identifier has at most 20',
    });
  });

  it('that a telephone makes up anew each time is refused (ISO 14443-3, 08 first)', () => {
    expect(normalise(uid('08A1B2C3'))).toEqual({ refused: 'this card makes up a new number each time' });
    expect(normalise(uid('08A1B2C3D4E5F6'))).toEqual({ idTag: '08A1B2C3D4E5F6' });
  });
});

describe('what was typed', () => {
  it.each<[string, NormaliseDescription, string, string]>([
    ['stays what it is', {}, '0006862359', '0006862359'],
    ['is decimal, and becomes hexadecimal', { typed: 'decimal' }, '0006862359', '0068B617'],
    ['the same, the last byte first', { typed: 'decimal', reverse: true }, '0006862359', '17B66800'],
    ['of three bytes', { typed: 'decimal', bytes: 3 }, '6862359', '68B617'],
    ['is hexadecimal and becomes decimal', { typed: 'hex', as: 'decimal', digits: 10 }, '0068B617', '0006862359'],
    ['is a text, in lower case', { case: 'lower' }, 'AB12', 'ab12'],
  ])('%s', (_name, options, typed, idTag) => {
    expect(normalise({ typed }, options)).toEqual({ idTag });
  });

  it.each<[NormaliseDescription, string, string]>([
    [{ typed: 'decimal' }, '12AB', 'not a decimal number'],
    [{ typed: 'decimal' }, '4294967296', 'more than a number of 4 bytes'],
    [{ typed: 'hex' }, '123', 'not an even number of hexadecimal digits'],
    [{ typed: 'hex' }, '12XY', 'not an even number of hexadecimal digits'],
    [{}, '', 'nothing was typed'],
    [{}, '123456789012345678901', '21 characters, and an identifier has at most 20'],
  ])('with %j is refused: %s', (options, typed, refused) => {
    expect(normalise({ typed }, options)).toEqual({ refused });
  });
});

it('a person reads a UID in upper case and a text as it was typed', () => {
  expect([rawText(uid('04a1')), rawText({ typed: '04a1' })]).toEqual(['04A1', '04a1']);
});
