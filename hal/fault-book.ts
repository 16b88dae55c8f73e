/** The book of the faults that are raised on a board: trips the connectors concerned before anybody hears of it. */
import type { Fault, FaultChange, FaultCode, Unsubscribe } from './contract.ts';
import { FAULTS, trips } from './faults.ts';

/** What a blocking fault does to a connector. `OwnPilotEvse` and the EVSE controller have both. */
export interface Trippable {
  trip(reason: string): void;
  release(reason: string): void;
}

interface Entry {
  readonly fault: Fault;
  /** The cause is there at this moment; false while only the latch holds the fault. */
  present: boolean;
  /** The EV left since the cause was last seen to begin. */
  evLeft: boolean;
}

const keyOf = (code: FaultCode, connectorId: number): string => `${code}/${connectorId}`;

const equal = (a: Fault, b: Fault): boolean =>
  a.info === b.info && a.vendorErrorCode === b.vendorErrorCode && a.vendorId === b.vendorId;

/**
 * Drivers say when a cause comes (`raise`) and goes (`clear`); the book applies the latch rules of `faults.ts` and tells when the
 * fault itself comes and goes. A fault of connector 0 trips every connector.
 */
export class FaultBook {
  readonly #entries = new Map<string, Entry>();
  readonly #connectors = new Map<number, Trippable>();
  readonly #listeners = new Set<(change: FaultChange) => void>();

  /** The faults raised at this moment, latched ones included, oldest first. */
  get current(): readonly Fault[] {
    return [...this.#entries.values()].map((entry) => entry.fault);
  }

  /** Called after the connectors have been tripped or released. A fault whose texts change is raised again. */
  onChange(listener: (change: FaultChange) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From here on the faults of this connector and of connector 0 trip it; those already raised do so at once. */
  attach(connectorId: number, connector: Trippable): void {
    this.#connectors.set(connectorId, connector);
    for (const [reason, { fault }] of this.#entries) {
      const concerned = fault.connectorId === 0 || fault.connectorId === connectorId;
      if (concerned && trips(fault.code)) connector.trip(reason);
    }
  }

  /**
   * The cause of a fault is there. Every connector concerned has been tripped when listeners are called. If a trip throws, the
   * others are tripped and told all the same, and the error goes on to the caller: the process must not live on with it.
   */
  raise(fault: Fault): void {
    const key = keyOf(fault.code, fault.connectorId);
    const before = this.#entries.get(key);
    this.#entries.set(key, { fault, present: true, evLeft: false });
    const errors = trips(fault.code) ? this.#tripAll(fault.connectorId, key) : [];
    if (before === undefined || !equal(before.fault, fault)) this.#tell({ fault, raised: true });
    if (errors.length > 0) throw errors[0];
  }

  /** The cause is gone. Ends the fault unless it is latched. Unknown faults are ignored. */
  clear(code: FaultCode, connectorId: number): void {
    const key = keyOf(code, connectorId);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.present = false;
    const rule = FAULTS[code].clears;
    if (rule === 'itself' || (rule === 'unplug' && entry.evLeft)) this.#end(key, entry);
  }

  /** The EV has left. Ends the faults that wait for it; one whose cause is still there ends together with the cause. */
  unplugged(connectorId: number): void {
    for (const [key, entry] of [...this.#entries]) {
      if (entry.fault.connectorId !== connectorId || FAULTS[entry.fault.code].clears !== 'unplug') continue;
      entry.evLeft = true;
      if (!entry.present) this.#end(key, entry);
    }
  }

  /** Ends the latched faults whose cause is gone. Connector 0 resets the whole charge point. */
  reset(connectorId: number): void {
    for (const [key, entry] of [...this.#entries]) {
      const concerned = connectorId === 0 || entry.fault.connectorId === connectorId;
      if (concerned && !entry.present) this.#end(key, entry);
    }
  }

  #end(key: string, { fault }: Entry): void {
    this.#entries.delete(key);
    for (const connector of this.#concerned(fault.connectorId)) connector.release(key);
    this.#tell({ fault, raised: false });
  }

  #tripAll(connectorId: number, reason: string): unknown[] {
    const errors: unknown[] = [];
    for (const connector of this.#concerned(connectorId)) {
      try {
        connector.trip(reason);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  #concerned(connectorId: number): readonly Trippable[] {
    if (connectorId === 0) return [...this.#connectors.values()];
    const connector = this.#connectors.get(connectorId);
    return connector === undefined ? [] : [connector];
  }

  #tell(change: FaultChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}
