/** The shell round the core: hardware events in, steps, effects out; tells the rooms what changed. */
import type { Board, ConnectorHardware, FaultChange } from '../../hal/contract.ts';
import { tryAll, tryAllAloud } from '../../hal/try-all.ts';
import { type Effect, lockOf } from '../core/connector/outputs.ts';
import {
  atPowerUp,
  type Connector,
  type Phase,
  type Rules,
  type Stop,
  transactionOf,
} from '../core/connector/state.ts';
import { reportOf, reportOfChargePoint, type StatusReport } from '../core/connector/status.ts';
import { deadlineOf, type Event, step } from '../core/connector/step.ts';
import type { Cancel, Clock, Log, Unsubscribe } from '../ports.ts';
import { carryOut, type EffectPorts } from './effects.ts';
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
  /** The connectors that ChangeAvailability has switched off, as it was stored; 0 is the charge point. */
  readonly inoperative?: ReadonlySet<number>;
}

/** A step that changed something. */
export interface Change {
  readonly before: Connector;
  readonly after: Connector;
  readonly at: number;
}

/** A transaction is being written, runs, or is coming to its end. */
export const isRunning = (connector: Connector): boolean =>
  connector.phase.name === 'beginning' || transactionOf(connector) !== undefined;

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
  /** Hardware has thrown: the process is about to end, and closes nothing any more. */
  #isBroken = false;
  /** Of the charge point itself, connector 0. */
  #operative: boolean;
  /** What ChangeAvailability has said of each connector, whether or not they are held. */
  readonly #wanted = new Map<number, boolean>();
  #held = false;
  /** Connectors at which a technician is at work. */
  readonly #inService = new Set<number>();

  constructor(options: StationOptions) {
    this.#options = options;
    const { board, rules, ventilated, inoperative } = options;
    this.#operative = inoperative?.has(0) !== true;
    for (const hardware of board.connectors) {
      const { id, lock, maxA, phaseSwitch } = hardware;
      const phases = phaseSwitch?.phases ?? hardware.phases;
      const cable = lock === undefined ? 'attached' : 'socket';
      this.#hardware.set(id, hardware);
      const operative = inoperative?.has(id) !== true;
      this.#wanted.set(id, operative);
      const isVentilated = ventilated?.has(id) ?? false;
      this.#connectors.set(
        id,
        atPowerUp({ id, cable, ventilated: isVentilated, limitA: maxA, phases, rules, operative }),
      );
    }
  }

  /**
   * A replay begins in the middle: to be called before `start`, with hardware that stands as it stood. To the rooms a transaction goes on as
   * after a loss of power.
   */
  goOn(connectors: readonly Connector[]): void {
    const at = this.#options.clock.now();
    for (const after of connectors) {
      const before = this.#connectors.get(after.id);
      if (before === undefined) continue;
      this.#connectors.set(after.id, after);
      this.#wanted.set(after.id, after.operative);
      const transaction = transactionOf(after);
      const phase: Phase = transaction === undefined ? before.phase : { name: 'interrupted', transaction, until: at };
      for (const listener of this.#listeners) listener({ before: { ...before, phase }, after, at });
    }
  }

  /** Begins to listen to the hardware and takes in what it says now. */
  start(): void {
    const { board, clock } = this.#options;
    for (const { id, evse, proximity, lock } of board.connectors) {
      const onCable = (): void => {
        if (proximity !== undefined) this.dispatch(id, { type: 'cable', cableA: proximity.cableA, at: clock.now() });
      };
      const onPilot = (): void => {
        const { pilot } = evse.state;
        const tell = (): void => this.dispatch(id, { type: 'pilot', pilot, at: clock.now() });
        // A plug that is pulled is no cable that carries nothing.
        tryAll(pilot === 'A' ? [tell, onCable] : [onCable, tell]);
      };
      const onEvse = (): void => {
        // The cause goes before its effect: a contactor that a fault has opened is not an EV that paused, and a plug is not
        // asked for a current before its rating is known.
        tryAll([
          () => this.#takeInFaults(id),
          () => this.dispatch(id, { type: 'mains', mains: board.mains, at: clock.now() }),
          onPilot,
          () => this.dispatch(id, { type: 'contactor', contactor: evse.state.contactor, at: clock.now() }),
        ]);
      };
      this.#subscriptions.push(evse.onState(onEvse));
      if (proximity !== undefined) this.#subscriptions.push(proximity.onChange(onEvse));
      onEvse();
      // A plug that was held when the power went is released, unless the session that begins now wants it.
      const connector = this.#connectors.get(id);
      if (lock?.locked === true && connector !== undefined && !lockOf(connector)) void lock.unlock();
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
    if (id === 0) {
      // Section 5.2: it is out of service once the transactions have ended that it has to wait for.
      const isAwaited = (each: Connector): boolean => this.#wanted.get(each.id) === false && isRunning(each);
      const operative = this.#operative || this.connectors.some(isAwaited);
      return reportOfChargePoint(faultsOf(0, this.#options.board.faults), operative);
    }
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
   * turn, so that no step ever sees half a state. What hardware or a listener throws keeps no other effect, listener or event from its turn;
   * then it goes to the caller, and past him: whoever asked for a step may take it for an error of his own.
   */
  dispatch(id: number, event: Event): void {
    this.#events.push({ id, event });
    this.#runAll();
  }

  dispatchAll(event: Event): void {
    tryAll([...this.#connectors.keys()].map((id) => () => this.dispatch(id, event)));
  }

  /** ChangeAvailability: takes effect when no transaction runs; 0 is the charge point with all its connectors. */
  setAvailability(id: number, operative: boolean): void {
    if (id === 0) this.#operative = operative;
    const concerned = id === 0 ? [...this.#connectors.keys()] : [id];
    for (const each of concerned) this.#wanted.set(each, operative);
    for (const each of concerned) this.#tellAvailability(each);
  }

  /** While held no connector takes a new session, whatever ChangeAvailability says; what runs goes on. Forgotten by a restart. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    for (const id of this.#connectors.keys()) this.#tellAvailability(id);
  }

  /** As `hold`, of one connector at which a technician is at work. */
  setInService(id: number, inService: boolean): void {
    if (inService) this.#inService.add(id);
    else this.#inService.delete(id);
    this.#tellAvailability(id);
  }

  #tellAvailability(id: number): void {
    const operative = this.#wanted.get(id) === true && !this.#held && !this.#inService.has(id);
    this.dispatch(id, { type: 'availability', operative, at: this.#options.clock.now() });
  }

  /**
   * Gives the plug back, whatever held it; the answer is the lock's own feedback. Undefined where there is nothing to unlock. A plug
   * under a contactor that is not open stays where it is.
   */
  async unlock(id: number): Promise<boolean | undefined> {
    const lock = this.#hardware.get(id)?.lock;
    const connector = this.#connectors.get(id);
    if (lock === undefined || connector === undefined) return undefined;
    const { clock } = this.#options;
    this.dispatch(id, { type: 'released', at: clock.now() });
    if (this.#hardware.get(id)?.evse.state.contactor === 'closed') return false;
    const unlocked = await lock.unlock();
    this.dispatch(id, { type: 'locked', locked: lock.locked, at: clock.now() });
    return unlocked;
  }

  /**
   * The process is about to end: every transaction is stopped, and none begins any more. A trip opens the contactors before anything
   * else, and before this returns.
   */
  shutDown(stop: Stop): void {
    // The cause goes before its effect: an open contactor alone would look like an EV that paused.
    for (const id of this.#connectors.keys())
      this.#events.push({ id, event: { type: 'shutdown', stop, at: this.#options.clock.now() } });
    try {
      if (stop.trip) this.#openAll();
    } finally {
      this.#runAll();
    }
  }

  /** Opens every contactor before it returns. For what nobody caught: rooms and core are not asked. */
  trip(): void {
    this.#openAll();
  }

  /** What the mirror contacts say meanwhile waits until the last one has been told. */
  #openAll(): void {
    const wasRunning = this.#running;
    this.#running = true;
    try {
      tryAll(
        [...this.#hardware.values()].map(
          ({ evse }) =>
            () =>
              evse.permit(false),
        ),
      );
    } finally {
      this.#running = wasRunning;
    }
  }

  #runAll(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      tryAllAloud(this.#steps(), this.#options.clock);
    } finally {
      this.#running = false;
    }
  }

  *#steps(): Iterable<() => void> {
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift())
      yield* this.#run(next.id, next.event);
  }

  *#run(id: number, event: Event): Iterable<() => void> {
    const before = this.#connectors.get(id);
    const hardware = this.#hardware.get(id);
    if (before === undefined || hardware === undefined) return;
    const { state: after, effects } = step(before, event);
    this.#connectors.set(id, after);
    const { clock, journal, log } = this.#options;
    const dispatch = (later: Event): void => this.dispatch(id, later);
    for (const effect of effects) yield () => this.#carryOut(effect, { hardware, clock, journal, log, dispatch });
    yield () => this.#setDeadline(id, deadlineOf(after));
    for (const listener of this.#listeners) yield () => listener({ before, after, at: event.at });
  }

  #carryOut(effect: Effect, ports: EffectPorts): void {
    if (this.#isBroken && effect.type === 'permit' && effect.given) return;
    try {
      carryOut(effect, ports);
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
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
    const concerned = [...this.#connectors.keys()].filter((id) => connectorId === 0 || connectorId === id);
    tryAll([
      ...concerned.map((id) => () => this.#takeInFaults(id)),
      ...[...this.#faultListeners].map((listener) => () => listener(change)),
    ]);
  }

  #takeInFaults(id: number): void {
    const { board, clock } = this.#options;
    this.dispatch(id, { type: 'faults', faults: faultsOf(id, board.faults), at: clock.now() });
  }
}
