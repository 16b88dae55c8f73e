/** The parts of a certificate (RFC 5280 section 4.1) out of its DER, where Node shows them late or not at all. */
import type { Buffer } from 'node:buffer';
import type { Certificate, KeyUse } from '../../ports.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts';
import {
  BOOLEAN,
  bits,
  context,
  type Der,
  GENERALIZED_TIME,
  INTEGER,
  members,
  objectIdentifier,
  readDer,
  UTC_TIME,
} from './der.ts';
import { type Name, readName } from './name.ts';

export interface Structure {
  readonly version: number;
  /** Upper-case hexadecimal without leading zeros. */
  readonly serialNumber: string;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly issuer: Name;
  /** The DER of the issuer's name. */
  readonly issuerName: Buffer;
  readonly subject: Name;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The public key itself: the BIT STRING without tag, length and count of unused bits. */
  readonly keyBits: Buffer;
  readonly constraints: Pick<Certificate, 'ca' | 'pathLength' | 'keyUsage'>;
  /** Some extension is marked critical, and nobody here heeds it. */
  readonly unheeded: boolean;
}

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}
type Extensions = ReadonlyMap<string, Extension>;

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
/**
 * Critical, and still no reason to refuse: host names and extended uses are looked at by the TLS handshake, and a policy restricts nobody who
 * accepts any (RFC 5280 section 6.1.1 c).
 */
const HEEDED: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE, '2.5.29.17', '2.5.29.37', '2.5.29.32'];

const KEY_USES: readonly KeyUse[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** Section 4.1.2.2, and what CiString40Type has room for. */
const MOST_SERIAL_DIGITS = 40;

/** Throws RangeError for what is no DER of a certificate. */
export function readStructure(der: Buffer): Structure {
  const [toBeSigned] = members(readDer(der));
  const all = members(required(toBeSigned));
  const [first] = all;
  const version = first?.tag === context(0) ? required(members(first)[0]?.content[0]) + 1 : 1;
  const [serial, algorithm, issuer, validity, subject, key] = first?.tag === context(0) ? all.slice(1) : all;
  const [notBefore, notAfter] = members(required(validity)).map(readTime);
  const extensions = readExtensions(all.find(({ tag }) => tag === context(3)));
  return {
    version,
    serialNumber: readSerialNumber(required(serial)),
    signatureAlgorithm: readSignatureAlgorithm(required(algorithm)),
    issuer: readName(required(issuer)),
    issuerName: required(issuer).whole,
    subject: readName(required(subject)),
    notBefore: required(notBefore),
    notAfter: required(notAfter),
    keyBits: bits(required(members(required(key))[1])),
    constraints: { ...basicConstraints(extensions), ...keyUsage(extensions) },
    unheeded: [...extensions].some(([oid, { critical }]) => critical && !HEEDED.includes(oid)),
  };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('a member is missing');
  return value;
}

function readSerialNumber({ content }: Der): string {
  const digits = content
    .toString('hex')
    .toUpperCase()
    .replace(/^0+(?=.)/, '');
  if (content.readInt8(0) < 0 || digits.length > MOST_SERIAL_DIGITS)
    throw new RangeError('the serial number is negative or too long');
  return digits;
}

const SHORT_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/;
const LONG_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/;

/** UTCTime means 1950 to 2049; both are to the second, in UTC (section 4.1.2.5). */
function readTime({ tag, content }: Der): number {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) throw new RangeError('no time');
  const match = (tag === UTC_TIME ? SHORT_TIME : LONG_TIME).exec(content.toString('latin1'));
  if (match === null) throw new RangeError('a time with an offset or fractions');
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const century = tag === GENERALIZED_TIME ? 0 : year < 50 ? 2000 : 1900;
  return Date.UTC(century + year, month - 1, day, hour, minute, second);
}

function readExtensions(member: Der | undefined): Extensions {
  const list = member === undefined ? [] : members(member).flatMap(members);
  const extensions = new Map(list.map(readExtension));
  // Section 4.2: otherwise one reader would believe the first, another the last.
  if (extensions.size !== list.length) throw new RangeError('an extension twice');
  return extensions;
}

function readExtension(extension: Der): readonly [oid: string, extension: Extension] {
  const [oid, second, third] = members(extension);
  const hasCritical = second?.tag === BOOLEAN;
  const critical = hasCritical && second.content[0] !== 0;
  return [objectIdentifier(required(oid)), { critical, value: required(hasCritical ? third : second).content }];
}

function basicConstraints(extensions: Extensions): Pick<Certificate, 'ca' | 'pathLength'> {
  const extension = extensions.get(BASIC_CONSTRAINTS);
  if (extension === undefined) return {};
  const inside = members(readDer(extension.value));
  const ca = inside.some(({ tag, content }) => tag === BOOLEAN && content[0] !== 0);
  const length = inside.find(({ tag }) => tag === INTEGER)?.content;
  return { ca, ...(length === undefined ? {} : { pathLength: length.readUIntBE(0, Math.min(length.length, 6)) }) };
}

function keyUsage(extensions: Extensions): Pick<Certificate, 'keyUsage'> {
  const extension = extensions.get(KEY_USAGE);
  if (extension === undefined) return {};
  const flags = bits(readDer(extension.value));
  return { keyUsage: KEY_USES.filter((_, i) => ((flags[i >> 3] ?? 0) & (0x80 >> (i & 7))) !== 0) };
}
