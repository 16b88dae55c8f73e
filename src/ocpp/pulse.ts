/** Tells a living socket from a half-open one by pings and their pongs, in real time. */
import type { Cancel, Clock } from '../ports.ts';

export interface PulseOptions {
  readonly clock: Pick<Clock, 'afterReal'>;
  /** WebSocketPingInterval in seconds; 0 is no regular ping. Read whenever a ping is planned. */
  readonly intervalS: () => number;
  readonly ping: () => void;
  /** Two pings in a row got no pong, nor was anything else heard. Called once; the pulse has stopped. */
  readonly onDead: () => void;
}

/** Independent of the ping interval, else a long interval would mean a late discovery (OCPP-J errata 3.11). */
const PONG_WITHIN_MS = 10_000;
/** Ping after so long a silence of the other side, even with WebSocketPingInterval 0 or a very long one. */
const IDLE_MS = 120_000;
const MISSED_PONGS = 2;

export class Pulse {
  readonly #options: PulseOptions;
  #cancelRegular: Cancel | undefined;
  #cancelIdle: Cancel | undefined;
  #cancelDeadline: Cancel | undefined;
  #missed = 0;
  #stopped = false;
  /** Who waits for a proof of life. */
  readonly #doubters: ((alive: boolean) => void)[] = [];

  /** Begins with the socket that has just opened. */
  constructor(options: PulseOptions) {
    this.#options = options;
    this.#planRegular();
    this.#planIdle();
  }

  /** Anything came in, a pong or a frame: the other side lives. */
  heard(): void {
    if (this.#stopped) return;
    this.#missed = 0;
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
    this.#planIdle();
    this.#tellDoubters(true);
  }

  /**
   * A call had no answer in time, which is as good as a missed pong: one more ping decides, within 10 s. Resolves to true as soon as
   * anything is heard, to false once the pulse has stopped.
   */
  prove(): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#doubters.push(resolve);
      this.#missed = MISSED_PONGS - 1;
      this.#ping();
    });
  }

  /** The interval was changed: counts from now. */
  intervalChanged(): void {
    if (!this.#stopped) this.#planRegular();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRegular?.();
    this.#cancelIdle?.();
    this.#cancelDeadline?.();
    this.#tellDoubters(false);
  }

  #tellDoubters(alive: boolean): void {
    for (const tell of this.#doubters.splice(0)) tell(alive);
  }

  #planRegular(): void {
    this.#cancelRegular?.();
    const intervalS = this.#options.intervalS();
    this.#cancelRegular =
      intervalS > 0
        ? this.#options.clock.afterReal(1000 * intervalS, () => {
            this.#planRegular();
            this.#ping();
          })
        : undefined;
  }

  #planIdle(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#options.clock.afterReal(IDLE_MS, () => {
      this.#planIdle();
      this.#ping();
    });
  }

  /** Further pings while one is unanswered do not move its deadline. */
  #ping(): void {
    this.#options.ping();
    if (this.#stopped || this.#cancelDeadline !== undefined) return;
    this.#cancelDeadline = this.#options.clock.afterReal(PONG_WITHIN_MS, () => {
      this.#cancelDeadline = undefined;
      this.#missed++;
      if (this.#missed < MISSED_PONGS) {
        this.#ping();
        return;
      }
      this.stop();
      this.#options.onDead();
    });
  }
}
