/** The book of the faults that are raised on a board: trips the connectors concerned before anybody hears of it. */
import type { Fault, FaultChange, FaultCode, Timebase, Unsubscribe } from './contract.ts';
import { type Clears, FAULTS, trips } from './faults.ts';
import { tryAll, tryAllAloud } from './try-all.ts';

/** What a blocking fault does to a connector. `OwnPilotEvse` and the EVSE controller have both. */
export interface Trippable {
  trip(reason: string): void;
  release(reason: string): void;
}

interface Entry {
  fault: Fault;
  /** What is there at this moment, by who sees it, oldest first; empty while only the latch holds the fault. */
  readonly causes: Map<string, Fault>;
  /** The EV left since a cause was last seen to begin. */
  evLeft: boolean;
}

const keyOf = (code: FaultCode, connectorId: number): string => `${code}/${connectorId}`;

const equal = (a: Fault, b: Fault): boolean =>
  a.info === b.info && a.vendorErrorCode === b.vendorErrorCode && a.vendorId === b.vendorId;

/** All that is known: where two causes disagree the newest has the word, what it leaves out comes from the others. */
const together = (fault: Fault, causes: Iterable<Fault>): Fault => Object.assign({}, fault, ...causes);

/**
 * Drivers say when a cause comes (`raise`) and goes (`clear`); the book applies the latch rules of `faults.ts` and tells when the
 * fault itself comes and goes. Several sources may see the same fault: it lasts until the last of them sees it no more. A fault of
 * connector 0 trips every connector.
 */
export class FaultBook {
  readonly #entries = new Map<string, Entry>();
  readonly #connectors = new Map<number, Trippable>();
  readonly #listeners = new Set<(change: FaultChange) => void>();
  readonly #latches: { readonly [code in FaultCode]?: Clears };
  readonly #clock: Pick<Timebase, 'after'> | undefined;

  /**
   * `latches`: what the rules of the country say otherwise than the catalogue. With a clock, as on every board, what a connector or a listener
   * throws is also thrown out of band: no caller can keep it.
   */
  constructor(latches: { readonly [code in FaultCode]?: Clears } = {}, clock?: Pick<Timebase, 'after'>) {
    this.#latches = latches;
    this.#clock = clock;
  }

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
   * `source` sees a cause of this fault; the same source again only changes the texts. Every connector concerned has been tripped when listeners
   * are called. If a trip throws, the others are tripped and told all the same, and the error goes on to the caller, and past him: the process
   * must not live on with it.
   */
  raise(fault: Fault, source: string): void {
    const key = keyOf(fault.code, fault.connectorId);
    const before = this.#entries.get(key);
    const entry = before ?? { fault, causes: new Map<string, Fault>(), evLeft: false };
    this.#entries.set(key, entry);
    entry.causes.set(source, fault);
    entry.evLeft = false;
    const concerned = trips(fault.code) ? this.#concerned(fault.connectorId) : [];
    this.#tryAll([
      ...concerned.map((connector) => () => connector.trip(key)),
      () => (before === undefined ? this.#tell({ fault, raised: true }) : this.#retell(entry)),
    ]);
  }

  /** `source` sees no cause any more. Ends the fault if nobody else does, unless it is latched. Unknown faults are ignored. */
  clear(code: FaultCode, connectorId: number, source: string): void {
    const key = keyOf(code, connectorId);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.causes.delete(source);
    const rule = this.#clears(code);
    if (entry.causes.size > 0) this.#tryAll([() => this.#retell(entry)]);
    else if (rule === 'itself' || (rule === 'unplug' && entry.evLeft)) this.#end(key, entry);
  }

  /** The EV has left. Ends the faults that wait for it; one whose cause is still there ends together with the cause. */
  unplugged(connectorId: number): void {
    for (const [key, entry] of [...this.#entries]) {
      if (entry.fault.connectorId !== connectorId || this.#clears(entry.fault.code) !== 'unplug') continue;
      entry.evLeft = true;
      if (entry.causes.size === 0) this.#end(key, entry);
    }
  }

  /** Ends the latched faults whose cause is gone. Connector 0 resets the whole charge point. */
  reset(connectorId: number): void {
    for (const [key, entry] of [...this.#entries]) {
      const concerned = connectorId === 0 || entry.fault.connectorId === connectorId;
      if (concerned && entry.causes.size === 0) this.#end(key, entry);
    }
  }

  /** A fault without the texts of a cause that is gone, or with those of a new one. */
  #retell(entry: Entry): void {
    const { code, connectorId } = entry.fault;
    const fault = together({ code, connectorId }, entry.causes.values());
    if (equal(entry.fault, fault)) return;
    entry.fault = fault;
    this.#tell({ fault, raised: true });
  }

  #end(key: string, { fault }: Entry): void {
    this.#entries.delete(key);
    this.#tryAll([
      ...this.#concerned(fault.connectorId).map((connector) => () => connector.release(key)),
      () => this.#tell({ fault, raised: false }),
    ]);
  }

  #clears(code: FaultCode): Clears {
    return this.#latches[code] ?? FAULTS[code].clears;
  }

  #concerned(connectorId: number): readonly Trippable[] {
    if (connectorId === 0) return [...this.#connectors.values()];
    const connector = this.#connectors.get(connectorId);
    return connector === undefined ? [] : [connector];
  }

  #tryAll(actions: Iterable<() => void>): void {
    if (this.#clock === undefined) tryAll(actions);
    else tryAllAloud(actions, this.#clock);
  }

  #tell(change: FaultChange): void {
    tryAll([...this.#listeners].map((listener) => () => listener(change)));
  }
}
