/** The certificates of the charge point and of those it trusts, and what each dial tells about them (security whitepaper, section 2.6). */
import type { CertificateHashData, CertificateUse } from '../../ocpp/messages/types/certificate.ts';
import type { Sockets, Unsubscribe } from '../../ports.ts';
import type { OwnCertificates, Trust } from '../feature.ts';
import { turns } from '../in-turn.ts';
import { OwnCertificateStore } from './own-certificates.ts';
import { type Installed, type Removed, Roots } from './roots.ts';
import { certificateRange } from './rows.ts';
import type { TrustStoreOptions } from './trust-options.ts';

export class TrustStore implements Trust {
  readonly #options: TrustStoreOptions;
  readonly #listeners = new Set<(what: 'roots' | 'own') => void>();
  readonly #inTurn = turns();
  readonly #roots: Roots;
  readonly #own: OwnCertificateStore;

  constructor(options: TrustStoreOptions) {
    this.#options = options;
    this.#roots = new Roots(options, () => this.#tell('roots'));
    this.#own = new OwnCertificateStore(
      options,
      () => this.roots('CentralSystemRootCertificate'),
      () => this.#tell('own'),
    );
  }

  /** Takes up what is stored; nothing is parsed unless caFile or rootFile holds something new. Rejects with StoreError. */
  async open(): Promise<void> {
    const stored = new Map(await this.#options.store.list<unknown>(certificateRange));
    this.#roots.load(stored);
    await this.#own.load(stored);
    await this.#roots.adoptFiles(stored);
  }

  roots(use: CertificateUse): readonly string[] {
    return this.#roots.pems(use);
  }

  get own(): Trust['own'] {
    return this.#own.shown;
  }

  get ownCertificates(): OwnCertificates {
    return this.#own;
  }

  onChange(listener: (what: 'roots' | 'own') => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  install(use: CertificateUse, pem: string): Promise<Installed> {
    return this.#inTurn(() => this.#roots.install(use, pem));
  }

  /** M04.FR.05: our own certificate is there, and stays. */
  remove(hash: CertificateHashData): Promise<Removed> {
    return this.#inTurn(async () => (this.#own.isNamedBy(hash) ? 'Failed' : this.#roots.remove(hash)));
  }

  installed(use: CertificateUse): readonly CertificateHashData[] {
    return this.#roots.hashes(use);
  }

  /** The same sockets; what a dial comes to shows which root is in use, and whether our certificate is taken. */
  watching(sockets: Sockets): Sockets {
    return {
      get reachable() {
        return sockets.reachable;
      },
      onReachable: (listener) => sockets.onReachable(listener),
      dial: (request, events) => {
        const chain = request.clientCertificate?.chain;
        let isOpen = false;
        return sockets.dial(request, {
          opened: (verified) => {
            isOpen = true;
            void this.#inTurn(() => this.#roots.connected(verified ?? []));
            if (chain !== undefined) void this.#own.worked(chain);
            events.opened(verified);
          },
          received: (text) => events.received(text),
          pong: () => events.pong(),
          closed: (how) => {
            if (isOpen) void this.#inTurn(async () => this.#roots.disconnected());
            else if (chain !== undefined) this.#own.failed(chain);
            events.closed(how);
          },
        });
      },
    };
  }

  #tell(what: 'roots' | 'own'): void {
    for (const listener of this.#listeners) listener(what);
  }
}
