/** 100 profiles of 500 periods over 48 hours: at most 20 ms of processor time, no slice over 5 ms. */
import { describe, expect, it } from 'vitest';
import {
  type CompositeRequest,
  composing,
  compositeSchedule,
} from '../../../src/core/smart-charging/composite-schedule.ts';
import { limitAt } from '../../../src/core/smart-charging/limit-at.ts';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { at, bookOf, DAY_S, MIDNIGHT, profile, schedule, site } from './builders.ts';

const MAX = { chargingProfilePurpose: 'ChargePointMaxProfile' } as const;

const busy = (n: number, stepS: number, rest: Partial<ChargingProfile>, startS: number, duration?: number) =>
  profile(n, {
    ...rest,
    chargingSchedule: schedule(
      Array.from({ length: 500 }, (_, index) => [index * stepS, 6 + ((index * 7 + n) % 25)] as const),
      { startSchedule: at(startS), ...(duration === undefined ? {} : { duration }) },
    ),
  });

const purposeOf = (n: number): Partial<ChargingProfile> => (n % 2 === 0 ? MAX : {});

/** Every period of every profile is visible: of each purpose one profile follows the other, never two changes in the same second. */
const SEQUENCE = bookOf(
  Array.from({ length: 100 }, (_, n) => {
    const turn = Math.floor(n / 2);
    return [0, busy(n, 6, { ...purposeOf(n), stackLevel: turn }, turn * 3456 + 3 * (n % 2), 3000)] as const;
  }),
);

/** The higher the level the shorter the schedule: all are looked through again and again. */
const TOWER = bookOf(
  Array.from({ length: 100 }, (_, n) => {
    const rest = { ...purposeOf(n), stackLevel: n, chargingProfileKind: 'Recurring', recurrencyKind: 'Daily' } as const;
    return [0, busy(n, 170 - n, rest, n * 13 - DAY_S, DAY_S - n * 800)] as const;
  }),
);

const request: CompositeRequest = { connectorId: 1, from: MIDNIGHT, durationS: 2 * DAY_S, unit: 'A', site: site() };

const cpuMs = (work: () => unknown): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

/** The least of several rounds: the first ones warm the compiler up, others are disturbed by neighbours. */
const bestOf = (rounds: number, measure: () => number): number => Math.min(...Array.from({ length: rounds }, measure));

function longestSlice(book: typeof SEQUENCE, connectorId: number): number {
  const slices = composing(book, { ...request, connectorId });
  let longest = 0;
  let done = false;
  while (!done)
    longest = Math.max(
      longest,
      cpuMs(() => (done = slices.next().done === true)),
    );
  return longest;
}

describe.each([
  ['profiles that follow each other', SEQUENCE],
  ['profiles stacked as a tower', TOWER],
])('100 %s', (_what, book) => {
  it.each([0, 1])('take at most 20 ms over 48 h for connector %i', (connectorId) => {
    expect(bestOf(30, () => cpuMs(() => compositeSchedule(book, { ...request, connectorId })))).toBeLessThan(20);
  });
  it.each([0, 1])('take slices of at most 5 ms for connector %i', (connectorId) => {
    expect(bestOf(30, () => longestSlice(book, connectorId))).toBeLessThan(5);
  });
  it('take at most 5 ms for the limit of an instant', () => {
    expect(bestOf(30, () => cpuMs(() => limitAt(book, 1, MIDNIGHT, site())))).toBeLessThan(5);
  });
});

it('the profiles that follow each other make tens of thousands of periods, so that it is worth measuring', () => {
  expect(compositeSchedule(SEQUENCE, request)?.periods.length).toBeGreaterThan(30_000);
});
