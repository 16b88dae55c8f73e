/** The wire under the bus: opens the adapter and reopens it when it vanished, keeps the silences, sends one request and waits for its answer. */
import type { Monotonic, Surroundings } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { BytePort, OpenBytePort, SerialBus } from './byte-port.ts';
import { type Answer, type Request, type RtuClient, rtuClient } from './rtu-client.ts';

/** How one device wants to be asked. */
export interface Pace {
  /** Silence on the line before the request; never less than 3.5 characters. */
  readonly silenceMs: number;
  /** How long the device may take to begin its answer; the time on the wire comes on top. */
  readonly timeoutMs: number;
}

/** `silent`: not a byte. `damaged`: bytes, but no valid answer among them. `lost`: the adapter went away, or we closed. */
export type Outcome = Answer | { readonly type: 'silent' | 'damaged' | 'lost' };

const OPEN_LIMIT_MS = 3000;
const FLUSH_LIMIT_MS = 500;
const REOPEN_FIRST_MS = 1000;
const REOPEN_MOST_MS = 10_000;
/** After a failure the line must have been silent for the device's time-out, at most so long: the slowest answer of a real meter. */
const STRAGGLER_SILENCE_MS = 400;
/** A line that never falls silent is used nevertheless. */
const CHATTER_LIMIT_MS = 2000;
const BITS_PER_CHARACTER = 11;

interface OpenPort {
  readonly port: BytePort;
  readonly client: RtuClient;
}

export class Connection {
  /** Number of the present opening of the port, or of the next one since it was lost. */
  openings = 1;
  readonly #serial: SerialBus;
  readonly #surroundings: Surroundings;
  readonly #openPort: OpenBytePort;
  #open: OpenPort | undefined;
  #closed = false;
  #reopenAt: Monotonic = Number.NEGATIVE_INFINITY;
  #reopenDelayMs = REOPEN_FIRST_MS;
  #lostBecause: unknown;
  /** When a byte was last seen on the line, in either direction. */
  #lastByteAt: Monotonic = Number.NEGATIVE_INFINITY;
  /** Bytes since the request was sent. */
  #received = 0;
  #wake: () => void = () => undefined;

  constructor(serial: SerialBus, surroundings: Surroundings, openPort: OpenBytePort) {
    this.#serial = serial;
    this.#surroundings = surroundings;
    this.#openPort = openPort;
  }

  /** Opens the port unless it is open. Rejects with `busClosed`, at once while the back-off of an earlier failure lasts. */
  async open(): Promise<void> {
    if (this.#open !== undefined) return;
    if (this.#closed || this.#now < this.#reopenAt) throw this.unavailable();
    try {
      this.#open = await this.#connect();
    } catch (cause) {
      this.#backOff(cause);
      throw this.unavailable();
    }
    this.#surroundings.log.info('Modbus bus open', { path: this.#serial.path });
  }

  /** Why nothing can be sent. */
  unavailable(): HalError {
    const { path } = this.#serial;
    if (this.#closed) return new HalError('busClosed', `${path} is closed`);
    return new HalError('busClosed', `no working serial port at ${path}`, { cause: this.#lostBecause });
  }

  /** One request after the silence that its device wants. Never rejects; what arrives after its time-out is nobody's answer. */
  async exchange(request: Request, { silenceMs, timeoutMs }: Pace): Promise<Outcome> {
    await this.#quiet(silenceMs);
    const open = this.#open;
    if (open === undefined) return { type: 'lost' };
    let answer: Answer | undefined;
    this.#received = 0;
    this.#lastByteAt = this.#now;
    open.client.send(request, (given) => {
      answer = given;
    });
    const limit = this.#now + timeoutMs + this.#wireMs(bytesOnWire(request));
    while (answer === undefined && this.#open === open && this.#now < limit) {
      // An answer that is all there but damaged will not get better: no need to sit out the time-out.
      const whole = this.#received >= answerBytes(request);
      const end = whole ? Math.min(this.#lastByteAt + Math.max(silenceMs, this.#gapMs), limit) : limit;
      if (end <= this.#now) break;
      await this.#nextEvent(end - this.#now);
    }
    open.client.abandon();
    if (answer !== undefined) this.#reopenDelayMs = REOPEN_FIRST_MS;
    if (answer !== undefined) return answer;
    if (this.#open !== open) return { type: 'lost' };
    return { type: this.#received > 0 ? 'damaged' : 'silent' };
  }

  /** After a failure: lets an answer that is still under way go by, and empties every buffer. `hurry` ends the waiting. */
  async drain({ timeoutMs }: Pace, hurry: () => boolean): Promise<void> {
    this.#lastByteAt = this.#now;
    await this.#quiet(Math.min(timeoutMs, STRAGGLER_SILENCE_MS), hurry);
    if (this.#open !== undefined) await this.#bounded(this.#open.port.flush(), FLUSH_LIMIT_MS);
  }

  /** Has whoever waits in here look again. */
  nudge(): void {
    this.#wake();
  }

  /** The exchange under way ends as `lost`. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#closed = true;
    this.#open = undefined;
    this.#wake();
    if (open !== undefined) await this.#bounded(open.port.close(), FLUSH_LIMIT_MS);
  }

  /** A fresh port and a fresh library client each time: neither survives a vanished adapter. */
  async #connect(): Promise<OpenPort> {
    let open: OpenPort | undefined;
    let lostBecause: unknown;
    const opening = this.#openPort({
      received: (bytes) => {
        this.#received += bytes.length;
        this.#lastByteAt = this.#now;
        open?.client.received(bytes);
        this.#wake();
      },
      closed: (cause) => {
        lostBecause = cause ?? new Error('closed');
        if (open !== undefined && this.#open === open) this.#lose(cause);
      },
    });
    const port = await this.#bounded(opening, OPEN_LIMIT_MS);
    if (port === undefined) {
      // Should it open after all, nobody else would ever close it.
      opening.then((late) => late.close()).catch(() => undefined);
      throw new Error(`not open after ${OPEN_LIMIT_MS} ms`);
    }
    await this.#bounded(port.flush(), FLUSH_LIMIT_MS);
    open = { port, client: await rtuClient(port) };
    // What went before is unknown: a slave may be answering the process that used the line until now.
    this.#lastByteAt = this.#now;
    if (lostBecause === undefined && !this.#closed) return open;
    await this.#bounded(port.close(), FLUSH_LIMIT_MS);
    throw lostBecause ?? new Error('closed while opening');
  }

  #lose(cause: unknown): void {
    this.#open = undefined;
    this.openings += 1;
    this.#backOff(cause);
    this.#surroundings.log.warn('Modbus bus lost', { path: this.#serial.path, cause: String(cause) });
    this.#wake();
  }

  #backOff(cause: unknown): void {
    this.#lostBecause = cause;
    this.#reopenAt = this.#now + this.#reopenDelayMs;
    this.#reopenDelayMs = Math.min(2 * this.#reopenDelayMs, REOPEN_MOST_MS);
  }

  /** Waits until the line has been silent for so long. */
  async #quiet(silenceMs: number, hurry: () => boolean = () => false): Promise<void> {
    const limit = this.#now + CHATTER_LIMIT_MS;
    const silence = Math.max(silenceMs, this.#gapMs);
    while (this.#open !== undefined && !hurry()) {
      const end = Math.min(this.#lastByteAt + silence, limit);
      if (end <= this.#now) return;
      await this.#nextEvent(end - this.#now);
    }
  }

  get #now(): Monotonic {
    return this.#surroundings.clock.now();
  }

  #wireMs(bytes: number): number {
    return Math.ceil((1000 * BITS_PER_CHARACTER * bytes) / this.#serial.baudRate);
  }

  /** t3.5; above 19200 baud fixed at 1.75 ms (Modbus over serial line V1.02, section 2.5.1.1). */
  get #gapMs(): number {
    const { baudRate } = this.#serial;
    return baudRate > 19_200 ? 1.75 : (1000 * 3.5 * BITS_PER_CHARACTER) / baudRate;
  }

  /** Resolves when something happens on the line, when nudged, or after so long. */
  #nextEvent(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#surroundings.clock.after(atMostMs, () => this.#wake());
      this.#wake = () => {
        this.#wake = () => undefined;
        cancel();
        resolve();
      };
    });
  }

  /** Undefined if it takes longer: nothing that the operating system does may hold up the bus. */
  #bounded<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#surroundings.clock.after(limitMs, () => resolve(undefined));
      work.finally(cancel).then(resolve, reject);
    });
  }
}

const requestBytes = (request: Request): number => (request.type === 'read' ? 8 : 9 + 2 * request.values.length);
const answerBytes = (request: Request): number => (request.type === 'read' ? 5 + 2 * request.count : 8);
const bytesOnWire = (request: Request): number => requestBytes(request) + answerBytes(request);
