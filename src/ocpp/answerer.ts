/** The other side's calls: handled one at a time, in order; each is answered once, by a confirmation or a CALLERROR. */
import { CallError, type CallErrorCode } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { type CallFrame, formatError, formatResult, type MessageId } from './frame.ts';
import type { Answering, AnyOperation, Handler } from './operation.ts';
import { type Intake, longestList, validateInPieces } from './pieces.ts';
import { validate } from './validate.ts';

/** Silences us while registration is Rejected (OCPP 1.6, section 4.2). */
export interface Gate {
  /** `action` is empty for a frame that is no well-formed call. */
  mayAnswer(action: string): 'answer' | 'silence';
}

export interface AnswererOptions {
  /** A second handler for one action is a start-up error. */
  readonly handlers: readonly Handler[];
  /** All operations of OCPP 1.6: tells NotSupported (known, no handler) from NotImplemented. */
  readonly known: (action: string) => AnyOperation | undefined;
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly log: Log;
  readonly gate?: Gate;
  readonly onInvalid?: (what: string) => void;
  readonly repaired: (operation: AnyOperation, payload: unknown) => unknown;
}

type Effect = (wasAnswered: boolean) => void;

interface Answer {
  readonly text: string;
  readonly isConfirmation: boolean;
}

/** What follows one call. */
class Sequel implements Answering {
  readonly #run: (effect: () => void) => void;
  #effects: readonly Effect[] = [];
  #wasAnswered: boolean | undefined;

  /** `run` lets an effect fail without harm. */
  constructor(run: (effect: () => void) => void) {
    this.#run = run;
  }

  readonly afterwards = (effect: () => void): void =>
    this.inAnyCase((wasAnswered) => {
      if (wasAnswered) effect();
    });

  /** At once, if nobody waits for the answer any more. */
  readonly inAnyCase = (effect: Effect): void => {
    const wasAnswered = this.#wasAnswered;
    if (wasAnswered === undefined) this.#effects = [...this.#effects, effect];
    else this.#run(() => effect(wasAnswered));
  };

  begin(wasAnswered: boolean): void {
    this.#wasAnswered = wasAnswered;
    for (const effect of this.#effects) this.#run(() => effect(wasAnswered));
  }
}

/** What belongs to one connection and dies with it: nothing is answered on a later one. */
interface Session {
  readonly send: (text: string) => void;
  readonly waiting: { readonly frame: CallFrame; readonly size: number }[];
  /** Ids of the calls that wait or are being handled. */
  readonly open: Set<MessageId>;
  waitingSize: number;
  busy: boolean;
}

const MOST_WAITING = 1000;
/** Characters; a flood of large frames must not fill the memory either. */
const MOST_WAITING_SIZE = 8 * 1024 * 1024;
/** Real time. A handler that hangs must not block those behind it for ever; no central system waits so long. */
const ANSWER_WITHIN_MS = 60_000;

export class Answerer {
  readonly #options: AnswererOptions;
  readonly #handlers = new Map<string, Handler>();
  #session: Session | undefined;
  #overflows = 0;

  constructor(options: AnswererOptions) {
    this.#options = options;
    for (const handler of options.handlers) {
      const { action } = handler.operation;
      if (this.#handlers.has(action)) throw new Error(`two handlers for ${action}`);
      this.#handlers.set(action, handler);
    }
  }

  /** How many calls were refused because too many were waiting. */
  get overflows(): number {
    return this.#overflows;
  }

  attach(send: (text: string) => void): void {
    this.#session = { send, waiting: [], open: new Set(), waitingSize: 0, busy: false };
  }

  /** Calls that wait are forgotten; the one being handled runs to its end without an answer: only what happens in any case follows. */
  detach(): void {
    this.#session = undefined;
  }

  /** `size` is the length of the frame in characters. */
  onCall(frame: CallFrame, size: number): void {
    const session = this.#session;
    if (session === undefined) return;
    if (session.open.has(frame.id)) {
      // Section 4.2.3 names this as a reason for a CALLERROR.
      this.refuse(frame.id, 'ProtocolError', 'a call with this message id is being handled already', frame.action);
      return;
    }
    if (session.waiting.length >= MOST_WAITING || session.waitingSize + size > MOST_WAITING_SIZE) {
      this.refuseFlood(frame.id, frame.action);
      return;
    }
    session.open.add(frame.id);
    session.waiting.push({ frame, size });
    session.waitingSize += size;
    if (!session.busy) void this.#work(session);
  }

  /** One call more than anybody can keep; the action is empty if the frame has not been read. */
  refuseFlood(id: MessageId, action = ''): void {
    this.#overflows++;
    this.refuse(id, 'InternalError', 'too many calls are waiting', action);
  }

  /** Sends a CALLERROR unless the gate says silence. */
  refuse(id: MessageId, code: CallErrorCode, description: string, action = ''): void {
    if (this.#session === undefined || this.#silent(action)) return;
    this.#options.log.warn(`answered ${code}: ${description}`, { action });
    this.#send(this.#session, formatError(id, code, description));
  }

  async #work(session: Session): Promise<void> {
    session.busy = true;
    while (session === this.#session) {
      const next = session.waiting.shift();
      if (next === undefined) break;
      session.waitingSize -= next.size;
      await this.#answer(session, next.frame);
      session.open.delete(next.frame.id);
    }
    session.busy = false;
  }

  async #answer(session: Session, frame: CallFrame): Promise<void> {
    if (this.#silent(frame.action)) return;
    const sequel = new Sequel((effect) => this.#run(effect, frame.action));
    const { text, isConfirmation } = await this.#handle(frame, sequel);
    const isThere = session === this.#session;
    if (!isThere) this.#options.log.warn(`the link went away before ${frame.action} was answered`);
    const isSent = isThere && this.#send(session, text);
    sequel.begin(isSent && isConfirmation);
  }

  #silent(action: string): boolean {
    if (this.#options.gate?.mayAnswer(action) !== 'silence') return false;
    this.#options.log.warn('a call was left without an answer: registration is rejected', { action });
    return true;
  }

  #send(session: Session, text: string): boolean {
    try {
      session.send(text);
      return true;
    } catch (cause) {
      this.#options.log.warn('the socket refused an answer', { cause });
      return false;
    }
  }

  #run(effect: () => void, action: string): void {
    try {
      effect();
    } catch (cause) {
      this.#options.log.error(`what follows ${action} failed`, { cause });
    }
  }

  /** Never rejects. */
  async #handle(frame: CallFrame, answering: Answering): Promise<Answer> {
    try {
      return { text: formatResult(frame.id, await this.#confirm(frame, answering)), isConfirmation: true };
    } catch (error) {
      return { text: this.#callError(frame, error), isConfirmation: false };
    }
  }

  async #confirm({ action, payload }: CallFrame, answering: Answering): Promise<unknown> {
    const handler = this.#handlers.get(action);
    if (handler === undefined) {
      throw this.#options.known(action) === undefined
        ? new CallError('NotImplemented', 'no such action in OCPP 1.6')
        : new CallError('NotSupported', `${action} is not supported here`);
    }
    const { operation } = handler;
    const long = longestList(operation.req, payload);
    const request =
      long === undefined
        ? validate(operation.req, this.#options.repaired(operation, payload))
        : await validateInPieces(operation.req, payload, long, this.#intake(operation));
    if (!request.ok) {
      const plain = operation.toUnknown?.[request.place];
      if (plain !== undefined && request.code === 'PropertyConstraintViolation') return plain;
      this.#options.onInvalid?.(`${action}: ${request.code}`);
      throw new CallError(request.code, request.description);
    }
    const confirmation = validate(operation.conf, await this.#inTime(handler.handle(request.value, answering)));
    if (!confirmation.ok) throw new Error(`our own ${action}.conf is wrong: ${confirmation.description}`);
    return confirmation.value;
  }

  #intake(operation: AnyOperation): Intake {
    const { clock, repaired } = this.#options;
    return {
      repaired: (payload) => repaired(operation, payload),
      turn: () => new Promise((resolve) => void clock.afterReal(0, resolve)),
    };
  }

  #inTime(work: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.afterReal(ANSWER_WITHIN_MS, () =>
        reject(new Error(`no answer from the handler within ${ANSWER_WITHIN_MS} ms`)),
      );
      Promise.resolve(work).then(resolve, reject).finally(cancel);
    });
  }

  #callError({ id, action }: CallFrame, error: unknown): string {
    if (!(error instanceof CallError)) {
      this.#options.log.error(`${action} failed`, { cause: error });
      return formatError(id, 'InternalError', 'internal error');
    }
    this.#options.log.warn(`${error.code} to ${action}: ${error.message}`);
    try {
      return formatError(id, error.code, error.message, error.details);
    } catch (cause) {
      this.#options.log.error(`the details of a CALLERROR to ${action} cannot be sent`, { cause });
      return formatError(id, error.code, error.message);
    }
  }
}
