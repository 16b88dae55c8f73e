/** What goes over the bus between us and an EVSE controller, by its page of data: set up, read, set the current. */
import type { DriverLog } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { Manners, ModbusBus } from './bus.ts';
import { type ControllerMap, type ControllerSetting, isBitSet, type Registers } from './controller-map.ts';

export type ControllerBus = Pick<ModbusBus, 'readRegisters' | 'writeRegisters' | 'writeSingle'>;

/** Functions of Modbus by what is read. */
const READS = { coils: 1, holding: 3, input: 4 } as const;

export class ControllerLink {
  readonly #bus: ControllerBus;
  readonly #map: ControllerMap;
  readonly #unit: number;
  readonly #log: DriverLog;
  readonly #manners: Manners;
  #scale = 1;
  #identified = false;

  constructor(bus: ControllerBus, map: ControllerMap, { unit, log }: { unit: number; log: DriverLog }) {
    this.#bus = bus;
    this.#map = map;
    this.#unit = unit;
    this.#log = log;
    this.#manners = { silenceMs: map.silenceMs, timeoutMs: map.timeoutMs, attempts: 1 };
  }

  /** What its register counts in one ampere. */
  get scale(): number {
    return this.#scale;
  }

  /** It is known how it is set up: in which unit it counts, and that it obeys. */
  get identified(): boolean {
    return this.#identified;
  }

  /** It may be another controller from now on. */
  forget(): void {
    this.#identified = false;
  }

  /** One poll. Rejects with a HalError of the bus, or badBoard for a controller that does not take its settings. */
  async read(): Promise<Registers> {
    if (!this.#identified) await this.identify();
    const registers = new Map<number, number>();
    for (const { function: what, address, count } of this.#map.poll) {
      const values = await this.#bus.readRegisters(READS[what], this.#unit, address, count, this.#manners);
      for (const [index, value] of values.entries()) registers.set(address + index, value);
    }
    return registers;
  }

  /**
   * In the unit of the register; 0: no current. The current goes before the coil that lets it be signalled, and to take it away the coil is
   * enough. Resolves to false if it was no longer wanted when the coil's turn came.
   */
  async set(wanted: number, attempts: number, isStillWanted: () => boolean): Promise<boolean> {
    const { address, enable } = this.#map.current;
    // Always urgent: an `off` would otherwise queue behind its own predecessor, and that one behind the meters.
    const manners = { ...this.#manners, urgent: true, attempts };
    if (enable === undefined || wanted > 0) await this.#write(address, wanted, manners);
    if (enable === undefined) return true;
    if (wanted > 0 && !isStillWanted()) return false;
    await this.#bus.writeSingle('coil', this.#unit, enable, wanted > 0 ? 1 : 0, manners);
    return true;
  }

  async #write(address: number, value: number, manners: Manners): Promise<void> {
    if (this.#map.write === 'single') await this.#bus.writeSingle('register', this.#unit, address, value, manners);
    else await this.#bus.writeRegisters(this.#unit, address, [value], manners);
  }

  /** In which unit the current is set, and whether it obeys at all. Rejects as `read` does. */
  async identify(): Promise<void> {
    for (const setting of this.#map.settings ?? []) await this.#settle(setting);
    const { hundredths } = this.#map.current;
    if (hundredths !== undefined) {
      const setting = await this.#holding(hundredths.address);
      const firmware = await this.#holding(hundredths.firmware);
      this.#scale = isBitSet(setting, hundredths.bit) && firmware >= hundredths.sinceFirmware ? 100 : 1;
    }
    this.#identified = true;
  }

  async #holding(address: number): Promise<number> {
    const [value = 0] = await this.#bus.readRegisters(3, this.#unit, address, 1, this.#manners);
    return value;
  }

  /** It keeps such a setting when its supply goes: written once in its life. */
  async #settle({ address, value, what }: ControllerSetting): Promise<void> {
    const before = await this.#holding(address);
    if (before === value) return;
    const { model } = this.#map;
    this.#log.info('an EVSE controller is set up', { model, register: address, before, value, what });
    await this.#write(address, value, this.#manners);
    const after = await this.#holding(address);
    if (after === value) return;
    throw new HalError(
      'badBoard',
      `${model} keeps ${after} in register ${address}, expected ${value}: ${what}. Check its switches.`,
    );
  }
}
