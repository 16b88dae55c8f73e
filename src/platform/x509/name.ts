/** Distinguished names (RFC 5280 section 4.1.2.4): how we show them, how we compare them. */
import type { Buffer } from 'node:buffer';
import {
  BMP_STRING,
  type Der,
  IA5_STRING,
  members,
  objectIdentifier,
  PRINTABLE_STRING,
  TELETEX_STRING,
  UTF8_STRING,
} from './der.ts';

export const COMMON_NAME = '2.5.4.3';
export const ORGANIZATION = '2.5.4.10';

const LABELS: { readonly [type: string]: string } = {
  [COMMON_NAME]: 'CN',
  [ORGANIZATION]: 'O',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

interface Attribute {
  readonly type: string;
  readonly value: string;
}

export interface Name {
  readonly text: string;
  /** The same for names that RFC 5280 section 7.1 takes for equal: neither case nor white space nor the kind of string counts. */
  readonly comparable: string;
  /** The last value of the type. */
  last(type: string): string | undefined;
}

/** Throws RangeError for what is no DER. */
export function readName(name: Der): Name {
  const parts = members(name).map((part) => members(part).map(readAttribute));
  const join = (one: (attribute: Attribute) => string, between: string) =>
    parts.map((part) => part.map(one).join('+')).join(between);
  return {
    text: join(({ type, value }) => `${LABELS[type] ?? type}=${escaped(value)}`, ', '),
    comparable: join(({ type, value }) => JSON.stringify([type, folded(value)]), '/'),
    last: (type) => parts.flat().findLast((attribute) => attribute.type === type)?.value,
  };
}

function readAttribute(attribute: Der): Attribute {
  const [type, value] = members(attribute);
  if (type === undefined || value === undefined) throw new RangeError('an attribute without a value');
  return { type: objectIdentifier(type), value: readText(value) };
}

function readText({ tag, content }: Der): string {
  switch (tag) {
    case UTF8_STRING:
    case PRINTABLE_STRING:
    case IA5_STRING:
      return content.toString('utf8');
    case TELETEX_STRING:
      return content.toString('latin1');
    case BMP_STRING:
      return utf16BigEndian(content);
    default:
      return `#${content.toString('hex')}`;
  }
}

const utf16BigEndian = (content: Buffer): string =>
  Array.from({ length: content.length >> 1 }, (_, i) => String.fromCharCode(content.readUInt16BE(2 * i))).join('');

const folded = (value: string): string => value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');

/** A name comes from outside: it must not end a line of the log, nor pass for two attributes. */
const escaped = (value: string): string =>
  value
    .replace(/[\\,+"<>;]/g, '\\$&')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (control) => `\\${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
