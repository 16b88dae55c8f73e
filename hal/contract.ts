/** The hardware contract in the words of IEC 61851. Types only: this file is the bottom of the import graph. */

/** Milliseconds of a monotonic clock; wall time never reaches the metal. */
export type Monotonic = number;
export type Unsubscribe = () => void;
export type Cancel = () => void;

/** Time as drivers see it. `after` must not fire early; `now` is monotonic, in milliseconds. */
export interface Timebase {
  now(): Monotonic;
  after(delayMs: number, action: () => void): Cancel;
}

export interface DriverLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

/** What every driver gets from outside. */
export interface Surroundings {
  readonly clock: Timebase;
  readonly log: DriverLog;
}

/** A no EV, B EV connected, C charging, D charging with ventilation, E no pilot or shorted, F EVSE not available. */
export type PilotState = 'A' | 'B' | 'C' | 'D' | 'E' | 'F';

/**
 * What the control pilot tells the EV: a current in ampere (6..80, sent as PWM, state x2), `x1` (steady +12 V: connected,
 * nothing offered) or `F` (steady -12 V: not available).
 */
export type Offer = number | 'x1' | 'F';

export type ContactorState = 'open' | 'closed';
/** What a contactor is told. */
export type ContactorCommand = 'open' | 'close';

export interface EvseState {
  readonly pilot: PilotState;
  /** What the mirror contact says, not what was commanded. */
  readonly contactor: ContactorState;
}

/** `pilot`: not A. `offer`: a current is offered. `tripped`: a fault. `closed`: it is closed already, or welded. */
export type ExerciseRefusal = 'pilot' | 'offer' | 'tripped' | 'closed';

/** What the mirror contact said while the contactor was closed for a moment; an absent time: it did not follow. */
export interface Exercise {
  readonly refused?: ExerciseRefusal;
  readonly closedAfterMs?: number;
  /** From the coil being told to open. */
  readonly openedAfterMs?: number;
  /** An EV has come, or something has tripped: it opened before its time. */
  readonly cutShort?: true;
}

/**
 * One charging point: control pilot, contactor and the interlock between them.
 * Two implementations: our own pilot and contactor behind `interlock.ts`, and an external EVSE controller that has its own safety.
 */
export interface Evse {
  readonly state: EvseState;
  /** Signals the current to the EV. Synchronous: the pilot has been commanded on return. `x1` begins a *stop*. */
  offer(offer: Offer): void;
  /**
   * `true` closes the contactor now if the pilot says C (D where ventilated), a current is offered and nothing trips; otherwise it
   * is refused and not remembered. Just after it has opened it closes at the end of a pause, if nothing has been withdrawn meanwhile (at most
   * 30 s). `false` opens the contactor before it returns (a *trip*); an external controller is told to, and
   * gets no current in any state before the permit is given again or a new offer follows x1. `Board.close` waits for its answer.
   */
  permit(given: boolean): void;
  /** Called after each change of pilot or mirror contact, in the turn in which the hardware saw it. */
  onState(listener: (state: EvseState) => void): Unsubscribe;
  /**
   * For who only looks on. Called each time the coil has been told something, by whomever (the interlock opens by itself), before what
   * follows from it is seen; an external controller has acknowledged a current (`close`) or none (`open`). What `look` throws is dropped.
   */
  onCommand?(look: (command: ContactorCommand) => void): Unsubscribe;
  /**
   * For a technician's tool and nobody else: the contactor closes for at most 300 ms, with no EV there (pilot A), nothing offered and nothing
   * tripping; the outlet is live that long. Absent where an external controller closes it. Rejects with what the driver throws.
   */
  exercise?(): Promise<Exercise>;
}

/** The raw contactor. Only `interlock.ts` may hold one. */
export interface Contactor {
  readonly feedback: ContactorState;
  close(): void;
  /** Commands the coil off; has been written to the hardware when it returns. */
  open(): void;
  onFeedback(listener: (feedback: ContactorState) => void): Unsubscribe;
  /** As `Evse.onCommand`. */
  onCommand?(look: (command: ContactorCommand) => void): Unsubscribe;
}

/** Generator and sense of the control pilot. */
export interface ControlPilot {
  readonly state: PilotState;
  /** When the pilot was last sampled by the loop that has to notice the EV leaving; one that tells of every change itself: now. */
  readonly lookedAt: Monotonic;
  signal(offer: Offer): void;
  onState(listener: (state: PilotState) => void): Unsubscribe;
}

/** Socket outlets only: the plug in our end of the cable, and the rating its resistor codes. */
export interface ProximityPilot {
  /** Rating of the cable in ampere (13, 20, 32, 63), or undefined while no plug is present. */
  readonly cableA: number | undefined;
  onChange(listener: (cableA: number | undefined) => void): Unsubscribe;
}

/** Holds the plug in the socket. Both answers are the feedback of the lock, not the command. */
export interface ConnectorLock {
  readonly locked: boolean;
  /** Resolves to true once the feedback says locked; false after the driver's own retries (it raises `lockFailed`). */
  lock(): Promise<boolean>;
  unlock(): Promise<boolean>;
}

export type Line = 'sum' | 'L1' | 'L2' | 'L3' | 'N';

/** Units: V, A, W, var, VA, 1, Hz, Wh, varh, degree Celsius, percent. */
export type Quantity =
  | 'voltage'
  | 'current'
  | 'activePower'
  | 'reactivePower'
  | 'apparentPower'
  | 'powerFactor'
  | 'frequency'
  | 'energyImport'
  | 'energyExport'
  | 'reactiveEnergyImport'
  | 'reactiveEnergyExport'
  | 'temperature'
  | 'stateOfCharge';

export type Lines = { readonly [line in Line]?: number };
export type Values = { readonly [quantity in Quantity]?: Lines };

/**
 * One look at the meter. `at` is when the energy register was asked for: what it holds is never older than that, so a reading with
 * `at` no earlier than an event holds all the energy until that event. An absent quantity was not given by this meter.
 */
export interface Reading {
  readonly at: Monotonic;
  readonly serialNumber: string | undefined;
  readonly values: Values;
}

export interface EnergyMeter {
  /** What a reading of this meter will hold; known before the first read. */
  readonly offers: { readonly [quantity in Quantity]?: readonly Line[] };
  /**
   * Reads everything once; who asks while that is under way may share it, so that its `at` may be earlier than the call. Rejects
   * with a HalError (`meterSilent`, `meterImplausible`); never resolves with a doubtful value.
   */
  read(): Promise<Reading>;
}

/** What a reader has read, and what became of it: an identifier, or why it is none. */
export interface TagRead {
  /** Hexadecimal as it came through the air, or as a keyboard reader has typed it. */
  readonly raw: string;
  readonly idTag?: string;
  readonly refused?: string;
}

export interface TagReader {
  /** Driver and place; absent on the mock board. */
  readonly name?: string;
  /** The connectors that this reader serves. */
  readonly connectors: readonly number[];
  /** Called once per presentation with the normalised identifier. */
  onTag(listener: (idTag: string) => void): Unsubscribe;
  /** For who only looks on: each presentation, before the listeners of `onTag`, and what was refused too. What `look` throws is dropped. */
  onRead?(look: (read: TagRead) => void): Unsubscribe;
}

/** What one line of an indicator does: stay on, or so many milliseconds on, off, on, ... in turn. */
export type Blinking = 'on' | readonly number[];

export type IndicatorLine = 'red' | 'green' | 'blue' | 'buzzer';

/** A line that is not named is off. Lamps begin again at the end of their turns; the buzzer sounds once. */
export type IndicatorPattern = { readonly [line in IndicatorLine]?: Blinking };

/** The lamps and the buzzer of one connector. Whatever is wrong with them hinders nobody: nothing here throws. */
export interface Indicator {
  /** 0 is the whole charge point. */
  readonly connectorId: number;
  /** From now on, until the next one; the same again changes nothing. */
  show(pattern: IndicatorPattern): void;
  /** Once through its turns, then what was shown before, or was asked for meanwhile. */
  flash(pattern: IndicatorPattern): void;
}

/**
 * Codes of `faults.ts`. A fault is state: raised and cleared. The interlock has opened the contactor before anybody outside
 * `hal/` hears of a blocking one.
 */
export type FaultCode =
  | 'contactorStuckOpen'
  | 'contactorWelded'
  | 'contactorWorn'
  | 'controllerSilent'
  | 'derated'
  | 'diodeFault'
  | 'emergencyStop'
  | 'evCommunication'
  | 'groundFault'
  | 'internalFault'
  | 'lockFailed'
  | 'meterLost'
  | 'meterSilent'
  | 'openPen'
  | 'otherFault'
  | 'overCurrent'
  | 'overTemperature'
  | 'overVoltage'
  | 'peFault'
  | 'pilotSilent'
  | 'proximityFault'
  | 'rcdTestFailed'
  | 'rcdTesting'
  | 'readerSilent'
  | 'resetFailed'
  | 'underVoltage'
  | 'unlockFailed'
  | 'ventilationRequired'
  | 'weakSignal';

export interface Fault {
  readonly code: FaultCode;
  /** 0 is the whole charge point. */
  readonly connectorId: number;
  readonly info?: string;
  readonly vendorErrorCode?: string;
  readonly vendorId?: string;
}

export interface FaultChange {
  readonly fault: Fault;
  readonly raised: boolean;
}

export type Mains = 'on' | 'failing';

/** Chooses between one and three phases behind an open contactor, for a connector on which three are installed. */
export interface PhaseSwitch {
  /** How many phases a closed contactor connects. */
  readonly phases: 1 | 3;
  /**
   * Resolves to what is connected then, once it has settled. The interlock keeps the contactor open from the call until it resolves;
   * under a contactor that is not open nothing is switched, and it resolves to what was connected before. Never rejects.
   */
  switchTo(phases: 1 | 3): Promise<1 | 3>;
}

/** How much of `maxA` the temperature of the enclosure leaves. */
export interface Derating {
  /** 0..1; 1: all of it. */
  readonly factor: number;
  /** Undefined while the thermometer does not answer: then the factor is that of the hottest step. */
  readonly celsius: number | undefined;
  /** Called after each change of the factor. */
  onChange(listener: () => void): Unsubscribe;
}

/** How often a contactor has opened; all it has done, and how often of these under load. */
export interface WearCounts {
  readonly operations: number;
  readonly underLoad: number;
}

/** Counts what wears the contactor out. Who keeps the counts gives them back after a start. */
export interface ContactorWear {
  readonly counts: WearCounts;
  /** What it is made for; absent: nobody said. */
  readonly life?: WearCounts;
  /** Counted before this process began: added to what it has counted itself. */
  restore(before: WearCounts): void;
  /** Another contactor has been fitted: counting begins anew. */
  exchanged(): void;
  /** Called after each operation, and after `exchanged`. */
  onCount(listener: () => void): Unsubscribe;
}

/** The contact by which the grid operator asks for less power (in Germany: section 14a EnWG). */
export interface DimmingContact {
  readonly active: boolean;
  onChange(listener: (active: boolean) => void): Unsubscribe;
}

export interface ConnectorHardware {
  /** 1, 2, ... */
  readonly id: number;
  readonly evse: Evse;
  readonly meter: EnergyMeter;
  /** Absent with an attached cable. */
  readonly lock?: ConnectorLock;
  /** Absent with an attached cable. */
  readonly proximity?: ProximityPilot;
  /** The most that wiring, contactor and board may carry, in ampere. */
  readonly maxA: number;
  /** How many phases are installed; the contactor connects all of them, unless `phaseSwitch` says fewer. */
  readonly phases: 1 | 3;
  /** Absent where the number of phases cannot be changed. */
  readonly phaseSwitch?: PhaseSwitch;
  /** Absent without a thermometer. */
  readonly derating?: Derating;
  /** Absent where nobody counts. */
  readonly wear?: ContactorWear;
}

/** One wire that the board reads. */
export interface BoardInput {
  /** Its member in the board description, as in `connectors[0].proximity.present`. */
  readonly name: string;
  readonly line: number;
  /** What it raises while it is on; absent for all but fault inputs. */
  readonly fault?: FaultCode;
  /** The pin at this moment; on: what it stands for is there, whichever level that is. */
  readonly on: boolean;
}

/** Everything that is bolted into one box. */
export interface Board {
  readonly connectors: readonly ConnectorHardware[];
  readonly readers: readonly TagReader[];
  /** Most have none. */
  readonly indicators?: readonly Indicator[];
  /** At the inlet of the whole charge point; most have none. */
  readonly mainMeter?: EnergyMeter;
  /** At the grid connection of the house: measures everything behind it, this charge point included. Most have none. */
  readonly gridMeter?: EnergyMeter;
  readonly dimming?: DimmingContact;
  /** Every wire that is read. Absent where there are none. */
  readonly wires?: readonly BoardInput[];
  /** The faults raised at this moment. */
  readonly faults: readonly Fault[];
  readonly mains: Mains;
  /**
   * Every pilot has been sampled and every controller asked lately: the loops that open a contactor make progress. Whoever feeds a
   * watchdog asks first. A pilot or controller that gives no answer is a fault, not a loop that stands.
   */
  readonly watched: boolean;
  onFault(listener: (change: FaultChange) => void): Unsubscribe;
  /** Mains failing trips every interlock before the listener hears of it. */
  onMains(listener: (mains: Mains) => void): Unsubscribe;
  /** A repaired, latched fault is reset by a person or by Reset; connector 0 resets all. */
  resetFaults(connectorId: number): void;
  /**
   * Every contactor open, every pilot x1 and every lock motor off when this resolves: commanded before it returns, then waited for,
   * half a second at most. If something fails the rest is made safe all the same, and it rejects. Safe to call twice.
   */
  close(): Promise<void>;
}
