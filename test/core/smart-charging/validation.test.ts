/** What makes a charging profile unusable (OCPP 1.6 sections 5.16.4, 7.8 to 7.14 and 9.4). */
import { describe, expect, it } from 'vitest';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { DEFAULT_PROFILE_LIMITS, problemOf } from '../../../src/core/smart-charging/validation.ts';
import { at, profile, schedule } from './builders.ts';

const many = (count: number) => schedule(Array.from({ length: count }, (_, n) => [n, 10] as const));
const withSchedule = (...rest: Parameters<typeof schedule>): Partial<ChargingProfile> => ({
  chargingSchedule: schedule(...rest),
});

const SOUND: readonly (readonly [what: string, rest: Partial<ChargingProfile>])[] = [
  ['the highest stackLevel', { stackLevel: DEFAULT_PROFILE_LIMITS.chargeProfileMaxStackLevel }],
  ['as many periods as there may be', { chargingSchedule: many(500) }],
  ['a limit of 0', withSchedule([[0, 0]])],
  ['validFrom and validTo on an Absolute profile', { validFrom: at(0), validTo: at(1) }],
  ['a validTo in the past', { validTo: at(-1_000_000) }],
  ['a recurrencyKind on an Absolute profile', { recurrencyKind: 'Daily' }],
  ['a transactionId on a TxDefaultProfile', { transactionId: 0 }],
  [
    'periods behind the duration',
    withSchedule(
      [
        [0, 10],
        [100, 6],
      ],
      { duration: 50 },
    ),
  ],
  [
    'one, two and three phases',
    withSchedule([
      [0, 10, 1],
      [1, 10, 2],
      [2, 10, 3],
    ]),
  ],
  ['a startSchedule on a Relative profile', { chargingProfileKind: 'Relative' }],
];

const UNSOUND: readonly (readonly [reason: string, rest: Partial<ChargingProfile>])[] = [
  ['stackLevel is below 0', { stackLevel: -1 }],
  ['stackLevel is above ChargeProfileMaxStackLevel', { stackLevel: 101 }],
  ['Recurring needs a recurrencyKind', { chargingProfileKind: 'Recurring' }],
  ['validFrom is no time', { validFrom: Number.NaN }],
  ['validTo is no time', { validTo: Number.NaN }],
  ['validTo is not after validFrom', { validFrom: at(1), validTo: at(1) }],
  ['startSchedule is no time', withSchedule([[0, 10]], { startSchedule: Number.NaN })],
  ['duration is not above 0', withSchedule([[0, 10]], { duration: 0 })],
  ['duration is not above 0', withSchedule([[0, 10]], { duration: -5 })],
  ['minChargingRate is below 0', withSchedule([[0, 10]], { minChargingRate: -0.1 })],
  ['there is no period', withSchedule([])],
  ['there are more periods than ChargingScheduleMaxPeriods', { chargingSchedule: many(501) }],
  ['the first startPeriod is not 0', withSchedule([[3600, 10]])],
  [
    'startPeriod does not ascend',
    withSchedule([
      [0, 10],
      [60, 6],
      [60, 8],
    ]),
  ],
  [
    'startPeriod does not ascend',
    withSchedule([
      [0, 10],
      [60, 6],
      [30, 8],
    ]),
  ],
  [
    'a limit is below 0',
    withSchedule([
      [0, 10],
      [60, -0.1],
    ]),
  ],
  ['a limit is below 0', withSchedule([[0, Number.NaN]])],
  ['numberPhases is not 1, 2 or 3', withSchedule([[0, 10, 0]])],
  ['numberPhases is not 1, 2 or 3', withSchedule([[0, 10, 4]])],
];

describe('a charging profile', () => {
  it.each(SOUND)('may have %s', (_what, rest) => {
    expect(problemOf(profile(1, rest))).toBeUndefined();
  });
  it.each(UNSOUND)('is refused because %s', (reason, rest) => {
    expect(problemOf(profile(1, rest))).toBe(reason);
  });
  it('is measured by the limits that are configured', () => {
    const limits = { ...DEFAULT_PROFILE_LIMITS, chargeProfileMaxStackLevel: 1, chargingScheduleMaxPeriods: 2 };
    expect(problemOf(profile(1, { stackLevel: 1, chargingSchedule: many(2) }), limits)).toBeUndefined();
    expect(problemOf(profile(1, { stackLevel: 2 }), limits)).toMatch(/stackLevel/);
    expect(problemOf(profile(1, { chargingSchedule: many(3) }), limits)).toMatch(/periods/);
  });
});
