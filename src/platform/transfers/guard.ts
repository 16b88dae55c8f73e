/** Bounds one transfer: connecting, silence and the whole of it, and the caller's AbortSignal. The first that strikes ends everything. */
import { TransferError } from '../../errors.ts';
import type { TransferOptions } from '../../ports.ts';

const CONNECT_MS = 20_000;
const IDLE_MS = 60_000;
/** 100 MB at 110 kbit/s; what is slower goes on where the last attempt ended. */
const OVERALL_MS = 2 * 60 * 60_000;

export class Guard {
  readonly connectMs: number;
  readonly #shown: string;
  readonly #ends = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #idle: NodeJS.Timeout;
  readonly #overall: NodeJS.Timeout;
  #reason: TransferError | undefined;

  /** `shown` is the masked URL. */
  constructor(shown: string, { signal, timeouts = {} }: Pick<TransferOptions, 'signal' | 'timeouts'>) {
    const { connectMs = CONNECT_MS, idleMs = IDLE_MS, overallMs = OVERALL_MS } = timeouts;
    this.connectMs = connectMs;
    this.#shown = shown;
    this.#caller = signal;
    this.#idle = setTimeout(() => this.#end('timeout', `nothing moved for ${idleMs} ms`), idleMs);
    this.#overall = setTimeout(() => this.#end('timeout', `not done within ${overallMs} ms`), overallMs);
    signal?.addEventListener('abort', this.#aborted, { once: true });
    if (signal?.aborted) this.#aborted();
  }

  /** Aborts when the transfer must end; `reason` is then set. */
  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  get reason(): TransferError | undefined {
    return this.#reason;
  }

  /** Something moved. */
  touch(): void {
    if (this.#reason === undefined) this.#idle.refresh();
  }

  /** The transfer is over, well or badly. */
  stop(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#overall);
    this.#caller?.removeEventListener('abort', this.#aborted);
  }

  /** The promise, or the reason for the end if that comes first. A step that settles counts as movement. */
  race<T>(step: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const ended = (): void => reject(this.#reason);
      if (this.signal.aborted) ended();
      this.signal.addEventListener('abort', ended, { once: true });
      const settled = (): void => {
        this.signal.removeEventListener('abort', ended);
        this.touch();
      };
      step.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
  }

  /** The same with a bound of its own, which does not end the transfer. */
  async within<T>(ms: number, what: string, step: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#error('timeout', `${what}: not within ${ms} ms`)), ms);
    });
    try {
      return await this.race(Promise.race([step, late]));
    } finally {
      clearTimeout(timer);
    }
  }

  readonly #aborted = (): void => this.#end('aborted', 'aborted');

  #end(code: 'timeout' | 'aborted', why: string): void {
    this.#reason ??= this.#error(code, why);
    this.#ends.abort();
  }

  #error(code: 'timeout' | 'aborted', why: string): TransferError {
    return new TransferError(code, `${this.#shown}: ${why}`);
  }
}
