/** How certificates lie in the store. */
import type { CertificateHashData, CertificateUse } from '../../ocpp/messages/types/certificate.ts';
import type { CertificateHash, CertificateHashAlgorithm, KeyRange, Stamp, StoredKey } from '../../ports.ts';
import type { CertificateRequest } from '../feature.ts';

export interface RootRow {
  readonly use: CertificateUse;
  readonly pem: string;
  readonly fingerprint: string;
  readonly subject: string;
  /** One for each algorithm: the central system may name it by any (M04). */
  readonly hashes: readonly CertificateHash[];
  readonly installed: Stamp;
  /** Replaced by a new root that has not worked yet (M05.FR.11). */
  readonly fallback?: true;
}

export interface OwnRow {
  /** PEM, from our own certificate upwards, without a self-signed root. */
  readonly chain: string;
  readonly fingerprint: string;
  readonly key: StoredKey;
  readonly hashes: readonly CertificateHash[];
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly installed: Stamp;
  /** Epoch milliseconds when a connection was first made with it. */
  readonly workedAt?: number;
}

export interface RequestRow {
  /** Those whose certificate may still come, the newest last. */
  readonly keys: readonly StoredKey[];
  /** Absent if nothing is under way; without `keyId` its key pair has yet to be generated. */
  readonly request?: CertificateRequest & { readonly keyId?: string };
  readonly wantedAt: number;
}

const PREFIX = 'certificates/';
export const certificateRange: KeyRange = { from: PREFIX, to: 'certificates0' };
export const OWN_PREFIX = `${PREFIX}own/`;
export const ROOT_PREFIX = `${PREFIX}root/`;
export const REQUEST_KEY = `${PREFIX}request`;
/** The PEM texts of caFile that have been installed once. */
export const FILE_KEY = `${PREFIX}caFile`;
/** And those of firmware.rootFile. */
export const ROOT_FILE_KEY = `${PREFIX}rootFile`;

export const rootKey = ({ use, fingerprint }: Pick<RootRow, 'use' | 'fingerprint'>): string =>
  `${ROOT_PREFIX}${use}/${fingerprint}`;
export const ownKey = ({ key }: Pick<OwnRow, 'key'>): string => `${OWN_PREFIX}${key.id}`;

const only = (key: string): KeyRange => ({ from: key, to: `${key}\0` });
const below = (prefix: string): KeyRange => ({ from: prefix, to: `${prefix.slice(0, -1)}0` });

/** All but the manufacturer's roots: whoever the central system is, firmware comes from the manufacturer. */
export const ofCentralSystem: readonly KeyRange[] = [
  below(`${ROOT_PREFIX}CentralSystemRootCertificate/`),
  below(OWN_PREFIX),
  only(REQUEST_KEY),
  only(FILE_KEY),
];

export const HASH_ALGORITHMS: readonly CertificateHashAlgorithm[] = ['SHA256', 'SHA384', 'SHA512'];

/** Without regard to case, nor to leading zeros of the serial number (section 6.1). */
export function isNamedBy(hashes: readonly CertificateHash[], asked: CertificateHashData): boolean {
  const plain = (text: string): string => text.trim().toLowerCase();
  const serial = (text: string): string => plain(text).replace(/^0+(?=.)/, '');
  return hashes.some(
    (hash) =>
      hash.hashAlgorithm === asked.hashAlgorithm &&
      plain(hash.issuerNameHash) === plain(asked.issuerNameHash) &&
      plain(hash.issuerKeyHash) === plain(asked.issuerKeyHash) &&
      serial(hash.serialNumber) === serial(asked.serialNumber),
  );
}
