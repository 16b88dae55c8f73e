/** From 16-bit registers to physical values in the units of the hardware contract. Pure. */
import type { Line, Lines, Quantity, Values } from '../contract.ts';
import {
  type IdentityRegister,
  type MeterUnit,
  type PlannedRead,
  partsOf,
  type RegisterMap,
  type RegisterType,
  type SerialNumberRegister,
  type WholePart,
  type WordOrder,
  wordsOf,
} from './register-map.ts';

/** Factor from the unit of the meter to the unit of the contract. */
const TO_CONTRACT: { readonly [unit in MeterUnit]: number } = {
  V: 1,
  A: 1,
  W: 1,
  kW: 1000,
  var: 1,
  kvar: 1000,
  VA: 1,
  kVA: 1000,
  '1': 1,
  Hz: 1,
  Wh: 1,
  kWh: 1000,
  varh: 1,
  kvarh: 1000,
  degC: 1,
  percent: 1,
};

/** Lifetime registers. They are whole Wh or varh, so that a difference of two is exact. */
export const ENERGIES: readonly Quantity[] = [
  'energyImport',
  'energyExport',
  'reactiveEnergyImport',
  'reactiveEnergyExport',
];

const FLOAT32_DIGITS = 7;
const OTHER_DIGITS = 12;

/**
 * The raw number in `registers` from `offset`; undefined if it is no number, is too big to be exact, or lies outside the answer.
 * `max`: the largest value of an integer type says that the meter does not have this quantity.
 */
export function rawValue(
  registers: readonly number[],
  offset: number,
  type: RegisterType,
  wordOrder: WordOrder,
  notAvailable?: 'max',
): number | undefined {
  const words = registers.slice(offset, offset + wordsOf(type));
  if (offset < 0 || words.length < wordsOf(type)) return undefined;
  if (wordOrder === 'lowFirst') words.reverse();
  const view = new DataView(new ArrayBuffer(8));
  words.forEach((word, index) => {
    view.setUint16(2 * index, word);
  });
  if (notAvailable === 'max' && isLargest(words, type)) return undefined;
  const value = READERS[type](view);
  const isWhole = type.startsWith('int') || type.startsWith('uint');
  const exact = isWhole ? Number.isSafeInteger(value) : Number.isFinite(value);
  return exact ? value : undefined;
}

const READERS: { readonly [type in RegisterType]: (view: DataView) => number } = {
  uint16: (view) => view.getUint16(0),
  int16: (view) => view.getInt16(0),
  uint32: (view) => view.getUint32(0),
  int32: (view) => view.getInt32(0),
  uint64: (view) => Number(view.getBigUint64(0)),
  int64: (view) => Number(view.getBigInt64(0)),
  float32: (view) => view.getFloat32(0),
  float64: (view) => view.getFloat64(0),
  decimalUint24: (view) => timesTenTo(view.getUint32(0) & 0xff_ffff, view.getInt8(0)),
  decimalInt24: (view) => timesTenTo((view.getInt32(0) << 8) >> 8, view.getInt8(0)),
  signThenUint16: (view) => view.getUint16(2) * (view.getUint8(0) === 0xff ? -1 : 1),
};

/** The number that these digits stand for, not a product that is a little off. */
const timesTenTo = (number: number, exponent: number): number => Number(`${number}e${exponent}`);

function isLargest([first, ...rest]: readonly number[], type: RegisterType): boolean {
  if (!type.startsWith('int') && !type.startsWith('uint')) return false;
  return first === (type.startsWith('uint') ? 0xffff : 0x7fff) && rest.every((word) => word === 0xffff);
}

/** The answer to one planned read as values in V, A, W, var, VA, 1, Hz, Wh, varh, degree Celsius or percent. */
export function decode(map: RegisterMap, read: PlannedRead, registers: readonly number[]): Values {
  const values: { [quantity in Quantity]?: { [line in Line]?: number } } = {};
  for (const { quantity, line } of read.fields) {
    const value = physicalValue(map, quantity, line, { address: read.address, registers });
    if (value !== undefined) values[quantity] = { ...values[quantity], [line]: value };
  }
  return values;
}

/** What one read brought, and where it begins. */
interface Block {
  readonly address: number;
  readonly registers: readonly number[];
}

function physicalValue(map: RegisterMap, quantity: Quantity, line: Line, block: Block): number | undefined {
  const entry = map.quantities[quantity];
  const parts = entry && partsOf(entry, line, map.read);
  if (entry === undefined || parts === undefined) return undefined;
  const shares = parts.map((part) => shareOf(part, block, TO_CONTRACT[entry.unit], map.read.notAvailable));
  let sum = 0;
  for (const share of shares) {
    if (share === undefined) return undefined;
    sum += share;
  }
  // 24 bits of kWh are whole Wh up to 16 MWh: rounding here, before any difference is taken, loses nothing.
  if (ENERGIES.includes(quantity)) return withoutNegativeZero(Math.round(sum));
  const digits = parts.some(({ type }) => type === 'float32') ? FLOAT32_DIGITS : OTHER_DIGITS;
  const value = withoutNegativeZero(Number(sum.toPrecision(digits)));
  return entry.tenthsAbove !== undefined && value > entry.tenthsAbove
    ? Number((value / 10).toPrecision(digits))
    : value;
}

/** In the unit of the contract; undefined if one of its registers holds no number. */
function shareOf(
  { address, type, wordOrder, scale, exponentAt }: WholePart,
  block: Block,
  toContract: number,
  notAvailable: 'max' | undefined,
): number | undefined {
  const raw = rawValue(block.registers, address - block.address, type, wordOrder, notAvailable);
  const exponent =
    exponentAt === undefined ? 0 : rawValue(block.registers, exponentAt - block.address, 'int16', wordOrder);
  if (raw === undefined || exponent === undefined) return undefined;
  return (exponent === 0 ? raw : timesTenTo(raw, exponent)) * (scale * toContract);
}

/** How many registers hold a model code or a serial number. */
export const identityWords = ({ type, words }: IdentityRegister | SerialNumberRegister): number =>
  type === 'text' ? (words ?? 1) : wordsOf(type);

/** A model code or a serial number as text, a number in decimal; undefined if there is none. */
export function identityOf(
  register: IdentityRegister | SerialNumberRegister,
  registers: readonly number[],
  wordOrder: WordOrder,
): string | undefined {
  if (register.type !== 'text') return rawValue(registers, 0, register.type, wordOrder)?.toString();
  const bytes = registers.slice(0, identityWords(register)).flatMap((word) => [word >> 8, word & 0xff]);
  const text = String.fromCharCode(...bytes.filter((byte) => byte >= 0x20 && byte < 0x7f)).trim();
  return text === '' ? undefined : text;
}

const withoutNegativeZero = (value: number): number => (value === 0 ? 0 : value);

/** The values of several reads in one. */
export function merge(parts: readonly Values[]): Values {
  const merged: { [quantity in Quantity]?: Lines } = {};
  for (const part of parts) {
    for (const [quantity, lines] of Object.entries(part) as [Quantity, Lines][]) {
      merged[quantity] = { ...merged[quantity], ...lines };
    }
  }
  return merged;
}
