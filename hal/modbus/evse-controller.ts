/** An external EVSE controller as an `Evse`: it has its own pilot, contactor and safety; we give and withdraw the current. */
import type {
  Cancel,
  ContactorCommand,
  ContactorState,
  Evse,
  EvseState,
  FaultCode,
  Monotonic,
  Offer,
  PilotState,
  ProximityPilot,
  Surroundings,
  Unsubscribe,
} from '../contract.ts';
import { LEAST_OFFER_A } from '../duty.ts';
import type { FaultBook, Trippable } from '../fault-book.ts';
import { HalError } from '../hal-error.ts';
import { onlookers } from '../onlookers.ts';
import { watchPilot } from '../pilot-faults.ts';
import { type ControllerBus, ControllerLink } from './controller-link.ts';
import {
  type ControllerMap,
  cableIn,
  contactorIn,
  currentIn,
  type FlaggedFault,
  faultsIn,
  type Registers,
  vehicleIn,
} from './controller-map.ts';

export const POLL_MS = 500;
/** So many polls without an answer, and it is no longer known what the controller does. */
export const MISSED_POLLS = 3;
const OFF_ATTEMPTS = 3;
/** Somebody else on the line would fill the log. */
const SAYS_AGAIN_MS = 60_000;

export interface ControllerSite {
  readonly unit: number;
  readonly connectorId: number;
  readonly maxA: number;
  readonly ventilated: boolean;
  readonly book: FaultBook;
  readonly surroundings: Surroundings;
}

export interface ControllerEvse extends Evse, Trippable {
  /** What the controller reads from the plug. */
  readonly proximity: ProximityPilot;
  /** No current is wanted, and the controller has acknowledged that. */
  readonly withdrawn: boolean;
  /**
   * Whether its contactor is open and stays so: asks, because it may have closed since the last poll. False as well while a current
   * is offered, and if it gives no answer in three attempts.
   */
  hasOpened(): Promise<boolean>;
  /** What the EV is to be told; the controller may be one poll behind. */
  readonly signalled: Offer;
  /** When the last poll ended, with an answer or without. */
  readonly lookedAt: Monotonic;
  /** No further poll. Trip it first, and wait until the current is withdrawn. */
  stop(): void;
}

/** Waits for the first answer, so that the state is known. Rejects with HalError badBoard if there is none. */
export async function openController(
  bus: ControllerBus,
  map: ControllerMap,
  site: ControllerSite,
): Promise<ControllerEvse> {
  const controller = new Controller(bus, map, site);
  await controller.start();
  return controller;
}

/**
 * The controller closes its contactor by itself as soon as a current is set and the EV asks, so a current is set only while one is
 * offered, nothing trips and the permit was not withdrawn: whatever the pilot is by then, because the controller would let an EV
 * charge later with nobody to watch. Opening takes one exchange on the bus, in its urgent lane: what has to be
 * faster is the controller's own protection.
 */
class Controller implements ControllerEvse {
  readonly #link: ControllerLink;
  readonly #map: ControllerMap;
  readonly #site: ControllerSite;
  readonly #trips = new Set<string>();
  /** Faults that its flags have raised. Told once: each time is taken for a new beginning, as of a fault with the next EV. */
  readonly #flagged = new Set<FaultCode>();
  readonly #listeners = new Set<(state: EvseState) => void>();
  readonly #commands = onlookers<ContactorCommand>();
  readonly #cableListeners = new Set<(cableA: number | undefined) => void>();
  #offer: Offer = 'x1';
  /** The permit was withdrawn: no current until it is given again, or after x1 or F a new one is offered. */
  #withheld = false;
  /** The permit was given, and the EV has asked for power ever since. */
  #permitted = false;
  #pilot: PilotState = 'E';
  #contactor: ContactorState = 'open';
  #cableA: number | undefined;
  /** Why the last poll failed. */
  #failure: HalError | undefined;
  #missed = 0;
  /** What the current register holds, as far as known. */
  #current: number | undefined;
  #writing: Promise<void> | undefined;
  /** How many writes have begun. */
  #writes = 0;
  #saidForeignAt = Number.NEGATIVE_INFINITY;
  #next: Cancel = () => {};
  #lookedAt: Monotonic;
  #stopped = false;

  constructor(bus: ControllerBus, map: ControllerMap, site: ControllerSite) {
    this.#map = map;
    this.#site = site;
    this.#lookedAt = site.surroundings.clock.now();
    this.#link = new ControllerLink(bus, map, { unit: site.unit, log: site.surroundings.log });
  }

  get state(): EvseState {
    return { pilot: this.#pilot, contactor: this.#contactor };
  }

  get signalled(): Offer {
    return this.#offer;
  }

  readonly proximity: ProximityPilot = this.#proximity();

  async start(): Promise<void> {
    const { book, connectorId, unit, ventilated } = this.#site;
    for (let attempt = 0; attempt < MISSED_POLLS && this.#current === undefined; attempt++) await this.#poll();
    if (this.#current === undefined) {
      throw new HalError(
        'badBoard',
        this.#failure?.code === 'badBoard'
          ? this.#failure.message
          : `no ${this.#map.model} answers as unit ${unit}. Check wiring, unit and baud rate.`,
        { cause: this.#failure },
      );
    }
    await this.#write();
    book.attach(connectorId, this);
    watchPilot(this, { connectorId, ventilated, book });
    this.#again();
  }

  offer(offer: Offer): void {
    if (typeof offer === 'number' && typeof this.#offer !== 'number') this.#withheld = false;
    this.#offer = offer;
    void this.#write();
  }

  get lookedAt(): Monotonic {
    return this.#lookedAt;
  }

  get withdrawn(): boolean {
    return this.#wanted() === 0 && this.#current === 0;
  }

  permit(given: boolean): void {
    if (given && this.#asksForPower() && this.#trips.size === 0) {
      this.#permitted = true;
      this.#withheld = false;
    } else if (!given) {
      // Taken back in the turn in which an EV is seen to pause, the permit has ended by itself: the offer stays, it may come back to C.
      const paused = this.#permitted && !this.#asksForPower();
      this.#permitted = false;
      if (!paused) this.#withheld = true;
    }
    void this.#write();
  }

  trip(reason: string): void {
    this.#trips.add(reason);
    this.#offer = 'x1';
    void this.#write();
  }

  release(reason: string): void {
    this.#trips.delete(reason);
  }

  onState(listener: (state: EvseState) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onCommand(look: (command: ContactorCommand) => void): Unsubscribe {
    return this.#commands.add(look);
  }

  async hasOpened(): Promise<boolean> {
    for (let attempt = 0; attempt < MISSED_POLLS && this.#wanted() === 0; attempt++) {
      await this.#write();
      // Only what is read after the off was acknowledged says anything.
      if (this.withdrawn && (await this.#poll())) return this.withdrawn && this.#contactor === 'open';
    }
    return false;
  }

  stop(): void {
    this.#stopped = true;
    this.#next();
  }

  #asksForPower(): boolean {
    return this.#pilot === 'C' || this.#pilot === 'D';
  }

  /** In the unit of the register. Rounded down: never more than was promised. */
  #wanted(): number {
    if (this.#trips.size > 0 || this.#withheld || typeof this.#offer !== 'number') return 0;
    const amps = Math.min(this.#offer, this.#site.maxA, this.#map.current.mostA);
    return amps < LEAST_OFFER_A ? 0 : Math.floor(amps * this.#link.scale);
  }

  /** Only 0 is the same in every unit: anything else waits until a poll knows how the controller is set up. */
  #isDue(wanted: number): boolean {
    return wanted !== this.#current && (wanted === 0 || this.#link.identified);
  }

  /** Brings the register to what is wanted, whatever is wanted by then. A failure is left to the next poll. */
  #write(): Promise<void> {
    if (this.#writing === undefined && this.#isDue(this.#wanted())) this.#writing = this.#writeUntilEqual();
    return this.#writing ?? Promise.resolve();
  }

  async #writeUntilEqual(): Promise<void> {
    try {
      for (let wanted = this.#wanted(); this.#isDue(wanted); wanted = this.#wanted()) {
        // Not known until acknowledged: a lost acknowledgement may have been carried out.
        this.#current = undefined;
        this.#writes += 1;
        const attempts = wanted === 0 ? OFF_ATTEMPTS : 1;
        if (!(await this.#link.set(wanted, attempts, () => this.#wanted() > 0))) continue;
        this.#current = wanted;
        this.#commands.tell(wanted === 0 ? 'open' : 'close');
      }
    } catch (error) {
      this.#site.surroundings.log.warn('EVSE controller did not take the current', { error: String(error) });
    } finally {
      // In this turn, so that whoever wants something else from now on starts a new write.
      this.#writing = undefined;
    }
  }

  #again(): void {
    if (this.#stopped) return;
    this.#lookedAt = this.#site.surroundings.clock.now();
    this.#next = this.#site.surroundings.clock.after(POLL_MS, () => {
      void this.#poll().then(() => this.#again());
    });
  }

  /** Resolves to whether there was an answer. */
  async #poll(): Promise<boolean> {
    try {
      const [writing, writes] = [this.#writing !== undefined, this.#writes];
      const { identified } = this.#link;
      const registers = await this.#link.read();
      if (this.#stopped) return false;
      this.#missed = 0;
      // What was read while a write was under way may be older than the write, also than one that began and ended meanwhile.
      const isSettled = !writing && writes === this.#writes;
      const isForeign = isSettled && identified && this.#isForeign(registers);
      if (isSettled) this.#current = currentIn(this.#map, registers);
      this.#heard(registers);
      if (isForeign) this.#link.forget();
      void this.#write();
      if (isForeign) {
        await this.#link.identify();
        void this.#write();
      }
      return true;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      if (this.#stopped) return false;
      this.#failure = error;
      this.#link.forget();
      this.#missed += 1;
      if (this.#missed === MISSED_POLLS) this.#lost();
      return false;
    }
  }

  /** It holds what none of us has set: it has begun anew, maybe set up otherwise, or somebody else is on the line. */
  #isForeign(registers: Registers): boolean {
    const [told, current] = [this.#current, currentIn(this.#map, registers)];
    if (told === undefined || told === current) return false;
    const { connectorId, surroundings } = this.#site;
    const { clock, log } = surroundings;
    if (clock.now() - this.#saidForeignAt >= SAYS_AGAIN_MS) {
      this.#saidForeignAt = clock.now();
      log.warn('EVSE controller has begun anew, or somebody else sets its current', { connectorId, told, current });
    }
    return true;
  }

  #heard(registers: Registers): void {
    const map = this.#map;
    this.#follow(vehicleIn(map, registers), contactorIn(map, registers), () => {
      this.#reportFaults(faultsIn(map, registers));
    });
    this.#followCable(cableIn(map, registers));
  }

  #reportFaults(faults: readonly FlaggedFault[]): void {
    const { book, connectorId } = this.#site;
    book.clear('controllerSilent', connectorId, 'polls');
    for (const { code, vendorErrorCode, flagged } of faults) {
      const more = vendorErrorCode === undefined ? {} : { vendorErrorCode };
      if (flagged === this.#flagged.has(code)) continue;
      if (flagged) {
        this.#flagged.add(code);
        book.raise({ code, connectorId, ...more }, 'flags');
      } else {
        this.#flagged.delete(code);
        book.clear(code, connectorId, 'flags');
      }
    }
  }

  /** Faults before states: whoever hears of the state finds the permit withdrawn already. */
  #follow(pilot: PilotState, contactor: ContactorState, report: () => void): void {
    const changed = pilot !== this.#pilot || contactor !== this.#contactor;
    this.#pilot = pilot;
    this.#contactor = contactor;
    try {
      report();
      if (changed) for (const listener of [...this.#listeners]) listener(this.state);
    } finally {
      if (!this.#asksForPower()) this.#permitted = false;
    }
  }

  #lost(): void {
    const { book, connectorId } = this.#site;
    this.#current = undefined;
    this.#follow('E', this.#contactor, () => {
      book.raise({ code: 'controllerSilent', connectorId, info: 'no answer on the bus' }, 'polls');
    });
  }

  #followCable(limitA: number | undefined): void {
    const cableA = this.#pilot === 'A' ? undefined : limitA;
    if (cableA === this.#cableA) return;
    this.#cableA = cableA;
    for (const listener of [...this.#cableListeners]) listener(cableA);
  }

  #proximity(): ProximityPilot {
    const cableA = () => this.#cableA;
    return {
      get cableA() {
        return cableA();
      },
      onChange: (listener) => {
        this.#cableListeners.add(listener);
        return () => this.#cableListeners.delete(listener);
      },
    };
  }
}
