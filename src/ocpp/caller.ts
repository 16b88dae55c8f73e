/** Our own calls: exactly one in flight, the others wait in order; each ends with a confirmation or a CallFailure. */
import type * as v from 'valibot';
import { CallFailure } from '../errors.ts';
import type { Cancel, Clock, Log, Random } from '../ports.ts';
import { type ErrorFrame, formatCall, type MessageId, type ResultFrame } from './frame.ts';
import type { AnyOperation, Operation } from './operation.ts';
import { validate } from './validate.ts';

/** BootNotification; what happened in transactions; everything else. */
type Lane = 'urgent' | 'fact' | 'rest';

/** Who goes first among the calls that wait; in the order of asking within a group. */
const GROUPS: { readonly [state in 'answering' | 'silent']: readonly (readonly Lane[])[] } = {
  answering: [['urgent'], ['fact', 'rest']],
  // Each call may now cost a time-out, so what must not get lost goes before what is only news.
  silent: [['urgent'], ['fact'], ['rest']],
};

export interface CallOptions<Confirmation> {
  /** Instead of the peer's own; real milliseconds, counted from sending. */
  readonly timeoutMs?: number;
  /** `urgent` goes before everything that waits; `fact` before the rest, once a call had no answer in time. Default `rest`. */
  readonly lane?: Lane;
  /** The confirmation came after all, when the call had already failed by `timeout` or `disconnected`. At most once. */
  readonly onLate?: (confirmation: Confirmation) => void;
}

/** Answers that belong to no call in flight. */
export interface CallerCounters {
  /** To calls that had already failed. */
  readonly lateAnswers: number;
  /** To no call of ours, or to one long forgotten. */
  readonly unknownAnswers: number;
}

interface CallerOptions {
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly random: Pick<Random, 'uuid'>;
  readonly log: Log;
  readonly callTimeoutMs: () => number;
  readonly proveLink?: () => Promise<boolean>;
  readonly repaired: (operation: AnyOperation, payload: unknown) => unknown;
}

interface PendingCall {
  readonly action: string;
  readonly request: unknown;
  readonly lane: Lane;
  readonly timeoutMs: number | undefined;
  answered(payload: unknown): void;
  answeredLate(payload: unknown): void;
  failed(failure: CallFailure): void;
}

interface Flight {
  readonly id: MessageId;
  readonly call: PendingCall;
  readonly cancelTimeout: Cancel;
}

/** So many failed calls are remembered for a late answer; the oldest is forgotten first. */
const OVERDUE_CALLS = 64;

export class Caller {
  readonly #options: CallerOptions;
  #send: ((text: string) => void) | undefined;
  #waiting: PendingCall[] = [];
  #flight: Flight | undefined;
  /** Whether the last call that was sent has had an answer in time. */
  #otherSide: keyof typeof GROUPS = 'answering';
  readonly #overdue = new Map<MessageId, PendingCall>();
  #lateAnswers = 0;
  #unknownAnswers = 0;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  get counters(): CallerCounters {
    return { lateAnswers: this.#lateAnswers, unknownAnswers: this.#unknownAnswers };
  }

  attach(send: (text: string) => void): void {
    this.#send = send;
    this.#otherSide = 'answering';
  }

  /** The call in flight and all that wait fail with `disconnected`, in their order. */
  detach(): void {
    this.#send = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#flight !== undefined) {
      this.#failOverdue(this.#flight, new CallFailure('disconnected', 'the link went away before the answer'));
    }
    for (const call of waiting) {
      call.failed(new CallFailure('disconnected', 'the link went away before the call was sent'));
    }
  }

  /** Rejects with a CallFailure, and with nothing else. */
  call<Req extends v.GenericSchema, Conf extends v.GenericSchema>(
    operation: Operation<Req, Conf>,
    request: v.InferInput<Req>,
    options: CallOptions<v.InferOutput<Conf>>,
  ): Promise<v.InferOutput<Conf>> {
    const { action } = operation;
    const checked = validate(operation.req, request);
    if (!checked.ok) {
      this.#options.log.error(`our own ${action}.req is wrong and was not sent`, { description: checked.description });
      return Promise.reject(new CallFailure('badRequest', `${action}.req: ${checked.description}`));
    }
    if (this.#send === undefined) return Promise.reject(new CallFailure('disconnected', 'there is no link'));
    const read = (payload: unknown) => validate(operation.conf, this.#options.repaired(operation, payload));
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        action,
        request: checked.value,
        lane: options.lane ?? 'rest',
        timeoutMs: options.timeoutMs,
        answered: (payload) => {
          const confirmation = read(payload);
          if (confirmation.ok) resolve(confirmation.value);
          else reject(new CallFailure('badReply', `${action}.conf: ${confirmation.description}`));
        },
        answeredLate: (payload) => {
          const confirmation = read(payload);
          if (confirmation.ok) options.onLate?.(confirmation.value);
        },
        failed: reject,
      });
      this.#sendNext();
    });
  }

  onResult({ id, payload }: ResultFrame): void {
    const flight = this.#land(id);
    if (flight === undefined) {
      this.#onStray(id, (call) => call.answeredLate(payload));
      return;
    }
    this.#otherSide = 'answering';
    try {
      flight.call.answered(payload);
    } catch (cause) {
      flight.call.failed(
        new CallFailure('badReply', `${flight.call.action}.conf cannot be read`, undefined, { cause }),
      );
    }
    this.#sendNext();
  }

  onError({ id, code, description }: ErrorFrame): void {
    const flight = this.#land(id);
    if (flight === undefined) {
      this.#onStray(id, () => {});
      return;
    }
    this.#otherSide = 'answering';
    const { action } = flight.call;
    this.#options.log.warn(`CALLERROR to our ${action}: ${code}`, { description });
    flight.call.failed(new CallFailure('callError', `${action}: ${code} ${description}`.trimEnd(), code));
    this.#sendNext();
  }

  #sendNext(): void {
    while (this.#send !== undefined && this.#flight === undefined) {
      const call = this.#takeNext();
      if (call === undefined) return;
      this.#launch(call, this.#send);
    }
  }

  #takeNext(): PendingCall | undefined {
    for (const lanes of GROUPS[this.#otherSide]) {
      const index = this.#waiting.findIndex(({ lane }) => lanes.includes(lane));
      if (index !== -1) return this.#waiting.splice(index, 1)[0];
    }
    return undefined;
  }

  /** A new id for each attempt (section 4.1.4: never used before on this connection URL). */
  #launch(call: PendingCall, send: (text: string) => void): void {
    const { clock, random, callTimeoutMs } = this.#options;
    const timeoutMs = call.timeoutMs ?? callTimeoutMs();
    const flight: Flight = {
      id: random.uuid(),
      call,
      cancelTimeout: clock.afterReal(timeoutMs, () => void this.#onSilence(flight, timeoutMs)),
    };
    // Before sending: in memory the answer, or the end of the link, can come from within `send`.
    this.#flight = flight;
    try {
      send(formatCall(flight.id, call.action, call.request));
    } catch (cause) {
      this.#failOverdue(flight, new CallFailure('disconnected', 'the socket refused the frame', undefined, { cause }));
    }
  }

  /** A half-open link says nothing about the call. While it is in doubt an answer still counts, and nothing else is sent. */
  async #onSilence(flight: Flight, timeoutMs: number): Promise<void> {
    const { proveLink } = this.#options;
    const isAlive = proveLink === undefined || (await proveLink());
    const failure = isAlive
      ? new CallFailure('timeout', `no answer to ${flight.call.action} within ${timeoutMs} ms`)
      : new CallFailure('disconnected', `no answer to ${flight.call.action}: the link was half-open`);
    if (this.#flight === flight) this.#otherSide = 'silent';
    this.#failOverdue(flight, failure);
    this.#sendNext();
  }

  /** Ends the flight with this id, if it is the one. */
  #land(id: MessageId): Flight | undefined {
    const flight = this.#flight;
    if (flight?.id !== id) return undefined;
    flight.cancelTimeout();
    this.#flight = undefined;
    return flight;
  }

  #failOverdue(flight: Flight, failure: CallFailure): void {
    if (this.#land(flight.id) === undefined) return;
    this.#overdue.set(flight.id, flight.call);
    for (const oldest of this.#overdue.keys()) {
      if (this.#overdue.size <= OVERDUE_CALLS) break;
      this.#overdue.delete(oldest);
    }
    flight.call.failed(failure);
  }

  #onStray(id: MessageId, late: (call: PendingCall) => void): void {
    const call = this.#overdue.get(id);
    if (call === undefined) {
      this.#unknownAnswers++;
      this.#options.log.warn('an answer to no call of ours was ignored');
      return;
    }
    this.#overdue.delete(id);
    this.#lateAnswers++;
    this.#options.log.warn(`the answer to ${call.action} came too late`);
    late(call);
  }
}
