/** The reservations: kept on disk, ended on the second they expire, by a transaction, a fault or ChangeAvailability. */

import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import { isFaulted, isUnused } from '../../core/connector/state.ts';
import {
  type Claim,
  type Claimant,
  claimOn,
  type Reservation,
  type ReservationStatus,
} from '../../core/reservation.ts';
import type { Cancel, Clock, KeyRange, Log, Store } from '../../ports.ts';
import type { Change, Station } from '../../station/station.ts';
import { hasBegun, type Reservations } from '../feature.ts';
import { turns } from '../in-turn.ts';

const KEY = 'reservation/all';
/** To write again what the disk would not take. */
const RETRY_MS = 10_000;
export const reservationRange: KeyRange = { from: KEY, to: `${KEY}\0` };
/** Timers of the platform overflow after 24 days; a jump of the wall clock looks again anyway. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface BookOptions {
  readonly station: Station;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

export class ReservationBook implements Reservations {
  readonly #options: BookOptions;
  readonly #subscriptions: readonly (() => void)[];
  readonly #inTurn = turns();
  #all: readonly Reservation[] = [];
  #timer: Cancel | undefined;
  #retry: Cancel | undefined;
  #isStopped = false;

  constructor(options: BookOptions) {
    this.#options = options;
    const { clock, station } = options;
    this.#subscriptions = [
      station.onChange((change) => this.#onChange(change)),
      clock.onJump(() => this.#expire()),
      clock.onTrusted(() => this.#expire()),
    ];
  }

  /** Takes up what was stored. Rejects with StoreError. */
  async open(): Promise<void> {
    this.#all = (await this.#options.store.get<readonly Reservation[]>(KEY)) ?? [];
    this.#expire();
    this.show();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.();
    this.#retry?.();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  claim(connectorId: number, claimant: Claimant): Claim {
    return claimOn(connectorId, claimant, this.#all, this.#free().length);
  }

  reserve(reservation: Reservation): Promise<ReservationStatus> {
    const { id } = reservation;
    return this.#inTurn(async () => {
      const asked = this.#judge(reservation);
      if (asked !== 'Accepted') return asked;
      if (!(await this.#write([...this.#without(id), reservation]))) return 'Rejected';
      // While it was on the way to the disk others may have ended, and somebody may have taken the connector.
      const status = this.#judge(reservation);
      if (status === 'Accepted') this.#hold([...this.#without(id), reservation]);
      else await this.#putRight();
      return status;
    });
  }

  cancel(reservationId: number): Promise<boolean> {
    return this.#inTurn(async () => {
      const isThere = (): boolean => this.#all.some(({ id }) => id === reservationId);
      if (!isThere() || !(await this.#write(this.#without(reservationId)))) return false;
      // It may have ended by itself meanwhile.
      if (!isThere()) return false;
      this.#hold(this.#without(reservationId));
      return true;
    });
  }

  #without(reservationId: number): readonly Reservation[] {
    return this.#all.filter(({ id }) => id !== reservationId);
  }

  /** Section 5.13. */
  #judge({ id, connectorId, expiresAt }: Reservation): ReservationStatus {
    const { station, clock } = this.#options;
    if (expiresAt <= clock.wall(clock.now())) return 'Rejected';
    const others = this.#without(id);
    // What it replaces has held the same place: it takes nothing from anybody.
    const isHeld = this.#all.some((old) => old.id === id && old.connectorId === connectorId);
    const judged = (connector: Connector) => this.#judgeOne(connector, others, isHeld);
    const verdicts = station.connectors.map(judged);
    const possible = verdicts.filter((verdict) => verdict === 'Accepted').length;
    // Each reservation of connector 0 needs one of them.
    const isRoom = possible > others.filter((other) => other.connectorId === 0).length;
    if (connectorId !== 0) {
      const connector = station.connector(connectorId);
      const verdict = connector === undefined ? 'Rejected' : judged(connector);
      return verdict === 'Accepted' && !isHeld && !isRoom ? 'Occupied' : verdict;
    }
    if (isRoom) return 'Accepted';
    const [first] = verdicts;
    const isUnanimous = first !== undefined && first !== 'Accepted' && verdicts.every((verdict) => verdict === first);
    return isUnanimous ? first : 'Occupied';
  }

  /** `isHeld`: an EV that has come meanwhile is no obstacle. */
  #judgeOne(connector: Connector, others: readonly Reservation[], isHeld: boolean): ReservationStatus {
    if (isFaulted(connector)) return 'Faulted';
    if (!connector.operative) return 'Unavailable';
    const isFree = isHeld ? isUnused(connector) : connector.phase.name === 'idle';
    const isReserved = others.some(({ connectorId }) => connectorId === connector.id);
    return isFree && !isReserved ? 'Accepted' : 'Occupied';
  }

  #free(): readonly Connector[] {
    const reserved = new Set(this.#all.map(({ connectorId }) => connectorId));
    return this.#options.station.connectors.filter((connector) => canBegin(connector) && !reserved.has(connector.id));
  }

  #onChange(change: Change): void {
    const { before, after } = change;
    if (hasBegun(change) && before.phase.name === 'beginning') {
      const used = before.phase.authorization.reservationId;
      if (used !== undefined) this.#end(({ id }) => id === used, 'used');
    }
    const isOut = (connector: Connector): boolean => isFaulted(connector) || !connector.operative;
    if (isOut(after) && !isOut(before)) {
      const allOut = this.#options.station.connectors.every(isOut);
      this.#end(
        ({ connectorId }) => connectorId === after.id || (connectorId === 0 && allOut),
        'not to be had any longer',
      );
    }
  }

  #expire(): void {
    const { clock } = this.#options;
    this.#timer?.();
    this.#timer = undefined;
    // Nobody knows what time it is: nothing expires until the central system has said.
    if (!clock.trusted) return;
    const now = clock.wall(clock.now());
    this.#end(({ expiresAt }) => expiresAt <= now, 'expired');
    this.#arm();
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#timer?.();
    this.#timer = undefined;
    if (this.#all.length === 0 || this.#isStopped) return;
    const next = Math.min(...this.#all.map(({ expiresAt }) => expiresAt)) - clock.wall(clock.now());
    this.#timer = clock.after(Math.min(Math.max(next, 0), LONGEST_WAIT_MS), () => this.#expire());
  }

  #end(isOver: (reservation: Reservation) => boolean, why: string): void {
    const over = this.#all.filter(isOver);
    if (over.length === 0) return;
    const { log } = this.#options;
    for (const { id, connectorId } of over) log.info(`reservation ${id} of connector ${connectorId} is ${why}`);
    // In memory at once: if the disk fails now, the next start drops what has expired again.
    this.#hold(this.#all.filter((reservation) => !over.includes(reservation)));
    // What is there when its turn comes: one that was on its way to the disk may be among them.
    void this.#inTurn(() => this.#putRight());
    this.show();
  }

  #hold(all: readonly Reservation[]): void {
    this.#all = all;
    this.#arm();
  }

  /** Memory is ahead of the disk, which has to follow however long it fails. */
  async #putRight(): Promise<void> {
    if ((await this.#write(this.#all)) || this.#isStopped) return;
    this.#retry?.();
    this.#retry = this.#options.clock.after(RETRY_MS, () => void this.#inTurn(() => this.#putRight()));
  }

  async #write(all: readonly Reservation[]): Promise<boolean> {
    const { store, log } = this.#options;
    try {
      await store.batch([{ type: 'put', key: KEY, value: all }], 'durable');
      return true;
    } catch (cause) {
      log.error('the reservations could not be stored', { cause });
      return false;
    }
  }

  show(): void {
    for (const connector of this.#options.station.connectors) {
      this.#showOn(connector);
      this.#correct(connector);
    }
  }

  /** A charge point with one connector shows a reservation of connector 0 there. */
  #showOn({ id, reservationId }: Connector): void {
    const { station, clock } = this.#options;
    const isOnly = station.connectors.length === 1;
    const shown = this.#all.find(({ connectorId }) => connectorId === id || (connectorId === 0 && isOnly));
    if (shown?.id !== reservationId)
      station.dispatch(id, { type: 'reserved', reservationId: shown?.id, at: clock.now() });
  }

  /** Whoever waits for the plug may wait longer than the reservation lasts that brought him here. */
  #correct({ id, phase }: Connector): void {
    if (!('authorization' in phase) || phase.authorization.reservationId === undefined) return;
    const { station, clock } = this.#options;
    const { reservationId } = phase.authorization;
    const claim = this.claim(id, phase.authorization);
    if (claim.type === 'reserved' && claim.reservationId === reservationId) return;
    station.dispatch(id, { type: 'reservationOver', reservationId, at: clock.now() });
  }
}
