/** What a tag becomes: the identifier that central systems know, from what a reader has read. Pure. */
import type { NormaliseDescription } from '../board-description.ts';

/** A UID as it comes through the air, or what a keyboard reader has typed. */
export type Raw = { readonly uid: Uint8Array } | { readonly typed: string };

export type Normalised = { readonly idTag: string } | { readonly refused: string };

/** The longest that an identifier may be, in characters. */
const LONGEST = 20;
/** Typed decimal numbers are usually the four bytes of a 125 kHz tag, or of a short UID. */
const USUAL_BYTES = 4;
/** ISO 14443-3: a UID of four bytes that begins so is made up anew each time (telephones, passports). */
const RANDOM = 0x08;

export const isRandom = (uid: Uint8Array): boolean => uid.length === 4 && uid[0] === RANDOM;

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** As a person reads it. */
export const rawText = (raw: Raw): string => ('uid' in raw ? hexOf(raw.uid).toUpperCase() : raw.typed);

export function normalise(raw: Raw, options: NormaliseDescription = {}): Normalised {
  const { prefix = '', case: letters } = options;
  const text = textOf(raw, options);
  if (typeof text !== 'string') return text;
  const cased = letters === 'upper' ? text.toUpperCase() : letters === 'lower' ? text.toLowerCase() : text;
  const idTag = prefix + cased;
  if (idTag.length > LONGEST) {
    return { refused: `${idTag.length} characters, and an identifier has at most ${LONGEST}` };
  }
  return { idTag };
}

function textOf(raw: Raw, { typed = 'text', reverse = false, as = 'hex', digits = 0, bytes }: NormaliseDescription) {
  if ('typed' in raw && raw.typed === '') return { refused: 'nothing was typed' };
  if ('typed' in raw && typed === 'text') return raw.typed;
  const read = 'uid' in raw ? raw.uid : typed === 'decimal' ? fromDecimal(raw.typed, bytes) : fromHex(raw.typed);
  if (!(read instanceof Uint8Array)) return read;
  if ('uid' in raw && isRandom(read)) {
    return { refused: 'this card makes up a new number each time' };
  }
  const ordered = reverse ? read.toReversed() : read;
  const hex = hexOf(ordered);
  return (as === 'decimal' ? BigInt(`0x${hex}`).toString() : hex.toUpperCase()).padStart(digits, '0');
}

function fromHex(text: string): Uint8Array | { readonly refused: string } {
  if (!/^([0-9a-f]{2})+$/i.test(text)) return { refused: 'not an even number of hexadecimal digits' };
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function fromDecimal(text: string, bytes = USUAL_BYTES): Uint8Array | { readonly refused: string } {
  if (!/^\d{1,40}$/.test(text)) return { refused: 'not a decimal number' };
  const hex = BigInt(text)
    .toString(16)
    .padStart(2 * bytes, '0');
  return hex.length > 2 * bytes ? { refused: `more than a number of ${bytes} bytes` } : fromHex(hex);
}
