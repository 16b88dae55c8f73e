/** The three frames of OCPP-J 1.6, section 4.2: text to frame and back, without any state. */
import type { CallErrorCode } from '../errors.ts';
import { readingJson } from './long-json.ts';

/** Ours are UUIDs. Of the other side any non-empty string and any finite number is accepted and echoed as it came. */
export type MessageId = string | number;

export interface CallFrame {
  readonly type: 'call';
  readonly id: MessageId;
  readonly action: string;
  /** As it came; that `null`, or nothing at all, stands for `{}` (4.2.1 and 4.2.2) is for tolerance.ts. */
  readonly payload: unknown;
}

export interface ResultFrame {
  readonly type: 'result';
  readonly id: MessageId;
  readonly payload: unknown;
}

export interface ErrorFrame {
  readonly type: 'error';
  readonly id: MessageId;
  /** Whatever string was sent; real central systems misspell the official ones and invent others. */
  readonly code: string;
  readonly description: string;
}

/** A text that is no frame. Without `answer` nothing may be sent back: there is no id, or it was itself an answer. */
export interface MalformedFrame {
  readonly type: 'malformed';
  readonly reason: string;
  readonly answer?: { readonly id: MessageId; readonly code: CallErrorCode };
}

/** `ignore` is the empty text that some central systems send to keep the connection alive. */
export type Frame = CallFrame | ResultFrame | ErrorFrame | MalformedFrame | { readonly type: 'ignore' };

const CALL = 2;
const CALL_RESULT = 3;
const CALL_ERROR = 4;

/** No message of OCPP 1.6 nests deeper than eight levels; what does would exhaust the stack of whoever walks it. */
const DEEPEST = 32;

/** OCPP 1.6 gives no limit; 255 characters is the one of its successors. */
const LONGEST_DESCRIPTION = 255;

/** Never throws, whatever the text. */
export function parseFrame(text: string): Frame {
  if (text.trim() === '') return { type: 'ignore' };
  try {
    return frameOf(JSON.parse(text), (payload) => deeperThan(DEEPEST, payload));
  } catch {
    return notJson(text);
  }
}

/** The same of a long text, of which no other turn of the event loop notices anything: yields after each millisecond or so. */
export function* parsingFrame(text: string): Generator<undefined, Frame> {
  if (text.trim() === '') return { type: 'ignore' };
  try {
    const { value, depth } = yield* readingJson(text);
    // The list that is the frame itself is one level more. Hardly anything has to be walked because of its depth.
    return frameOf(value, (payload) => depth > DEEPEST + 1 && deeperThan(DEEPEST, payload));
  } catch {
    return notJson(text);
  }
}

const notJson = (text: string): Frame => malformed('not JSON', callIdOf(text), 'GenericError');

type IsTooDeep = (payload: unknown) => boolean;

function frameOf(message: unknown, isTooDeep: IsTooDeep): Frame {
  if (!Array.isArray(message)) return malformed('not a JSON array');
  const [type, id] = message as readonly unknown[];
  switch (type) {
    case CALL:
      return parseCall(message, isTooDeep);
    case CALL_RESULT:
      return isMessageId(id) ? parseResult(id, message, isTooDeep) : malformed('CALLRESULT without a message id');
    case CALL_ERROR:
      return isMessageId(id) ? parseError(id, message) : malformed('CALLERROR without a message id');
    default:
      return malformed('unknown message type', isMessageId(id) ? id : undefined);
  }
}

function parseCall(message: readonly unknown[], isTooDeep: IsTooDeep): Frame {
  const [, id, action, payload] = message;
  if (!isMessageId(id)) return malformed('CALL without a message id');
  if (message.length !== 4) return malformed(`a CALL has 4 elements, this one ${message.length}`, id);
  if (typeof action !== 'string') return malformed('the action is no string', id);
  if (isTooDeep(payload)) return malformed(`payload nested deeper than ${DEEPEST} levels`, id);
  return { type: 'call', id, action, payload };
}

function parseResult(id: MessageId, message: readonly unknown[], isTooDeep: IsTooDeep): Frame {
  const payload = message[2];
  // Stands for any payload that fits no shape, so that the call comes to its end.
  return { type: 'result', id, payload: isTooDeep(payload) ? 'too deep' : payload };
}

/** Code, description and details may be missing; the details are nowhere used. */
function parseError(id: MessageId, message: readonly unknown[]): Frame {
  const [, , code, description] = message;
  return {
    type: 'error',
    id,
    code: typeof code === 'string' && code !== '' ? clip(code) : 'GenericError',
    description: typeof description === 'string' ? clip(description) : '',
  };
}

function malformed(reason: string, id?: MessageId, code: CallErrorCode = 'FormationViolation'): MalformedFrame {
  return id === undefined ? { type: 'malformed', reason } : { type: 'malformed', reason, answer: { id, code } };
}

function isMessageId(id: unknown): id is MessageId {
  return (typeof id === 'string' && id !== '') || (typeof id === 'number' && Number.isFinite(id));
}

/** Characters of a frame in which its id is looked for: it has at most 36, each perhaps escaped. */
const LONGEST_HEAD = 1024;

/** The id of a CALL that is not read, or cannot be because its JSON is broken further behind. Broken answers are not answered. */
export function callIdOf(text: string): MessageId | undefined {
  const token = /^\s*\[\s*2\s*,\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*,/.exec(text.slice(0, LONGEST_HEAD))?.[1];
  if (token === undefined) return undefined;
  try {
    const id: unknown = JSON.parse(token);
    return isMessageId(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

function deeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => deeperThan(levels - 1, member));
}

/** At most 255 characters, without cutting one in two. */
function clip(text: string): string {
  return text.length <= LONGEST_DESCRIPTION
    ? text
    : [...text.slice(0, 2 * LONGEST_DESCRIPTION)].slice(0, LONGEST_DESCRIPTION).join('');
}

export function formatCall(id: MessageId, action: string, payload: unknown): string {
  return JSON.stringify([CALL, id, action, payload]);
}

export function formatResult(id: MessageId, payload: unknown): string {
  return JSON.stringify([CALL_RESULT, id, payload]);
}

/** The description is cut to 255 characters. */
export function formatError(
  id: MessageId,
  code: CallErrorCode,
  description: string,
  details: Record<string, unknown> = {},
): string {
  return JSON.stringify([CALL_ERROR, id, code, clip(description), details]);
}
