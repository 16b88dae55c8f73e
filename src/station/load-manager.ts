/** The shell round the balance: collects what bounds the offer, tells each connector its limit and the reason for it. */
import type { Board, ConnectorHardware } from '../../hal/contract.ts';
import type { InstallationConfig } from '../config.ts';
import type { Connector } from '../core/connector/state.ts';
import { LEAST_OFFER_A } from '../core/current.ts';
import { balance, type ConnectorLoad, type Outcome, type Shares, type Supply } from '../core/load/balance.ts';
import type { Bound, BoundSource } from '../core/load/bound.ts';
import { NO_CURRENT, type PerLine, type PerPhase, type Rotation, type Wiring, wiringOf } from '../core/load/grid.ts';
import { type Draw, drawnOf } from '../core/load/usage.ts';
import { timeOfDay } from '../core/time-of-day.ts';
import type { Cancel, Clock, Log, Random, Unsubscribe } from '../ports.ts';
import type { Change, Station } from './station.ts';

export interface LoadManagerOptions {
  readonly station: Station;
  readonly board: Board;
  readonly installation: InstallationConfig;
  /** ConnectorPhaseRotation of a connector. */
  readonly rotation: (connectorId: number) => Rotation;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Why a connector may offer what it may: everything that bounds it, the least first. */
export interface Explanation {
  readonly limitA: number;
  readonly reason: string;
  readonly bounds: readonly Bound[];
}

/** What a phase switch was wanted to do last, and when it was asked last. */
interface Wish {
  readonly phases: 1 | 3;
  readonly askedAt: number;
}

interface Told {
  readonly limitA: number;
  readonly reason: string;
}

interface LimitChange {
  readonly connector: Connector;
  readonly before: Told;
  readonly told: Told;
}

/** More than any connector has: whoever bounds it all says less. */
const UNBOUNDED: Supply = { amps: [Infinity, Infinity, Infinity], reasons: ['', '', ''] };
/** A review changes states, which may ask for a review: it settles in two rounds, or something is wrong. */
const MOST_ROUNDS = 10;

export class LoadManager {
  readonly #options: LoadManagerOptions;
  readonly #bounds = new Map<BoundSource, readonly Bound[]>();
  readonly #draws = new Map<number, Draw>();
  readonly #wishes = new Map<number, Wish>();
  /** What each connector was told last; it may not have heard it yet. */
  readonly #told = new Map<number, Told>();
  #shares: Shares = new Map();
  #timer: Cancel | undefined;
  #subscription: Unsubscribe | undefined;
  #reviewing = false;
  #again = false;

  constructor(options: LoadManagerOptions) {
    this.#options = options;
    const { board, installation } = options;
    this.#bounds.set('installation', board.connectors.map(installed));
    const { fuseA } = installation;
    if (fuseA !== undefined)
      this.#bounds.set('fuse', [
        { source: 'fuse', connectorId: 0, limitA: fuseA, reason: `the fuse of ${fuseA} A is shared`, urgent: true },
      ]);
  }

  /** After the rooms have said what bounds the offer, before the station listens to the hardware. */
  start(): void {
    this.#subscription = this.#options.station.onChange((change) => {
      if (matters(change)) this.#review();
    });
    this.#review();
  }

  stop(): void {
    this.#subscription?.();
    this.#subscription = undefined;
    this.#timer?.();
  }

  /** Replaces everything that this source has said before. In force when it returns. */
  bound(source: BoundSource, bounds: readonly Bound[]): void {
    this.#bounds.set(source, bounds);
    this.#review();
  }

  /** What the meter of a connector shows: ampere on L1, L2 and L3. */
  drawn(connectorId: number, at: number, amps: PerLine): void {
    const wiring = this.#wiring(connectorId);
    if (wiring !== undefined) this.#draws.set(connectorId, { at, amps: wiring.onGrid(amps) });
  }

  /** The look at the meters is complete. */
  look(): void {
    this.#review();
  }

  /** What all connectors draw, on R, S and T, as far as their meters have shown; a silent one counts with its full offer. */
  get ownDraw(): PerPhase {
    const now = this.#options.clock.now();
    return this.#connectors.reduce<PerPhase>((sum, { id, contactor }) => {
      const usage = {
        grants: this.#shares.get(id)?.grants ?? [],
        draw: this.#draws.get(id),
        closed: contactor === 'closed',
      };
      const [r, s, t] = drawnOf(usage, now);
      return [sum[0] + r, sum[1] + s, sum[2] + t];
    }, NO_CURRENT);
  }

  /** All connectors together are bounded: what one of them has the others have not. */
  get isShared(): boolean {
    return this.#supply().amps.some(Number.isFinite);
  }

  /** Undefined for an unknown connector. */
  explain(connectorId: number): Explanation | undefined {
    const connector = this.#options.station.connector(connectorId);
    if (connector === undefined) return undefined;
    const { limitA, limitReason = '' } = connector;
    const bounds = [...this.#ownBounds(connector), ...this.#sharedBounds()].toSorted((a, b) => a.limitA - b.limitA);
    return { limitA, reason: limitReason, bounds };
  }

  /** Ends the random delay; the connectors that had one. */
  cancelDelay(connectorId?: number): readonly number[] {
    const delayed = [...this.#shares].filter(
      ([id, { delayedUntil }]) => delayedUntil !== undefined && (connectorId === undefined || id === connectorId),
    );
    const now = this.#options.clock.now();
    this.#shares = new Map([
      ...this.#shares,
      ...delayed.map(([id, share]) => [id, { ...share, delayedUntil: now }] as const),
    ]);
    this.#review();
    return delayed.map(([id]) => id);
  }

  get #connectors(): readonly Connector[] {
    return this.#options.station.connectors;
  }

  #review(): void {
    // Not before `start`: what bounds the offer is not complete yet.
    if (this.#subscription === undefined) return;
    this.#again = true;
    if (this.#reviewing) return;
    this.#reviewing = true;
    try {
      for (let round = 0; this.#again && round < MOST_ROUNDS; round++) {
        this.#again = false;
        this.#reviewOnce();
      }
    } finally {
      this.#reviewing = false;
    }
  }

  #reviewOnce(): void {
    const { clock, installation, random } = this.#options;
    const switchAt = this.#switchPhases();
    const { randomDelayS, rampAPerMinute } = installation;
    const pace = {
      randomDelayMs: randomDelayS * 1000,
      chance: randomDelayS === 0 ? 0 : random.fraction(),
      ...(rampAPerMinute === undefined ? {} : { rampAPerMinute }),
    };
    const now = clock.now();
    const loads = this.#connectors.map((connector) => this.#loadOf(connector));
    const { shares, outcomes, nextAt } = balance(this.#shares, loads, this.#supply(), pace, now);
    this.#shares = shares;
    this.#arm([nextAt, switchAt]);
    const changes = this.#connectors.flatMap((connector) => this.#changeOf(connector, outcomes.get(connector.id)));
    // Less for one goes before more for another.
    for (const { connector, before, told } of changes.toSorted((a, b) => riseA(a) - riseA(b))) {
      this.#told.set(connector.id, told);
      this.#log(connector, before, told);
      this.#options.station.dispatch(connector.id, { type: 'limit', ...told, at: now });
    }
  }

  #changeOf(connector: Connector, outcome: Outcome | undefined): readonly LimitChange[] {
    if (outcome === undefined) return [];
    const before = this.#told.get(connector.id) ?? { limitA: connector.limitA, reason: '' };
    const told = { limitA: outcome.limitA, reason: this.#textOf(outcome) };
    return told.limitA === before.limitA && told.reason === before.reason ? [] : [{ connector, before, told }];
  }

  #textOf({ reason, delayedUntil, limitA }: Outcome): string {
    if (delayedUntil === undefined || limitA >= LEAST_OFFER_A) return reason;
    const { clock } = this.#options;
    return `${reason} until ${timeOfDay(Math.ceil(clock.wall(delayedUntil) / 1000))}`;
  }

  #log({ id, phase }: Connector, { limitA: before }: Told, { limitA, reason: why }: Told): void {
    if (phase.name === 'transaction')
      this.#options.log.info('the limit has changed', { connectorId: id, limitA, before, why });
  }

  #arm(looks: readonly (number | undefined)[]): void {
    this.#timer?.();
    const { clock } = this.#options;
    const nextAt = Math.min(...looks.map((at) => at ?? Number.POSITIVE_INFINITY));
    this.#timer = Number.isFinite(nextAt) ? clock.after(nextAt - clock.now(), () => this.#review()) : undefined;
  }

  #ownBounds({ id, cableA }: Connector): readonly Bound[] {
    const own = [...this.#bounds.values()].flat().filter(({ connectorId }) => connectorId === id);
    if (cableA === undefined) return own;
    return [...own, { source: 'cable', connectorId: id, limitA: cableA, reason: `the cable carries ${cableA} A` }];
  }

  #sharedBounds(): readonly Bound[] {
    return [...this.#bounds.values()].flat().filter(({ connectorId }) => connectorId === 0);
  }

  #supply(): Supply {
    return this.#sharedBounds().reduce<Supply>(({ amps, reasons }, { limitA, perPhase, reason }) => {
      const [r, s, t] = perPhase ?? [limitA, limitA, limitA];
      return {
        amps: [Math.min(amps[0], r), Math.min(amps[1], s), Math.min(amps[2], t)],
        reasons: [
          r < amps[0] ? reason : reasons[0],
          s < amps[1] ? reason : reasons[1],
          t < amps[2] ? reason : reasons[2],
        ],
      };
    }, UNBOUNDED);
  }

  #loadOf(connector: Connector): ConnectorLoad {
    const { id, contactor, phases } = connector;
    const own = this.#ownBounds(connector).map((bound) => asWanted(bound, phases.wanted));
    const bounds = [...own, ...this.#sharedBounds().filter(isDeliberate)];
    const least = bounds.reduce<Bound | undefined>(
      (found, bound) => (found === undefined || bound.limitA < found.limitA ? bound : found),
      undefined,
    );
    return {
      id,
      active: isActive(connector),
      closed: contactor === 'closed',
      phases: this.#wiring(id)?.phases ?? [0, 1, 2],
      leastA: Math.max(LEAST_OFFER_A, ...bounds.map(({ leastA = 0 }) => leastA)),
      cap: {
        limitA: least?.limitA ?? 0,
        reason: least?.reason ?? 'nothing is installed',
        urgent: least?.urgent === true,
      },
      draw: this.#draws.get(id),
    };
  }

  /** While the number of phases changes the greater one counts. */
  #wiring(id: number): Wiring | undefined {
    const { installation, rotation, station } = this.#options;
    const connector = station.connector(id);
    if (connector === undefined) return undefined;
    const { connected, wanted } = connector.phases;
    return wiringOf(rotation(id), connected === 3 || wanted === 3 ? 3 : 1, installation.phases);
  }

  /**
   * One phase while a bound wants it so, not more often than the installation allows; only in a session, lest it clicks at night.
   * Returns when to look again.
   */
  #switchPhases(): number | undefined {
    const { board, clock, installation } = this.#options;
    const now = clock.now();
    const waiting = board.connectors.flatMap(({ id, phaseSwitch }) => {
      const connector = this.#options.station.connector(id);
      if (phaseSwitch === undefined || connector === undefined || !isActive(connector)) return [];
      const wanted = this.#ownBounds(connector).some(({ phases }) => phases === 1) ? 1 : 3;
      const wish = this.#wishes.get(id);
      if (wanted === connector.phases.wanted) {
        if (wish !== undefined) this.#wishes.set(id, { ...wish, phases: wanted });
        return [];
      }
      const isFirst = connector.phase.name === 'beginning' && wish?.askedAt !== now;
      // A switch that did not move is left alone, or the EV would be interrupted again and again for nothing.
      if (wish?.phases === wanted && !isFirst) return [];
      const mayAt = (wish?.askedAt ?? Number.NEGATIVE_INFINITY) + installation.phaseSwitchEveryS * 1000;
      if (!isFirst && now < mayAt) return [mayAt];
      this.#switchTo(id, wanted);
      return [];
    });
    return waiting.length === 0 ? undefined : Math.min(...waiting);
  }

  #switchTo(connectorId: number, phases: 1 | 3): void {
    const { clock, log, station } = this.#options;
    this.#wishes.set(connectorId, { phases, askedAt: clock.now() });
    log.info('the number of phases is changed', { connectorId, phases });
    station.dispatch(connectorId, { type: 'phasesWanted', phases, at: clock.now() });
  }
}

const riseA = ({ before, told }: LimitChange): number => told.limitA - before.limitA;

const installed = ({ id, maxA }: ConnectorHardware): Bound => ({
  source: 'installation',
  connectorId: id,
  limitA: maxA,
  reason: `the connector carries ${maxA} A`,
  urgent: true,
});

/** A limit for one phase where the switch has to wait: the same power on three. */
const asWanted = (bound: Bound, wanted: 1 | 3): Bound =>
  bound.phases === 1 && wanted === 3 ? { ...bound, limitA: bound.limitA / 3 } : bound;

/** Somebody has set it, and may allow more again: the random delay is for that. Fuses and houses are as they are. */
const isDeliberate = ({ source }: Bound): boolean => source !== 'fuse' && source !== 'gridConnection';

/** It has a transaction that may be offered a current, or is about to. */
function isActive({ phase }: Connector): boolean {
  if (phase.name === 'transaction') return !phase.deauthorized;
  return phase.name === 'beginning' || phase.name === 'interrupted';
}

/** A limit is our own word. */
function matters({ before, after }: Change): boolean {
  return (
    before.phase !== after.phase ||
    before.contactor !== after.contactor ||
    before.cableA !== after.cableA ||
    before.phases !== after.phases
  );
}
