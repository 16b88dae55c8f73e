/** Board description -> Board: opens every driver, or none. */
import {
  type BoardDescription,
  type BusDescription,
  type ConnectorDescription,
  type ControllerEvseDescription,
  type ConverterEvseDescription,
  type DebouncedInputDescription,
  isOwnPilot,
  type LineDescription,
  type OwnPilotEvseDescription,
  type Protection,
  type PwmDescription,
} from './board-description.ts';
import type {
  Board,
  BoardInput,
  ConnectorHardware,
  ConnectorLock,
  Derating,
  DimmingContact,
  EnergyMeter,
  Evse,
  Monotonic,
  Offer,
  PhaseSwitch,
  ProximityPilot,
  Surroundings,
  Timebase,
} from './contract.ts';
import { FaultBook, type Trippable } from './fault-book.ts';
import { type InputLine, type LineBackend, openInput, openOutput } from './gpio/line.ts';
import { listing } from './gpio/listed-inputs.ts';
import type { LinesOptions } from './gpio/open-lines.ts';
import type { ConverterSense } from './gpio/pilot-sense.ts';
import type { Pwm, PwmOptions } from './gpio/pwm.ts';
import { HalError } from './hal-error.ts';
import type { ModbusBus } from './modbus/bus.ts';
import type { SerialBus } from './modbus/byte-port.ts';
import type { ControllerEvse } from './modbus/evse-controller.ts';
import type { MeterDriver, MeterPlace } from './modbus/modbus-meter.ts';
import type { RegisterMap, SerialSettings } from './modbus/register-map.ts';
import type { ProtectionSite } from './open-protection.ts';
import type { ReadText, Thermometer } from './thermometer.ts';
import { tryAll } from './try-all.ts';

export interface MeterFitting {
  readonly map: RegisterMap;
  readonly bus: BusDescription;
  readonly unit: number;
}

/** What the configuration says about a connector; `ConnectorConfig` fits. */
export interface Fitting {
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  readonly maxA: number;
  readonly phases: 1 | 3;
  readonly ventilated: boolean;
  readonly meter?: MeterFitting;
}

/** What the configuration says about the house that the charge point shares a connection with; `GridConnectionConfig` fits. */
export interface GridFitting {
  /** In ampere per phase. */
  readonly fuseA: number;
  readonly meter?: MeterFitting;
}

/** The drivers, each loaded when a board wants it. Tests bring their own. */
export interface Drivers {
  lines(options: LinesOptions): Promise<LineBackend>;
  pwm(description: PwmDescription, options: PwmOptions): Promise<Pwm>;
  /** What sees the pilot where that is a converter. */
  converter(description: ConverterEvseDescription, options: PwmOptions): Promise<ConverterSense>;
  bus(serial: SerialBus, surroundings: Surroundings): Promise<ModbusBus>;
  meter(bus: ModbusBus, map: RegisterMap, place: MeterPlace, surroundings: Surroundings): Promise<MeterDriver>;
  /** A file of the kernel. */
  readText: ReadText;
}

export interface OpeningOptions {
  readonly gridConnection?: GridFitting;
  readonly protection?: Protection;
  readonly drivers?: Drivers;
}

const DRIVERS: Drivers = {
  lines: async (options) => (await import('./gpio/open-lines.ts')).openLines(options),
  pwm: async (description, options) => (await import('./gpio/pwm.ts')).openPwm(description, options),
  converter: async (description, options) => {
    if (description.driver === 'peakHoldPilot')
      return (await import('./gpio/iio-sense.ts')).openIioSense(description, options);
    const [{ openMcpSense }, { loadLibc }] = await Promise.all([
      import('./gpio/mcp-sense.ts'),
      import('./linux/libc.ts'),
    ]);
    return openMcpSense(description, await loadLibc(), options.clock);
  },
  bus: async (serial, surroundings) => (await import('./modbus/bus.ts')).modbusBus(serial, surroundings),
  meter: async (bus, map, place, surroundings) =>
    (await import('./modbus/modbus-meter.ts')).modbusMeter(bus, map, place, surroundings),
  readText: async (file) => (await import('./thermometer.ts')).readTextFile(file),
};

/** How long `close` waits for the mirror contacts to say open, and for EVSE controllers to acknowledge the off. */
const OPEN_WITHIN_MS = 500;
/** A pilot is sampled every 10 ms, and 50 ms without a sample is state E (IEC 61851-1 table A.6); the rest is the timer's. */
const PILOT_WITHIN_MS = 100;
/** A poll waits behind the meters on its bus and their attempts; one that never ends is what this is for. */
const CONTROLLER_WITHIN_MS = 10_000;
const DEFAULT_SYSFS_ROOT = '/sys';
/** A fuse carries 1.6 times its rating for an hour: a reading that shows it must not pass for an impossible one. */
const MOST_OF_A_FUSE = 2;

/**
 * Opens the hardware: contactors open and pilots at x1 before anything else moves. Rejects with a HalError (badBoard, noSuchLine,
 * lineBusy, noPermission, noSuchPwm, driverMissing) after everything that was opened is safe and closed again.
 */
export async function openBoard(
  description: BoardDescription,
  fittings: readonly Fitting[],
  surroundings: Surroundings,
  { gridConnection, protection = {}, drivers = DRIVERS }: OpeningOptions = {},
): Promise<Board> {
  const site = new BoardSite(description, { surroundings, drivers, protection });
  try {
    return await site.open(fittings, gridConnection);
  } catch (error) {
    // Its own failures are in the log; the cause is what matters.
    await site.close().catch(() => {});
    throw error;
  }
}

interface Parts {
  readonly evse: Evse & Trippable & { readonly signalled: Offer };
  /** The contactor is open and stays so: the plug may be released. */
  mayUnlock(): boolean | Promise<boolean>;
  /** After a trip: the hardware has said that it took place. */
  off(): boolean;
  /** What opens its contactor looks at the hardware. */
  readonly loop: WatchedLoop;
  readonly proximity?: ProximityPilot;
}

/** A loop that has to go round for a contactor to be opened in time. */
interface WatchedLoop {
  lookedAt(): Monotonic;
  readonly withinMs: number;
}

const isWatched = (parts: readonly Parts[], clock: Pick<Timebase, 'now'>): boolean =>
  parts.every(({ loop }) => clock.now() - loop.lookedAt() <= loop.withinMs);

/** One connector while the board is opened. */
interface Place {
  readonly fitting: Fitting;
  readonly description: ConnectorDescription;
  readonly parts: Parts;
}

/** A mirror contact that cannot be read says nothing. */
function isOff({ off }: Parts): boolean {
  try {
    return off();
  } catch {
    return false;
  }
}

interface SiteOptions {
  readonly surroundings: Surroundings;
  readonly drivers: Drivers;
  readonly protection: Protection;
}

/** A board while it is opened and until it is closed: what is shared, and what has to be given back. */
class BoardSite {
  readonly book: FaultBook;
  readonly #description: BoardDescription;
  readonly #surroundings: Surroundings;
  readonly #drivers: Drivers;
  readonly #protection: Protection;
  /** What `close` does before anything else, in its first turn. */
  readonly #makeSafe: (() => void)[] = [];
  readonly #closers: (() => void | Promise<void>)[] = [];
  readonly #parts: Parts[] = [];
  readonly #buses = new Map<string, { readonly bus: ModbusBus; readonly serial: SerialBus }>();
  #lines: Promise<LineBackend> | undefined;
  readonly #wires: BoardInput[] = [];
  readonly #thermometers: Thermometer[] = [];
  #readText: ReadText | undefined;
  #closing: Promise<void> | undefined;

  constructor(description: BoardDescription, { surroundings, drivers, protection }: SiteOptions) {
    this.#description = description;
    this.#surroundings = surroundings;
    this.#drivers = drivers;
    this.#protection = protection;
    this.book = new FaultBook(protection.rcdReclosesOnUnplug === true ? { groundFault: 'unplug' } : {});
  }

  async open(fittings: readonly Fitting[], gridConnection?: GridFitting): Promise<Board> {
    // Every coil is off before anything takes its time.
    const places: Place[] = [];
    for (const fitting of fittings) places.push(await this.#place(fitting));
    const connectors: ConnectorHardware[] = [];
    for (const place of places) connectors.push(await this.#connector(place));
    const { book } = this;
    const { faultInput } = await import('./gpio/inputs.ts');
    for (const input of this.#description.inputs ?? []) {
      this.#keep(faultInput(await this.#input(input), input, book, this.#surroundings.clock));
    }
    const mains = await this.#mains();
    const dimming = await this.#dimming();
    const gridMeter = await this.#gridMeter(gridConnection);
    const panel = await this.#panel();
    const watched = () => isWatched(this.#parts, this.#surroundings.clock);
    await this.#deadMan(watched);
    await Promise.all(this.#thermometers.map(({ ready }) => ready));
    return {
      connectors,
      ...panel,
      ...(dimming === undefined ? {} : { dimming }),
      ...(gridMeter === undefined ? {} : { gridMeter }),
      wires: this.#wires,
      get faults() {
        return book.current;
      },
      get mains() {
        return mains.mains;
      },
      get watched() {
        return watched();
      },
      onFault: (listener) => book.onChange(listener),
      onMains: (listener) => mains.onMains(listener),
      resetFaults: (connectorId) => book.reset(connectorId),
      close: () => this.close(),
    };
  }

  /** Contactors, pilots and motors first, all of them, whatever fails; then everything in reverse order. Rejects with the first failure. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    const failed = (error: unknown) => {
      errors.push(error);
      this.#surroundings.log.warn('closing the board went wrong', { error: String(error) });
    };
    try {
      tryAll(this.#makeSafe);
    } catch (error) {
      failed(error);
    }
    const deadline = this.#surroundings.clock.now() + OPEN_WITHIN_MS;
    while (!this.#parts.every(isOff) && this.#surroundings.clock.now() < deadline) {
      await new Promise<void>((resolve) => this.#surroundings.clock.after(10, resolve));
    }
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failed(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #keep(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  async #place(fitting: Fitting): Promise<Place> {
    const description = this.#description.connectors.find(({ id }) => id === fitting.id);
    if (description === undefined) throw this.#bad(`has no connector ${fitting.id}`);
    return { fitting, description, parts: await this.#evse(description, fitting) };
  }

  async #connector({ fitting, description, parts }: Place): Promise<ConnectorHardware> {
    const phases = description.phases === 3 ? fitting.phases : 1;
    const phaseSwitch = phases === 3 ? await this.#phaseSwitch(description, parts) : undefined;
    const derating = await this.#derating(description);
    const socket = fitting.cable === 'socket' ? await this.#socket(description, parts) : {};
    const site = this.#protectionSite(fitting.id, parts, phases, phaseSwitch);
    const { openMeterWatch, openRcd, openWear } = await import('./open-protection.ts');
    if (description.rcd !== undefined) await openRcd(description.rcd, site);
    return {
      id: fitting.id,
      evse: parts.evse,
      meter: await openMeterWatch(await this.#meter(fitting), site),
      wear: openWear(site),
      ...socket,
      maxA: Math.min(description.maxA, fitting.maxA),
      phases,
      ...(phaseSwitch === undefined ? {} : { phaseSwitch }),
      ...(derating === undefined ? {} : { derating }),
    };
  }

  #protectionSite(
    connectorId: number,
    { evse }: Parts,
    phases: 1 | 3,
    phaseSwitch: PhaseSwitch | undefined,
  ): ProtectionSite {
    return {
      connectorId,
      evse,
      phases,
      phaseSwitch,
      protection: this.#protection,
      book: this.book,
      ...this.#surroundings,
      openInput: (line) => this.#input(line),
      openOutput: (line) => this.#output(line),
      keep: (close) => this.#keep(close),
    };
  }

  async #evse(description: ConnectorDescription, { ventilated }: Fitting): Promise<Parts> {
    const { evse } = description;
    const parts = isOwnPilot(evse)
      ? await this.#pilotEvse(description.id, evse, ventilated)
      : await this.#controllerEvse(description, evse, ventilated);
    this.#parts.push(parts);
    this.#makeSafe.push(() => parts.evse.trip('closing'));
    return parts;
  }

  async #pilotEvse(connectorId: number, description: OwnPilotEvseDescription, ventilated: boolean): Promise<Parts> {
    const { openPilotEvse } = await import('./gpio/open-pilot-evse.ts');
    const options = { sysfsRoot: this.#sysfsRoot, clock: this.#surroundings.clock };
    const evse = await openPilotEvse(description, {
      connectorId,
      ventilated,
      backend: await this.#backend(),
      openPwm: (pwm) => this.#drivers.pwm(pwm, options),
      openConverter: (converter) => this.#drivers.converter(converter, options),
      book: this.book,
      surroundings: this.#surroundings,
      keep: (close) => this.#keep(close),
    });
    const isOpen = () => evse.state.contactor === 'open';
    return { evse, mayUnlock: isOpen, off: isOpen, loop: { lookedAt: () => evse.lookedAt, withinMs: PILOT_WITHIN_MS } };
  }

  async #controllerEvse(
    { id, maxA }: ConnectorDescription,
    { bus, map, unit }: ControllerEvseDescription,
    ventilated: boolean,
  ): Promise<Parts> {
    const { openController } = await import('./modbus/evse-controller.ts');
    const controller: ControllerEvse = await openController(await this.#bus(bus, map.serial), map, {
      unit,
      connectorId: id,
      maxA,
      ventilated,
      book: this.book,
      surroundings: this.#surroundings,
    });
    this.#keep(() => controller.stop());
    return {
      evse: controller,
      mayUnlock: () => controller.hasOpened(),
      off: () => controller.withdrawn,
      loop: { lookedAt: () => controller.lookedAt, withinMs: CONTROLLER_WITHIN_MS },
      proximity: controller.proximity,
    };
  }

  async #phaseSwitch(
    { id, evse: description, phaseSwitch }: ConnectorDescription,
    { evse }: Parts,
  ): Promise<PhaseSwitch | undefined> {
    if (phaseSwitch === undefined) return undefined;
    if (!isOwnPilot(description)) throw this.#bad(`switches the phases of an EVSE controller at connector ${id}`);
    const { openPhaseSwitch } = await import('./gpio/open-phase-switch.ts');
    return openPhaseSwitch(phaseSwitch, {
      connectorId: id,
      evse,
      backend: await this.#backend(),
      surroundings: this.#surroundings,
      keep: (close) => this.#keep(close),
    });
  }

  async #derating({ id, thermometer }: ConnectorDescription): Promise<Derating | undefined> {
    if (thermometer === undefined) return undefined;
    const { thermalWatch } = await import('./thermal-watch.ts');
    const { oneReadAtATime, openThermometer } = await import('./thermometer.ts');
    const { file, ...limits } = thermometer;
    this.#readText ??= oneReadAtATime(this.#drivers.readText);
    const watch = thermalWatch({ connectorId: id, book: this.book, ...limits });
    const opened = openThermometer({ file, read: this.#readText, watch, ...this.#surroundings });
    this.#keep(() => opened.close());
    this.#thermometers.push(opened);
    return watch;
  }

  async #socket(
    { id, lock, proximity }: ConnectorDescription,
    { evse, mayUnlock, proximity: measured }: Parts,
  ): Promise<{ lock: ConnectorLock; proximity: ProximityPilot }> {
    if (lock === undefined) throw this.#bad(`has no lock for the socket of connector ${id}`);
    const cable = proximity === undefined ? measured : await this.#proximity(id, proximity);
    if (cable === undefined) throw this.#bad(`cannot read the cable of connector ${id}: no proximity`);
    if (proximity !== undefined) {
      const { watchCable } = await import('./pilot-faults.ts');
      watchCable(cable, evse, { connectorId: id, book: this.book });
    }
    const { MotorLock } = await import('./gpio/connector-lock.ts');
    const motor = new MotorLock({
      lock: await this.#output(lock.lock),
      unlock: await this.#output(lock.unlock),
      locked: await this.#input(lock.locked),
      ...(lock.pulseMs === undefined ? {} : { pulseMs: lock.pulseMs }),
      ...this.#surroundings,
      mayUnlock,
      raise: (code) => this.book.raise({ code, connectorId: id }, 'lock'),
      clear: (code) => {
        this.book.clear(code, id, 'lock');
        // It may have left while the motor tried; no pilot would say so again.
        if (evse.state.pilot === 'A') this.book.unplugged(id);
      },
    });
    this.#makeSafe.push(() => motor.close());
    return { lock: motor, proximity: cable };
  }

  async #proximity(
    connectorId: number,
    lines: NonNullable<ConnectorDescription['proximity']>,
  ): Promise<ProximityPilot> {
    const { comparatorProximity } = await import('./gpio/proximity.ts');
    return comparatorProximity({
      present: await this.#input(lines.present),
      atLeast20A: await this.#input(lines.atLeast20A),
      atLeast32A: await this.#input(lines.atLeast32A),
      atLeast63A: await this.#input(lines.atLeast63A),
      clock: this.#surroundings.clock,
      onFault: (isThere) => {
        if (isThere) this.book.raise({ code: 'proximityFault', connectorId }, 'proximity');
        else this.book.clear('proximityFault', connectorId, 'proximity');
      },
    });
  }

  async #meter({ id, maxA, phases, meter }: Fitting): Promise<EnergyMeter> {
    if (meter === undefined) throw this.#bad(`needs a meter at connector ${id}: set connectors[].meter`);
    const onSilent = (silent: boolean) => {
      if (silent) this.book.raise({ code: 'meterSilent', connectorId: id }, 'meter');
      else this.book.clear('meterSilent', id, 'meter');
    };
    return this.#openMeter(meter, { maxA, phases, onSilent });
  }

  async #openMeter({ map, bus, unit }: MeterFitting, place: Omit<MeterPlace, 'unit'>): Promise<EnergyMeter> {
    const opened = await this.#bus(bus, map.serial);
    const driver = await this.#drivers.meter(opened, map, { unit, ...place }, this.#surroundings);
    this.#keep(() => driver.close());
    return driver;
  }

  async #mains() {
    const { MAINS_ALWAYS_ON, mainsInput } = await import('./gpio/inputs.ts');
    if (this.#description.mains === undefined) return MAINS_ALWAYS_ON;
    return mainsInput(
      await this.#input(this.#description.mains),
      () => {
        tryAll(this.#parts.map((parts) => () => parts.evse.trip('mains')));
      },
      () => {
        for (const { evse } of this.#parts) evse.release('mains');
      },
    );
  }

  async #dimming(): Promise<DimmingContact | undefined> {
    if (this.#description.dimming === undefined) return undefined;
    const { dimmingInput } = await import('./gpio/inputs.ts');
    const contact = dimmingInput(await this.#input(this.#description.dimming), this.#surroundings.clock);
    this.#keep(() => contact.close());
    return contact;
  }

  async #panel(): Promise<Pick<Board, 'readers' | 'indicators'>> {
    const { connectors, readers = [], indicators = [] } = this.#description;
    if (readers.length === 0 && indicators.length === 0) return { readers: [] };
    const { openIndicators, openReaders } = await import('./open-panel.ts');
    const site = {
      surroundings: this.#surroundings,
      book: this.book,
      connectors: connectors.map(({ id }) => id),
      sysfsRoot: this.#sysfsRoot,
      openOutput: (line: LineDescription) => this.#output(line),
      keep: (close: () => void | Promise<void>) => this.#keep(close),
    };
    return { indicators: await openIndicators(indicators, site), readers: await openReaders(readers, site) };
  }

  /** Ends before anything else is closed: then nothing is watched any more. */
  async #deadMan(watched: () => boolean): Promise<void> {
    const { deadMan } = this.#description;
    if (deadMan === undefined) return;
    const { startDeadMan } = await import('./dead-man.ts');
    const output = await this.#output(deadMan);
    const { book } = this;
    const stop = startDeadMan(output, deadMan, { watched, book, clock: this.#surroundings.clock });
    this.#makeSafe.push(stop);
  }

  /** Its silence is no fault: who reads it falls back to a current that is safe without it. */
  async #gridMeter({ fuseA, meter }: Partial<GridFitting> = {}): Promise<EnergyMeter | undefined> {
    if (fuseA === undefined || meter === undefined) return undefined;
    const { log } = this.#surroundings;
    const onSilent = (silent: boolean) => {
      if (silent) log.warn('the meter of the grid connection does not answer');
      else log.info('the meter of the grid connection answers again');
    };
    return this.#openMeter(meter, { maxA: MOST_OF_A_FUSE * fuseA, phases: 3, onSilent });
  }

  /** Devices on one port share one bus; they have to agree about its settings. */
  async #bus({ port, ...given }: BusDescription, usual: SerialSettings): Promise<ModbusBus> {
    const serial: SerialBus = { path: port, ...usual, ...given };
    const open = this.#buses.get(port);
    if (open !== undefined) {
      const { baudRate, parity, stopBits } = open.serial;
      if (baudRate === serial.baudRate && parity === serial.parity && stopBits === serial.stopBits) return open.bus;
      throw this.#bad(`uses ${port} with two settings; give every device on it the same baudRate, parity and stopBits`);
    }
    const bus = await this.#drivers.bus(serial, this.#surroundings);
    this.#buses.set(port, { bus, serial });
    this.#keep(() => bus.close());
    return bus;
  }

  #backend(): Promise<LineBackend> {
    const { gpio } = this.#description;
    if (gpio === undefined) throw this.#bad('names lines but no gpio chip');
    this.#lines ??= this.#drivers
      .lines({ gpio, sysfsRoot: this.#sysfsRoot, ...this.#surroundings })
      .then((lines) => listing(lines, this.#description, this.#wires));
    return this.#lines;
  }

  async #input(line: DebouncedInputDescription): Promise<InputLine> {
    const input = await openInput(await this.#backend(), line);
    this.#keep(() => input.close());
    return input;
  }

  async #output(line: LineDescription) {
    const output = await openOutput(await this.#backend(), line);
    this.#keep(() => output.close());
    return output;
  }

  get #sysfsRoot(): string {
    return this.#description.sysfsRoot ?? DEFAULT_SYSFS_ROOT;
  }

  #bad(what: string): HalError {
    return new HalError('badBoard', `board ${this.#description.name} ${what}`);
  }
}
