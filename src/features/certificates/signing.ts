/** SignCertificate: sent when the central system wants a new certificate or ours is about to expire (security whitepaper, A02 and A03). */
import { CallFailure } from '../../errors.ts';
import { SignCertificate } from '../../ocpp/messages/security/sign-certificate.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, isOnline } from '../feature.ts';
import { cpoName } from './certificates.keys.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A03.FR.02: one month. */
const BEFORE_EXPIRY_MS = 30 * DAY_MS;
const LONGEST_EXPONENT = 6;

export class Signing {
  readonly #context: Context;
  readonly #subscriptions: readonly (() => void)[];
  #isBusy = false;
  #isLooking = false;
  #isStopped = false;
  #failures = 0;
  #retry: Cancel | undefined;
  #look: Cancel | undefined;

  constructor(context: Context) {
    const { clock, connection, registration, trust } = context;
    this.#context = context;
    const resume = (): void => {
      if (isOnline(context)) void this.#send();
    };
    const look = (): void => void this.#lookAgain();
    this.#subscriptions = [
      connection.onOpen(resume),
      registration.onChange(resume),
      registration.onChange(look),
      clock.onTrusted(look),
      clock.onJump(look),
      trust.onChange((what) => what === 'own' && look()),
    ];
    look();
  }

  /** ExtendedTriggerMessage: durably wanted before the answer; the key pair is generated after it (A02.FR.02). Undefined: it cannot be. */
  async requested(): Promise<(() => void) | undefined> {
    const { log, settings, trust } = this.#context;
    if (settings.get(cpoName) === '') {
      // A prerequisite of A02: without it the certificate would name no owner (A00.FR.509).
      log.warn('no certificate is requested: CpoName is not set');
      return undefined;
    }
    try {
      await trust.ownCertificates.want('centralSystem');
    } catch (cause) {
      log.error('that a certificate is wanted could not be stored', { cause });
      return undefined;
    }
    this.#failures = 0;
    // Also while Pending: that is when credentials are renewed (A00.FR.806).
    return () => void this.#send();
  }

  stop(): void {
    this.#isStopped = true;
    this.#retry?.();
    this.#look?.();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  async #send(): Promise<void> {
    const { call, connection, log, trust } = this.#context;
    const { ownCertificates: own } = trust;
    if (this.#isBusy || own.request?.state !== 'due' || !connection.open) return;
    this.#isBusy = true;
    this.#retry?.();
    this.#retry = undefined;
    try {
      const csr = await own.signingRequest();
      const { status } = await call(SignCertificate, { csr });
      if (status !== 'Accepted') log.warn('the central system does not take the signing request');
      await this.#answered(status);
    } catch (cause) {
      await this.#onFailure(cause);
    } finally {
      this.#isBusy = false;
    }
    if (own.request?.state !== 'due' || !connection.open || this.#isStopped) return;
    // Without a failure it is another request, wanted meanwhile.
    if (this.#failures === 0) void this.#send();
    else this.#sendLater();
  }

  async #answered(status: 'Accepted' | 'Rejected'): Promise<void> {
    const { log, trust } = this.#context;
    if (status === 'Accepted') this.#failures = 0;
    else this.#failures++;
    await trust.ownCertificates.answered(status);
    if (trust.ownCertificates.request?.state === 'refused')
      log.error('the signing request was refused so often that it is given up: the operator has to ask again');
  }

  async #onFailure(cause: unknown): Promise<void> {
    this.#context.log.warn('the signing request came to nothing', { cause });
    if (!(cause instanceof CallFailure)) this.#failures++;
    // A central system that knows no SignCertificate; a lost link says nothing, and no answer in time little.
    else if (cause.code === 'callError') await this.#answered('Rejected');
    else if (cause.code !== 'disconnected') this.#failures++;
  }

  /** 1, 2, 4 ... 64 minutes. */
  #sendLater(): void {
    const delayMs = MINUTE_MS * 2 ** Math.min(Math.max(this.#failures - 1, 0), LONGEST_EXPONENT);
    this.#retry = this.#context.clock.after(delayMs, () => {
      this.#retry = undefined;
      if (isOnline(this.#context)) void this.#send();
    });
  }

  /** A certificate was accepted: it may have to be shown, now or later. */
  certificateCame(): void {
    void this.#lookAgain();
  }

  /** A03: at most one request a day, from a month before the certificate expires; and what else a day changes about certificates. */
  async #lookAgain(): Promise<void> {
    const { ownCertificates: own } = this.#context.trust;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#look?.();
    this.#look = undefined;
    own.show();
    await own.discard();
    this.#isLooking = false;
    const { clock } = this.#context;
    const { validity } = own;
    if (validity === undefined || !clock.trusted || this.#isStopped) return;
    const now = clock.wall(clock.now());
    const { notBefore, notAfter } = validity;
    // A time to come was written while the clock was wrong.
    const last = own.wantedAt === undefined || own.wantedAt > now ? 0 : own.wantedAt;
    const dueAt = Math.max(notAfter - BEFORE_EXPIRY_MS, last + waitOf(notAfter - notBefore));
    const waits = [dueAt, notBefore].map((at) => at - now).filter((waitMs) => waitMs > 0);
    // At least once a day: the wall clock may go another way than this timer.
    this.#look = clock.after(Math.min(DAY_MS, ...waits), () => void this.#lookAgain());
    if (now >= dueAt && own.request?.state !== 'due') await this.#renew(notAfter);
  }

  async #renew(notAfter: number): Promise<void> {
    const { log, settings, trust } = this.#context;
    const expiry = { notAfter: formatTimestamp(notAfter) };
    if (settings.get(cpoName) === '') {
      log.error('the certificate expires, and no new one is requested: CpoName is not set', expiry);
      return;
    }
    log.info('the certificate expires: a new one is requested', expiry);
    try {
      await trust.ownCertificates.want('expiry');
    } catch (cause) {
      log.error('that a certificate is wanted could not be stored', { cause });
      return;
    }
    this.#failures = 0;
    if (isOnline(this.#context)) void this.#send();
  }
}

/** Between two requests: a day, less for a certificate that does not live for two, but never in a hurry. */
const waitOf = (lifetimeMs: number): number => Math.min(DAY_MS, Math.max(HOUR_MS, lifetimeMs / 2));
