/** OCPP 1.6 edition 2, sections 7.8 to 7.14 and 7.37: charging profiles and schedules. */
import type * as v from 'valibot';
import { dateTime, integer, list, object, oneOf, optional, tenths } from '../../vocabulary.ts';

export const CHARGING_PROFILE_PURPOSES = ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const;
export type ChargingProfilePurpose = (typeof CHARGING_PROFILE_PURPOSES)[number];

export const CHARGING_PROFILE_KINDS = ['Absolute', 'Recurring', 'Relative'] as const;
export type ChargingProfileKind = (typeof CHARGING_PROFILE_KINDS)[number];

export const RECURRENCY_KINDS = ['Daily', 'Weekly'] as const;
export type RecurrencyKind = (typeof RECURRENCY_KINDS)[number];

export const CHARGING_RATE_UNITS = ['A', 'W'] as const;
export type ChargingRateUnit = (typeof CHARGING_RATE_UNITS)[number];

/** `startPeriod` in seconds after the start of the schedule; `limit` in the unit of the schedule. */
export const chargingSchedulePeriod = object({
  startPeriod: integer,
  limit: tenths,
  numberPhases: optional(integer),
});
export type ChargingSchedulePeriod = v.InferOutput<typeof chargingSchedulePeriod>;

/** `duration` in seconds. */
export const chargingSchedule = object({
  duration: optional(integer),
  startSchedule: optional(dateTime),
  chargingRateUnit: oneOf(...CHARGING_RATE_UNITS),
  chargingSchedulePeriod: list(chargingSchedulePeriod),
  minChargingRate: optional(tenths),
});
export type ChargingSchedule = v.InferOutput<typeof chargingSchedule>;

export const chargingProfile = object({
  chargingProfileId: integer,
  transactionId: optional(integer),
  stackLevel: integer,
  chargingProfilePurpose: oneOf(...CHARGING_PROFILE_PURPOSES),
  chargingProfileKind: oneOf(...CHARGING_PROFILE_KINDS),
  recurrencyKind: optional(oneOf(...RECURRENCY_KINDS)),
  validFrom: optional(dateTime),
  validTo: optional(dateTime),
  chargingSchedule,
});
export type ChargingProfile = v.InferOutput<typeof chargingProfile>;
