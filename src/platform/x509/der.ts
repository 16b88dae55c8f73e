/** As much of DER (X.690) as certificates and signing requests need: reading values in order, writing them. */
import { Buffer } from 'node:buffer';

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
export const UTF8_STRING = 0x0c;
export const PRINTABLE_STRING = 0x13;
export const TELETEX_STRING = 0x14;
export const IA5_STRING = 0x16;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const BMP_STRING = 0x1e;
export const SEQUENCE = 0x30;
export const SET = 0x31;
/** A constructed member with the number `n` of its own. */
export const context = (n: number): number => 0xa0 | n;

export interface Der {
  readonly tag: number;
  /** Without tag and length. */
  readonly content: Buffer;
  readonly whole: Buffer;
}

/** The value at the start of `bytes`; what follows is left alone. Throws RangeError for what is no DER. */
export function readDer(bytes: Buffer): Der {
  const tag = bytes.readUInt8(0);
  if ((tag & 0x1f) === 0x1f) throw new RangeError('a tag of several bytes');
  const first = bytes.readUInt8(1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // 0x80 is the indefinite length of BER: such a text has no single encoding to hash. Four bytes hold more than any certificate.
  if (first === 0x80 || lengthBytes > 4) throw new RangeError('a length that is no DER');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (start + length > bytes.length) throw new RangeError('a value longer than its surroundings');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

/** The values inside a constructed one. Throws RangeError for what is no DER. */
export function members({ content }: Der): readonly Der[] {
  const found: Der[] = [];
  for (let rest = content; rest.length > 0; ) {
    const member = readDer(rest);
    found.push(member);
    rest = rest.subarray(member.whole.length);
  }
  return found;
}

/** The bytes of a BIT STRING whose length is a whole number of bytes, as keys and signatures are. */
export const bits = ({ content }: Der): Buffer => content.subarray(1);

/** `1.2.840.113549.1.1.11`. */
export function objectIdentifier({ content }: Der): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    // Not by shifting: some arcs (UUIDs) have more than 32 bits, and need only differ.
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [both = 0, ...others] = arcs;
  const root = Math.min(2, Math.floor(both / 40));
  return [root, both - root * 40, ...others].join('.');
}

export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

/** Arcs below 2^28, as all that we write. */
export function writeObjectIdentifier(dotted: string): Buffer {
  const [root = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return writeDer(OBJECT_IDENTIFIER, Buffer.from([root * 40 + second, ...others].flatMap(base128)));
}

function base128(arc: number): readonly number[] {
  const octets = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return octets;
}
