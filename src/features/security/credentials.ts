/** How the next dial shows who we are and whom it believes: security profile, password, certificates (security whitepaper, A01 and A05). */
import type { SecurityProfile } from '../../config.ts';
import { connectionUrl } from '../../ocpp/connection-url.ts';
import type { Cancel, Clock, DialRequest, KeyRange, Log, SocketClosed, Store, StoreOperation } from '../../ports.ts';
import type { SecurityEvents, Settings, Trust } from '../feature.ts';
import type { Endpoint } from './connection-phase.ts';
import { eventsOf, UNAUTHORIZED } from './dial-verdicts.ts';
import { authorizationKey, passwordOf, securityProfile } from './security.keys.ts';

export interface CredentialsOptions {
  /** Of the next dial. */
  readonly address: () => Pick<Endpoint, 'url' | 'identity' | 'verifyHostname'>;
  /** SwitchSecurityProfileConnectionTimeout, in seconds. */
  readonly switchWithinS: number;
  readonly settings: Settings;
  readonly trust: Pick<Trust, 'roots' | 'own' | 'onChange'>;
  readonly securityEvents: Pick<SecurityEvents, 'report'>;
  readonly store: Pick<Store, 'get' | 'batch'>;
  readonly clock: Pick<Clock, 'afterReal' | 'trusted'>;
  readonly log: Log;
  /** Closes the link, if there is one, and dials at once. */
  readonly redial: (reason: string) => void;
  /** Lets the central system say anything at all: on a mere reconnect nobody has to. */
  readonly probe: () => void;
}

/** What a dial depends on. */
export type Credential = Pick<
  DialRequest,
  'url' | 'basicAuth' | 'certificateAuthorities' | 'verifyHostname' | 'clientCertificate'
>;

/** What has not proved itself yet, with what it took the place of. */
interface Trial {
  readonly profile?: { readonly from: SecurityProfile; readonly to: SecurityProfile };
  /** The AuthorizationKey that worked last; a secret. */
  readonly formerKey?: string;
}

const TRIAL_KEY = 'security/trial';
export const CREDENTIALS_ON_TRIAL: KeyRange = { from: TRIAL_KEY, to: `${TRIAL_KEY}\0` };

/** The answer goes before the link does, and so does that to a Reset which may follow it (TC_083). */
const PROFILE_GRACE_MS = 1000;

/** The rules are in docs/security.md. */
export class Credentials {
  readonly #options: CredentialsOptions;
  #trial: Trial = {};
  /** What a change that is being stored makes of it. */
  #next: Trial | undefined;
  /** The next dial is with the former key. */
  #withFormer = false;
  /** What the last dial was made with: a change leaves the connection of before open for a moment. */
  #dialled: { readonly profile: SecurityProfile; readonly key: string } | undefined;
  #cancelSwitch: Cancel | undefined;
  #cancelRedial: Cancel | undefined;
  /** What has been reported since the link was last open. */
  readonly #reported = new Set<string>();

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    const { settings, store, trust } = this.#options;
    this.#trial = this.#valid((await store.get<Trial>(TRIAL_KEY)) ?? {});
    settings.narrow(securityProfile, (value) => this.#mayBecome(value));
    settings.narrow(authorizationKey, (value) => value !== '' || !this.#needsKey);
    settings.along(securityProfile, (to) => {
      const { from } = this.#trial.profile ?? { from: this.#profile };
      return this.#saving({ ...this.#trial, profile: { from, to } });
    });
    settings.along(authorizationKey, (to) => {
      const now = settings.get(authorizationKey);
      return to === now ? [] : this.#saving({ ...this.#trial, formerKey: this.#trial.formerKey ?? now });
    });
    settings.onChange((name) => {
      if (name === securityProfile.name) this.#changed(name, PROFILE_GRACE_MS);
      if (name === authorizationKey.name) this.#changed(name, this.#profile === 3 ? undefined : 0);
    });
    trust.onChange((what) => {
      if (what === 'own' && this.#profile === 3) this.#redialAfter(PROFILE_GRACE_MS, 'our certificate has changed');
    });
  }

  /** Of the next dial. */
  get current(): Credential {
    const { address, trust } = this.#options;
    const { url, identity, verifyHostname } = address();
    const profile = this.#profile;
    const password = profile === 3 ? undefined : passwordOf(this.#key);
    const own = profile === 3 ? trust.own : undefined;
    return {
      url: connectionUrl(url, identity, profile >= 2),
      ...(password === undefined ? {} : { basicAuth: { user: identity, password } }),
      ...(own === undefined ? {} : { clientCertificate: own }),
      certificateAuthorities: trust.roots('CentralSystemRootCertificate'),
      verifyHostname,
    };
  }

  /** A dial begins; says what it shows. */
  dialling(): Pick<Endpoint, 'securityProfile' | 'authorizationKey'> {
    const [profile, key] = [this.#profile, this.#key];
    this.#dialled = { profile, key };
    // It is made with what has changed: a link that was lost in the meantime is not given up once more.
    this.#cancelRedial?.();
    this.#cancelRedial = undefined;
    const { clock, switchWithinS } = this.#options;
    if (this.#trial.profile !== undefined)
      this.#cancelSwitch ??= clock.afterReal(Math.max(1, switchWithinS) * 1000, () => void this.#goBack());
    return { securityProfile: profile, authorizationKey: key };
  }

  opened(): void {
    const { log, settings } = this.#options;
    this.#reported.clear();
    if (this.#trial.formerKey !== undefined && this.#dialled?.profile !== 3) {
      if (this.#dialled?.key === settings.get(authorizationKey))
        void this.#save({ ...this.#trial, formerKey: undefined });
      else log.warn('the former AuthorizationKey is in use: the new one was refused');
    }
    if (this.#trial.profile !== undefined) this.#options.probe();
  }

  /** The central system has said something: it has taken us as we are. */
  heard(): void {
    const { profile, ...others } = this.#trial;
    if (profile === undefined || this.#dialled?.profile !== profile.to) return;
    this.#options.log.info(`security profile ${profile.to} works: ${profile.from} is refused from now on`);
    this.#endSwitch();
    void this.#save(others);
  }

  /** The next attempt is with the new key again. */
  closed(): void {
    this.#withFormer = false;
  }

  /** The dial came to nothing. */
  failed(how: SocketClosed): void {
    this.#report(how);
    if (how.httpStatus !== UNAUTHORIZED || this.#trial.formerKey === undefined || this.#profile === 3) return;
    this.#withFormer = !this.#withFormer;
    // The other one has its turn after the usual wait.
    if (!this.#withFormer) return;
    this.#options.log.warn('the new AuthorizationKey was refused: the former one is tried');
    this.#options.redial('the former AuthorizationKey is tried');
  }

  stop(): void {
    this.#endSwitch();
    this.#cancelRedial?.();
  }

  get #profile(): SecurityProfile {
    return this.#options.settings.get(securityProfile);
  }

  get #key(): string {
    const { formerKey } = this.#trial;
    return this.#withFormer && formerKey !== undefined ? formerKey : this.#options.settings.get(authorizationKey);
  }

  get #needsKey(): boolean {
    return this.#profile === 1 || this.#profile === 2;
  }

  /** A05.FR.01 to 04: upwards only, and only with what the profile needs. */
  #mayBecome(wanted: SecurityProfile): boolean {
    const { settings, trust, log } = this.#options;
    const refuse = (why: string): boolean => {
      log.warn(`security profile ${wanted} is refused: ${why}`);
      return false;
    };
    if (wanted <= this.#profile) return refuse(`${this.#profile} is in force, and it can only be raised`);
    if (wanted !== 3 && settings.get(authorizationKey) === '') return refuse('there is no AuthorizationKey');
    if (wanted >= 2 && trust.roots('CentralSystemRootCertificate').length === 0)
      return refuse('no CentralSystemRootCertificate is installed');
    if (wanted === 3 && trust.own === undefined) return refuse('the charge point has no certificate');
    return true;
  }

  /** A technician may have changed things meanwhile. */
  #valid({ profile, formerKey }: Trial): Trial {
    const isPending = profile?.to === this.#profile;
    const isFormer = formerKey !== undefined && formerKey !== this.#options.settings.get(authorizationKey);
    return { ...(isPending ? { profile } : {}), ...(isFormer ? { formerKey } : {}) };
  }

  /** Without `graceMs` the link does not depend on it. */
  #changed(name: string, graceMs: number | undefined): void {
    this.#trial = this.#valid(this.#next ?? this.#trial);
    this.#next = undefined;
    this.#withFormer = false;
    this.#endSwitch();
    const { securityEvents, settings } = this.#options;
    // Of going back to what was confirmed its own event tells.
    if (settings.find(name)?.source !== 'adopted')
      securityEvents.report('ReconfigurationOfSecurityParameters', `${name} was changed`);
    if (graceMs !== undefined) this.#redialAfter(graceMs, `${name} has changed`);
  }

  /** A05.FR.08. */
  async #goBack(): Promise<void> {
    const { profile, ...others } = this.#trial;
    const { log, settings } = this.#options;
    this.#cancelSwitch = undefined;
    if (profile === undefined) return;
    log.error(`security profile ${profile.to} has come to no connection: back to ${profile.from}`);
    try {
      await settings.put(securityProfile, profile.from, this.#saving(others));
    } catch (cause) {
      log.error('going back to the old security profile could not be stored', { cause });
      settings.adopt(securityProfile, profile.from);
    }
    this.#redialAfter(0, 'back to the old security profile');
  }

  #redialAfter(ms: number, reason: string): void {
    this.#cancelRedial?.();
    this.#cancelRedial = this.#options.clock.afterReal(ms, () => this.#options.redial(reason));
  }

  #endSwitch(): void {
    this.#cancelSwitch?.();
    this.#cancelSwitch = undefined;
  }

  #saving(next: Trial): readonly StoreOperation[] {
    this.#next = next;
    return [{ type: 'put', key: TRIAL_KEY, value: next }];
  }

  async #save(next: { readonly [member in keyof Trial]: Trial[member] | undefined }): Promise<void> {
    const { log, store } = this.#options;
    const { profile, formerKey } = next;
    this.#trial = { ...(profile === undefined ? {} : { profile }), ...(formerKey === undefined ? {} : { formerKey }) };
    const isEmpty = profile === undefined && formerKey === undefined;
    try {
      await store.batch(
        [isEmpty ? { type: 'delete', key: TRIAL_KEY } : { type: 'put', key: TRIAL_KEY, value: this.#trial }],
        'durable',
      );
    } catch (cause) {
      // After a restart it has to prove itself once more.
      log.error('that the new credentials work could not be stored', { cause });
    }
  }

  /** Once until the link is open again: dials are repeated for days. */
  #report(how: SocketClosed): void {
    for (const { type, techInfo } of eventsOf(how, this.#options.clock.trusted)) {
      if (this.#reported.has(type)) continue;
      this.#reported.add(type);
      this.#options.securityEvents.report(type, techInfo);
    }
  }
}
