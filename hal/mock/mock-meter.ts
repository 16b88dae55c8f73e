/** An energy meter that integrates what flows through the contactor over the clock. */
import type { EnergyMeter, Line, Lines, Monotonic, Reading, Timebase } from '../contract.ts';
import { HalError } from '../hal-error.ts';

export interface MeterInputs {
  /** The register. Patching it is a declared meter swap. */
  readonly wh: number;
  /** Overrides the power that the car takes; null: amps x volts x phases. */
  readonly watts: number | null;
  readonly volts: number;
  /** State of charge in percent. */
  readonly soc: number;
  /** The meter does not answer. */
  readonly drop: boolean;
  /** Null: a new one for each process and each swap. */
  readonly serial: string | null;
}

export const METER_AT_POWER_UP: MeterInputs = { wh: 0, watts: null, volts: 230, soc: 50, drop: false, serial: null };

/** What flows: the draw per phase, and on how many. None while the contactor is open. */
export interface Load {
  readonly amps: number;
  readonly phases: number;
}

export interface MockMeterParts {
  readonly clock: Timebase;
  /** How many phases are installed; a load may be on fewer. */
  readonly phases: 1 | 3;
  /** Distinguishes this meter, in this process, from every other. */
  readonly serial: string;
  readonly temperatureC: () => number;
}

const MAINS_HZ = 50;
const MS_PER_HOUR = 3_600_000;
const PHASES = ['L1', 'L2', 'L3'] as const;

export class MockMeter implements EnergyMeter {
  readonly offers: EnergyMeter['offers'];
  readonly #parts: MockMeterParts;
  readonly #lines: readonly ('L1' | 'L2' | 'L3')[];
  #inputs: Omit<MeterInputs, 'wh'> = METER_AT_POWER_UP;
  #load: Load | undefined;
  #swaps = 0;
  #baseWh = 0;
  // Kept apart from the register: sums of whole numbers stay exact, so that 3600 W for 1 s are 1 Wh and not 0.9999.
  #wattMs = 0;
  #countedAt: Monotonic;

  constructor(parts: MockMeterParts) {
    this.#parts = parts;
    this.#lines = PHASES.slice(0, parts.phases);
    this.#countedAt = parts.clock.now();
    this.offers = offersOf(this.#lines);
  }

  get serialNumber(): string {
    return this.#inputs.serial ?? `${this.#parts.serial}-${this.#swaps}`;
  }

  get energyWh(): number {
    this.#count();
    return this.#baseWh + this.#wattMs / MS_PER_HOUR;
  }

  get watts(): number {
    if (this.#load === undefined) return 0;
    return this.#inputs.watts ?? this.#load.amps * this.#inputs.volts * this.#load.phases;
  }

  /** Per phase. Follows an overridden power, so that the readings agree with each other. */
  get amps(): number {
    if (this.#load === undefined) return 0;
    if (this.#inputs.watts === null) return this.#load.amps;
    const perAmpere = this.#inputs.volts * this.#load.phases;
    return perAmpere > 0 ? this.#inputs.watts / perAmpere : 0;
  }

  /** L1, L2, L3, or L1 alone. */
  get lineAmps(): readonly number[] {
    const active = this.#load?.phases ?? 0;
    return this.#lines.map((_line, index) => (index < active ? this.amps : 0));
  }

  patch({ wh, ...change }: Partial<MeterInputs>): void {
    this.#count();
    this.#inputs = { ...this.#inputs, ...change };
    if (wh === undefined) return;
    this.#baseWh = wh;
    this.#wattMs = 0;
    this.#swaps += 1;
  }

  /** Undefined: the contactor is open. */
  carry(load: Load | undefined): void {
    this.#count();
    this.#load = load;
  }

  async read(): Promise<Reading> {
    if (this.#inputs.drop) throw new HalError('meterSilent', 'the mock meter has been told not to answer');
    const { volts, soc } = this.#inputs;
    const { lineAmps, watts } = this;
    const active = this.#load?.phases ?? 0;
    const perLine = (value: number): Lines =>
      Object.fromEntries(this.#lines.map((line, index) => [line, index < active ? value : 0]));
    const all = (value: number): Lines => Object.fromEntries(this.#lines.map((line) => [line, value]));
    const power = { sum: watts, ...perLine(active > 0 ? watts / active : 0) };
    const none = { sum: 0 };
    return {
      at: this.#parts.clock.now(),
      serialNumber: this.serialNumber,
      values: {
        voltage: all(volts),
        current: Object.fromEntries(this.#lines.map((line, index) => [line, lineAmps[index] ?? 0])),
        activePower: power,
        apparentPower: power,
        reactivePower: none,
        powerFactor: { sum: 1 },
        frequency: { sum: MAINS_HZ },
        energyImport: { sum: this.energyWh },
        energyExport: none,
        reactiveEnergyImport: none,
        reactiveEnergyExport: none,
        temperature: { sum: this.#parts.temperatureC() },
        stateOfCharge: { sum: soc },
      },
    };
  }

  #count(): void {
    const now = this.#parts.clock.now();
    this.#wattMs += this.watts * (now - this.#countedAt);
    this.#countedAt = now;
  }
}

function offersOf(lines: readonly Line[]): EnergyMeter['offers'] {
  const sum = ['sum'] as const;
  return {
    voltage: lines,
    current: lines,
    activePower: [...sum, ...lines],
    apparentPower: [...sum, ...lines],
    reactivePower: sum,
    powerFactor: sum,
    frequency: sum,
    energyImport: sum,
    energyExport: sum,
    reactiveEnergyImport: sum,
    reactiveEnergyExport: sum,
    temperature: sum,
    stateOfCharge: sum,
  };
}
