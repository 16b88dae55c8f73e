/** When the schedule of one profile runs (OCPP 1.6 sections 5.16.4, 7.9, 7.13 and 7.37; errata 3.44 and 3.79). Pure. */
import type { ChargingProfile, ChargingSchedulePeriod, RecurrencyKind } from './profile.ts';

/**
 * One profile on the line of time, which counts whole seconds since the epoch, as the periods of a schedule do: the fractions of
 * other times are cut off, so that every change lies on a whole second.
 */
export interface Track {
  readonly profile: ChargingProfile;
  readonly periods: readonly ChargingSchedulePeriod[];
  readonly startS: number;
  /** Infinity: it does not recur. */
  readonly everyS: number;
  /** Of one run; Infinity: the last period goes on for ever. */
  readonly lengthS: number;
  readonly validFromS: number;
  readonly validToS: number;
}

const RECURRENCE_S: { readonly [kind in RecurrencyKind]: number } = { Daily: 86_400, Weekly: 604_800 };

export const toSeconds = (epochMs: number): number => Math.floor(epochMs / 1000);

/**
 * `relativeToS` is the situation-specific start point of section 7.9. It serves Relative schedules, and all without startSchedule,
 * which are "relative to start of charging" (section 7.13). What recurs is cut off where it begins anew (errata 3.44), and there is
 * nothing before the startSchedule: it can only *re*start.
 */
export function trackOf(profile: ChargingProfile, relativeToS: number): Track {
  const { chargingProfileKind, recurrencyKind, validFrom, validTo, chargingSchedule } = profile;
  const { startSchedule, duration = Number.POSITIVE_INFINITY, chargingSchedulePeriod } = chargingSchedule;
  const isRelative = chargingProfileKind === 'Relative' || startSchedule === undefined;
  const recurs = chargingProfileKind === 'Recurring' && recurrencyKind !== undefined;
  const everyS = recurs ? RECURRENCE_S[recurrencyKind] : Number.POSITIVE_INFINITY;
  return {
    profile,
    periods: chargingSchedulePeriod,
    startS: isRelative ? relativeToS : toSeconds(startSchedule),
    everyS,
    lengthS: Math.min(duration, everyS),
    validFromS: validFrom === undefined ? Number.NEGATIVE_INFINITY : toSeconds(validFrom),
    validToS: validTo === undefined ? Number.POSITIVE_INFINITY : toSeconds(validTo),
  };
}

/** One unbroken stretch in which the schedule has a limit. */
export interface Run {
  /** Where startPeriod 0 lies; may be before `fromS`. */
  readonly startS: number;
  readonly fromS: number;
  readonly untilS: number;
}

function runNumber(track: Track, n: number): Run {
  const startS = n === 0 ? track.startS : track.startS + n * track.everyS;
  return {
    startS,
    fromS: Math.max(startS, track.validFromS),
    untilS: Math.min(startS + track.lengthS, track.validToS),
  };
}

/** The run at `atS`, else the next one; undefined: there is none any more. */
export function runAt(track: Track, atS: number): Run | undefined {
  const earliestS = Math.max(atS, track.validFromS);
  const n = Math.max(0, Math.floor((earliestS - track.startS) / track.everyS));
  // No third one can be needed: the second begins after `earliestS`.
  return [runNumber(track, n), runNumber(track, n + 1)].find(
    ({ fromS, untilS }) => fromS < untilS && untilS > earliestS,
  );
}

/** The index of the period at so many seconds (0 or more) after the start of the schedule. */
export function periodAt(periods: readonly ChargingSchedulePeriod[], offsetS: number): number {
  let low = 0;
  let high = periods.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((periods[middle]?.startPeriod ?? 0) <= offsetS) low = middle;
    else high = middle - 1;
  }
  return low;
}
