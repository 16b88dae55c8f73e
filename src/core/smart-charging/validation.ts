/** What makes a charging profile unusable by itself (OCPP 1.6 sections 5.16.4, 7.8 to 7.14 and 9.4). Pure. */
import type { ChargingProfile, ChargingSchedulePeriod } from './profile.ts';

/** The configuration keys of section 9.4 that bound what may be installed. */
export interface ProfileLimits {
  readonly chargeProfileMaxStackLevel: number;
  readonly chargingScheduleMaxPeriods: number;
  readonly maxChargingProfilesInstalled: number;
}

export const DEFAULT_PROFILE_LIMITS: ProfileLimits = {
  chargeProfileMaxStackLevel: 100,
  chargingScheduleMaxPeriods: 500,
  maxChargingProfilesInstalled: 100,
};

type Check = readonly [reason: string, isBroken: (profile: ChargingProfile, limits: ProfileLimits) => boolean];

const isNoTime = (time: number | undefined): boolean => time !== undefined && !Number.isFinite(time);

const somePeriod =
  (isBroken: (period: ChargingSchedulePeriod, before: ChargingSchedulePeriod | undefined) => boolean) =>
  ({ chargingSchedule: { chargingSchedulePeriod: periods } }: ChargingProfile): boolean =>
    periods.some((period, index) => isBroken(period, periods[index - 1]));

/**
 * The first that is broken is the reason. Tolerated, because it harms nobody and central systems do it: a recurrencyKind without
 * Recurring, a transactionId without TxProfile, a startSchedule with Relative (all three are ignored), periods behind the duration
 * (section 5.16.4: not executed) and a validTo in the past.
 */
const CHECKS: readonly Check[] = [
  ['stackLevel is below 0', ({ stackLevel }) => stackLevel < 0],
  [
    'stackLevel is above ChargeProfileMaxStackLevel',
    ({ stackLevel }, limits) => stackLevel > limits.chargeProfileMaxStackLevel,
  ],
  [
    'Recurring needs a recurrencyKind',
    ({ chargingProfileKind, recurrencyKind }) => chargingProfileKind === 'Recurring' && recurrencyKind === undefined,
  ],
  ['validFrom is no time', ({ validFrom }) => isNoTime(validFrom)],
  ['validTo is no time', ({ validTo }) => isNoTime(validTo)],
  [
    'validTo is not after validFrom',
    ({ validFrom, validTo }) => validFrom !== undefined && validTo !== undefined && validTo <= validFrom,
  ],
  ['startSchedule is no time', ({ chargingSchedule }) => isNoTime(chargingSchedule.startSchedule)],
  [
    'duration is not above 0',
    ({ chargingSchedule: { duration } }) => duration !== undefined && !(duration > 0 && Number.isInteger(duration)),
  ],
  [
    'minChargingRate is below 0',
    ({ chargingSchedule: { minChargingRate } }) => minChargingRate !== undefined && !(minChargingRate >= 0),
  ],
  ['there is no period', ({ chargingSchedule }) => chargingSchedule.chargingSchedulePeriod.length === 0],
  [
    'there are more periods than ChargingScheduleMaxPeriods',
    ({ chargingSchedule }, limits) =>
      chargingSchedule.chargingSchedulePeriod.length > limits.chargingScheduleMaxPeriods,
  ],
  [
    'the first startPeriod is not 0',
    ({ chargingSchedule }) => (chargingSchedule.chargingSchedulePeriod[0]?.startPeriod ?? 0) !== 0,
  ],
  [
    'startPeriod does not ascend',
    somePeriod(({ startPeriod }, before) => before !== undefined && !(startPeriod > before.startPeriod)),
  ],
  ['a limit is below 0', somePeriod(({ limit }) => !(limit >= 0))],
  [
    'numberPhases is not 1, 2 or 3',
    somePeriod(({ numberPhases }) => numberPhases !== undefined && ![1, 2, 3].includes(numberPhases)),
  ],
];

/** Why the profile cannot be installed on any connector, for the log; undefined: it is sound. The message shape has been checked. */
export function problemOf(
  profile: ChargingProfile,
  limits: ProfileLimits = DEFAULT_PROFILE_LIMITS,
): string | undefined {
  return CHECKS.find(([, isBroken]) => isBroken(profile, limits))?.[0];
}
