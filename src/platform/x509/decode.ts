/** From the DER of a certificate to plain data, and back to what can verify. OpenSSL decides what is a certificate and what a signature. */
import type { Buffer } from 'node:buffer';
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { Certificate } from '../../ports.ts';
import { readKey, weaknessOf, weaknessOfKey } from './algorithms.ts';
import { COMMON_NAME, type Name, ORGANIZATION } from './name.ts';
import { certificateBlocks, toPem } from './pem.ts';
import { readStructure, type Structure } from './structure.ts';

/** A certificate whose structure is at hand; OpenSSL is asked when somebody verifies, which costs more than all the rest. */
export interface Decoded {
  readonly certificate: Certificate;
  readonly structure: Structure;
}

/** Undefined for what is no X.509 certificate. */
export function decodeCertificate(block: Buffer): Certificate | undefined {
  const x509 = openCertificate(block);
  if (x509 === undefined) return undefined;
  try {
    return describe(x509, readStructure(x509.raw));
  } catch (error) {
    // What OpenSSL forgives and DER does not.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Of data that `decodeCertificate` has made: the PEM in it is sound. */
export function decodeAgain(certificate: Certificate): Decoded {
  const [der] = certificateBlocks(certificate.pem);
  if (der === undefined) throw new TypeError('the PEM text of a certificate was changed');
  return { certificate, structure: readStructure(der) };
}

/** Undefined for a key that OpenSSL does not know. */
export const publicKeyOf = ({ pem }: Certificate): KeyObject | undefined => keyIn(new X509Certificate(pem));

/** Whether the key of `issuer` made the signature of the certificate; names are not looked at. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const key = publicKeyOf(issuer);
  return key !== undefined && verifies(new X509Certificate(certificate.pem), key);
}

function openCertificate(block: Buffer): X509Certificate | undefined {
  try {
    // What follows is left out: a TRUSTED CERTIFICATE carries OpenSSL's own notes.
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

function keyIn(x509: X509Certificate): KeyObject | undefined {
  try {
    return x509.publicKey;
  } catch {
    return undefined;
  }
}

function verifies(x509: X509Certificate, key: KeyObject): boolean {
  try {
    return x509.verify(key);
  } catch {
    // A key of another kind than the signature.
    return false;
  }
}

function describe(x509: X509Certificate, structure: Structure): Certificate {
  const { version, serialNumber, signatureAlgorithm, issuer, subject, notBefore, notAfter, constraints } = structure;
  const publicKey = keyIn(x509);
  const key = readKey(publicKey);
  const selfIssued = subject.comparable === issuer.comparable;
  const selfSigned = selfIssued && publicKey !== undefined && verifies(x509, publicKey);
  const weakness = selfSigned ? weaknessOfKey(key) : weaknessOf(key, signatureAlgorithm);
  return {
    pem: toPem('CERTIFICATE', x509.raw),
    fingerprint: createHash('sha256').update(x509.raw).digest('hex'),
    subject: subject.text,
    issuer: issuer.text,
    ...namesOf(subject),
    serialNumber,
    notBefore,
    notAfter,
    version,
    selfIssued,
    selfSigned,
    ...constraints,
    key,
    signatureAlgorithm: signatureAlgorithm.name,
    ...(weakness === undefined ? {} : { weakness }),
  };
}

function namesOf(subject: Name): Pick<Certificate, 'commonName' | 'organization'> {
  const commonName = subject.last(COMMON_NAME);
  const organization = subject.last(ORGANIZATION);
  return {
    ...(commonName === undefined ? {} : { commonName }),
    ...(organization === undefined ? {} : { organization }),
  };
}
