/** Charging profiles with good defaults, for tests. */
import { install, type ProfileBook, type RunningTransaction } from '../../../src/core/smart-charging/book.ts';
import { type CompositeRequest, compositeSchedule } from '../../../src/core/smart-charging/composite-schedule.ts';
import type { Site, SiteConnector } from '../../../src/core/smart-charging/limit.ts';
import type { ChargingProfile, ChargingSchedule } from '../../../src/core/smart-charging/profile.ts';

/** A midnight, and the Thursday 2026-01-01. */
export const MIDNIGHT = Date.UTC(2026, 0, 1);
export const HOUR_S = 3600;
export const DAY_S = 24 * HOUR_S;

export const at = (seconds: number): number => MIDNIGHT + seconds * 1000;

type Periods = readonly (readonly [startPeriod: number, limit: number, numberPhases?: number])[];

export function schedule(periods: Periods, rest: Partial<ChargingSchedule> = {}): ChargingSchedule {
  return {
    chargingRateUnit: 'A',
    startSchedule: MIDNIGHT,
    ...rest,
    chargingSchedulePeriod: periods.map(([startPeriod, limit, numberPhases]) => ({
      startPeriod,
      limit,
      ...(numberPhases === undefined ? {} : { numberPhases }),
    })),
  };
}

/** The same without a startSchedule. */
export function unanchored(periods: Periods, rest: Partial<ChargingSchedule> = {}): ChargingSchedule {
  const { startSchedule: _, ...others } = schedule(periods, rest);
  return others;
}

export function profile(chargingProfileId: number, rest: Partial<ChargingProfile> = {}): ChargingProfile {
  return {
    chargingProfileId,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: schedule([[0, 10]]),
    ...rest,
  };
}

/** Installs one after the other; each must be accepted. */
export function bookOf(
  installations: readonly (readonly [connectorId: number, profile: ChargingProfile])[],
  transaction: RunningTransaction = { startedAt: MIDNIGHT },
): ProfileBook {
  return installations.reduce<ProfileBook>((book, [connectorId, each]) => {
    const installed = install(book, connectorId, each, { now: MIDNIGHT, transaction });
    if (!installed.ok) throw new Error(installed.reason);
    return installed.book;
  }, []);
}

/** One connector with three phases and 32 A in a grid of 230 V; its transaction began at midnight. */
export const site = (connector: Partial<SiteConnector> = {}, rest: Partial<Site> = {}): Site => ({
  nominalV: 230,
  phases: 3,
  connectors: [{ connectorId: 1, phases: 3, maxA: 32, transaction: { startedAt: MIDNIGHT }, ...connector }],
  ...rest,
});

export type Rows = (readonly [startPeriod: number, limit: number, numberPhases?: number])[];

/** Rows of three phases leave that out, as the message may. */
export function composite(book: ProfileBook, request: Partial<CompositeRequest> = {}): Rows {
  const whole = { connectorId: 1, from: MIDNIGHT, durationS: 400, unit: 'A', site: site(), ...request } as const;
  const periods = compositeSchedule(book, whole)?.periods ?? [];
  return periods.map(({ startPeriod, limit, numberPhases }) =>
    numberPhases === 3 ? [startPeriod, limit] : [startPeriod, limit, numberPhases],
  );
}

export const recurring = (recurrencyKind: 'Daily' | 'Weekly'): Partial<ChargingProfile> => ({
  chargingProfileKind: 'Recurring',
  recurrencyKind,
});
