/** The reservations: kept on disk, ended on the second they expire, by a transaction, a fault or ChangeAvailability. */

import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import { isFaulted } from '../../core/connector/state.ts';
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

const KEY = 'reservation/all';
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
  #all: readonly Reservation[] = [];
  #timer: Cancel | undefined;

  constructor(options: BookOptions) {
    this.#options = options;
    const { clock, station } = options;
    this.#subscriptions = [station.onChange((change) => this.#onChange(change)), clock.onJump(() => this.#expire())];
  }

  /** Takes up what was stored. Rejects with StoreError. */
  async open(): Promise<void> {
    this.#all = (await this.#options.store.get<readonly Reservation[]>(KEY)) ?? [];
    this.#expire();
    this.show();
  }

  stop(): void {
    this.#timer?.();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  claim(connectorId: number, claimant: Claimant): Claim {
    return claimOn(connectorId, claimant, this.#all, this.#free().length);
  }

  async reserve(reservation: Reservation): Promise<ReservationStatus> {
    const others = this.#all.filter(({ id }) => id !== reservation.id);
    const status = this.#judge(reservation, others);
    if (status !== 'Accepted') return status;
    return (await this.#keep([...others, reservation])) ? 'Accepted' : 'Rejected';
  }

  async cancel(reservationId: number): Promise<boolean> {
    const others = this.#all.filter(({ id }) => id !== reservationId);
    return others.length < this.#all.length && (await this.#keep(others));
  }

  #judge({ connectorId, expiresAt }: Reservation, others: readonly Reservation[]): ReservationStatus {
    const { station, clock } = this.#options;
    if (expiresAt <= clock.wall(clock.now())) return 'Rejected';
    if (connectorId !== 0) {
      const connector = station.connector(connectorId);
      return connector === undefined ? 'Rejected' : this.#judgeOne(connector, others);
    }
    const verdicts = station.connectors.map((connector) => this.#judgeOne(connector, others));
    const possible = verdicts.filter((verdict) => verdict === 'Accepted').length;
    if (possible > others.filter((other) => other.connectorId === 0).length) return 'Accepted';
    const [first] = verdicts;
    const isUnanimous = first !== undefined && first !== 'Accepted' && verdicts.every((verdict) => verdict === first);
    return isUnanimous ? first : 'Occupied';
  }

  #judgeOne(connector: Connector, others: readonly Reservation[]): ReservationStatus {
    if (isFaulted(connector)) return 'Faulted';
    if (!connector.operative) return 'Unavailable';
    const isTaken = connector.phase.name !== 'idle' || others.some(({ connectorId }) => connectorId === connector.id);
    return isTaken ? 'Occupied' : 'Accepted';
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
    if (this.#all.length === 0) return;
    const next = Math.min(...this.#all.map(({ expiresAt }) => expiresAt)) - clock.wall(clock.now());
    this.#timer = clock.after(Math.min(Math.max(next, 0), LONGEST_WAIT_MS), () => this.#expire());
  }

  #end(isOver: (reservation: Reservation) => boolean, why: string): void {
    const over = this.#all.filter(isOver);
    if (over.length === 0) return;
    const { log } = this.#options;
    for (const { id, connectorId } of over) log.info(`reservation ${id} of connector ${connectorId} is ${why}`);
    // In memory at once: if the disk fails now, the next start drops what has expired again.
    this.#all = this.#all.filter((reservation) => !over.includes(reservation));
    void this.#write(this.#all);
    this.#arm();
    this.show();
  }

  async #keep(all: readonly Reservation[]): Promise<boolean> {
    if (!(await this.#write(all))) return false;
    this.#all = all;
    this.#arm();
    return true;
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

  /** A charge point with one connector shows a reservation of connector 0 there. */
  show(): void {
    const { station, clock } = this.#options;
    const { connectors } = station;
    for (const { id, reservationId } of connectors) {
      const shown = this.#all.find(
        ({ connectorId }) => connectorId === id || (connectorId === 0 && connectors.length === 1),
      );
      if (shown?.id !== reservationId) {
        station.dispatch(id, { type: 'reserved', reservationId: shown?.id, at: clock.now() });
      }
    }
  }
}
