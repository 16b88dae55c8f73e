/** A new address has to lead to BootNotification Accepted in time, or the last one that did is in force again (docs/security.md, ADR 6). */
import type { AgentConfig } from '../../config.ts';
import { spoken } from '../../ocpp/connection-url.ts';
import type { RegistrationStatus } from '../../ocpp/messages/core/boot-notification.ts';
import type { Cancel, Clock, KeyRange, Log, Store, StoreOperation } from '../../ports.ts';
import type { SecurityEvents, Settings } from '../feature.ts';
import {
  begin,
  type Endpoint,
  editOf,
  inForce,
  isSame,
  noticeOf,
  noticeText,
  type Phase,
  patienceS,
  type Remembered,
  type Returned,
  step,
  wantedOf,
} from './connection-phase.ts';
import { authorizationKey, centralSystemUrl, goesWith, securityProfile } from './security.keys.ts';

export interface ConnectionTrialOptions {
  readonly config: Pick<AgentConfig, 'chargePoint' | 'centralSystem'>;
  /** ConfirmConnectionWithin, in seconds. */
  readonly withinS: number;
  readonly settings: Settings;
  readonly securityEvents: Pick<SecurityEvents, 'report'>;
  readonly store: Pick<Store, 'list' | 'batch'>;
  readonly clock: Pick<Clock, 'afterReal' | 'now' | 'wall'>;
  readonly log: Log;
  /** How the connection stands. */
  readonly standing: () => { readonly open: boolean; readonly registration: RegistrationStatus | null };
  /** Another address is in force: whoever is there has to accept us first. Closes the link, if there is one, and dials at once. */
  readonly restart: (reason: string) => void;
}

const CONFIRMED_KEY = 'connection/confirmed';
const RETURNED_KEY = 'connection/returned';
const ROWS: KeyRange = { from: 'connection/', to: 'connection0' };

/** Rejects with StoreError. */
export async function readRemembered(store: Pick<Store, 'list'>): Promise<Remembered> {
  const rows = new Map<string, unknown>(await store.list(ROWS));
  return {
    confirmed: rows.get(CONFIRMED_KEY) as Endpoint | undefined,
    returned: rows.get(RETURNED_KEY) as Returned | undefined,
  };
}

export class ConnectionTrial {
  readonly #options: ConnectionTrialOptions;
  #phase: Phase;
  #confirmed: Endpoint | undefined;
  #returned: Returned | undefined;
  /** What the present link, or the dial under way, was made with. */
  #dialled: Endpoint | undefined;
  /** The present link has been Accepted. */
  #isProven = false;
  #cancelExpiry: Cancel | undefined;
  #cancelTurn: Cancel | undefined;

  constructor(options: ConnectionTrialOptions) {
    this.#options = options;
    this.#phase = { phase: 'settled', endpoint: this.#wanted().candidate.endpoint };
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    const { securityEvents, settings, store, log } = this.#options;
    const remembered = await readRemembered(store);
    this.#confirmed = remembered.confirmed;
    this.#returned = remembered.returned;
    const wanted = this.#wanted();
    this.#phase = begin(wanted, remembered);
    this.#adopt();
    settings.narrow(centralSystemUrl, (url) => goesWith(url, settings.get(securityProfile)));
    // Whoever wants another address has shown that he can be reached over this one.
    settings.along(centralSystemUrl, () => {
      this.#confirmed ??= this.#dialled ?? inForce(this.#phase);
      return [{ type: 'put', key: CONFIRMED_KEY, value: this.#confirmed }];
    });
    settings.onChange((name) => name === centralSystemUrl.name && this.#urlChanged());
    this.#arm();
    if (this.notice !== undefined) log.error(this.notice);
    else if (this.#phase.phase === 'trial') {
      log.warn(this.#announcement);
      const edit = editOf(wanted, this.#phase.confirmed);
      if (edit !== undefined) securityEvents.report('ReconfigurationOfSecurityParameters', `in the file: ${edit}`);
    }
  }

  /** Of the next dial. */
  get address(): Endpoint {
    return inForce(this.#phase);
  }

  /** What a person has to know; undefined if all is as it is wanted. */
  get notice(): string | undefined {
    return noticeText(this.#phase, this.#returned, this.#options.withinS);
  }

  /** A dial begins. */
  dialling(shown: Pick<Endpoint, 'securityProfile' | 'authorizationKey'>): void {
    this.#dialled = { ...this.address, ...shown };
    this.#isProven = false;
  }

  /** The central system has accepted us, or has said something on a link that follows one where it had. */
  accepted(): void {
    const as = this.#dialled;
    if (this.#isProven || as === undefined) return;
    this.#isProven = true;
    const before = this.#phase;
    this.#phase = step(before, { type: 'accepted', as });
    this.#disarm();
    const operations: StoreOperation[] = [];
    if (!isSame(as, this.#confirmed)) operations.push({ type: 'put', key: CONFIRMED_KEY, value: as });
    this.#confirmed = as;
    if (this.#phase.phase === 'settled' && this.#returned !== undefined) {
      operations.push({ type: 'delete', key: RETURNED_KEY });
      this.#returned = undefined;
    }
    if (before.phase === 'trial' || before.phase === 'again') this.#options.log.info(`${spoken(as.url)} is confirmed`);
    // What was taken back is put there again.
    const isLost = before.phase === 'again' && before.candidate.by === 'centralSystem';
    if (before.phase === 'returned') void this.#keepCredentials(as, operations);
    else if (operations.length > 0) void this.#save(operations, isLost ? as.url : undefined);
  }

  closed(): void {
    if (!this.#isProven) return;
    this.#isProven = false;
    this.#arm();
  }

  stop(): void {
    this.#disarm();
    this.#cancelTurn?.();
  }

  get #announcement(): string {
    const { withinS } = this.#options;
    return `${spoken(this.address.url)} is on trial: without BootNotification Accepted within ${withinS} s, ${spoken(this.#confirmed?.url ?? '')} is dialled again`;
  }

  #wanted() {
    const { config, settings } = this.#options;
    return wantedOf(config, ({ name }) => settings.find(name));
  }

  #urlChanged(): void {
    const { clock, securityEvents, settings } = this.#options;
    const found = settings.find(centralSystemUrl.name);
    if (found === undefined || found.source === 'adopted') return;
    this.#cancelTurn?.();
    if (found.value === this.address.url) return;
    securityEvents.report(
      'ReconfigurationOfSecurityParameters',
      `CentralSystemUrl was changed to ${spoken(found.value)}`,
    );
    // The answer goes out first.
    this.#cancelTurn = clock.afterReal(0, () => {
      const endpoint: Endpoint = {
        ...this.address,
        url: found.value,
        securityProfile: settings.get(securityProfile),
        authorizationKey: settings.get(authorizationKey),
      };
      const by = found.source === 'centralSystem' ? 'centralSystem' : 'file';
      this.#enter(
        step(this.#phase, { type: 'wanted', candidate: { endpoint, by }, confirmed: this.#confirmed }),
        'another address is wanted',
      );
      if (this.#phase.phase === 'trial') this.#options.log.warn(this.#announcement);
    });
  }

  #enter(phase: Phase, reason: string): void {
    const before = this.address;
    this.#phase = phase;
    this.#arm();
    if (isSame(before, this.address)) return;
    this.#adopt();
    this.#options.restart(reason);
  }

  /** The keys show what is in force. */
  #adopt(): void {
    const { settings } = this.#options;
    const endpoint = this.address;
    settings.adopt(centralSystemUrl, endpoint.url);
    settings.adopt(securityProfile, endpoint.securityProfile);
    settings.adopt(authorizationKey, endpoint.authorizationKey);
  }

  #arm(): void {
    this.#disarm();
    const { clock, withinS } = this.#options;
    const patience = patienceS(this.#phase, withinS);
    if (patience !== undefined) this.#cancelExpiry = clock.afterReal(patience * 1000, () => this.#expired());
  }

  #disarm(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
  }

  #expired(): void {
    const { open, registration } = this.#options.standing();
    const before = this.#present;
    const next = step(before, { type: 'expired', answers: open && registration === 'Pending' });
    if (next === before) {
      this.#phase = next;
      this.#arm();
    } else if (before.phase === 'trial' && next.phase === 'returned') void this.#goBack(next);
    else
      this.#enter(
        next,
        next.phase === 'again' ? 'the address that is wanted has another try' : 'back to the old address',
      );
  }

  /** Who is on trial may have set profile and password meanwhile: another try is with those. */
  get #present(): Phase {
    const phase = this.#phase;
    if (phase.phase === 'settled' || phase.phase === 'returned') return phase;
    const { settings } = this.#options;
    const credentials = {
      securityProfile: settings.get(securityProfile),
      authorizationKey: settings.get(authorizationKey),
    };
    const { candidate } = phase;
    return { ...phase, candidate: { ...candidate, endpoint: { ...candidate.endpoint, ...credentials } } };
  }

  async #goBack(next: Extract<Phase, { readonly confirmed: Endpoint }>): Promise<void> {
    const { clock, log, securityEvents, withinS } = this.#options;
    const { candidate, confirmed } = next;
    const text = noticeOf(next, withinS);
    log.error(text);
    securityEvents.report('ReconfigurationOfSecurityParameters', text);
    this.#returned = { candidate, since: clock.wall(clock.now()) };
    this.#enter(next, 'back to the old address');
    const row: StoreOperation = { type: 'put', key: RETURNED_KEY, value: this.#returned };
    await this.#save([row], candidate.by === 'centralSystem' ? confirmed.url : undefined);
  }

  /**
   * What the other central system had set meanwhile does not open this one: after a restart nobody would come in with it. Before it is
   * forgotten that we have gone back, so that a power cut changes nothing.
   */
  async #keepCredentials(as: Endpoint, operations: readonly StoreOperation[]): Promise<void> {
    const { log, settings } = this.#options;
    const isForeign = ({ name }: { readonly name: string }): boolean => {
      const found = settings.find(name);
      return found?.source === 'adopted' && found.overrides[0]?.source === 'centralSystem';
    };
    try {
      // Both on their way in this turn: what this central system changes next comes after them.
      await Promise.all([
        isForeign(securityProfile) ? settings.put(securityProfile, as.securityProfile, []) : undefined,
        isForeign(authorizationKey) ? settings.put(authorizationKey, as.authorizationKey, []) : undefined,
      ]);
    } catch (cause) {
      log.error('the credentials that are in force again could not be stored', { cause });
      return;
    }
    if (operations.length > 0) await this.#save(operations);
  }

  /** With `url` as the value of CentralSystemUrl that stays, in one batch. What cannot be stored is tried anew after the next start. */
  async #save(operations: readonly StoreOperation[], url?: string): Promise<void> {
    const { log, settings, store } = this.#options;
    try {
      if (url === undefined) await store.batch(operations, 'durable');
      else await settings.put(centralSystemUrl, url, operations);
    } catch (cause) {
      log.error('which connection is confirmed could not be stored', { cause });
    }
  }
}
