/** OCPP 1.6 edition 2, sections 7.8 to 7.14 and 7.37: charging profiles and schedules. */
import type * as v from 'valibot';
import { dateTime, integer, list, object, oneOf, optional, tenths } from '../../vocabulary.ts';

export const CHARGING_PROFILE_PURPOSES = ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const;

const CHARGING_PROFILE_KINDS = ['Absolute', 'Recurring', 'Relative'] as const;

const RECURRENCY_KINDS = ['Daily', 'Weekly'] as const;

export const CHARGING_RATE_UNITS = ['A', 'W'] as const;

/** `startPeriod` in seconds after the start of the schedule; `limit` in the unit of the schedule. */
const chargingSchedulePeriod = object({
  startPeriod: integer,
  limit: tenths,
  numberPhases: optional(integer),
});

/** `duration` in seconds. */
export const chargingSchedule = object({
  duration: optional(integer),
  startSchedule: optional(dateTime),
  chargingRateUnit: oneOf(...CHARGING_RATE_UNITS),
  chargingSchedulePeriod: list(chargingSchedulePeriod),
  minChargingRate: optional(tenths),
});

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
