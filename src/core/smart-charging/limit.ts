/** From what profiles allow to one limit for a connector or for the charge point (OCPP 1.6 sections 3.13.3, 5.7 and 7.12). Pure. */
import type { RunningTransaction } from './book.ts';
import type { Step } from './layers.ts';
import type { Allowance } from './prevailing.ts';
import type { ChargingProfile, ChargingRateUnit } from './profile.ts';

export type PhaseCount = 1 | 2 | 3;

export interface SiteConnector {
  readonly connectorId: number;
  /** The phases that are installed at it. */
  readonly phases: PhaseCount;
  /** What it may offer by itself, in ampere per phase: the limit where no profile says less. */
  readonly maxA: number;
  readonly transaction?: RunningTransaction;
}

export interface Site {
  /** Section 7.12: the voltage "set for the area", never a measured one. */
  readonly nominalV: number;
  /** The phases of the grid connection. */
  readonly phases: PhaseCount;
  /** Of the grid connection, in ampere per phase; absent: unknown. */
  readonly gridA?: number;
  readonly connectors: readonly SiteConnector[];
}

export interface Limit {
  /** Per phase. */
  readonly limitA: number;
  /** In total. */
  readonly limitW: number;
  readonly numberPhases: number;
  /** The profile that sets it; absent where no profile does. */
  readonly cause?: ChargingProfile;
}

/** Steps of 0.1 as on the wire, rounded down: a limit is never exceeded. The allowance takes 59999.99999999999. */
export const tenthsOf = (value: number): number => Math.floor(value * 10 + 1e-6) / 10;

/** Absent means 3 (section 7.12); more than there are count as those that there are (errata 3.34). */
const phasesOf = (numberPhases: number | undefined, installed: PhaseCount): number =>
  Math.min(numberPhases ?? 3, installed);

export const amperesOf = (value: number, unit: ChargingRateUnit, numberPhases: number, nominalV: number): number =>
  unit === 'A' ? value : value / (nominalV * numberPhases);

interface PhaseLimit {
  readonly limitA: number;
  readonly numberPhases: number;
  readonly cause?: ChargingProfile;
}

/** Section 7.12: current per phase = power / (voltage x numberPhases of the period). */
function allowed(allowance: Allowance, installed: PhaseCount, nominalV: number): PhaseLimit | undefined {
  if (allowance === undefined) return undefined;
  const { profile, period } = allowance;
  const numberPhases = phasesOf(period.numberPhases, installed);
  const limitA = amperesOf(period.limit, profile.chargingSchedule.chargingRateUnit, numberPhases, nominalV);
  return { limitA, numberPhases, cause: profile };
}

/** The least current on the fewest phases (section 3.13.3); where two are equal, the first one is the cause. */
const leastOf = (a: PhaseLimit, b: PhaseLimit | undefined): PhaseLimit =>
  b === undefined ? a : { ...(b.limitA < a.limitA ? b : a), numberPhases: Math.min(a.numberPhases, b.numberPhases) };

const withPower = (limit: PhaseLimit, nominalV: number): Limit => ({
  ...limit,
  limitW: limit.limitA * nominalV * limit.numberPhases,
});

/**
 * What one connector may offer. Everything is compared as current per phase, because that is what is offered and what fuses see;
 * the power is that current on the phases that remain. So a limit for three phases in watt also bounds a car on one.
 */
export function connectorLimit(step: Step, site: Site, index: number): Limit | undefined {
  const connector = site.connectors[index];
  if (connector === undefined) return undefined;
  const { maxA, phases } = connector;
  const ownA = Math.min(maxA, site.gridA ?? Number.POSITIVE_INFINITY);
  const chargePoint = allowed(step.chargePoint, site.phases, site.nominalV);
  const transaction = allowed(step.perConnector[index], phases, site.nominalV);
  const profiles = transaction === undefined ? chargePoint : leastOf(transaction, chargePoint);
  const own: PhaseLimit = { limitA: ownA, numberPhases: phases };
  return withPower(profiles === undefined ? own : leastOf(profiles, own), site.nominalV);
}

/**
 * Connector 0: "the total power or current the charge point expects to consume from the grid" (section 5.7, errata 3.30). Read as: the
 * sum of what its connectors may take, bounded by ChargePointMaxProfile ("the limit for all connectors combined", 3.13.3) and by the
 * grid connection. A connector without a transaction counts as if one began, for it may at any moment. The sum of currents takes all
 * connectors for wired to the same phase: how they are rotated is for the balancing to know.
 */
export function totalLimit(step: Step, site: Site): Limit {
  const each = site.connectors.flatMap((_, index) => connectorLimit(step, site, index) ?? []);
  const sum: Limit = {
    limitA: each.reduce((total, { limitA }) => total + limitA, 0),
    limitW: each.reduce((total, { limitW }) => total + limitW, 0),
    numberPhases: each.reduce((most, { numberPhases }) => Math.max(most, numberPhases), 1),
  };
  const grid: PhaseLimit = { limitA: site.gridA ?? Number.POSITIVE_INFINITY, numberPhases: site.phases };
  const chargePoint = allowed(step.chargePoint, site.phases, site.nominalV);
  const bound = withPower(chargePoint === undefined ? grid : leastOf(chargePoint, grid), site.nominalV);
  const isBound = bound.limitA <= sum.limitA || bound.limitW <= sum.limitW;
  return {
    limitA: Math.min(sum.limitA, bound.limitA),
    limitW: Math.min(sum.limitW, bound.limitW),
    numberPhases: Math.min(sum.numberPhases, bound.numberPhases),
    ...(isBound && bound.cause !== undefined ? { cause: bound.cause } : {}),
  };
}

/** The limit of connector n, or of the whole charge point for 0; undefined: there is no such connector. */
export function limitOf(step: Step, site: Site, connectorId: number): Limit | undefined {
  if (connectorId === 0) return totalLimit(step, site);
  return connectorLimit(
    step,
    site,
    site.connectors.findIndex((connector) => connector.connectorId === connectorId),
  );
}

/** minChargingRate of the profile that prevails for the connector, in ampere per phase; undefined: it names none. */
export function minChargingRateA(allowance: Allowance, installed: PhaseCount, nominalV: number): number | undefined {
  const schedule = allowance?.profile.chargingSchedule;
  if (schedule?.minChargingRate === undefined) return undefined;
  const numberPhases = phasesOf(allowance?.period.numberPhases, installed);
  return amperesOf(schedule.minChargingRate, schedule.chargingRateUnit, numberPhases, nominalV);
}
