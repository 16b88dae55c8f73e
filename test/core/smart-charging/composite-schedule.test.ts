/** The worked examples of the specification, and the form of the answer. */
import { describe, expect, it } from 'vitest';
import { compositeSchedule, MOST_DURATION_S } from '../../../src/core/smart-charging/composite-schedule.ts';
import { at, bookOf, composite, DAY_S, HOUR_S, MIDNIGHT, profile, recurring, schedule, site } from './builders.ts';

describe('the example of section 3.13.7: 6 kW between 08:00 and 20:00, else 11 kW', () => {
  const book = bookOf([
    [
      1,
      profile(100, {
        ...recurring('Daily'),
        chargingSchedule: schedule(
          [
            [0, 11_000, 3],
            [8 * HOUR_S, 6000, 3],
            [20 * HOUR_S, 11_000, 3],
          ],
          { chargingRateUnit: 'W', duration: DAY_S, startSchedule: Date.UTC(2013, 0, 1) },
        ),
      }),
    ],
  ]);
  it('is the composite schedule of two days, without a seam at midnight', () => {
    expect(composite(book, { durationS: 2 * DAY_S, unit: 'W' })).toEqual([
      [0, 11_000],
      [8 * HOUR_S, 6000],
      [20 * HOUR_S, 11_000],
      [32 * HOUR_S, 6000],
      [44 * HOUR_S, 11_000],
    ]);
  });
  it('is rounded down in ampere per phase', () => {
    expect(composite(book, { from: at(7 * HOUR_S), durationS: 2 * HOUR_S })).toEqual([
      [0, 15.9],
      [HOUR_S, 8.6],
    ]);
  });
  it('begins in the middle of a period', () => {
    expect(composite(book, { from: at(9 * HOUR_S), durationS: 60, unit: 'W' })).toEqual([[0, 6000]]);
  });
});

describe('the example of section 3.13.2: a week with a holiday on top', () => {
  // A week from Monday 2025-12-29: nights and weekends 32 A, the days 8 A; New Year's Day as a whole 16 A.
  const monday = Date.UTC(2025, 11, 29);
  const workdays = [0, 1, 2, 3, 4].flatMap((day) => [
    [day * DAY_S + 6 * HOUR_S, 8] as const,
    [day * DAY_S + 23 * HOUR_S, 32] as const,
  ]);
  const week = profile(1, {
    ...recurring('Weekly'),
    chargingSchedule: schedule([[0, 32], ...workdays], { startSchedule: monday, duration: 7 * DAY_S }),
  });
  const holiday = profile(2, {
    stackLevel: 1,
    validFrom: MIDNIGHT,
    validTo: at(DAY_S),
    chargingSchedule: schedule([[0, 16]]),
  });
  it('lets the exception prevail on its day, and the week after it', () => {
    expect(
      composite(
        bookOf([
          [0, week],
          [0, holiday],
        ]),
        { from: at(-2 * HOUR_S), durationS: 2 * DAY_S },
      ),
    ).toEqual([
      [0, 8],
      [HOUR_S, 32],
      [2 * HOUR_S, 16],
      [26 * HOUR_S, 32],
      [32 * HOUR_S, 8],
    ]);
  });
});

describe('the answer itself', () => {
  const minutes = Array.from({ length: 60 }, (_, n) => [n * 60, 6 + (n % 2)] as const);
  const book = bookOf([[1, profile(1, { chargingSchedule: schedule(minutes) })]]);
  const request = { connectorId: 1, from: at(30.9), durationS: 3600, unit: 'A', site: site() } as const;

  it('starts with the whole second in which it was asked for', () => {
    const { scheduleStart, durationS, unit, periods } = compositeSchedule(book, request) ?? {};
    expect({ scheduleStart, durationS, unit, second: periods?.[1] }).toEqual({
      scheduleStart: at(30),
      durationS: 3600,
      unit: 'A',
      second: { startPeriod: 30, limit: 7, numberPhases: 3 },
    });
  });
  it('ends before it would have more periods than it may', () => {
    const { durationS, periods } = compositeSchedule(book, { ...request, mostPeriods: 3 }) ?? {};
    expect({ durationS, count: periods?.length }).toEqual({ durationS: 150, count: 3 });
  });
  it.each([
    [0, 1],
    [-5, 1],
    [1e300, MOST_DURATION_S],
  ])('takes %d s for %d s', (asked, durationS) => {
    expect(compositeSchedule(book, { ...request, durationS: asked })?.durationS).toBe(durationS);
  });
  it('is undefined for a connector that does not exist', () => {
    expect(compositeSchedule(book, { ...request, connectorId: 2 })).toBeUndefined();
    expect(compositeSchedule(book, { ...request, connectorId: -1 })).toBeUndefined();
  });
});
