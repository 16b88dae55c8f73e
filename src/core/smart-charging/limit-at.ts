/** The limit of the charging profiles at one instant, why, and until when (OCPP 1.6 section 3.13). Pure. */
import { timeOfDay } from '../time-of-day.ts';
import type { ProfileBook } from './book.ts';
import { stepsOf } from './layers.ts';
import {
  chargePointLimiter,
  type Limit,
  type Limiter,
  limiterOf,
  minChargingRateA,
  type Site,
  siteFor,
  tenthsOf,
} from './limit.ts';
import { toSeconds } from './track.ts';

export interface LimitNow {
  /** Ampere per phase, in steps of 0.1, rounded down. */
  readonly limitA: number;
  readonly numberPhases: number;
  /** The profile that sets it; absent: none does. */
  readonly chargingProfileId?: number;
  /** One sentence of at most 50 characters, as StatusNotification takes it for `info`. */
  readonly reason: string;
  /** Epoch milliseconds, at most a day ahead: it changes then, or it is time to look again. */
  readonly until: number;
  /** Below this charging is inefficient, says the profile that prevails; for balancing, never a limit. */
  readonly minChargingRateA?: number;
}

const LOOK_AHEAD_S = 86_400;
/** As many changes that change nothing are looked at in one go: a synchronous slice has its bounds. */
const MOST_STEPS = 500;
const MOST_REASON = 50;

function reasonOf({ cause }: Limit, limitA: number, connectorId: number, changesS: number | undefined): string {
  if (cause === undefined)
    return connectorId === 0 ? `the connectors together: ${limitA} A` : `no profile allows less than ${limitA} A`;
  const sentence = `${cause.chargingProfilePurpose} ${cause.chargingProfileId} allows ${limitA} A`;
  const full = changesS === undefined ? sentence : `${sentence} until ${timeOfDay(changesS)}`;
  return (full.length > MOST_REASON ? sentence : full).slice(0, MOST_REASON);
}

const isSame = (a: Limit, b: Limit): boolean =>
  tenthsOf(a.limitA) === tenthsOf(b.limitA) &&
  a.numberPhases === b.numberPhases &&
  a.cause?.chargingProfileId === b.cause?.chargingProfileId;

interface Outlook {
  readonly limit: Limit;
  readonly leastA: number | undefined;
  readonly untilS: number;
  /** False: we only stopped looking. */
  readonly changes: boolean;
}

function outlook(
  book: ProfileBook,
  connectorId: number,
  limitOf: Limiter,
  atS: number,
  site: Site,
): Outlook | undefined {
  let found: Pick<Outlook, 'limit' | 'leastA'> | undefined;
  let seen = 0;
  let untilS = atS;
  for (const step of stepsOf(book, site.connectors, atS, atS + LOOK_AHEAD_S)) {
    const limit = limitOf(step);
    found ??= { limit, leastA: minChargingRateA(step, site, connectorId) };
    if (!isSame(found.limit, limit)) return { ...found, untilS, changes: true };
    untilS = step.untilS;
    seen += 1;
    if (seen === MOST_STEPS) break;
  }
  return found && { ...found, untilS, changes: false };
}

/** `at` in epoch milliseconds; connector 0: the whole charge point (see `totalLimiter` in limit.ts). Undefined: there is no such connector. */
export function limitAt(book: ProfileBook, connectorId: number, at: number, site: Site): LimitNow | undefined {
  const only = siteFor(site, connectorId);
  const limitOf = limiterOf(only, connectorId);
  return limitOf && limitFrom(book, connectorId, limitOf, at, only);
}

/** What the ChargePointMaxProfiles alone allow all connectors together; Infinity without any. `at` in epoch milliseconds. */
export const chargePointLimitAt = (book: ProfileBook, at: number, site: Site): LimitNow | undefined =>
  limitFrom(book, 0, chargePointLimiter(site), at, { ...site, connectors: [] });

function limitFrom(
  book: ProfileBook,
  connectorId: number,
  limitOf: Limiter,
  at: number,
  site: Site,
): LimitNow | undefined {
  const seen = outlook(book, connectorId, limitOf, toSeconds(at), site);
  if (seen === undefined) return undefined;
  const { limit, leastA, untilS, changes } = seen;
  const limitA = tenthsOf(limit.limitA);
  return {
    limitA,
    numberPhases: limit.numberPhases,
    ...(limit.cause === undefined ? {} : { chargingProfileId: limit.cause.chargingProfileId }),
    reason: reasonOf(limit, limitA, connectorId, changes ? untilS : undefined),
    until: untilS * 1000,
    ...(leastA === undefined ? {} : { minChargingRateA: leastA }),
  };
}
