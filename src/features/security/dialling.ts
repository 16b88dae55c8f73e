/** What each dial is made with, and what becomes of it: credentials, the address and keys on trial, each with its own way back. */
import type { AgentConfig } from '../../config.ts';
import { Heartbeat } from '../../ocpp/messages/core/heartbeat.ts';
import type { Registration } from '../../ocpp/registration.ts';
import type { Ports, SocketClosed } from '../../ports.ts';
import type { Call, SecurityEvents, Settings, Trust } from '../feature.ts';
import type { Key } from '../keys.ts';
import { ConnectionTrial } from './connection-trial.ts';
import { type Credential, Credentials } from './credentials.ts';
import { KeyTrials } from './key-trials.ts';

export interface DiallingOptions extends Pick<Ports, 'clock' | 'log' | 'store'> {
  readonly config: Pick<AgentConfig, 'chargePoint' | 'centralSystem' | 'options'>;
  /** The keys of other rooms that can cut the link. */
  readonly networkKeys: readonly Key<number>[];
  readonly settings: Settings;
  readonly trust: Trust;
  readonly securityEvents: Pick<SecurityEvents, 'report'>;
  readonly registration: Registration;
  readonly isOpen: () => boolean;
  readonly call: Call;
  /** Closes the link, if there is one, and dials at once. */
  readonly redial: (reason: string) => void;
}

export class Dialling {
  readonly #registration: Registration;
  readonly #credentials: Credentials;
  readonly #connection: ConnectionTrial;
  readonly #keys: KeyTrials;

  constructor({ registration, isOpen, call, networkKeys, ...shared }: DiallingOptions) {
    const { redial, config } = shared;
    const withinS = config.options.confirmConnectionWithinS;
    this.#registration = registration;
    this.#connection = new ConnectionTrial({
      ...shared,
      withinS,
      standing: () => ({ open: isOpen(), registration: registration.status }),
      restart: (reason) => {
        registration.forget();
        redial(reason);
      },
    });
    this.#credentials = new Credentials({
      ...shared,
      address: () => this.#connection.address,
      switchWithinS: config.options.switchSecurityProfileConnectionTimeoutS,
      probe: () => {
        // Without a registration a BootNotification is on its way already.
        if (registration.accepted) call(Heartbeat, {}).catch(() => {});
      },
    });
    this.#keys = new KeyTrials({
      ...shared,
      withinS,
      keys: networkKeys,
      isOnline: () => isOpen() && registration.accepted,
      ask: () => call(Heartbeat, {}),
    });
    registration.onChange(() => {
      if (registration.accepted) this.#connection.accepted();
      this.#keys.linkChanged();
    });
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    await Promise.all([this.#credentials.open(), this.#connection.open(), this.#keys.open()]);
  }

  /** Of the next dial. */
  get current(): Credential {
    return this.#credentials.current;
  }

  /** The address in force, without the identity. */
  get url(): string {
    return this.#connection.address.url;
  }

  /** What a person has to know about it. */
  get notice(): string | undefined {
    return this.#connection.notice;
  }

  /** A dial begins. */
  dialling(): void {
    this.#connection.dialling(this.#credentials.dialling());
  }

  opened(): void {
    this.#credentials.opened();
    this.#keys.linkChanged();
  }

  /** The central system has said something. */
  heard(): void {
    this.#credentials.heard();
    if (this.#registration.accepted) this.#connection.accepted();
  }

  closed(): void {
    this.#credentials.closed();
    this.#connection.closed();
    this.#keys.linkChanged();
  }

  /** The dial came to nothing. */
  failed(how: SocketClosed): void {
    this.#credentials.failed(how);
  }

  stop(): void {
    this.#credentials.stop();
    this.#connection.stop();
    this.#keys.stop();
  }
}
