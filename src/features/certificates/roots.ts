/** The installed roots (security whitepaper, M03 to M05): those that the configuration file names, and those of the central system. */
import type { AgentConfig } from '../../config.ts';
import type { CertificateHashData, CertificateUse } from '../../ocpp/messages/types/certificate.ts';
import type { Certificate, CertificateHash, StoreOperation } from '../../ports.ts';
import { stampNow } from '../stamp.ts';
import { additionalRootCertificateCheck, certificateStoreMaxLength } from './certificates.keys.ts';
import { readAll } from './judgement.ts';
import { FILE_KEY, HASH_ALGORITHMS, isNamedBy, ROOT_FILE_KEY, ROOT_PREFIX, type RootRow, rootKey } from './rows.ts';
import type { TrustStoreOptions } from './trust-options.ts';

const CENTRAL_SYSTEM = 'CentralSystemRootCertificate';

interface RootFile {
  /** As the configuration file calls it. */
  readonly member: string;
  readonly use: CertificateUse;
  /** In the store: which of its certificates have been installed once. */
  readonly key: string;
  readonly pems: (config: Pick<AgentConfig, 'centralSystem' | 'firmware'>) => readonly string[];
}

const FILES: readonly RootFile[] = [
  {
    member: 'caFile',
    use: CENTRAL_SYSTEM,
    key: FILE_KEY,
    pems: ({ centralSystem }) => centralSystem.certificateAuthorities,
  },
  {
    member: 'firmware.rootFile',
    use: 'ManufacturerRootCertificate',
    key: ROOT_FILE_KEY,
    pems: ({ firmware }) => firmware?.manufacturerRoots ?? [],
  },
];

export type Installed =
  | { readonly status: 'Accepted' | 'Failed' }
  | { readonly status: 'Rejected'; readonly fault?: string };
export type Removed = 'Accepted' | 'Failed' | 'NotFound';

export class Roots {
  readonly #options: TrustStoreOptions;
  readonly #changed: () => void;
  #rows: readonly RootRow[] = [];
  /** The root that vouches for the present connection. */
  #inUse: string | undefined;

  constructor(options: TrustStoreOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  load(stored: ReadonlyMap<string, unknown>): void {
    this.#rows = [...stored].flatMap(([key, row]) => (key.startsWith(ROOT_PREFIX) ? [row as RootRow] : []));
  }

  /**
   * Installs what caFile and rootFile hold and have not held before: all of it on a first start. What was deleted since does not come back,
   * and what has gone from a file stays installed. Never rejects: what cannot be stored is there until the next start, which tries again.
   */
  async adoptFiles(stored: ReadonlyMap<string, unknown>): Promise<void> {
    for (const file of FILES) await this.#adoptFile(file, stored.get(file.key) as readonly string[] | undefined);
  }

  async #adoptFile(file: RootFile, adopted: readonly string[] | undefined): Promise<void> {
    const { config, log, securityEvents } = this.#options;
    const texts = file.pems(config);
    const known = new Set(adopted?.map(packed));
    const held = new Set(texts.map(packed));
    // Text against text, so that a start without news need not know what a certificate is.
    if (held.size === known.size && [...held].every((pem) => known.has(pem))) return;
    const rows: RootRow[] = [];
    for (const pem of texts.filter((text) => !known.has(packed(text)))) {
      const row = await this.#rowOfFile(file, pem);
      if (row !== undefined && ![...this.#rows, ...rows].some((other) => isSameRoot(other, row))) rows.push(row);
    }
    const operations = rows.map((row): StoreOperation => ({ type: 'put', key: rootKey(row), value: row }));
    if (await this.#write([...operations, { type: 'put', key: file.key, value: texts }])) {
      log.info(`certificates of ${file.member} were installed`, { subjects: rows.map(({ subject }) => subject) });
      for (const { subject } of rows)
        securityEvents.report(
          'ReconfigurationOfSecurityParameters',
          `${file.use} installed from ${file.member}: ${subject}`,
        );
    }
    this.#rows = [...this.#rows, ...rows];
  }

  pems(use: CertificateUse): readonly string[] {
    return this.#rows.filter((row) => row.use === use).map(({ pem }) => pem);
  }

  /** SHA-256; whoever deletes may use any other. */
  hashes(use: CertificateUse): readonly CertificateHash[] {
    return this.#rows
      .filter((row) => row.use === use)
      .flatMap(({ hashes }) => hashes.find(({ hashAlgorithm }) => hashAlgorithm === 'SHA256') ?? []);
  }

  async install(use: CertificateUse, pem: string): Promise<Installed> {
    const { certificates, log, securityEvents, settings } = this.#options;
    const read = await certificates.read(pem);
    if (!read.ok) return this.#refuse(use, read.reason === 'none' ? 'no certificate' : 'malformed');
    if (read.certificates.length > 1) return this.#refuse(use, 'more than one certificate');
    const [certificate] = read.certificates;
    const fault = this.#faultOf(certificate);
    if (fault !== undefined) return this.#refuse(use, `${fault}: ${certificate.subject}`);
    const replaces = settings.get(additionalRootCertificateCheck) && use === CENTRAL_SYSTEM;
    const current = this.#rows.filter((row) => row.use === use && !(replaces && row.fallback));
    if (current.some(({ fingerprint, fallback }) => fingerprint === certificate.fingerprint && !fallback))
      return { status: 'Accepted' };
    const replaced = replaces ? current : [];
    // Nothing to replace: the first root needs nobody's word.
    if (replaced.length > 0 && !(await this.#isVouchedFor(certificate, replaced)))
      return this.#refuse(use, `not signed by the present root: ${certificate.subject}`);
    if (this.#isFull(replaced)) {
      log.warn('a certificate was refused: CertificateStoreMaxLength', { use, subject: certificate.subject });
      return { status: 'Rejected' };
    }
    const row = await this.#rowOf(use, certificate);
    if (!(await this.#put(row, replaced))) return { status: 'Failed' };
    log.info('a root certificate was installed', { use, subject: row.subject });
    securityEvents.report('ReconfigurationOfSecurityParameters', `${use} installed: ${row.subject}`);
    this.#changed();
    return { status: 'Accepted' };
  }

  async remove(asked: CertificateHashData): Promise<Removed> {
    const { log, securityEvents } = this.#options;
    const found = this.#rows.filter(({ hashes }) => isNamedBy(hashes, asked));
    if (found.length === 0) return 'NotFound';
    // M04.FR.06
    if (found.some(({ use, fingerprint }) => use === CENTRAL_SYSTEM && fingerprint === this.#inUse)) {
      log.warn('a root certificate was not deleted: the present connection rests on it');
      return 'Failed';
    }
    if (!(await this.#drop(found))) return 'Failed';
    for (const { use, subject } of found)
      securityEvents.report('ReconfigurationOfSecurityParameters', `${use} deleted: ${subject}`);
    return 'Accepted';
  }

  /** A connection stands whose server is vouched for by these; once the new root is among them, its predecessor goes (M05.FR.12). */
  async connected(verified: readonly string[]): Promise<void> {
    const ofCentralSystem = this.#rows.filter(({ use }) => use === CENTRAL_SYSTEM);
    const [first] = verified.flatMap((one) => ofCentralSystem.find(({ fingerprint }) => fingerprint === one) ?? []);
    this.#inUse = first?.fingerprint;
    const past = ofCentralSystem.filter(({ fallback }) => fallback);
    if (first === undefined || first.fallback || past.length === 0) return;
    if (await this.#drop(past)) this.#options.log.info('the new root certificate works: the old one was deleted');
  }

  disconnected(): void {
    this.#inUse = undefined;
  }

  #faultOf({ notAfter, weakness }: Certificate): string | undefined {
    const { clock } = this.#options;
    if (weakness !== undefined) return weakness.text;
    // Not before the clock is trusted: an expired root vouches for nobody anyway, the handshake sees to that.
    return clock.trusted && clock.wall(clock.now()) > notAfter ? 'expired' : undefined;
  }

  /** The fallback is temporary and does not count, nor does what is replaced (7.1). */
  #isFull(replaced: readonly RootRow[]): boolean {
    const lasting = this.#rows.filter((row) => !row.fallback && !replaced.includes(row));
    return lasting.length >= this.#options.settings.get(certificateStoreMaxLength);
  }

  /** M05.FR.09. A root that becomes valid later is looked at as it will be then. */
  async #isVouchedFor(certificate: Certificate, by: readonly RootRow[]): Promise<boolean> {
    const { certificates, clock } = this.#options;
    const anchors = await readAll(
      certificates,
      by.map(({ pem }) => pem),
    );
    const now = clock.trusted ? Math.max(clock.wall(clock.now()), certificate.notBefore) : 'unknown';
    return (await certificates.verifyChain([certificate], anchors, now)).ok;
  }

  async #rowOfFile({ member, use }: RootFile, pem: string): Promise<RootRow | undefined> {
    const { certificates, log } = this.#options;
    const read = await certificates.read(pem);
    if (read.ok) {
      const [certificate] = read.certificates;
      // A technician's word, but nobody is believed for it: neither the TLS library nor whoever verifies an image takes a weak one.
      if (certificate.weakness !== undefined)
        log.warn(`a certificate of ${member} is weak`, {
          subject: certificate.subject,
          weakness: certificate.weakness.text,
        });
      return this.#rowOf(use, certificate);
    }
    log.warn(`a certificate of ${member} cannot be read and was left out`);
    return undefined;
  }

  async #rowOf(use: CertificateUse, certificate: Certificate): Promise<RootRow> {
    const { certificates, clock, log } = this.#options;
    if (certificate.ca !== true)
      log.warn('a root certificate does not say that it is a CA', { subject: certificate.subject });
    const issuer = certificate.selfSigned ? certificate : await this.#issuerOf(certificate);
    const hashes = await Promise.all(HASH_ALGORITHMS.map((name) => certificates.hash(name, certificate, issuer)));
    const { pem, fingerprint, subject } = certificate;
    return { use, pem, fingerprint, subject, hashes, installed: stampNow(clock) };
  }

  /** Section 6.1 wants the issuer's key; of one that is not installed we know none, and the certificate stands for itself. */
  async #issuerOf(certificate: Certificate): Promise<Certificate> {
    const { certificates } = this.#options;
    for (const issuer of await readAll(
      certificates,
      this.#rows.map(({ pem }) => pem),
    )) {
      const verdict = await certificates.verifyChain([certificate], [issuer], 'unknown');
      if (verdict.ok && verdict.path.length === 2) return issuer;
    }
    return certificate;
  }

  /** The one that is known to work stays as the fallback; what came between and has never worked goes (M05.FR.08). */
  async #put(row: RootRow, replaced: readonly RootRow[]): Promise<boolean> {
    const hasFallback = this.#rows.some(({ use, fallback }) => use === row.use && fallback);
    const fallbacks = hasFallback ? [] : replaced.map((old): RootRow => ({ ...old, fallback: true }));
    const written = await this.#write([
      ...replaced.map((old): StoreOperation => ({ type: 'delete', key: rootKey(old) })),
      ...[...fallbacks, row].map((one): StoreOperation => ({ type: 'put', key: rootKey(one), value: one })),
    ]);
    if (written)
      this.#rows = [
        ...this.#rows.filter((other) => !replaced.includes(other) && !isSameRoot(other, row)),
        ...fallbacks,
        row,
      ];
    return written;
  }

  async #drop(rows: readonly RootRow[]): Promise<boolean> {
    if (!(await this.#write(rows.map((row) => ({ type: 'delete', key: rootKey(row) }))))) return false;
    this.#rows = this.#rows.filter((row) => !rows.includes(row));
    this.#changed();
    return true;
  }

  #refuse(use: CertificateUse, fault: string): Installed {
    this.#options.log.warn('a root certificate was refused', { use, fault });
    return { status: 'Rejected', fault };
  }

  async #write(operations: readonly StoreOperation[]): Promise<boolean> {
    const { store, log } = this.#options;
    try {
      await store.batch(operations, 'durable');
      return true;
    } catch (cause) {
      log.error('the root certificates could not be stored', { cause });
      return false;
    }
  }
}

const packed = (pem: string): string => pem.replace(/\s+/g, '');

const isSameRoot = (a: RootRow, b: RootRow): boolean => a.use === b.use && a.fingerprint === b.fingerprint;
