/** A board while it is opened and until it is closed: what its parts share, each opened once and given back by `closing`. */
import { BoardClosing } from './board-closing.ts';
import type {
  BoardDescription,
  BusDescription,
  DebouncedInputDescription,
  LineDescription,
  Protection,
} from './board-description.ts';
import type { BoardInput, EnergyMeter, Surroundings } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { FaultBook } from './fault-book.ts';
import type { MeterFitting } from './fitting.ts';
import { type InputLine, type LineBackend, type OutputLine, openInput, openOutput } from './gpio/line.ts';
import { listing } from './gpio/listed-inputs.ts';
import { HalError } from './hal-error.ts';
import type { ModbusBus } from './modbus/bus.ts';
import type { SerialBus } from './modbus/byte-port.ts';
import type { MeterPlace } from './modbus/modbus-meter.ts';
import type { SerialSettings } from './modbus/register-map.ts';
import type { ReadText, Thermometer } from './thermometer.ts';

const DEFAULT_SYSFS_ROOT = '/sys';

export interface SiteOptions {
  readonly surroundings: Surroundings;
  readonly drivers: Drivers;
  readonly protection: Protection;
}

export class BoardSite {
  readonly description: BoardDescription;
  readonly surroundings: Surroundings;
  readonly drivers: Drivers;
  readonly protection: Protection;
  readonly book: FaultBook;
  readonly closing: BoardClosing;
  /** Every input that was opened. */
  readonly wires: BoardInput[] = [];
  /** The board is open when each of them was read, or has not answered. */
  readonly thermometers: Thermometer[] = [];
  readonly #buses = new Map<string, { readonly bus: ModbusBus; readonly serial: SerialBus }>();
  #lines: Promise<LineBackend> | undefined;
  #readText: ReadText | undefined;

  constructor(description: BoardDescription, { surroundings, drivers, protection }: SiteOptions) {
    this.description = description;
    this.surroundings = surroundings;
    this.drivers = drivers;
    this.protection = protection;
    const latches = protection.rcdReclosesOnUnplug === true ? { groundFault: 'unplug' as const } : {};
    this.book = new FaultBook(latches, surroundings.clock);
    this.closing = new BoardClosing(surroundings);
  }

  get sysfsRoot(): string {
    return this.description.sysfsRoot ?? DEFAULT_SYSFS_ROOT;
  }

  keep(close: () => void | Promise<void>): void {
    this.closing.keep(close);
  }

  backend(): Promise<LineBackend> {
    const { gpio } = this.description;
    if (gpio === undefined) throw this.bad('names lines but no gpio chip');
    this.#lines ??= this.drivers
      .lines({ gpio, sysfsRoot: this.sysfsRoot, ...this.surroundings })
      .then((lines) => listing(lines, this.description, this.wires));
    return this.#lines;
  }

  async openInput(line: DebouncedInputDescription): Promise<InputLine> {
    const input = await openInput(await this.backend(), line);
    this.keep(() => input.close());
    return input;
  }

  async openOutput(line: LineDescription): Promise<OutputLine> {
    const output = await openOutput(await this.backend(), line);
    this.keep(() => output.close());
    return output;
  }

  /** Devices on one port share one bus; they have to agree about its settings. */
  async bus({ port, ...given }: BusDescription, usual: SerialSettings): Promise<ModbusBus> {
    const serial: SerialBus = { path: port, ...usual, ...given };
    const open = this.#buses.get(port);
    if (open !== undefined) {
      const { baudRate, parity, stopBits } = open.serial;
      if (baudRate === serial.baudRate && parity === serial.parity && stopBits === serial.stopBits) return open.bus;
      throw this.bad(`uses ${port} with two settings; give every device on it the same baudRate, parity and stopBits`);
    }
    const bus = await this.drivers.bus(serial, this.surroundings);
    this.#buses.set(port, { bus, serial });
    this.keep(() => bus.close());
    return bus;
  }

  async openMeter({ map, bus, unit }: MeterFitting, place: Omit<MeterPlace, 'unit'>): Promise<EnergyMeter> {
    const opened = await this.bus(bus, map.serial);
    const driver = await this.drivers.meter(opened, map, { unit, ...place }, this.surroundings);
    this.keep(() => driver.close());
    return driver;
  }

  /** One queue for all thermometers of the board. */
  async readText(): Promise<ReadText> {
    const { oneReadAtATime } = await import('./thermometer.ts');
    this.#readText ??= oneReadAtATime(this.drivers.readText);
    return this.#readText;
  }

  bad(what: string): HalError {
    return new HalError('badBoard', `board ${this.description.name} ${what}`);
  }
}
