/** Charging profiles as the core holds them (OCPP 1.6 sections 7.8 to 7.14): the members of the message, times as epoch milliseconds. Pure. */

export type ChargingProfilePurpose = 'ChargePointMaxProfile' | 'TxDefaultProfile' | 'TxProfile';
export type ChargingProfileKind = 'Absolute' | 'Recurring' | 'Relative';
export type RecurrencyKind = 'Daily' | 'Weekly';
export type ChargingRateUnit = 'A' | 'W';

export interface ChargingSchedulePeriod {
  /** Seconds after the start of the schedule. */
  readonly startPeriod: number;
  /** Ampere per phase, or watt in total. */
  readonly limit: number;
  /** Absent: 3 (section 7.12). */
  readonly numberPhases?: number;
}

export interface ChargingSchedule<Time = number> {
  /** Seconds; absent: the last period goes on for ever. */
  readonly duration?: number;
  readonly startSchedule?: Time;
  readonly chargingRateUnit: ChargingRateUnit;
  readonly chargingSchedulePeriod: readonly ChargingSchedulePeriod[];
  readonly minChargingRate?: number;
}

/** `Time` is a text in the message and epoch milliseconds here. */
export interface ChargingProfile<Time = number> {
  readonly chargingProfileId: number;
  readonly transactionId?: number;
  readonly stackLevel: number;
  readonly chargingProfilePurpose: ChargingProfilePurpose;
  readonly chargingProfileKind: ChargingProfileKind;
  readonly recurrencyKind?: RecurrencyKind;
  readonly validFrom?: Time;
  readonly validTo?: Time;
  readonly chargingSchedule: ChargingSchedule<Time>;
}

/** The profile of a message with its times parsed; `epochMs` gives NaN for a text that is no time, which `problemOf` refuses. */
export function withTimes(profile: ChargingProfile<string>, epochMs: (text: string) => number): ChargingProfile {
  const { validFrom, validTo, chargingSchedule, ...rest } = profile;
  const { startSchedule, ...schedule } = chargingSchedule;
  return {
    ...rest,
    ...(validFrom === undefined ? {} : { validFrom: epochMs(validFrom) }),
    ...(validTo === undefined ? {} : { validTo: epochMs(validTo) }),
    chargingSchedule: {
      ...schedule,
      ...(startSchedule === undefined ? {} : { startSchedule: epochMs(startSchedule) }),
    },
  };
}

/** Whether what it allows depends on what time it is, and not only on how long a transaction has run. */
export const dependsOnTime = ({
  chargingProfileKind,
  validFrom,
  validTo,
  chargingSchedule,
}: ChargingProfile): boolean =>
  validFrom !== undefined ||
  validTo !== undefined ||
  (chargingProfileKind !== 'Relative' && chargingSchedule.startSchedule !== undefined);
