/** The life of the agent as systemd hears of it: starting, ready, fed by the loops of the hardware, stopping (sd_notify(3)). */
import type { Cancel, Clock, Log } from '../ports.ts';
import { type Notify, openNotify } from './systemd.ts';

/** What WatchdogSec=2 leaves room for three times. */
const FEED_MS = 500;
/** A feed that comes late must not be the end: so many fit into the time that systemd allows. */
const FEEDS_IN_TIME = 3;
/** Told so often while the store takes its time, each time for the next 15 s; not for ever. */
const EXTEND_EVERY_MS = 5_000;
const EXTEND_BY_US = 15_000_000;
const EXTENSIONS_AT_MOST = 120;

type Environment = Readonly<Record<string, string | undefined>>;

export interface ServiceOptions {
  readonly environment: Environment;
  /** Of this process: a watchdog may be meant for another one. */
  readonly pid: number;
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Replaced in tests. */
  readonly open?: (path: string) => Promise<Notify>;
}

export interface Health {
  /** `Board.watched`: the loops that open a contactor make progress. */
  watched(): boolean;
  /** One line for `systemctl status`. */
  status(): string;
}

/** Undefined for no watchdog. In milliseconds. */
function feedMs({ WATCHDOG_USEC: usec, WATCHDOG_PID: of }: Environment, pid: number): number | undefined {
  const withinMs = Number(usec) / 1000;
  if (!(withinMs > 0) || (of !== undefined && Number(of) !== pid)) return undefined;
  return Math.min(FEED_MS, withinMs / FEEDS_IN_TIME);
}

export class Service {
  readonly #options: ServiceOptions;
  readonly #feedMs: number | undefined;
  readonly #path: string;
  #opening: Promise<Notify> | undefined;
  #notify: Notify | undefined;
  #next: Cancel = () => {};
  #isStarting = true;
  #isStopping = false;
  #isWatched = true;
  #isHeard = true;

  constructor(path: string, options: ServiceOptions) {
    this.#path = path;
    this.#options = options;
    this.#feedMs = feedMs(options.environment, options.pid);
  }

  /** Asks for more time again and again, until `ready` or `stopping`. */
  starting(): void {
    this.#extend(EXTENSIONS_AT_MOST);
  }

  /**
   * Outputs are safe and the agent runs. From now on systemd is fed by what `health` has seen: a timer alone proves nothing. Rejects if
   * systemd cannot be told.
   */
  async ready(health: Health): Promise<void> {
    const notify = await this.#open();
    if (this.#isStopping) return;
    this.#isStarting = false;
    this.#next();
    const error = notify(`READY=1\nSTATUS=${health.status()}`);
    if (error !== 0) throw new Error(`systemd does not hear that the agent runs: errno ${error} on ${this.#path}`);
    this.#feed(health);
  }

  /** The contactors are open. The end is bounded, so that the rest needs no proof. */
  stopping(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#isStarting = false;
    this.#next();
    this.#say('STOPPING=1\nSTATUS=ending: the contactors are open');
    if (this.#feedMs !== undefined) this.#feedToTheEnd(this.#feedMs);
  }

  #extend(left: number): void {
    if (left === 0) return;
    this.#next = this.#options.clock.afterReal(EXTEND_EVERY_MS, () => {
      this.#extend(left - 1);
      this.#open().then(
        () => this.#isStarting && this.#say(`EXTEND_TIMEOUT_USEC=${EXTEND_BY_US}\nSTATUS=starting`),
        // Told by `ready`.
        () => {},
      );
    });
  }

  #feed(health: Health): void {
    const watched = health.watched();
    if (watched !== this.#isWatched) {
      this.#isWatched = watched;
      if (watched) this.#options.log.info('the hardware is watched again');
      else this.#options.log.error('the hardware is not watched any more: the watchdog is not fed');
    }
    const status = watched ? health.status() : 'the hardware is not watched';
    this.#say(watched && this.#feedMs !== undefined ? `WATCHDOG=1\nSTATUS=${status}` : `STATUS=${status}`);
    this.#next = this.#options.clock.afterReal(this.#feedMs ?? FEED_MS, () => this.#feed(health));
  }

  #feedToTheEnd(everyMs: number): void {
    this.#say('WATCHDOG=1');
    this.#next = this.#options.clock.afterReal(everyMs, () => this.#feedToTheEnd(everyMs));
  }

  #open(): Promise<Notify> {
    this.#opening ??= (this.#options.open ?? openNotify)(this.#path).then((notify) => {
      this.#notify = notify;
      return notify;
    });
    return this.#opening;
  }

  /** A socket that takes nothing is for systemd to judge: it knows when it was last fed. */
  #say(text: string): void {
    const error = this.#notify?.(text) ?? 0;
    const heard = error === 0;
    if (!heard && this.#isHeard) this.#options.log.warn('systemd does not take what it is told', { errno: error });
    this.#isHeard = heard;
  }
}

/** Undefined where nobody wants to hear: not started by systemd, or not with Type=notify. */
export function serviceOf(options: ServiceOptions): Service | undefined {
  const path = options.environment['NOTIFY_SOCKET'];
  return path === undefined || path === '' ? undefined : new Service(path, options);
}
