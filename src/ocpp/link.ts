/** The one WebSocket connection to the central system: dialled, watched, dialled again (OCPP-J 1.6, sections 3 and 5). */
import type { Cancel, Clock, DialRequest, Log, Socket, SocketClosed, Sockets, Unsubscribe } from '../ports.ts';
import { adviceOn } from './link-advice.ts';
import { Pulse } from './pulse.ts';

/** Read afresh before each dial. */
export interface LinkSettings extends Omit<DialRequest, 'subprotocol' | 'handshakeTimeoutMs'> {
  /** WebSocketPingInterval in seconds; 0: no regular ping (a half-open socket is still noticed). */
  readonly pingIntervalS: number;
}

/**
 * What the last attempt came to. `failures`: dials without success since the link was last settled, 0 for the first.
 * `lost`: a settled link broke. `refused`: HTTP 401, 403 or 404.
 */
export interface Retry {
  readonly after: 'failed' | 'lost' | 'refused';
  readonly failures: number;
}

export interface LinkOptions {
  readonly sockets: Sockets;
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly log: Log;
  readonly settings: () => LinkSettings;
  /** A dial begins; the settings are read after it. */
  readonly onDial?: () => void;
  /** The back-off: real milliseconds until the next dial. */
  readonly retryDelayMs: (retry: Retry) => number;
  /** The socket is open; `send` takes one frame and does nothing once the socket is gone. */
  readonly onOpen: (send: (text: string) => void) => void;
  readonly onText: (text: string) => void;
  /** Once for each `onOpen`, at the latest when `stop` resolves. */
  readonly onClose: (how: SocketClosed) => void;
  /** A dial came to nothing; for the security events and the status page. */
  readonly onFailure?: (how: SocketClosed) => void;
}

export const SUBPROTOCOL = 'ocpp1.6';
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** A dial that neither opens nor closes is given up so long after its own time-out. */
const DIAL_GRACE_MS = 5_000;
const CLOSE_WITHIN_MS = 2_000;
const NORMAL = 1000;
const GOING_AWAY = 1001;
const ABNORMAL = 1006;
const REFUSALS: readonly (number | undefined)[] = [401, 403, 404];

/** One dial and the socket that came of it. What an earlier attempt still reports is ignored. */
interface Attempt {
  socket: Socket | undefined;
  state: 'dialling' | 'open' | 'closing';
  settled: boolean;
  pulse: Pulse | undefined;
  cancelGuard: Cancel;
}

const nothing = (): void => {};

export class Link {
  readonly #options: LinkOptions;
  #attempt: Attempt | undefined;
  #running = false;
  #failures = 0;
  #dialAgainAtOnce = false;
  #cancelRetry: Cancel = nothing;
  #unsubscribe: Unsubscribe = nothing;
  #stopped: (() => void)[] = [];

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The socket is open, and not being closed by us. */
  get open(): boolean {
    return this.#attempt?.state === 'open';
  }

  /** Dials at once; goes on until `stop`. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#unsubscribe = this.#options.sockets.onReachable(() => this.#onReachable());
    if (this.#attempt === undefined) this.#dial();
    else this.#dialAgainAtOnce = true;
  }

  /** Closes politely (1001 going away); resolves once the socket is gone, after 2 s at the latest. */
  stop(): Promise<void> {
    this.#running = false;
    this.#dialAgainAtOnce = false;
    this.#unsubscribe();
    this.#cancelRetry();
    if (this.#attempt === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopped.push(resolve);
      this.#hangUp(GOING_AWAY, 'stopping');
    });
  }

  /** The address or the key changed: closes politely and dials at once with the new settings. */
  redial(reason: string): void {
    if (!this.#running) return;
    this.#failures = 0;
    if (this.#attempt === undefined) {
      this.#dial();
      return;
    }
    this.#dialAgainAtOnce = true;
    this.#hangUp(NORMAL, reason);
  }

  /** Boot Accepted, or the first .conf on a reconnect: the back-off begins anew. */
  settled(): void {
    if (this.#attempt?.state !== 'open') return;
    this.#attempt.settled = true;
    this.#failures = 0;
  }

  /** Pings at once. Resolves to true as soon as anything is heard; to false once the link is gone, which it is after 10 s of silence. */
  prove(): Promise<boolean> {
    return this.#attempt?.pulse?.prove() ?? Promise.resolve(false);
  }

  /** WebSocketPingInterval has a new value. */
  pingIntervalChanged(): void {
    this.#attempt?.pulse?.intervalChanged();
  }

  #dial(): void {
    this.#cancelRetry();
    const { sockets, clock, log } = this.#options;
    if (!sockets.reachable) {
      log.info('the network is down: waiting for it');
      return;
    }
    this.#options.onDial?.();
    const { pingIntervalS: _, ...settings } = this.#options.settings();
    const attempt: Attempt = {
      socket: undefined,
      state: 'dialling',
      settled: false,
      pulse: undefined,
      cancelGuard: clock.afterReal(HANDSHAKE_TIMEOUT_MS + DIAL_GRACE_MS, () =>
        this.#abandon(attempt, { failure: 'timeout', code: ABNORMAL, reason: 'the dial never ended' }),
      ),
    };
    this.#attempt = attempt;
    const current = (): boolean => this.#attempt === attempt;
    log.info(`dialling ${settings.url}`);
    attempt.socket = sockets.dial(
      { ...settings, subprotocol: SUBPROTOCOL, handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS },
      {
        opened: () => current() && this.#onOpened(attempt),
        received: (text) => current() && this.#onReceived(attempt, text),
        pong: () => current() && attempt.pulse?.heard(),
        closed: (how) => current() && this.#onClosed(attempt, how),
      },
    );
  }

  #onOpened(attempt: Attempt): void {
    if (attempt.state !== 'dialling') return;
    attempt.cancelGuard();
    attempt.state = 'open';
    attempt.pulse = new Pulse({
      clock: this.#options.clock,
      intervalS: () => this.#options.settings().pingIntervalS,
      ping: () => attempt.socket?.ping(),
      onDead: () => this.#abandon(attempt, { code: ABNORMAL, reason: 'no pong: the connection was half-open' }),
    });
    this.#options.log.info('connected to the central system');
    this.#options.onOpen((text) => {
      if (attempt === this.#attempt && attempt.state === 'open') attempt.socket?.send(text);
    });
  }

  #onReceived(attempt: Attempt, text: string): void {
    attempt.pulse?.heard();
    if (attempt.state === 'open') this.#options.onText(text);
  }

  /** Bounded: a socket that does not close is dropped. */
  #hangUp(code: number, reason: string): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.state === 'closing') return;
    if (attempt.state === 'dialling') {
      this.#abandon(attempt, { failure: 'network', code, reason });
      return;
    }
    attempt.state = 'closing';
    attempt.cancelGuard = this.#options.clock.afterReal(CLOSE_WITHIN_MS, () =>
      this.#abandon(attempt, { code: ABNORMAL, reason: `${reason}; the close was not answered` }),
    );
    attempt.socket?.close(code, reason);
  }

  #abandon(attempt: Attempt, how: SocketClosed): void {
    if (attempt !== this.#attempt) return;
    // Ended here first, so that whatever `terminate` reports is already of the past.
    this.#onClosed(attempt, how);
    attempt.socket?.terminate();
  }

  #onClosed(attempt: Attempt, how: SocketClosed): void {
    const wasOpen = attempt.pulse !== undefined;
    attempt.cancelGuard();
    attempt.pulse?.stop();
    this.#attempt = undefined;
    const wanted = !this.#running || this.#dialAgainAtOnce;
    if (wasOpen) this.#options.onClose(how);
    else if (!wanted) this.#options.onFailure?.(how);
    for (const resolve of this.#stopped.splice(0)) resolve();
    if (wanted) {
      this.#options.log.info(`${wasOpen ? 'link closed' : 'dial given up'}: ${how.reason}`);
      if (this.#running) this.#dialNow();
      return;
    }
    // The listener may have dialled already.
    if (this.#running && this.#attempt === undefined) this.#retry(attempt, how);
  }

  #retry({ settled, pulse }: Attempt, how: SocketClosed): void {
    const { clock, log, retryDelayMs } = this.#options;
    const refused = REFUSALS.includes(how.httpStatus);
    const after = settled ? 'lost' : refused ? 'refused' : 'failed';
    const delayMs = retryDelayMs({ after, failures: this.#failures });
    if (!settled) this.#failures++;
    const what = pulse === undefined ? 'no connection' : 'link lost';
    log.warn(`${what}: ${adviceOn(how)}; next dial in ${(delayMs / 1000).toFixed(1)} s`);
    this.#cancelRetry();
    this.#cancelRetry = clock.afterReal(delayMs, () => this.#dial());
  }

  #dialNow(): void {
    this.#dialAgainAtOnce = false;
    if (this.#attempt === undefined) this.#dial();
  }

  /** A dial that began before the outage would only wait for its time-out. */
  #onReachable(): void {
    if (this.#attempt === undefined) {
      this.#dial();
    } else if (this.#attempt.state !== 'open') {
      this.#dialAgainAtOnce = true;
      this.#hangUp(NORMAL, 'the network came back');
    }
  }
}
