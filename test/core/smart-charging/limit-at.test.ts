/** The limit of one instant, why, and until when. */
import { describe, expect, it } from 'vitest';
import { limitAt } from '../../../src/core/smart-charging/limit-at.ts';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { at, bookOf, DAY_S, HOUR_S, profile, schedule, site, unanchored } from './builders.ts';

const until = (hour: number, limit: number, rest: Partial<ChargingProfile> = {}) =>
  profile(7, { chargingSchedule: schedule([[0, limit]], { duration: hour * HOUR_S }), ...rest });
const TX = { chargingProfilePurpose: 'TxProfile' } as const;
const MAX = { chargingProfilePurpose: 'ChargePointMaxProfile' } as const;

describe('the reason', () => {
  it.each<[string, number, ChargingProfile]>([
    ['TxProfile 7 allows 4 A until 14:00Z', 1, until(14, 4, TX)],
    ['TxDefaultProfile 7 allows 0 A until 14:00Z', 1, until(14, 0)],
    ['TxDefaultProfile 7 allows 6.5 A until 00:00:01Z', 1, until(1 / HOUR_S, 6.5)],
    ['TxProfile 7 allows 4 A', 1, until(25, 4, TX)],
    ['ChargePointMaxProfile 7 allows 4 A until 14:00Z', 0, until(14, 4, MAX)],
    ['ChargePointMaxProfile -2147483648 allows 16.5 A', 0, until(14, 16.5, { ...MAX, chargingProfileId: -2147483648 })],
    ['no profile allows less than 32 A', 1, until(14, 80)],
  ])('is "%s"', (reason, connectorId, each) => {
    expect(limitAt(bookOf([[connectorId, each]]), 1, at(0), site())?.reason).toBe(reason);
    expect(reason.length).toBeLessThanOrEqual(50);
  });
  it('names the profile that is lower, and the one of the transaction if they are equal', () => {
    const max = (limit: number) => profile(1, { ...MAX, chargingSchedule: schedule([[0, limit]]) });
    const reason = (limit: number) =>
      limitAt(
        bookOf([
          [0, max(limit)],
          [1, profile(2)],
        ]),
        1,
        at(0),
        site(),
      )?.reason;
    expect(reason(9)).toBe('ChargePointMaxProfile 1 allows 9 A');
    expect(reason(10)).toBe('TxDefaultProfile 2 allows 10 A');
    expect(reason(11)).toBe('TxDefaultProfile 2 allows 10 A');
  });
  it('of connector 0 is the profile that bounds all, else the connectors together', () => {
    const book = bookOf([[0, until(14, 20, MAX)]]);
    expect(limitAt(book, 0, at(0), site())).toMatchObject({
      limitA: 20,
      reason: 'ChargePointMaxProfile 7 allows 20 A until 14:00Z',
    });
    expect(limitAt(book, 0, at(14 * HOUR_S), site())).toMatchObject({
      limitA: 32,
      reason: 'the connectors together: 32 A',
    });
  });
  it('of connector 0 names the profile that bounds the current even where it leaves room for the power', () => {
    const connectors = [1, 2].map((connectorId) => ({ connectorId, phases: 1 as const, maxA: 16 }));
    const limit = limitAt(bookOf([[0, until(14, 20, MAX)]]), 0, at(0), site({}, { connectors }));
    expect(limit).toMatchObject({ limitA: 20, reason: 'ChargePointMaxProfile 7 allows 20 A until 14:00Z' });
  });
  it('is cut to 50 characters whatever the id', () => {
    const long = until(14, 16.5, { ...MAX, chargingProfileId: -Number.MAX_VALUE });
    expect(limitAt(bookOf([[0, long]]), 1, at(0), site())?.reason).toHaveLength(50);
  });
});

describe('until', () => {
  it('is the next change, past periods that change nothing', () => {
    const book = bookOf([
      [
        1,
        profile(1, {
          chargingSchedule: schedule([
            [0, 6],
            [60, 6],
            [120, 6, 3],
            [180, 6, 1],
          ]),
        }),
      ],
    ]);
    expect(limitAt(book, 1, at(5.5), site())).toEqual({
      limitA: 6,
      numberPhases: 3,
      chargingProfileId: 1,
      reason: 'TxDefaultProfile 1 allows 6 A until 00:03Z',
      until: at(180),
    });
  });
  it('is where another profile takes over with the same limit, because the reason changes', () => {
    const second = profile(2, { stackLevel: 1, chargingSchedule: schedule([[0, 10]], { startSchedule: at(60) }) });
    expect(
      limitAt(
        bookOf([
          [1, profile(1)],
          [1, second],
        ]),
        1,
        at(0),
        site(),
      )?.until,
    ).toBe(at(60));
  });
  it('is a day ahead at most: time to look again', () => {
    expect(limitAt([], 1, at(0.5), site())).toEqual({
      limitA: 32,
      numberPhases: 3,
      reason: 'no profile allows less than 32 A',
      until: at(DAY_S),
    });
  });
  it('comes sooner where hundreds of changes change nothing, and says nothing of a change', () => {
    const changing = Array.from({ length: 500 }, (_, n) => [2 * n, 10 + (n % 2)] as const);
    const constant = Array.from({ length: 500 }, (_, n) => [n === 0 ? 0 : 2 * n + 1, 6] as const);
    const max = profile(1, { ...MAX, chargingSchedule: schedule(constant, { duration: 600 }) });
    const book = bookOf([
      [0, max],
      [1, profile(2, { chargingSchedule: schedule(changing) })],
    ]);
    expect(limitAt(book, 1, at(0), site())).toMatchObject({
      reason: 'ChargePointMaxProfile 1 allows 6 A',
      until: at(501),
    });
    expect(limitAt(book, 1, at(500), site())).toMatchObject({
      reason: 'ChargePointMaxProfile 1 allows 6 A until 00:10Z',
      until: at(600),
    });
  });
  it('is not brought nearer by what happens on another connector', () => {
    const connectors = [1, 2].map((connectorId) => ({ connectorId, phases: 3 as const, maxA: 16 }));
    const restless = Array.from({ length: 500 }, (_, n) => [2 * n, 6 + (n % 2)] as const);
    const again = Array.from({ length: 500 }, (_, n) => [n === 0 ? 0 : 2 * n + 1, 20] as const);
    const book = bookOf([
      [2, profile(1, { chargingSchedule: schedule(restless) })],
      [0, profile(2, { ...MAX, chargingSchedule: schedule(again.slice(0, 100)) })],
    ]);
    expect(limitAt(book, 1, at(0), site({}, { connectors }))?.until).toBe(at(DAY_S));
  });
  it('leads through a sequence 0, 10, 0, 16 without missing one', () => {
    const relative = unanchored(
      [
        [0, 0],
        [60, 10],
        [120, 0],
        [180, 16],
      ],
      { duration: 240 },
    );
    const book = bookOf([[1, profile(1, { ...TX, chargingProfileKind: 'Relative', chargingSchedule: relative })]]);
    const seen: number[] = [];
    for (let ms = at(0); ms < at(300); ms = limitAt(book, 1, ms, site())?.until ?? Number.POSITIVE_INFINITY)
      seen.push(limitAt(book, 1, ms, site())?.limitA ?? -1);
    expect(seen).toEqual([0, 10, 0, 16, 32]);
  });
});

describe('limitAt', () => {
  it('tells the minChargingRate of the profile that prevails, in ampere per phase, and never as a limit', () => {
    const watts = schedule([[0, 1380]], { chargingRateUnit: 'W', minChargingRate: 4140 });
    const book = bookOf([[1, profile(1, { chargingSchedule: watts })]]);
    expect(limitAt(book, 1, at(0), site())).toMatchObject({ limitA: 2, minChargingRateA: 6 });
    expect(limitAt(book, 0, at(0), site())).not.toHaveProperty('minChargingRateA');
  });
  it('is undefined for a connector that does not exist', () => {
    expect(limitAt([], 2, at(0), site())).toBeUndefined();
  });
});
