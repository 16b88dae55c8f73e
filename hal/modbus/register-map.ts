/** A meter as a page of data (`config/meters/*.yaml`), and the plan of the bus reads that it takes to read it. */
import type { Line, Quantity } from '../contract.ts';

/**
 * `decimalUint24` and `decimalInt24`: a power of ten (int8) and what it multiplies (24 bits), in two registers. `signThenUint16`: a register
 * whose high byte is 0xFF for a negative number, and its amount (both of Iskraemeco's meters).
 */
export type RegisterType =
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'decimalUint24'
  | 'decimalInt24'
  | 'signThenUint16';

/** Which 16-bit word of a longer value comes first; bytes within a word are always big-endian. */
export type WordOrder = 'highFirst' | 'lowFirst';

/** `holding` is Modbus function 3, `input` is function 4. */
export type ReadFunction = 'holding' | 'input';

/** What a register counts in, before `scale`. */
export type MeterUnit =
  | 'V'
  | 'A'
  | 'W'
  | 'kW'
  | 'var'
  | 'kvar'
  | 'VA'
  | 'kVA'
  | '1'
  | 'Hz'
  | 'Wh'
  | 'kWh'
  | 'varh'
  | 'kvarh'
  | 'degC'
  | 'percent';

export interface SerialSettings {
  readonly baudRate: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** Where nothing but memory says so, no source: to be confirmed before anybody relies on it. `because` says what is doubted. */
export interface Doubtful {
  readonly verified?: false;
  readonly because?: string;
}

export interface FactorySettings extends SerialSettings, Doubtful {
  /** Where it is known not to be 1. */
  readonly unit?: number;
}

/** What holds for every quantity that does not say otherwise. */
export interface ReadDefaults {
  readonly function: ReadFunction;
  readonly type: RegisterType;
  readonly wordOrder: WordOrder;
  /** The most registers (1..125) that the real device gives in one answer. */
  readonly maxRegistersPerRead: number;
  /** Unused registers that one read may span to save a request; 0 or absent: none, some devices answer exception 2. */
  readonly mergeGap?: number;
  /** Addresses that must begin a read of their own, where the device mixes up what it answers. */
  readonly breakBefore?: readonly number[];
  /** `max`: the largest value of an integer type (0xFFFF, 0x7FFF) stands for a quantity that this variant does not have. */
  readonly notAvailable?: 'max';
  /** Silence on the bus before each request. */
  readonly silenceMs: number;
  /** How long the meter may take to begin its answer. */
  readonly timeoutMs: number;
}

/** What holds one share of a value, or all of it, where that is more than an address. */
export interface RegisterPart {
  readonly address: number;
  readonly type?: RegisterType;
  readonly wordOrder?: WordOrder;
  /** Wins over that of the quantity; negative for what is taken away. */
  readonly scale?: number;
  /** A register (int16) with the power of ten that the raw number is multiplied with. */
  readonly exponentAt?: number;
}

/**
 * Addresses are those on the wire (0-based). A list is the sum of its parts (whole kWh and the Wh after them), fetched by one read, so that
 * they belong to one moment. An absent line is not measured.
 */
export type QuantityRegisters = { readonly [line in Line]?: number | readonly RegisterPart[] } & Doubtful & {
    readonly unit: MeterUnit;
    readonly function?: ReadFunction;
    readonly type?: RegisterType;
    readonly wordOrder?: WordOrder;
    /** Physical value in `unit` = raw x scale; absent means 1. */
    readonly scale?: number;
    /** Some firmware counts in tenths: above this value it is divided by ten. */
    readonly tenthsAbove?: number;
  };

/** A register that tells one model from another. */
export interface IdentityRegister {
  readonly function: ReadFunction;
  readonly address: number;
  readonly type: 'uint16' | 'uint32' | 'text';
  /** Of a text. */
  readonly words?: number;
  /** The codes of this model. */
  readonly codes: { readonly [code: string]: string };
  /** Codes of other models: they are refused, and named. */
  readonly others?: { readonly [code: string]: string };
  /** `accept`: not every code of this model is known, any that is not among `others` will do. Absent: it is refused. */
  readonly unknown?: 'accept';
}

export interface SerialNumberRegister extends Doubtful {
  readonly function: ReadFunction;
  readonly address: number;
  readonly type: 'uint16' | 'uint32' | 'uint64' | 'text';
  /** Of a text. */
  readonly words?: number;
  readonly wordOrder?: WordOrder;
}

export interface RegisterMap {
  readonly model: string;
  readonly datasheet: string;
  /** `onDevice`: read from a real one. `onPaper`: from the datasheet and independent implementations only. `false`: not even that. */
  readonly verified: 'onDevice' | 'onPaper' | false;
  /** Why not; beside `verified: false` only. */
  readonly because?: string;
  readonly serial: FactorySettings;
  /** The largest current that the meter is made for, in ampere. */
  readonly maxA: number;
  readonly read: ReadDefaults;
  readonly quantities: { readonly [quantity in Quantity]?: QuantityRegisters };
  readonly identify?: IdentityRegister;
  readonly serialNumber?: SerialNumberRegister;
}

export const LINES: readonly Line[] = ['sum', 'L1', 'L2', 'L3', 'N'];

const WORDS: { readonly [type in RegisterType]: number } = {
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  float32: 2,
  uint64: 4,
  int64: 4,
  float64: 4,
  decimalUint24: 2,
  decimalInt24: 2,
  signThenUint16: 2,
};

/** How many registers a value of this type fills. */
export const wordsOf = (type: RegisterType): number => WORDS[type];

/** A part with everything that it takes to decode it. */
export type WholePart = Required<Omit<RegisterPart, 'exponentAt'>> & Pick<RegisterPart, 'exponentAt'>;

/** What the value of this line is made of; undefined: it is not measured. */
export function partsOf(
  registers: QuantityRegisters,
  line: Line,
  read: ReadDefaults,
): readonly WholePart[] | undefined {
  const given = registers[line];
  if (given === undefined) return undefined;
  const { type = read.type, wordOrder = read.wordOrder, scale = 1 } = registers;
  const parts = typeof given === 'number' ? [{ address: given }] : given;
  return parts.map((part) => ({ type, wordOrder, scale, ...part }));
}

/** The registers that hold these parts, as one stretch. */
export function stretchOf(parts: readonly WholePart[]): { readonly address: number; readonly words: number } {
  const spans = parts.flatMap(({ address, type, exponentAt }) => [
    { from: address, to: address + wordsOf(type) },
    ...(exponentAt === undefined ? [] : [{ from: exponentAt, to: exponentAt + 1 }]),
  ]);
  const address = Math.min(...spans.map(({ from }) => from));
  return { address, words: Math.max(...spans.map(({ to }) => to)) - address };
}

/** Everything in the map that nothing but memory says, each with its reason: `serial: ...`. */
export function doubtsOf({ verified, because, serial, quantities, serialNumber }: RegisterMap): readonly string[] {
  const members: readonly (readonly [string, Doubtful | undefined])[] = [
    ['serial settings', serial],
    ...quantitiesOf(quantities),
    ['serial number', serialNumber],
  ];
  return [
    ...(verified === false ? [because ?? 'no source'] : []),
    ...members.flatMap(([name, member]) =>
      member?.verified === false ? [`${name}: ${member.because ?? 'no source'}`] : [],
    ),
  ];
}

/** One value in the answer to one read. */
export interface Field {
  readonly quantity: Quantity;
  readonly line: Line;
  /** In registers from the start of the answer. */
  readonly offset: number;
}

/** One request on the bus. */
export interface PlannedRead {
  readonly function: ReadFunction;
  readonly address: number;
  readonly count: number;
  readonly fields: readonly Field[];
}

interface Wanted {
  readonly quantity: Quantity;
  readonly line: Line;
  readonly function: ReadFunction;
  readonly address: number;
  readonly words: number;
}

/** The fewest reads that fetch every register of the map within the device's limits, in order of address. */
export function plan(map: RegisterMap): readonly PlannedRead[] {
  const reads: PlannedRead[] = [];
  for (const item of wantedRegisters(map)) {
    const last = reads.at(-1);
    const joined = last === undefined ? undefined : join(last, item, map.read);
    if (joined === undefined) reads.push(alone(item));
    else reads[reads.length - 1] = joined;
  }
  return reads;
}

function wantedRegisters({ quantities, read }: RegisterMap): readonly Wanted[] {
  const wanted: Wanted[] = [];
  for (const [quantity, registers] of quantitiesOf(quantities)) {
    for (const line of LINES) {
      const parts = partsOf(registers, line, read);
      if (parts === undefined) continue;
      wanted.push({ quantity, line, function: registers.function ?? read.function, ...stretchOf(parts) });
    }
  }
  return wanted.sort((a, b) => a.function.localeCompare(b.function) || a.address - b.address || a.words - b.words);
}

/** The quantities of a map, typed. */
export const quantitiesOf = (
  quantities: RegisterMap['quantities'],
): readonly (readonly [Quantity, QuantityRegisters])[] => Object.entries(quantities) as [Quantity, QuantityRegisters][];

const alone = (item: Wanted): PlannedRead => ({
  function: item.function,
  address: item.address,
  count: item.words,
  fields: [{ quantity: item.quantity, line: item.line, offset: 0 }],
});

function join(read: PlannedRead, item: Wanted, limits: ReadDefaults): PlannedRead | undefined {
  if (read.function !== item.function) return undefined;
  const end = read.address + read.count;
  const offset = item.address - read.address;
  const count = Math.max(read.count, offset + item.words);
  if (item.address - end > (limits.mergeGap ?? 0) || count > limits.maxRegistersPerRead) return undefined;
  if (limits.breakBefore?.some((start) => read.address < start && item.address + item.words > start)) return undefined;
  return { ...read, count, fields: [...read.fields, { quantity: item.quantity, line: item.line, offset }] };
}
