/** GetCompositeSchedule as arithmetic (OCPP 1.6 sections 3.13.3 and 5.7). Pure. */
import type { ProfileBook } from './book.ts';
import { stepsOf } from './layers.ts';
import { limiterOf, type Site, siteFor, tenthsOf } from './limit.ts';
import type { ChargingRateUnit } from './profile.ts';
import { toSeconds } from './track.ts';

export interface CompositeRequest {
  readonly connectorId: number;
  /** Epoch milliseconds; the schedule starts with the second that it lies in. */
  readonly from: number;
  readonly durationS: number;
  readonly unit: ChargingRateUnit;
  readonly site: Site;
  /** The list ends before it would have more periods; absent: it never does. */
  readonly mostPeriods?: number;
}

export interface CompositePeriod {
  /** Seconds after `scheduleStart`. */
  readonly startPeriod: number;
  /** Ampere per phase or watt in total, in steps of 0.1, rounded down. */
  readonly limit: number;
  readonly numberPhases: number;
}

export interface CompositeSchedule {
  /** Epoch milliseconds, a whole second. */
  readonly scheduleStart: number;
  /** So far the periods reach: less than was asked for if `mostPeriods` or `MOST_DURATION_S` ended them, and at least 1. */
  readonly durationS: number;
  readonly unit: ChargingRateUnit;
  /** At least one, the first at 0; no two neighbours are equal. */
  readonly periods: readonly CompositePeriod[];
}

/** A year with its leap day: a request for 10^300 s has an end. */
export const MOST_DURATION_S = 366 * 86_400;

/** On the slowest Pi still far below the 5 ms that a synchronous slice may take. */
const STEPS_PER_SLICE = 500;

/**
 * The composite schedule in slices: it pauses at each `yield`, so that whoever drains it can let others go first. Returns undefined
 * if there is no such connector.
 */
export function* composing(
  book: ProfileBook,
  { connectorId, from, durationS, unit, site: whole, mostPeriods = Number.POSITIVE_INFINITY }: CompositeRequest,
): Generator<undefined, CompositeSchedule | undefined> {
  const site = siteFor(whole, connectorId);
  const limitOf = limiterOf(site, connectorId);
  if (limitOf === undefined) return undefined;
  const fromS = toSeconds(from);
  const askedS = Math.min(MOST_DURATION_S, Math.max(1, Math.floor(durationS)));
  const periods: CompositePeriod[] = [];
  let reachS = askedS;
  let last: CompositePeriod | undefined;
  let steps = 0;
  for (const step of stepsOf(book, site.connectors, fromS, fromS + askedS)) {
    steps += 1;
    if (steps % STEPS_PER_SLICE === 0) yield;
    const { limitA, limitW, numberPhases } = limitOf(step);
    const limit = tenthsOf(unit === 'A' ? limitA : limitW);
    if (last?.limit === limit && last.numberPhases === numberPhases) continue;
    const startPeriod = step.fromS - fromS;
    if (periods.length === mostPeriods) {
      reachS = startPeriod;
      break;
    }
    last = { startPeriod, limit, numberPhases };
    periods.push(last);
  }
  return { scheduleStart: fromS * 1000, durationS: reachS, unit, periods };
}

/** The same at once: for what is known to be small. */
export function compositeSchedule(book: ProfileBook, request: CompositeRequest): CompositeSchedule | undefined {
  const slices = composing(book, request);
  let slice = slices.next();
  while (slice.done !== true) slice = slices.next();
  return slice.value;
}
