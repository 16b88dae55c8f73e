/** The shell round the core: hardware events in, steps, effects out; tells the rooms what changed. */
import type { Board, ConnectorHardware, FaultChange } from '../../hal/contract.ts';
import { atPowerUp, type Connector, type Rules, type Stop } from '../core/connector/state.ts';
import { reportOf, reportOfChargePoint, type StatusReport } from '../core/connector/status.ts';
import { deadlineOf, type Event, step } from '../core/connector/step.ts';
import type { Cancel, Clock, Log, Unsubscribe } from '../ports.ts';
import { carryOut } from './effects.ts';
import { faultsOf } from './faults.ts';
import type { Journal } from './journal.ts';

export interface StationOptions {
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly rules: Rules;
  /** What is ventilated, by connector; the interlock has the last word. */
  readonly ventilated?: ReadonlySet<number>;
}

/** A step that changed something. */
export interface Change {
  readonly before: Connector;
  readonly after: Connector;
  readonly at: number;
}

export class Station {
  readonly #options: StationOptions;
  readonly #hardware = new Map<number, ConnectorHardware>();
  readonly #connectors = new Map<number, Connector>();
  readonly #deadlines = new Map<number, { readonly due: number; readonly cancel: Cancel }>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #faultListeners = new Set<(change: FaultChange) => void>();
  readonly #events: { readonly id: number; readonly event: Event }[] = [];
  readonly #subscriptions: Unsubscribe[] = [];
  #running = false;

  constructor(options: StationOptions) {
    this.#options = options;
    const { board, rules, ventilated } = options;
    for (const hardware of board.connectors) {
      const { id, lock, maxA } = hardware;
      const cable = lock === undefined ? 'attached' : 'socket';
      this.#hardware.set(id, hardware);
      this.#connectors.set(id, atPowerUp({ id, cable, ventilated: ventilated?.has(id) ?? false, limitA: maxA, rules }));
    }
  }

  /** Begins to listen to the hardware and takes in what it says now. */
  start(): void {
    const { board, clock } = this.#options;
    for (const { id, evse, proximity, lock } of board.connectors) {
      const onEvse = (): void => {
        // The cause goes before its effect: a contactor that a fault has opened is not an EV that paused.
        this.#takeInFaults(id);
        this.dispatch(id, { type: 'mains', mains: board.mains, at: clock.now() });
        this.dispatch(id, { type: 'pilot', pilot: evse.state.pilot, at: clock.now() });
        this.dispatch(id, { type: 'contactor', contactor: evse.state.contactor, at: clock.now() });
      };
      const onCable = (cableA: number | undefined): void =>
        this.dispatch(id, { type: 'cable', cableA, at: clock.now() });
      this.#subscriptions.push(evse.onState(onEvse));
      if (proximity !== undefined) {
        this.#subscriptions.push(proximity.onChange(onCable));
        onCable(proximity.cableA);
      }
      onEvse();
      // A plug that was held when the power went is released, unless the session that begins now wants it.
      if (lock?.locked === true) void lock.unlock();
    }
    this.#subscriptions.push(
      board.onFault((change) => this.#onFault(change)),
      board.onMains((mains) => this.dispatchAll({ type: 'mains', mains, at: clock.now() })),
    );
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    for (const { cancel } of this.#deadlines.values()) cancel();
    this.#deadlines.clear();
  }

  /** All connectors, in the order of their numbers. Connector 0 is the charge point and has no state of its own. */
  get connectors(): readonly Connector[] {
    return [...this.#connectors.values()];
  }

  connector(id: number): Connector | undefined {
    return this.#connectors.get(id);
  }

  hardware(id: number): ConnectorHardware | undefined {
    return this.#hardware.get(id);
  }

  /** What StatusNotification would say now; connector 0 is the charge point. Undefined for an unknown connector. */
  report(id: number): StatusReport | undefined {
    if (id === 0) return reportOfChargePoint(faultsOf(0, this.#options.board.faults));
    const connector = this.#connectors.get(id);
    return connector === undefined ? undefined : reportOf(connector);
  }

  /** Called after each step that changed a connector, in order; the effects have been started. */
  onChange(listener: (change: Change) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called after the connectors have taken a fault in, also for connector 0. */
  onFault(listener: (change: FaultChange) => void): Unsubscribe {
    this.#faultListeners.add(listener);
    return () => this.#faultListeners.delete(listener);
  }

  /**
   * Runs one event to its end. An event that comes up meanwhile (an EV that answers an offer in the same turn) waits for its
   * turn, so that no step ever sees half a state.
   */
  dispatch(id: number, event: Event): void {
    this.#events.push({ id, event });
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift())
        this.#run(next.id, next.event);
    } finally {
      this.#running = false;
    }
  }

  dispatchAll(event: Event): void {
    for (const id of this.#connectors.keys()) this.dispatch(id, event);
  }

  /** Ends every transaction. A trip opens the contactors before this returns. */
  stopAll(stop: Stop): void {
    const at = this.#options.clock.now();
    if (stop.trip) for (const { evse } of this.#hardware.values()) evse.permit(false);
    this.dispatchAll({ type: 'stop', stop, at });
  }

  #run(id: number, event: Event): void {
    const before = this.#connectors.get(id);
    const hardware = this.#hardware.get(id);
    if (before === undefined || hardware === undefined) return;
    const { state: after, effects } = step(before, event);
    this.#connectors.set(id, after);
    const { clock, journal, log } = this.#options;
    const dispatch = (later: Event): void => this.dispatch(id, later);
    for (const effect of effects) carryOut(effect, { hardware, clock, journal, log, dispatch });
    this.#setDeadline(id, deadlineOf(after));
    for (const listener of this.#listeners) listener({ before, after, at: event.at });
  }

  #setDeadline(id: number, due: number | undefined): void {
    const armed = this.#deadlines.get(id);
    if (armed?.due === due) return;
    armed?.cancel();
    this.#deadlines.delete(id);
    if (due === undefined) return;
    const { clock } = this.#options;
    const cancel = clock.after(due - clock.now(), () => {
      this.#deadlines.delete(id);
      this.dispatch(id, { type: 'deadline', at: clock.now() });
    });
    this.#deadlines.set(id, { due, cancel });
  }

  #onFault(change: FaultChange): void {
    const { connectorId } = change.fault;
    for (const id of this.#connectors.keys()) if (connectorId === 0 || connectorId === id) this.#takeInFaults(id);
    for (const listener of this.#faultListeners) listener(change);
  }

  #takeInFaults(id: number): void {
    const { board, clock } = this.#options;
    this.dispatch(id, { type: 'faults', faults: faultsOf(id, board.faults), at: clock.now() });
  }
}
