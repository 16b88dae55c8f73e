/** From what profiles allow to one limit for a connector or for the charge point (OCPP 1.6 sections 3.13.3, 5.7 and 7.12). Pure. */
import type { RunningTransaction } from './book.ts';
import type { Step } from './layers.ts';
import type { Piece } from './prevailing.ts';
import type { ChargingProfile, ChargingRateUnit, ChargingSchedulePeriod } from './profile.ts';

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
  /** The profile that sets it; undefined where no profile does. */
  readonly cause: ChargingProfile | undefined;
}

/** Steps of 0.1 as on the wire, rounded down: a limit is never exceeded. The allowance takes 59999.99999999999. */
export const tenthsOf = (value: number): number => Math.floor(value * 10 + 1e-6) / 10;

/** Absent means 3 (section 7.12); more than there are count as those that there are (errata 3.34). */
const phasesOf = ({ numberPhases = 3 }: ChargingSchedulePeriod, installed: PhaseCount): number =>
  Math.min(numberPhases, installed);

/** Section 7.12: current per phase = power / (voltage x number of phases). */
const amperesOf = (value: number, unit: ChargingRateUnit, numberPhases: number, nominalV: number): number =>
  unit === 'A' ? value : value / (nominalV * numberPhases);

type PhaseLimit = Omit<Limit, 'limitW'>;

/** The least current on the fewest phases (section 3.13.3); where two are equal, the piece is the cause. */
function boundedBy(limit: PhaseLimit, piece: Piece | undefined, installed: PhaseCount, nominalV: number): PhaseLimit {
  if (piece?.period === undefined || piece.profile === undefined) return limit;
  const numberPhases = phasesOf(piece.period, installed);
  const unit = piece.profile.chargingSchedule.chargingRateUnit;
  const limitA = amperesOf(piece.period.limit, unit, numberPhases, nominalV);
  const isLess = limitA <= limit.limitA;
  return {
    limitA: isLess ? limitA : limit.limitA,
    numberPhases: Math.min(numberPhases, limit.numberPhases),
    cause: isLess ? piece.profile : limit.cause,
  };
}

const withPower = ({ limitA, numberPhases, cause }: PhaseLimit, nominalV: number): Limit => ({
  limitA,
  limitW: limitA * nominalV * numberPhases,
  numberPhases,
  cause,
});

export type Limiter = (step: Step) => Limit;

/**
 * What one connector may offer. Everything is compared as current per phase, because that is what is offered and what fuses see;
 * the power is that current on the phases that remain. So a limit for three phases in watt also bounds a car on one.
 */
function connectorLimiter(site: Site, { maxA, phases }: SiteConnector, index: number): Limiter {
  const { nominalV, gridA = Number.POSITIVE_INFINITY } = site;
  const own: PhaseLimit = { limitA: Math.min(maxA, gridA), numberPhases: phases, cause: undefined };
  return ({ pieces }) => {
    const chargePoint = boundedBy(own, pieces[0], site.phases, nominalV);
    return withPower(boundedBy(chargePoint, pieces[index + 1], phases, nominalV), nominalV);
  };
}

/**
 * Connector 0: "the total expected power or current the Charge Point expects to consume from the grid" (section 5.7, errata 3.30).
 * Read as: the sum of what its connectors may take, bounded by ChargePointMaxProfile ("the limit for all connectors combined", 3.13.3)
 * and by the grid connection. A connector without a transaction counts as if one began, for it may at any moment. The sum of currents
 * takes all connectors for wired to the same phase: how they are rotated is for the balancing to know.
 */
function totalLimiter(site: Site): Limiter {
  const { nominalV, phases, gridA = Number.POSITIVE_INFINITY } = site;
  const grid: PhaseLimit = { limitA: gridA, numberPhases: phases, cause: undefined };
  const limiters = site.connectors.map((connector, index) => connectorLimiter(site, connector, index));
  return (step) => {
    let limitA = 0;
    let limitW = 0;
    let numberPhases = 1;
    for (const limiter of limiters) {
      const limit = limiter(step);
      limitA += limit.limitA;
      limitW += limit.limitW;
      numberPhases = Math.max(numberPhases, limit.numberPhases);
    }
    const bound = withPower(boundedBy(grid, step.pieces[0], phases, nominalV), nominalV);
    return {
      limitA: Math.min(limitA, bound.limitA),
      limitW: Math.min(limitW, bound.limitW),
      numberPhases: Math.min(numberPhases, bound.numberPhases),
      cause: bound.limitA <= limitA || bound.limitW <= limitW ? bound.cause : undefined,
    };
  };
}

/** What ChargePointMaxProfiles allow all connectors together (section 3.13.3); Infinity where none says anything. */
export const chargePointLimiter = ({ nominalV, phases }: Site): Limiter => {
  const unbounded: PhaseLimit = { limitA: Number.POSITIVE_INFINITY, numberPhases: phases, cause: undefined };
  return ({ pieces }) => withPower(boundedBy(unbounded, pieces[0], phases, nominalV), nominalV);
};

/** The site with the one connector that the limit depends on, so that no step is spent on others; all of them for 0. */
export const siteFor = (site: Site, connectorId: number): Site =>
  connectorId === 0
    ? site
    : { ...site, connectors: site.connectors.filter((connector) => connector.connectorId === connectorId) };

/**
 * How the steps of `stepsOf(book, site.connectors, ...)` bound connector n, or the whole charge point for 0; undefined: there is no
 * such connector.
 */
export function limiterOf(site: Site, connectorId: number): Limiter | undefined {
  if (connectorId === 0) return totalLimiter(site);
  const index = site.connectors.findIndex((connector) => connector.connectorId === connectorId);
  const connector = site.connectors[index];
  return connector && connectorLimiter(site, connector, index);
}

/** minChargingRate of the profile that prevails for the connector, in ampere per phase; undefined: it names none. */
export function minChargingRateA(step: Step, site: Site, connectorId: number): number | undefined {
  const index = site.connectors.findIndex((connector) => connector.connectorId === connectorId);
  const piece = step.pieces[index + 1];
  const installed = site.connectors[index]?.phases;
  if (installed === undefined || piece?.period === undefined) return undefined;
  const { minChargingRate, chargingRateUnit } = piece.profile?.chargingSchedule ?? {};
  if (minChargingRate === undefined || chargingRateUnit === undefined) return undefined;
  return amperesOf(minChargingRate, chargingRateUnit, phasesOf(piece.period, installed), site.nominalV);
}
