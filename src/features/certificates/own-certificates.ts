/** The charge point's own certificates with their keys, and the request for the next one (security whitepaper, A02 and A03). */
import type { StoredKey, StoreOperation } from '../../ports.ts';
import type { CertificateRefusal, CertificateRequest, OwnCertificates, Trust } from '../feature.ts';
import { turns } from '../in-turn.ts';
import { stampNow } from '../stamp.ts';
import { certificateSignedMaxChainSize, cpoName } from './certificates.keys.ts';
import { faultOf, type Match, matchOf, readAll, serialNumberOf } from './judgement.ts';
import { HASH_ALGORITHMS, isNamedBy, OWN_PREFIX, type OwnRow, ownKey, REQUEST_KEY, type RequestRow } from './rows.ts';
import type { TrustStoreOptions } from './trust-options.ts';

/** The certificate for an earlier request may come after a later one was sent: an authority can be slow. */
const MOST_KEYS = 2;
/** A central system that refuses the request so often would refuse it for ever (A02, error handling). */
const MOST_REFUSALS = 5;
/** A02.FR.10: how long an old certificate is kept after its successor has worked. */
const FALLBACK_MS = 30 * 24 * 3_600_000;

type Shown = NonNullable<Trust['own']>;
type Hash = Parameters<typeof isNamedBy>[1];

export class OwnCertificateStore implements OwnCertificates {
  readonly #options: TrustStoreOptions;
  /** The installed roots, as PEM. */
  readonly #roots: () => readonly string[];
  readonly #changed: () => void;
  readonly #inTurn = turns();
  /** The newest first, by the start of their validity (A02.FR.09). */
  #rows: readonly OwnRow[] = [];
  /** Private keys by id, of the rows only: for the dial. */
  readonly #keys = new Map<string, string>();
  #pending: RequestRow | undefined;
  /** The key of the request that was made last: another one may have been wanted while it was on its way. */
  #askedWith: string | undefined;
  #announced: string | undefined;
  /** The newest one did not lead to a connection yet, and the dial before was made with it: now the old one has its turn. */
  #fallsBack = false;

  constructor(options: TrustStoreOptions, roots: () => readonly string[], changed: () => void) {
    this.#options = options;
    this.#roots = roots;
    this.#changed = changed;
  }

  /** Rejects with StoreError. */
  async load(stored: ReadonlyMap<string, unknown>): Promise<void> {
    const { keyStore, log } = this.#options;
    this.#pending = stored.get(REQUEST_KEY) as RequestRow | undefined;
    const rows = [...stored].flatMap(([key, row]) => (key.startsWith(OWN_PREFIX) ? [row as OwnRow] : []));
    for (const { key } of rows) {
      const pem = await keyStore.privateKey(key.id);
      if (pem === undefined) log.error('the private key of the certificate is gone', { key: key.id });
      else this.#keys.set(key.id, pem);
    }
    this.#rows = rows.sort(byAge);
    this.#announced = this.#chosen?.fingerprint;
  }

  get shown(): Shown | undefined {
    const row = this.#chosen;
    const key = row && this.#keys.get(row.key.id);
    return row === undefined || key === undefined ? undefined : { chain: row.chain, key };
  }

  get validity(): OwnCertificates['validity'] {
    return this.#usable[0];
  }

  get request(): CertificateRequest | undefined {
    return this.#pending?.request;
  }

  get wantedAt(): number | undefined {
    return this.#pending?.wantedAt;
  }

  isNamedBy(asked: Hash): boolean {
    return this.#rows.some(({ hashes }) => isNamedBy(hashes, asked));
  }

  want(asked: CertificateRequest['asked']): Promise<void> {
    const { clock } = this.#options;
    return this.#inTurn(() =>
      this.#keep({
        keys: this.#pending?.keys ?? [],
        request: { asked, state: 'due', refusals: 0 },
        wantedAt: clock.wall(clock.now()),
      }),
    );
  }

  signingRequest(): Promise<string> {
    return this.#inTurn(async () => {
      const { certificates, config, keyStore, settings } = this.#options;
      const organization = settings.get(cpoName);
      const subject = { commonName: serialNumberOf(config), ...(organization === '' ? {} : { organization }) };
      const { keys = [], request } = this.#pending ?? {};
      const key = keys.find(({ id }) => id === request?.keyId);
      this.#askedWith = key?.id;
      const text = key && (await certificates.signingRequest(subject, key, keyStore));
      if (text !== undefined) return text;
      const fresh = await this.#generate();
      this.#askedWith = fresh.id;
      const first = await certificates.signingRequest(subject, fresh, keyStore);
      if (first === undefined) throw new Error('a key that was just generated is gone');
      return first;
    });
  }

  answered(status: 'Accepted' | 'Rejected'): Promise<void> {
    return this.#inTurn(async () => {
      const pending = this.#pending;
      if (pending?.request === undefined || pending.request.keyId !== this.#askedWith) return;
      const refusals = pending.request.refusals + (status === 'Accepted' ? 0 : 1);
      const state = status === 'Accepted' ? 'sent' : refusals < MOST_REFUSALS ? 'due' : 'refused';
      const next: RequestRow = { ...pending, request: { ...pending.request, state, refusals } };
      // In memory at any rate: at the worst the next start asks once more.
      await this.#keep(next).catch((cause: unknown) => {
        this.#pending = next;
        this.#options.log.error('the state of the signing request could not be stored', { cause });
      });
    });
  }

  accept(chain: string): Promise<CertificateRefusal | undefined> {
    return this.#inTurn(async () => {
      try {
        return await this.#judge(chain);
      } catch (cause) {
        this.#options.log.error('the certificate could not be stored', { cause });
        return { text: 'it could not be stored', invalid: false };
      }
    });
  }

  show(): void {
    const chosen = this.#chosen?.fingerprint;
    if (chosen === this.#announced) return;
    this.#announced = chosen;
    this.#changed();
  }

  discard(): Promise<void> {
    return this.#inTurn(async () => {
      const { clock } = this.#options;
      const chosen = this.#chosen;
      if (chosen?.workedAt === undefined || !clock.trusted) return;
      if (clock.wall(clock.now()) < chosen.workedAt + FALLBACK_MS) return;
      const old = this.#rows.slice(this.#rows.indexOf(chosen) + 1);
      if (old.length > 0) await this.#drop(old);
    });
  }

  /** A connection stands that was made with this chain. */
  worked(chain: string): Promise<void> {
    return this.#inTurn(async () => {
      // After the old one the new one is tried again.
      this.#fallsBack = false;
      const row = this.#rows.find((each) => each.chain === chain);
      if (row === undefined || row.workedAt !== undefined) return;
      const { clock, log, store } = this.#options;
      const next: OwnRow = { ...row, workedAt: clock.wall(clock.now()) };
      this.#rows = this.#rows.map((each) => (each === row ? next : each));
      await store.batch([{ type: 'put', key: ownKey(next), value: next }], 'durable').catch((cause: unknown) => {
        log.error('that the certificate works could not be stored', { cause });
      });
    });
  }

  /** A dial with this chain came to nothing. One that has never worked and one that has take turns. */
  failed(chain: string): void {
    const newest = this.#inTime()[0];
    this.#fallsBack = newest?.chain === chain && newest.workedAt === undefined;
  }

  get #usable(): readonly OwnRow[] {
    return this.#rows.filter(({ key }) => this.#keys.has(key.id));
  }

  get #chosen(): OwnRow | undefined {
    const [newest, ...older] = this.#inTime();
    return this.#fallsBack ? (older[0] ?? newest) : newest;
  }

  /** Those whose validity has begun and not ended; of none, all: what the server makes of them is its own matter. */
  #inTime(): readonly OwnRow[] {
    const { clock } = this.#options;
    if (!clock.trusted) return this.#usable;
    const now = clock.wall(clock.now());
    const begun = this.#usable.filter(({ notBefore }) => notBefore <= now);
    const valid = begun.filter(({ notAfter }) => now <= notAfter);
    return valid.length > 0 ? valid : begun;
  }

  /** The key is on the medium before the store refers to it. */
  async #generate(): Promise<StoredKey> {
    const { config, keyStore } = this.#options;
    const pending = this.#pending;
    await this.#sweep();
    const key = await keyStore.generate(config.certificates?.keyType ?? 'ecP256');
    const keys = [...(pending?.keys ?? []), key].slice(-MOST_KEYS);
    const request = pending?.request ?? { asked: 'centralSystem', state: 'due', refusals: 0 };
    await this.#keep({ keys, request: { ...request, keyId: key.id }, wantedAt: pending?.wantedAt ?? 0 });
    return key;
  }

  async #judge(chain: string): Promise<CertificateRefusal | undefined> {
    const { certificates, settings } = this.#options;
    if (chain.length > settings.get(certificateSignedMaxChainSize))
      return invalid('longer than CertificateSignedMaxChainSize');
    const read = await certificates.read(chain);
    if (!read.ok) return invalid(read.reason === 'none' ? 'no certificate' : 'malformed');
    const held = this.#usable.map(({ fingerprint }) => fingerprint);
    // Its confirmation may have got lost: the second time changes nothing.
    if (read.certificates.some(({ fingerprint }) => held.includes(fingerprint))) return undefined;
    const match = await matchOf(this.#options, read.certificates, this.#pending?.keys ?? []);
    if (match === undefined) return invalid('it is for none of the keys that were requested');
    const fault = await faultOf(this.#options, match, this.#roots());
    return fault === undefined ? this.#install(match) : invalid(`${fault}: ${match.leaf.subject}`);
  }

  async #install({ leaf, others, key }: Match): Promise<CertificateRefusal | undefined> {
    const { certificates, clock, keyStore, log, securityEvents, store } = this.#options;
    const secret = await keyStore.privateKey(key.id);
    if (secret === undefined) return { text: 'its private key is gone', invalid: false };
    const candidates = [...others, ...(await readAll(certificates, this.#roots()))];
    const issuer = candidates.find(({ subject }) => subject === leaf.issuer);
    const row: OwnRow = {
      chain: [leaf, ...others.filter(({ selfSigned }) => !selfSigned)].map(({ pem }) => pem).join(''),
      fingerprint: leaf.fingerprint,
      key,
      hashes: await Promise.all(HASH_ALGORITHMS.map((name) => certificates.hash(name, leaf, issuer))),
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
      installed: stampNow(clock),
    };
    const kept = this.#rows.find(({ workedAt }) => workedAt !== undefined) ?? this.#rows[0];
    const gone = this.#rows.filter((other) => other !== kept);
    const pending = this.#without(key);
    await store.batch(
      [
        ...gone.map((other): StoreOperation => ({ type: 'delete', key: ownKey(other) })),
        { type: 'put', key: ownKey(row), value: row },
        { type: 'put', key: REQUEST_KEY, value: pending },
      ],
      'durable',
    );
    this.#keys.set(key.id, secret);
    this.#rows = [row, ...(kept === undefined ? [] : [kept])].sort(byAge);
    this.#pending = pending;
    this.#fallsBack = false;
    await this.#trySweep();
    log.info('a certificate of the charge point was installed', { subject: leaf.subject });
    securityEvents.report('ReconfigurationOfSecurityParameters', `ChargePointCertificate installed: ${leaf.subject}`);
    return undefined;
  }

  /** The certificate for this key has come. That of a later request is still to come; what was asked before it is done with. */
  #without(key: StoredKey): RequestRow {
    const { keys = [], request, wantedAt = 0 } = this.#pending ?? {};
    const later = keys.slice(keys.findIndex(({ id }) => id === key.id) + 1);
    const isDone = request === undefined || request.keyId === key.id;
    return { keys: later, wantedAt, ...(isDone ? {} : { request }) };
  }

  async #drop(rows: readonly OwnRow[]): Promise<void> {
    const { log, store } = this.#options;
    try {
      await store.batch(
        rows.map((row) => ({ type: 'delete', key: ownKey(row) })),
        'durable',
      );
    } catch (cause) {
      log.error('an old certificate could not be deleted', { cause });
      return;
    }
    this.#rows = this.#rows.filter((row) => !rows.includes(row));
    await this.#trySweep();
  }

  /** Deletes the keys that the store does not refer to any more: those of old certificates and requests, and what a power cut has left. */
  async #sweep(): Promise<void> {
    const { keyStore } = this.#options;
    const inUse = new Set(this.#rows.map(({ key }) => key.id));
    for (const id of this.#keys.keys()) if (!inUse.has(id)) this.#keys.delete(id);
    for (const { id } of this.#pending?.keys ?? []) inUse.add(id);
    for (const { id } of await keyStore.list()) if (!inUse.has(id)) await keyStore.delete(id);
  }

  async #trySweep(): Promise<void> {
    await this.#sweep().catch((cause: unknown) => this.#options.log.warn('old private keys are left', { cause }));
  }

  async #keep(row: RequestRow): Promise<void> {
    await this.#options.store.batch([{ type: 'put', key: REQUEST_KEY, value: row }], 'durable');
    this.#pending = row;
  }
}

const invalid = (text: string): CertificateRefusal => ({ text, invalid: true });

const byAge = (a: OwnRow, b: OwnRow): number => b.notBefore - a.notBefore || b.installed.wall - a.installed.wall;
