/** The `Certificates` port over node:crypto and our own DER. `x509.ts` loads this when it is first needed. */
import { createHash, createPublicKey } from 'node:crypto';
import type {
  Certificate,
  CertificateHash,
  CertificateHashAlgorithm,
  Certificates,
  CertificatesRead,
  StoredKey,
} from '../../ports.ts';
import { verifyChain } from './chain.ts';
import { decodeAgain, decodeCertificate, publicKeyOf } from './decode.ts';
import { certificateBlocks } from './pem.ts';
import { verifySignature } from './signature.ts';
import { signingRequest } from './signing-request.ts';
import { inTurns } from './turns.ts';

export const certificates: Certificates = { read, hash, verifyChain, signingRequest, belongsTo, verifySignature };

async function read(pem: string): Promise<CertificatesRead> {
  const found: Certificate[] = [];
  // One in a turn: OpenSSL takes some milliseconds for each on a small Pi.
  for (const certificate of await inTurns(certificateBlocks(pem), 1, (block) => block && decodeCertificate(block))) {
    if (certificate === undefined) return { ok: false, reason: 'malformed' };
    found.push(certificate);
  }
  const [leaf, ...others] = found;
  return leaf === undefined ? { ok: false, reason: 'none' } : { ok: true, certificates: [leaf, ...others] };
}

async function hash(
  hashAlgorithm: CertificateHashAlgorithm,
  certificate: Certificate,
  issuer = certificate,
): Promise<CertificateHash> {
  const digest = (bytes: Uint8Array) => createHash(hashAlgorithm).update(bytes).digest('hex');
  return {
    hashAlgorithm,
    issuerNameHash: digest(decodeAgain(certificate).structure.issuerName),
    issuerKeyHash: digest(decodeAgain(issuer).structure.keyBits),
    serialNumber: certificate.serialNumber,
  };
}

async function belongsTo(certificate: Certificate, { publicKey }: StoredKey): Promise<boolean> {
  return publicKeyOf(certificate)?.equals(createPublicKey(publicKey)) ?? false;
}
