/** Timestamps against the ECMAScript calendar, and the spellings that real central systems send. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EARLIEST_MS, formatTimestamp, isDateTime, LATEST_MS, parseTimestamp } from '../../src/ocpp/timestamp.ts';

const moments = fc.integer({ min: EARLIEST_MS, max: LATEST_MS });

describe('formatTimestamp (OCPP 1.6 §3.15)', () => {
  it('writes what the ECMAScript calendar writes, in every year of four digits', () => {
    fc.assert(
      fc.property(moments, (epochMs) => {
        expect(formatTimestamp(epochMs)).toBe(new Date(epochMs).toISOString());
      }),
      { numRuns: 2000 },
    );
  });

  it('writes every day around the leap years right', () => {
    for (const year of [0, 1900, 1972, 2000, 2023, 2024, 2100]) {
      const start = new Date(0).setUTCFullYear(year, 0, 1);
      for (let day = 0; day < 366; day += 1) {
        const epochMs = start + day * 86_400_000;
        expect(formatTimestamp(epochMs)).toBe(new Date(epochMs).toISOString());
      }
    }
  });

  it('cuts fractions of a millisecond off, before 1970 too', () => {
    expect(formatTimestamp(0.9)).toBe('1970-01-01T00:00:00.000Z');
    expect(formatTimestamp(-0.5)).toBe('1969-12-31T23:59:59.999Z');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, EARLIEST_MS - 1, LATEST_MS + 1])('has no text for %s', (epochMs) => {
    expect(() => formatTimestamp(epochMs)).toThrow(RangeError);
  });
});

describe('parseTimestamp', () => {
  it('reads back what formatTimestamp wrote', () => {
    fc.assert(
      fc.property(moments, (epochMs) => {
        expect(parseTimestamp(formatTimestamp(epochMs))).toBe(epochMs);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['2026-11-23T10:00:00Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:00:00.5Z', '2026-11-23T10:00:00.500Z'],
    ['2026-11-23T10:00:00.29Z', '2026-11-23T10:00:00.290Z'],
    ['2026-11-23T19:40:22.2973429+01:00', '2026-11-23T18:40:22.297Z'],
    ['2026-11-23T10:00:00.876446300Z', '2026-11-23T10:00:00.876Z'],
    ['2026-11-23T10:00:00', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:00:00.123', '2026-11-23T10:00:00.123Z'],
    ['2026-11-23 10:00:00Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23t10:00:00z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T00:30:00+0530', '2026-11-22T19:00:00.000Z'],
    ['2026-11-23T23:30:00-09', '2026-11-24T08:30:00.000Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['2017-01-01T00:59:60+01:00', '2017-01-01T00:00:00.000Z'],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.9999999-05:00', '9999-12-31T23:59:59.999Z'],
    ['0000-01-01T00:00:00+01:00', '0000-01-01T00:00:00.000Z'],
  ])('reads %s as %s', (text, moment) => {
    const epochMs = parseTimestamp(text);
    expect(epochMs !== undefined && formatTimestamp(epochMs)).toBe(moment);
  });

  it.each([
    '',
    'now',
    '2026-11-23',
    '2026-02-30T10:00:00Z',
    '2023-02-29T10:00:00Z',
    '1900-02-29T10:00:00Z',
    '2026-04-31T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-00-01T10:00:00Z',
    '2026-01-00T10:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T10:60:00Z',
    '2026-11-23T10:00:60Z',
    '2026-11-23T10:00:61Z',
    '2026-11-23T10:00:00.Z',
    '2026-11-23T10:00:00+24:00',
    '2026-11-23T10:00:00+01:60',
    '2026-11-23T10:00Z',
    ' 2026-11-23T10:00:00Z',
    '2026-11-23T10:00:00Z\n',
    '12026-11-23T10:00:00Z',
    '٢٠٢٦-11-23T10:00:00Z',
  ])('knows no moment called %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
    expect(isDateTime(text)).toBe(false);
  });
});

describe('isDateTime', () => {
  it('wants an offset, which parseTimestamp does not', () => {
    expect(isDateTime('2026-11-23T10:00:00Z')).toBe(true);
    expect(isDateTime('2026-11-23T10:00:00')).toBe(false);
  });
});
