/** The RPC layer of OCPP-J 1.6, section 4, for either side: text in, text out, one call in flight each way. */
import type * as v from 'valibot';
import type { Clock, Log, Random } from '../ports.ts';
import { Answerer, type Gate } from './answerer.ts';
import { Caller, type CallOptions } from './caller.ts';
import { callIdOf, type Frame, parseFrame, parsingFrame } from './frame.ts';
import type { AnyOperation, Handler, Operation } from './operation.ts';
import { repair } from './tolerance.ts';
import type { WireLog } from './wire-log.ts';

export interface PeerOptions {
  /** The constructor throws if two of them answer the same action. */
  readonly handlers: readonly Handler[];
  /** All operations of OCPP 1.6: tells NotSupported (known, no handler) from NotImplemented. */
  readonly known: (action: string) => AnyOperation | undefined;
  readonly clock: Pick<Clock, 'now' | 'afterReal'>;
  readonly random: Pick<Random, 'uuid'>;
  readonly log: Log;
  readonly wireLog: WireLog;
  /** How long an answer to a call of ours may take, in real milliseconds; read at each call. */
  readonly callTimeoutMs: () => number;
  /**
   * Asked when a call had no answer in time: to true once the other side gave a sign of life, to false once the link is gone. Absent: silence
   * is a time-out.
   */
  readonly proveLink?: () => Promise<boolean>;
  readonly gate?: Gate;
  /** A frame that is none, or a call that fits no shape; says why, without a value of it. */
  readonly onInvalid?: (what: string) => void;
}

/** What was odd on the wire since the start. */
export interface PeerCounters {
  /** Frames that are none. */
  readonly malformed: number;
  /** Answers to calls of ours that had already failed. */
  readonly lateAnswers: number;
  /** Answers to no call of ours. */
  readonly unknownAnswers: number;
  /** Inbound calls refused because too many were waiting. */
  readonly overflows: number;
}

/** Characters. A longer frame is read in one turn and handled in the next: the first one finds cold code. */
const HANDLED_AT_ONCE = 16 * 1024;
/** Characters. `JSON.parse` takes less than 5 ms for so many, even where they are chosen to be slow. */
const READ_AT_ONCE = 64 * 1024;
/** Characters, and frames; who floods us with long frames, or behind one, loses some of them. */
const MOST_UNREAD = { characters: 8 * 1024 * 1024, frames: 1000 };

/** So many different repairs are logged; names come from the other side and must not fill the memory. */
const LOGGED_REPAIRS = 200;

export class Peer {
  readonly #options: PeerOptions;
  readonly #caller: Caller;
  readonly #answerer: Answerer;
  readonly #loggedRepairs = new Set<string>();
  /** A long frame that is being read, and what came behind it; a new one for each link. */
  #unread: string[] = [];
  #connected = false;
  #malformed = 0;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#caller = new Caller({
      ...options,
      repaired: (operation, payload) => this.#repaired(operation, 'conf', payload),
    });
    this.#answerer = new Answerer({
      ...options,
      repaired: (operation, payload) => this.#repaired(operation, 'req', payload),
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  get counters(): PeerCounters {
    return { malformed: this.#malformed, overflows: this.#answerer.overflows, ...this.#caller.counters };
  }

  /** A link is up; `send` takes one frame. An earlier one is detached first. */
  attach(send: (text: string) => void): void {
    this.detach();
    const { wireLog, clock } = this.#options;
    const logged = (text: string): void => {
      // On its way first: nobody waits for a line of the log.
      send(text);
      wireLog.frame('tx', text, clock.now());
    };
    this.#connected = true;
    this.#answerer.attach(logged);
    this.#caller.attach(logged);
  }

  /** The link is gone: our calls fail with `disconnected`, inbound ones are not answered any more. */
  detach(): void {
    this.#connected = false;
    this.#unread = [];
    this.#answerer.detach();
    this.#caller.detach();
  }

  /**
   * Calls the other side (section 4.1.1: one call in flight, the others wait in order).
   * Rejects with a CallFailure, and at once with `disconnected` while there is no link.
   */
  call<Req extends v.GenericSchema, Conf extends v.GenericSchema>(
    operation: Operation<Req, Conf>,
    request: v.InferInput<Req>,
    options: CallOptions<v.InferOutput<Conf>> = {},
  ): Promise<v.InferOutput<Conf>> {
    return this.#caller.call(operation, request, options);
  }

  /** One text frame from the link. Never throws, whatever it holds. */
  receive(text: string): void {
    if (!this.#connected) return;
    try {
      this.#options.wireLog.frame('rx', text, this.#options.clock.now());
      if (this.#unread.length === 0 && text.length <= HANDLED_AT_ONCE) this.#dispatch(parseFrame(text), text.length);
      else this.#readLater(text);
    } catch (cause) {
      this.#options.log.error('a frame could not be handled', { cause });
    }
  }

  /** Frames keep their order, whatever their length. */
  #readLater(text: string): void {
    const unread = this.#unread;
    const size = unread.reduce((sum, { length }) => sum + length, 0);
    if (unread.length >= MOST_UNREAD.frames || size + text.length > MOST_UNREAD.characters) {
      const id = callIdOf(text);
      if (id === undefined) this.#malformed++;
      else this.#answerer.refuseFlood(id);
      this.#options.log.warn('a frame was not read: too many wait behind a long one');
      return;
    }
    if (unread.push(text) === 1) void this.#read(unread);
  }

  async #read(unread: string[]): Promise<void> {
    for (let text = unread[0]; text !== undefined; text = unread[0]) {
      await this.#turn();
      const frame = text.length <= READ_AT_ONCE ? parseFrame(text) : await this.#parsed(text);
      if (text.length > HANDLED_AT_ONCE) await this.#turn();
      if (unread !== this.#unread) return;
      unread.shift();
      try {
        this.#dispatch(frame, text.length);
      } catch (cause) {
        this.#options.log.error('a frame could not be handled', { cause });
      }
    }
  }

  async #parsed(text: string): Promise<Frame> {
    const parsing = parsingFrame(text);
    for (;;) {
      const step = parsing.next();
      if (step.done) return step.value;
      await this.#turn();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.afterReal(0, resolve));
  }

  #dispatch(frame: Frame, size: number): void {
    switch (frame.type) {
      case 'ignore':
        return;
      case 'call':
        this.#answerer.onCall(frame, size);
        return;
      case 'result':
        this.#caller.onResult(frame);
        return;
      case 'error':
        this.#caller.onError(frame);
        return;
      case 'malformed':
        this.#malformed++;
        this.#options.log.warn(`not an OCPP frame: ${frame.reason}`);
        this.#options.onInvalid?.(frame.reason);
        if (frame.answer !== undefined) this.#answerer.refuse(frame.answer.id, frame.answer.code, frame.reason);
        return;
    }
  }

  #repaired(operation: AnyOperation, side: 'req' | 'conf', payload: unknown): unknown {
    const { payload: repaired, repairs } = repair(operation, side, payload);
    for (const name of repairs) {
      const what = `${operation.action}.${side}: ${name}`;
      if (this.#loggedRepairs.has(what) || this.#loggedRepairs.size >= LOGGED_REPAIRS) continue;
      this.#loggedRepairs.add(what);
      this.#options.log.warn(`repaired ${what}`);
    }
    return repaired;
  }
}
