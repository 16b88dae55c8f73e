/** Reports to the central system, one after the other, each once; while it cannot be called they wait. */
import { CallFailure } from '../../errors.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, isOnline } from '../feature.ts';

/** A report that got no answer is told again, so often and so long afterwards. */
const MOST_TRIES = 3;
const AGAIN_MS = 60_000;

interface Waiting<Report> {
  readonly report: Report;
  readonly told: () => void;
  tries: number;
}

export class Teller<Report> {
  readonly #context: Context;
  readonly #send: (report: Report) => Promise<unknown>;
  readonly #subscriptions: readonly (() => void)[];
  readonly #waiting: Waiting<Report>[] = [];
  #isBusy = false;
  #again: Cancel | undefined;

  constructor(context: Context, send: (report: Report) => Promise<unknown>) {
    this.#context = context;
    this.#send = send;
    const go = (): void => void this.#go();
    this.#subscriptions = [context.registration.onChange(go), context.connection.onOpen(go)];
  }

  /** `told` is called once the central system has answered, whatever it said, or never will. */
  tell(report: Report, told: () => void = () => {}): void {
    this.#waiting.push({ report, told, tries: 0 });
    void this.#go();
  }

  /** How many are not told yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  stop(): void {
    this.#again?.();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  async #go(): Promise<void> {
    if (this.#isBusy) return;
    this.#again?.();
    this.#again = undefined;
    this.#isBusy = true;
    for (let next = this.#waiting[0]; next !== undefined && isOnline(this.#context); next = this.#waiting[0]) {
      if (!(await this.#isTold(next))) break;
      this.#waiting.shift();
      next.told();
    }
    this.#isBusy = false;
  }

  async #isTold(waiting: Waiting<Report>): Promise<boolean> {
    const { clock, log } = this.#context;
    try {
      await this.#send(waiting.report);
      return true;
    } catch (cause) {
      if (cause instanceof CallFailure && cause.code === 'disconnected') return false;
      log.warn('a report about an upload was not taken', { report: waiting.report, cause });
      const mayTryAgain = cause instanceof CallFailure && cause.code === 'timeout' && ++waiting.tries < MOST_TRIES;
      if (mayTryAgain) this.#again = clock.after(AGAIN_MS, () => void this.#go());
      return !mayTryAgain;
    }
  }
}
