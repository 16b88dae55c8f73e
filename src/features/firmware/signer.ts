/** Whether a certificate may sign firmware: the manufacturer's root vouches for it, directly (L01.FR.12, L01.FR.23; A00 certificate hierarchy). */
import type { Certificate } from '../../ports.ts';
import type { Context } from '../feature.ts';

export type Signer =
  | { readonly ok: true; readonly certificate: Certificate }
  /** `reason` for the security event. */
  | { readonly ok: false; readonly reason: string };

type Needs = Pick<Context, 'certificates' | 'clock' | 'trust'>;

export async function signerOf({ certificates, clock, trust }: Needs, pem: string): Promise<Signer> {
  const read = await certificates.read(pem);
  if (!read.ok) return { ok: false, reason: `no certificate can be read (${read.reason})` };
  // Only the first one: the manufacturer uses no intermediate certificates (L01, remark).
  const [certificate] = read.certificates;
  const { keyUsage, subject } = certificate;
  if (keyUsage !== undefined && !keyUsage.includes('digitalSignature'))
    return { ok: false, reason: `not for signing: ${subject}` };
  const roots = await Promise.all(trust.roots('ManufacturerRootCertificate').map((root) => certificates.read(root)));
  const anchors = roots.flatMap((root) => (root.ok ? root.certificates : []));
  // A clock that is not right yet is asked again before the signature is believed.
  const now = clock.trusted ? clock.wall(clock.now()) : 'unknown';
  const verdict = await certificates.verifyChain([certificate], anchors, now);
  return verdict.ok ? { ok: true, certificate } : { ok: false, reason: `${verdict.reason}: ${subject}` };
}
