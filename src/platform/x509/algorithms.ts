/** Signature algorithms and key sizes, and which of them are too weak (security whitepaper section 2.6.1). */
import type { KeyObject } from 'node:crypto';
import type { CertificateKey, CertificateWeakness } from '../../ports.ts';
import { context, type Der, members, objectIdentifier } from './der.ts';

const RSASSA_PSS = '1.2.840.113549.1.1.10';

/** BSI and NIST both have done with MD5 and SHA-1; what is not in this table is refused as well. */
const STRONG: { readonly [oid: string]: string } = {
  '1.2.840.113549.1.1.14': 'sha224WithRSAEncryption',
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '2.16.840.1.101.3.4.3.1': 'dsa-with-SHA224',
  '2.16.840.1.101.3.4.3.2': 'dsa-with-SHA256',
  '1.3.101.112': 'Ed25519',
  '1.3.101.113': 'Ed448',
};

/** Named only so that a refusal can be understood. */
const BROKEN: { readonly [oid: string]: string } = {
  '1.2.840.113549.1.1.2': 'md2WithRSAEncryption',
  '1.2.840.113549.1.1.3': 'md4WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.3.14.3.2.29': 'sha1WithRSAEncryption',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10040.4.3': 'dsa-with-SHA1',
};

const STRONG_PSS_HASHES: { readonly [oid: string]: string } = {
  '2.16.840.1.101.3.4.2.4': 'SHA224',
  '2.16.840.1.101.3.4.2.1': 'SHA256',
  '2.16.840.1.101.3.4.2.2': 'SHA384',
  '2.16.840.1.101.3.4.2.3': 'SHA512',
};

export interface SignatureAlgorithm {
  readonly name: string;
  readonly strong: boolean;
}

/** Of an AlgorithmIdentifier. Throws RangeError for what is no DER. */
export function readSignatureAlgorithm(identifier: Der): SignatureAlgorithm {
  const [oid, parameters] = members(identifier);
  const number = oid === undefined ? '' : objectIdentifier(oid);
  if (number !== RSASSA_PSS) {
    const strong = STRONG[number];
    return { name: strong ?? BROKEN[number] ?? number, strong: strong !== undefined };
  }
  // RFC 4055: a hash that is not named is SHA-1.
  const named = parameters === undefined ? undefined : members(parameters).find(({ tag }) => tag === context(0));
  const hash = named === undefined ? undefined : members(named).flatMap(members)[0];
  const strong = hash === undefined ? undefined : STRONG_PSS_HASHES[objectIdentifier(hash)];
  return { name: `rsassaPss-${strong ?? 'SHA1'}`, strong: strong !== undefined };
}

/** `undefined` for a key that OpenSSL does not know. */
export function readKey(key: KeyObject | undefined): CertificateKey {
  const { modulusLength = 0, namedCurve } = key?.asymmetricKeyDetails ?? {};
  switch (key?.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return { kind: 'rsa', bits: modulusLength };
    case 'dsa':
      return { kind: 'dsa', bits: modulusLength };
    case 'ec':
      return readCurve(namedCurve);
    case 'ed25519':
      return { kind: 'ed25519', bits: 256 };
    case 'ed448':
      return { kind: 'ed448', bits: 456 };
    default:
      return { kind: 'other', bits: 0 };
  }
}

/** A curve given by its parameters can be anybody's (CVE-2020-0601): it has no name. The names of those that do hold their size. */
function readCurve(name = ''): CertificateKey {
  const size = /\d{3}/.exec(name)?.[0];
  return size === undefined ? { kind: 'other', bits: 0 } : { kind: 'ec', bits: Number(size) };
}

const LEAST_RSA_BITS = 2048;
const LEAST_CURVE_BITS = 224;

export function weaknessOf(key: CertificateKey, signature: SignatureAlgorithm): CertificateWeakness | undefined {
  return (
    weaknessOfKey(key) ?? (signature.strong ? undefined : { rule: 'A00.FR.504', text: `signed with ${signature.name}` })
  );
}

export function weaknessOfKey({ kind, bits }: CertificateKey): CertificateWeakness | undefined {
  if (kind === 'other') return { rule: 'A00.FR.504', text: 'a kind of key or curve that is not recommended' };
  if ((kind === 'rsa' || kind === 'dsa') && bits < LEAST_RSA_BITS)
    return { rule: 'A00.FR.502', text: `${kind.toUpperCase()} key of ${bits} bits, ${LEAST_RSA_BITS} are the least` };
  if (kind === 'ec' && bits < LEAST_CURVE_BITS)
    return { rule: 'A00.FR.503', text: `elliptic curve of ${bits} bits, ${LEAST_CURVE_BITS} are the least` };
  return undefined;
}
