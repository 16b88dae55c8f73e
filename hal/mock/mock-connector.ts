/** One connector without metal: pilot, car, contactor behind the real interlock, lock, proximity and meter, and what goes wrong with them. */
import type { Protection } from '../board-description.ts';
import { monitoredContactor } from '../contactor-monitor.ts';
import { watchWear } from '../contactor-wear.ts';
import type {
  ConnectorHardware,
  ControlPilot,
  FaultCode,
  Offer,
  PilotState,
  ProximityPilot,
  Surroundings,
  Unsubscribe,
} from '../contract.ts';
import { dutyOf } from '../duty.ts';
import type { FaultBook } from '../fault-book.ts';
import { faultOfSilentMeter } from '../faults.ts';
import type { ContactorPauses } from '../interlock.ts';
import { watchedMeter } from '../meter-watch.ts';
import { type OwnPilotEvse, ownPilotEvse } from '../own-pilot-evse.ts';
import { phaseSwitch } from '../phase-switch.ts';
import { watchRcd } from '../rcd.ts';
import { type ThermalWatch, thermalWatch } from '../thermal-watch.ts';
import { ElectricVehicle, type VehicleInputs } from './electric-vehicle.ts';
import { FaultCauses } from './fault-causes.ts';
import { MockContactor } from './mock-contactor.ts';
import type { GridLine, Rotation } from './mock-grid.ts';
import { MockLock } from './mock-lock.ts';
import { type MeterInputs, MockMeter } from './mock-meter.ts';
import { MockRcd } from './mock-rcd.ts';

/** `welded`, `stuck`: the contactor. `lock`, `unlock`: the motor of the lock cannot move that way. */
export type Jam = 'lock' | 'unlock' | 'welded' | 'stuck';

/** All members are optional; what is left out stays as it is. */
export interface ConnectorChange {
  readonly ev?: Partial<VehicleInputs>;
  readonly jam?: Jam | null;
  /** Inside the enclosure, in degree Celsius. */
  readonly temperatureC?: number;
  readonly meter?: Partial<MeterInputs>;
}

/** What the outputs do at this moment. */
export interface ConnectorObservation {
  readonly pilot: PilotState;
  /** Duty cycle in percent; 100: nothing offered, 0: state F. */
  readonly pwm: number;
  /** The coil, not the mirror contact. */
  readonly contactor: 'open' | 'closed';
  readonly locked: boolean;
  /** Per phase. */
  readonly amps: number;
  readonly watts: number;
  /** How many the contactor connects; the phase switch changes it. */
  readonly phases: 1 | 3;
  readonly energyWh: number;
  readonly meterSerial: string;
}

export interface MockConnectorOptions extends ContactorPauses {
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  readonly maxA: number;
  readonly phases: 1 | 3;
  /** State D may charge here. */
  readonly ventilated: boolean;
  /** How it is wired to the grid, whatever anybody believes; one phase: to the first of the three. */
  readonly rotation: Rotation;
  /** How late the EV obeys where it may draw less; IEC 61851-1 gives it 5000. Default 0. */
  readonly followsMs?: number;
}

export interface MockConnectorParts extends Surroundings {
  readonly book: FaultBook;
  readonly meterSerial: string;
  readonly protection?: Protection;
  /** Called after any output may have changed. */
  readonly changed: () => void;
}

const TEMPERATURE_AT_POWER_UP_C = 25;

export class MockConnector {
  readonly hardware: ConnectorHardware;
  readonly evse: OwnPilotEvse;
  readonly causes: FaultCauses;
  readonly rcd: MockRcd;
  readonly #options: MockConnectorOptions;
  readonly #parts: MockConnectorParts;
  readonly #ev: ElectricVehicle;
  readonly #contactor = new MockContactor();
  readonly #lock: MockLock;
  readonly #meter: MockMeter;
  readonly #thermal: ThermalWatch;
  readonly #onCable = new Set<(cableA: number | undefined) => void>();
  #offer: Offer = 'x1';
  #cableA: number | undefined;
  #temperatureC = TEMPERATURE_AT_POWER_UP_C;
  #phases: 1 | 3;
  #meterSilent = false;

  constructor(options: MockConnectorOptions, parts: MockConnectorParts) {
    const { id, cable, maxA, phases } = options;
    const { clock, log, book, meterSerial } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#phases = phases;
    this.causes = new FaultCauses(book, id);
    this.#ev = new ElectricVehicle(clock, options.followsMs);
    this.#ev.onDraw(() => this.#flow());
    this.#meter = new MockMeter({ clock, phases, serial: meterSerial, temperatureC: () => this.#temperatureC });
    this.#thermal = thermalWatch({ connectorId: id, book });
    this.#thermal.measured(this.#temperatureC);
    this.#lock = new MockLock({
      moved: () => this.#parts.changed(),
      failed: (code) => this.causes.observe(code, true),
      over: (code) => {
        this.causes.observe(code, false);
        if (this.#ev.state === 'A') book.unplugged(id);
      },
    });
    const contactor = monitoredContactor(this.#contactor, {
      clock,
      raise: (code) => this.causes.observe(code, true),
      clear: (code) => this.causes.observe(code, false),
    });
    this.evse = ownPilotEvse({ ...options, pilot: this.#pilot(), contactor, clock });
    book.attach(id, this.evse);
    // First of all listeners: current and faults are up to date when anybody else hears of it.
    this.evse.onState(() => this.#followEvse());
    const ofASocket = cable === 'socket' ? { lock: this.#lock, proximity: this.#proximity() } : {};
    this.rcd = new MockRcd(clock);
    const selector = { select: (selected: 1 | 3) => this.#connect(selected) };
    this.hardware = {
      id,
      evse: this.evse,
      maxA,
      phases,
      derating: this.#thermal,
      ...this.#protected(parts),
      ...(phases === 3 ? { phaseSwitch: phaseSwitch({ selector, evse: this.evse, clock, log }) } : {}),
      ...ofASocket,
    };
  }

  /** The coil since power-up, oldest first. */
  get contactorHistory(): readonly ('open' | 'closed')[] {
    return this.#contactor.history;
  }

  /** What stops charging acts first, so that a car that is plugged in the same breath does not charge in between. */
  patch({ jam, temperatureC, meter, ev }: ConnectorChange): void {
    if (jam !== undefined) this.#jam(jam);
    if (temperatureC !== undefined) this.#temperatureC = temperatureC;
    if (meter !== undefined) this.#patchMeter(meter);
    this.#watch();
    if (ev !== undefined) this.#patchVehicle(ev);
    this.#watch();
    this.#flow();
  }

  /** What it draws from this phase of the grid, in ampere. */
  drawA(line: GridLine): number {
    const wiredTo = this.#options.rotation.indexOf(line);
    return this.#meter.lineAmps[wiredTo] ?? 0;
  }

  observe(): ConnectorObservation {
    const { pilot } = this.evse.state;
    return {
      pilot,
      pwm: dutyOf(this.#offer),
      contactor: this.evse.commanded,
      locked: this.#lock.locked,
      amps: this.#meter.amps,
      watts: this.#meter.watts,
      phases: this.#phases,
      energyWh: this.#meter.energyWh,
      meterSerial: this.#meter.serialNumber,
    };
  }

  /** As on a real board, if somebody wants it. */
  #protected({ protection, book, clock }: MockConnectorParts): Pick<ConnectorHardware, 'wear' | 'meter'> {
    if (protection === undefined) return { meter: this.#meter };
    const connectorId = this.#options.id;
    const { evse } = this;
    const { rcdTest: every, contactorLife: life } = protection;
    if (every !== undefined) watchRcd({ connectorId, device: this.rcd, evse, book, clock, every });
    const phases = () => this.#phases;
    return {
      meter: watchedMeter({ connectorId, evse, meter: this.#meter, phases, protection, book, clock }),
      wear: watchWear({ connectorId, evse, book, ...(life === undefined ? {} : { life }) }),
    };
  }

  #pilot(): ControlPilot {
    const ev = this.#ev;
    const { clock } = this.#parts;
    const signal = (offer: Offer): void => {
      this.#offer = offer;
      ev.signal(offer);
      this.#flow();
      // The diode shows only while PWM runs, and nobody can measure within the call that starts it.
      queueMicrotask(() => this.#watch());
    };
    return {
      get state() {
        return ev.state;
      },
      // Every change of an input is followed before it returns.
      get lookedAt() {
        return clock.now();
      },
      signal,
      onState: (listener) => ev.onState(listener),
    };
  }

  #proximity(): ProximityPilot {
    const cableA = (): number | undefined => this.#cableA;
    return {
      get cableA() {
        return cableA();
      },
      onChange: (listener): Unsubscribe => {
        this.#onCable.add(listener);
        return () => this.#onCable.delete(listener);
      },
    };
  }

  #jam(jam: Jam | null): void {
    this.#lock.jam = jam === 'lock' || jam === 'unlock' ? jam : undefined;
    this.#contactor.jam = jam === 'welded' || jam === 'stuck' ? jam : undefined;
  }

  #connect(phases: 1 | 3): void {
    this.#phases = phases;
    this.#flow();
  }

  #patchMeter(change: Partial<MeterInputs>): void {
    this.#meter.patch(change);
    this.#meterSilent = change.drop ?? this.#meterSilent;
  }

  /** The plug leaves our socket after the pilot has gone, and is in it before the pilot comes. */
  #patchVehicle(change: Partial<VehicleInputs>): void {
    const { plugged, end, cableA } = { ...this.#ev.inputs, ...change };
    const before = this.#cableA;
    this.#cableA = plugged || end === 'car' ? cableA : undefined;
    if (this.#cableA === undefined) this.#ev.patch(change);
    if (before !== this.#cableA) for (const listener of [...this.#onCable]) listener(this.#cableA);
    if (this.#cableA !== undefined) this.#ev.patch(change);
  }

  #followEvse(): void {
    this.#watch();
    if (this.#ev.state === 'A') this.#parts.book.unplugged(this.#options.id);
    this.#flow();
  }

  /** Looks at every cause of a fault that the hardware itself can see. */
  #watch(): void {
    const pilot = this.#ev.state;
    const { plugged, diode } = this.#ev.inputs;
    const present: { readonly [code in FaultCode]?: boolean } = {
      diodeFault: plugged && !diode && typeof this.#offer === 'number',
      evCommunication: pilot === 'E',
      ventilationRequired: pilot === 'D' && !this.#options.ventilated,
      [faultOfSilentMeter(this.#parts.protection ?? {})]: this.#meterSilent,
    };
    this.#thermal.measured(this.#temperatureC);
    for (const [code, isThere] of Object.entries(present)) this.causes.observe(code as FaultCode, isThere);
  }

  /** The current follows the contacts, not the coil: it flows through welded ones too. */
  #flow(): void {
    const { phases } = this.#ev.inputs;
    const closed = this.#contactor.feedback === 'closed';
    const load = { amps: this.#ev.drawA, phases: Math.min(phases, this.#phases) };
    this.#meter.carry(closed ? load : undefined);
    this.#parts.changed();
  }
}
