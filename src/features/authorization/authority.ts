/** The one place that knows who may charge: local list, cache, central system, in the order of the keys (OCPP 1.6 section 3.5). */
import {
  isValid,
  type Known,
  offlineVerdict,
  preAuthorized,
  statusAt,
  type Verdict,
} from '../../core/authorization.ts';
import { CallFailure, type CallFailureCode } from '../../errors.ts';
import { Authorize } from '../../ocpp/messages/core/authorize.ts';
import type { IdTagInfo } from '../../ocpp/messages/types/authorization.ts';
import type { ConfirmationOf } from '../../ocpp/operation.ts';
import type { Clock, Log, Unsubscribe } from '../../ports.ts';
import type { Authority, Call, LocalAuthList, Settings } from '../feature.ts';
import { entryOf } from '../id-tag-info.ts';
import {
  allowOfflineTxForUnknownId,
  authorizationCacheEnabled,
  localAuthorizeOffline,
  localPreAuthorize,
} from './authorization.keys.ts';
import type { AuthorizationCache } from './cache.ts';

export interface CentralAuthorityOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: Settings;
  readonly cache: AuthorizationCache;
  readonly localList: LocalAuthList;
  readonly isOnline: () => boolean;
  readonly call: Call;
}

/** Waits before an Authorize that got a CALLERROR is tried again: some central systems take one call at a time. */
const RETRY_AFTER_MS = [300, 1000] as const;

/** The central system is not there to decide, which is what offline means (section 3.5). */
const UNAVAILABLE: ReadonlySet<CallFailureCode> = new Set(['disconnected', 'timeout', 'callError']);

export class CentralAuthority implements Authority {
  readonly #options: CentralAuthorityOptions;
  readonly #onConflict = new Set<(idTag: string) => void>();

  constructor(options: CentralAuthorityOptions) {
    this.#options = options;
    const { settings, localList, cache } = options;
    // Section 3.5.3: what is on the list is not in the cache.
    localList.onChange(() => cache.forget((idTag) => localList.find(idTag) !== undefined));
    settings.onChange((name) => {
      if (name === authorizationCacheEnabled.name) void this.#clearDisabled();
    });
  }

  /** Takes up what was stored. Rejects with StoreError. */
  async open(): Promise<void> {
    await this.#options.cache.open();
    await this.#clearDisabled();
  }

  async verdict(idTag: string): Promise<Verdict> {
    if (this.#options.isOnline()) {
      const own = preAuthorized(this.known(idTag), this.#rules(), this.#wall());
      if (own !== undefined) return own;
      const told = await this.#ask(idTag);
      if (told !== undefined) return told;
    }
    return offlineVerdict(this.known(idTag), this.#rules(), this.#wall());
  }

  learn(idTag: string, info: IdTagInfo): void {
    const { cache, localList, settings } = this.#options;
    const told = entryOf(info);
    const listed = localList.find(idTag);
    if (listed === undefined) {
      if (settings.get(authorizationCacheEnabled)) cache.learn(idTag, told);
      return;
    }
    const wall = this.#wall();
    if (isValid(statusAt(listed, wall)) === isValid(statusAt(told, wall))) return;
    for (const listener of this.#onConflict) listener(idTag);
  }

  onConflict(listener: (idTag: string) => void): Unsubscribe {
    this.#onConflict.add(listener);
    return () => this.#onConflict.delete(listener);
  }

  async clearCache(): Promise<boolean> {
    const { cache, log, settings } = this.#options;
    if (!settings.get(authorizationCacheEnabled)) return false;
    try {
      await cache.clear();
      return true;
    } catch (cause) {
      log.error('the authorization cache could not be cleared', { cause });
      return false;
    }
  }

  /** What a disabled cache held would be out of date when it is enabled again. */
  async #clearDisabled(): Promise<void> {
    const { cache, log, settings } = this.#options;
    if (settings.get(authorizationCacheEnabled) || cache.size === 0) return;
    await cache
      .clear()
      .catch((cause: unknown) => log.warn('the disabled authorization cache was not cleared', { cause }));
  }

  /** Undefined: nobody is there to decide. */
  async #ask(idTag: string): Promise<Verdict | undefined> {
    const { call, log } = this.#options;
    const learn = ({ idTagInfo }: ConfirmationOf<typeof Authorize>): void => this.learn(idTag, idTagInfo);
    for (let attempt = 0; ; attempt++) {
      try {
        const confirmation = await call(Authorize, { idTag }, { onLate: learn });
        learn(confirmation);
        const { status, parentIdTag } = confirmation.idTagInfo;
        const group = parentIdTag === undefined ? {} : { parentIdTag };
        return { accepted: status === 'Accepted', status, ...group, by: 'centralSystem' };
      } catch (cause) {
        log.warn('Authorize came to nothing', { cause });
        const code = cause instanceof CallFailure ? cause.code : 'badReply';
        const pauseMs = code === 'callError' ? RETRY_AFTER_MS[attempt] : undefined;
        if (pauseMs !== undefined) await this.#pause(pauseMs);
        else if (UNAVAILABLE.has(code)) return undefined;
        else return { accepted: false, status: 'Invalid', by: 'nobody' };
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.afterReal(ms, resolve));
  }

  known(idTag: string): Known {
    const { cache, localList, settings } = this.#options;
    const cached = settings.get(authorizationCacheEnabled) ? cache.find(idTag) : undefined;
    return { listed: localList.find(idTag), cached };
  }

  #rules() {
    const { settings } = this.#options;
    return {
      localPreAuthorize: settings.get(localPreAuthorize),
      localAuthorizeOffline: settings.get(localAuthorizeOffline),
      allowOfflineTxForUnknownId: settings.get(allowOfflineTxForUnknownId),
    };
  }

  #wall(): number {
    const { clock } = this.#options;
    return clock.wall(clock.now());
  }
}
