/** Signatures over files that may be larger than the memory (L01.FR.04). */
import { constants, createVerify, type Verify, type VerifyKeyObjectInput } from 'node:crypto';
import type { Certificate, SignatureVerdict } from '../../ports.ts';
import { publicKeyOf } from './decode.ts';
import { fromBase64 } from './pem.ts';
import { turn } from './turns.ts';

/** Hashed in about 1 ms by a Pi without instructions for it. */
const SLICE_BYTES = 64 * 1024;

/** See `Certificates.verifySignature`. */
export async function verifySignature(
  certificate: Certificate,
  data: AsyncIterable<Uint8Array>,
  signatureBase64: string,
): Promise<SignatureVerdict> {
  const signature = fromBase64(signatureBase64);
  const key = verifying(certificate);
  if (signature === undefined || key === undefined) return 'notRead';
  const verify = createVerify('sha256');
  for await (const chunk of data) await hash(verify, chunk);
  return verify.verify(key, signature) ? 'valid' : 'invalid';
}

async function hash(verify: Verify, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
    if (from > 0) await turn();
    verify.update(chunk.subarray(from, from + SLICE_BYTES));
  }
}

/** The whitepaper's other algorithm, ECSchnorr, has no standard encoding that anybody signs with: a curve means ECDSA. */
function verifying(certificate: Certificate): VerifyKeyObjectInput | undefined {
  const key = publicKeyOf(certificate);
  switch (key?.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
    case 'ec':
      return { key };
    default:
      return undefined;
  }
}
