/** Whether a certificate may become ours (security whitepaper, A02.FR.06): key, period, properties, hierarchy. */
import type { Certificate, Certificates, StoredKey } from '../../ports.ts';
import type { TrustStoreOptions } from './trust-options.ts';

/** A certificate for a key that we asked with. */
export interface Match {
  readonly leaf: Certificate;
  readonly others: readonly Certificate[];
  readonly key: StoredKey;
}

/** Our own certificate goes first, but not everybody sends it first. */
export async function matchOf(
  { certificates }: Pick<TrustStoreOptions, 'certificates'>,
  given: readonly Certificate[],
  keys: readonly StoredKey[],
): Promise<Match | undefined> {
  for (const leaf of given)
    for (const key of keys)
      if (await certificates.belongsTo(leaf, key))
        return { leaf, key, others: given.filter((certificate) => certificate !== leaf) };
  return undefined;
}

/** Undefined if it is sound; else what is wrong with it. */
export async function faultOf(
  { certificates, clock, config, log }: TrustStoreOptions,
  { leaf, others }: Match,
  roots: readonly string[],
): Promise<string | undefined> {
  if (leaf.commonName !== serialNumberOf(config)) return 'its CN is not our serial number';
  if (leaf.organization === undefined) log.warn('our certificate names no organization', { subject: leaf.subject });
  const anchors = await readAll(certificates, roots);
  if (anchors.length === 0) return 'no CentralSystemRootCertificate is installed';
  // One that becomes valid later is taken, and shown then (A02.FR.08).
  const now = clock.trusted ? Math.max(clock.wall(clock.now()), leaf.notBefore) : 'unknown';
  const verdict = await certificates.verifyChain([leaf, ...others], anchors, now);
  if (verdict.ok) return undefined;
  const at = verdict.certificate === leaf ? '' : ` (${verdict.certificate.subject})`;
  return `${verdict.weakness?.text ?? verdict.reason}${at}`;
}

export async function readAll(certificates: Certificates, pems: readonly string[]): Promise<readonly Certificate[]> {
  const found: Certificate[] = [];
  for (const pem of pems) {
    const read = await certificates.read(pem);
    if (read.ok) found.push(...read.certificates);
  }
  return found;
}

/** A00.FR.511; a charge point that has none is known by its identity only. */
export const serialNumberOf = ({ chargePoint }: Pick<TrustStoreOptions['config'], 'chargePoint'>): string =>
  chargePoint.serialNumber ?? chargePoint.chargeBoxSerialNumber ?? chargePoint.identity;
