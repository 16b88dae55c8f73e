/** When a schedule runs: kinds and recurrences (OCPP 1.6 sections 7.9, 7.13 and 7.37). */
import { describe, expect, it } from 'vitest';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { at, bookOf, composite, DAY_S, HOUR_S, profile, recurring, schedule, site, unanchored } from './builders.ts';

describe('kinds (7.9, 7.13, 7.37)', () => {
  const short = (startS: number, duration: number, rest: Partial<ChargingProfile>) =>
    profile(1, {
      chargingSchedule: schedule(
        [
          [0, 6],
          [HOUR_S, 8],
        ],
        { duration, startSchedule: at(startS) },
      ),
      ...rest,
    });

  it('Daily over midnight', () => {
    const book = bookOf([[1, short(-10 * DAY_S + 23 * HOUR_S, 2 * HOUR_S, recurring('Daily'))]]);
    expect(composite(book, { durationS: DAY_S })).toEqual([
      [0, 8],
      [HOUR_S, 32],
      [23 * HOUR_S, 6],
    ]);
  });
  it('Weekly, at the same day and time', () => {
    const book = bookOf([[1, short(-21 * DAY_S + 12 * HOUR_S, 2 * HOUR_S, recurring('Weekly'))]]);
    expect(composite(book, { durationS: 8 * DAY_S })).toEqual([
      [0, 32],
      [12 * HOUR_S, 6],
      [13 * HOUR_S, 8],
      [14 * HOUR_S, 32],
      [7 * DAY_S + 12 * HOUR_S, 6],
      [7 * DAY_S + 13 * HOUR_S, 8],
      [7 * DAY_S + 14 * HOUR_S, 32],
    ]);
  });
  it('what is longer than its recurrence is cut off where it begins anew (errata 3.44)', () => {
    const long = schedule(
      [
        [0, 6],
        [23 * HOUR_S, 8],
        [25 * HOUR_S, 30],
      ],
      { duration: 40 * HOUR_S },
    );
    const book = bookOf([[1, profile(1, { ...recurring('Daily'), chargingSchedule: long })]]);
    expect(composite(book, { durationS: 2 * DAY_S })).toEqual([
      [0, 6],
      [23 * HOUR_S, 8],
      [DAY_S, 6],
      [47 * HOUR_S, 8],
    ]);
  });
  it('what recurs does not begin before its startSchedule', () => {
    const book = bookOf([[1, short(DAY_S, 2 * HOUR_S, recurring('Daily'))]]);
    expect(composite(book, { durationS: DAY_S + 60 })).toEqual([
      [0, 32],
      [DAY_S, 6],
    ]);
  });
  it('a recurrence that becomes valid many days ahead is found', () => {
    const book = bookOf([[1, short(-DAY_S, 2 * HOUR_S, { ...recurring('Daily'), validFrom: at(5 * DAY_S + HOUR_S) })]]);
    expect(composite(book, { durationS: 6 * DAY_S })).toEqual([
      [0, 32],
      [5 * DAY_S + HOUR_S, 8],
      [5 * DAY_S + 2 * HOUR_S, 32],
    ]);
  });

  const periods = [
    [0, 6],
    [600, 8],
  ] as const;
  const begun = site({ transaction: { startedAt: at(-500) } });
  it.each<[string, Partial<ChargingProfile>]>([
    ['Relative', { chargingProfileKind: 'Relative', chargingSchedule: unanchored(periods) }],
    ['Relative with a startSchedule', { chargingProfileKind: 'Relative', chargingSchedule: schedule(periods) }],
    ['Absolute without a startSchedule', { chargingSchedule: unanchored(periods) }],
    ['Daily without a startSchedule', { ...recurring('Daily'), chargingSchedule: unanchored(periods) }],
  ])('%s counts from the start of the transaction', (_what, rest) => {
    expect(composite(bookOf([[1, profile(1, rest)]]), { site: begun })).toEqual([
      [0, 6],
      [100, 8],
    ]);
  });
  it('counts from now, as if a transaction began, where none runs or its start lies in the future', () => {
    const relative = profile(1, {
      chargingProfileKind: 'Relative',
      chargingSchedule: unanchored([
        [0, 6],
        [60, 8],
      ]),
    });
    const connectors = [{ connectorId: 1, phases: 3 as const, maxA: 32 }];
    for (const each of [site({}, { connectors }), site({ transaction: { startedAt: at(9999) } })])
      expect(composite(bookOf([[0, relative]]), { from: at(1000), site: each })).toEqual([
        [0, 6],
        [60, 8],
      ]);
  });
  it('a Relative ChargePointMaxProfile counts from its installation', () => {
    const relative = profile(1, {
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: unanchored([
        [0, 6],
        [60, 8],
      ]),
    });
    expect(composite(bookOf([[0, relative]]), { from: at(50) })).toEqual([
      [0, 6],
      [10, 8],
    ]);
  });
});
