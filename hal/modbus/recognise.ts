/** Which of the known meters is it? By the model code where there is one, else by values that make sense. */
import type { Quantity, Values } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { ModbusBus } from './bus.ts';
import { decode, ENERGIES, identityOf, identityWords, merge } from './decode.ts';
import { FUNCTION_CODE, otherModel } from './modbus-meter.ts';
import {
  type IdentityRegister,
  LINES,
  type PlannedRead,
  plan,
  quantitiesOf,
  type ReadFunction,
  type RegisterMap,
} from './register-map.ts';

/** A register map under the name that the configuration calls it by. */
export interface Model {
  readonly name: string;
  readonly map: RegisterMap;
}

export interface Fit extends Model {
  /** `values`: it has no model code, or does not tell it; what its registers hold makes sense by this map. */
  readonly by: 'modelCode' | 'values';
  /** What its code says it is. */
  readonly called?: string;
  readonly serialNumber?: string;
  /** What was read of it; empty if its registers did not all answer. */
  readonly values: Values;
}

export interface Recognition {
  /** The likeliest first; more than one if they cannot be told apart. */
  readonly fits: readonly Fit[];
  /** A model that was named by its code, and that no map is for. */
  readonly other?: string;
}

/** A device that is not what we think may take its time; a meter that is there answers sooner. */
const TIMEOUT_MS = 500;
const ATTEMPTS = 2;
/** At least one phase is connected (EN 50160, and some more). */
const MAINS_V = { least: 160, most: 280 } as const;
const MAINS_HZ = { least: 45, most: 65 } as const;
/** Meters go on counting a little above what they are made for. */
const CURRENT_MARGIN = 1.5;
const PHASES = 3;

/** Asks one unit on an open bus. Rejects with `busClosed` only. */
export async function recognise(bus: ModbusBus, unit: number, models: readonly Model[]): Promise<Recognition> {
  const device = new Device(bus, unit);
  const coded: Fit[] = [];
  const possible: Model[] = [];
  let other: string | undefined;
  for (const model of models) {
    const { identify } = model.map;
    const code = identify === undefined ? undefined : await device.identity(identify, model.map);
    if (identify === undefined || code === undefined) {
      possible.push(model);
      continue;
    }
    const called = identify.codes[code];
    if (called !== undefined) {
      const values = (await device.values(model.map)) ?? {};
      coded.push({ ...model, by: 'modelCode', called, values, ...(await device.serialNumber(model.map)) });
    } else if (otherModel(identify, code) === undefined) possible.push(model);
    else other ??= identify.others?.[code];
  }
  if (coded.length > 0) return { fits: coded };
  const fits: Fit[] = [];
  for (const model of possible) {
    const values = await device.values(model.map, true);
    if (values === undefined || !makesSense(values, model.map)) continue;
    fits.push({ ...model, by: 'values', values, ...(await device.serialNumber(model.map)) });
  }
  // A phase without voltage is a phase that is not connected, or one that this model does not have.
  fits.sort((a, b) => deadPhases(a) - deadPhases(b) || registersOf(b.map) - registersOf(a.map));
  return other === undefined ? { fits } : { fits, other };
}

/** One unit on the bus; each block is fetched once, whichever maps want it. */
class Device {
  readonly #bus: ModbusBus;
  readonly #unit: number;
  readonly #blocks = new Map<string, readonly number[] | undefined>();

  constructor(bus: ModbusBus, unit: number) {
    this.#bus = bus;
    this.#unit = unit;
  }

  async identity(register: IdentityRegister, { read }: RegisterMap): Promise<string | undefined> {
    const registers = await this.#block(register.function, register.address, identityWords(register), read.silenceMs);
    return registers && identityOf(register, registers, read.wordOrder);
  }

  async serialNumber({ serialNumber, read }: RegisterMap): Promise<{ readonly serialNumber?: string }> {
    if (serialNumber === undefined) return {};
    const { address, wordOrder = read.wordOrder } = serialNumber;
    const words = identityWords(serialNumber);
    const registers = await this.#block(serialNumber.function, address, words, read.silenceMs);
    const text = registers && identityOf(serialNumber, registers, wordOrder);
    return text === undefined ? {} : { serialNumber: text };
  }

  /** Everything in the map; undefined if a block is refused, or with `strictly` as soon as the voltages make no sense. */
  async values(map: RegisterMap, strictly = false): Promise<Values | undefined> {
    const parts: Values[] = [];
    for (const read of voltageFirst(plan(map))) {
      const registers = await this.#block(read.function, read.address, read.count, map.read.silenceMs);
      if (registers === undefined) return undefined;
      parts.push(decode(map, read, registers));
      if (strictly && !hasMains(merge(parts))) return undefined;
    }
    return merge(parts);
  }

  async #block(
    code: ReadFunction,
    address: number,
    count: number,
    silenceMs: number,
  ): Promise<readonly number[] | undefined> {
    const key = `${code} ${address} ${count}`;
    if (this.#blocks.has(key)) return this.#blocks.get(key);
    const manners = { silenceMs, timeoutMs: TIMEOUT_MS, attempts: ATTEMPTS };
    let registers: readonly number[] | undefined;
    try {
      registers = await this.#bus.readRegisters(FUNCTION_CODE[code], this.#unit, address, count, manners);
    } catch (error) {
      if (!(error instanceof HalError) || error.code === 'busClosed') throw error;
    }
    this.#blocks.set(key, registers);
    return registers;
  }
}

const holds =
  (quantity: Quantity) =>
  ({ fields }: PlannedRead): boolean =>
    fields.some((field) => field.quantity === quantity);

/** The wrong map is given up after one block. */
const voltageFirst = (reads: readonly PlannedRead[]): readonly PlannedRead[] => [
  ...reads.filter(holds('voltage')),
  ...reads.filter((read) => !holds('voltage')(read)),
];

const registersOf = ({ quantities }: RegisterMap): number =>
  quantitiesOf(quantities).flatMap(([, registers]) => LINES.filter((line) => registers[line] !== undefined)).length;

const deadPhases = ({ values: { voltage = {} } }: Fit): number =>
  Object.values(voltage).filter((volt) => volt < MAINS_V.least).length;

/** A meter without voltages is known by its code only: any number could be a power. */
function hasMains({ voltage = {} }: Values): boolean {
  const volts = Object.values(voltage);
  return volts.every((volt) => volt >= 0 && volt <= MAINS_V.most) && volts.some((volt) => volt >= MAINS_V.least);
}

/** Could a meter of this kind on a European grid show these values? */
function makesSense(values: Values, map: RegisterMap): boolean {
  const all = (quantity: Quantity, fits: (value: number) => boolean): boolean =>
    Object.values(values[quantity] ?? {}).every(fits);
  const mostA = map.maxA * CURRENT_MARGIN;
  const mostW = PHASES * MAINS_V.most * mostA;
  // A power or a current of zero is as likely as any, a whole map of nothing else is not: the frequency has to be there.
  const wantsHz = map.quantities.frequency !== undefined;
  return (
    hasMains(values) &&
    (!wantsHz || values.frequency?.sum !== undefined) &&
    all('frequency', (hz) => hz >= MAINS_HZ.least && hz <= MAINS_HZ.most) &&
    all('current', (ampere) => Math.abs(ampere) <= mostA) &&
    all('activePower', (watt) => Math.abs(watt) <= mostW) &&
    all('powerFactor', (factor) => Math.abs(factor) <= 1.01) &&
    ENERGIES.every((energy) => all(energy, (amount) => amount >= 0)) &&
    values.energyImport?.sum !== undefined
  );
}
