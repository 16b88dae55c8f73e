/** Tells the central system how the update goes: each status in its order, until it is confirmed, also after a restart (section 4.5). */
import { CallFailure } from '../../errors.ts';
import { FirmwareStatusNotification } from '../../ocpp/messages/firmware-management/firmware-status-notification.ts';
import { SignedFirmwareStatusNotification } from '../../ocpp/messages/security/signed-firmware-status-notification.ts';
import { type Context, isOnline } from '../feature.ts';
import type { FirmwareRecord } from './record.ts';
import type { Saying } from './update.ts';

/** A central system that knows no such message does not answer for ever. */
const MOST_TIMEOUTS = 3;

export class Teller {
  readonly #context: Context;
  readonly #record: FirmwareRecord;
  readonly #subscriptions: readonly (() => void)[];
  #isBusy = false;
  #isStopped = false;
  #timeouts = 0;

  constructor(context: Context, record: FirmwareRecord) {
    this.#context = context;
    this.#record = record;
    const go = (): void => void this.#tellAll();
    this.#subscriptions = [context.registration.onChange(go), context.connection.onOpen(go), record.onChange(go)];
  }

  stop(): void {
    this.#isStopped = true;
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** Resolves once everything is confirmed, nobody is there to confirm it, or after `ms` of real time. */
  drained(ms: number): Promise<void> {
    const isDone = (): boolean => this.#record.state.unsaid.length === 0 || !isOnline(this.#context);
    if (isDone()) return Promise.resolve();
    const { clock, connection } = this.#context;
    return new Promise((resolve) => {
      const end = (): void => {
        for (const stop of stops) stop();
        resolve();
      };
      const stops = [this.#record.onChange(() => isDone() && end()), connection.onClose(end), clock.afterReal(ms, end)];
    });
  }

  async #tellAll(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      if (!(await this.#isTold(next))) {
        if (!isOnline(this.#context)) break;
        continue;
      }
      this.#timeouts = 0;
      await this.#record.change((state) => ({ ...state, unsaid: state.unsaid.slice(1) }));
    }
    this.#isBusy = false;
  }

  get #next(): Saying | undefined {
    return isOnline(this.#context) && !this.#isStopped ? this.#record.state.unsaid[0] : undefined;
  }

  /** False if it is to be said again. */
  async #isTold(saying: Saying): Promise<boolean> {
    const { call, log } = this.#context;
    try {
      if (saying.signed)
        await call(SignedFirmwareStatusNotification, { status: saying.status, requestId: saying.requestId });
      else await call(FirmwareStatusNotification, { status: saying.status });
      return true;
    } catch (cause) {
      log.warn('the status of the firmware update was not taken', { status: saying.status, cause });
      if (!(cause instanceof CallFailure) || (cause.code !== 'disconnected' && cause.code !== 'timeout')) return true;
      if (cause.code === 'timeout') this.#timeouts += 1;
      return this.#timeouts >= MOST_TIMEOUTS;
    }
  }
}
