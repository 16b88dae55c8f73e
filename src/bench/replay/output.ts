/** What an agent does, as far as a recording shows it: the side of a recording that is compared and not played. */
import type { Offer } from '../../../hal/contract.ts';
import type { RecordedEntry } from '../../recorder/recording.ts';

export type Output = { readonly at: number } & (
  | { readonly what: 'offer'; readonly connector: number; readonly offer: Offer }
  | { readonly what: 'permit'; readonly connector: number; readonly given: boolean }
  | { readonly what: 'frame'; readonly text: string; readonly cut?: number }
);

/** Undefined for what comes from outside, and for the contactor: that is the work of the interlock. */
export function outputOf(entry: RecordedEntry): Output | undefined {
  switch (entry.what) {
    case 'offer':
      return { at: entry.at, what: 'offer', connector: entry.connector, offer: entry.offer };
    case 'permit':
      return { at: entry.at, what: 'permit', connector: entry.connector, given: entry.given };
    case 'frame': {
      const { at, text, cut } = entry;
      return entry.direction === 'tx' ? { at, what: 'frame', text, ...(cut === undefined ? {} : { cut }) } : undefined;
    }
    default:
      return undefined;
  }
}

export interface FrameHead {
  /** 2 CALL, 3 CALLRESULT, 4 CALLERROR. */
  readonly type: number;
  readonly id: string;
  /** Of a CALL. */
  readonly action?: string;
  /** What comes after id and action, up to where the frame was cut. */
  readonly rest: string;
  /** The payload; undefined where the frame was cut or is no JSON. */
  readonly payload?: unknown;
}

const HEAD = /^\s*\[\s*(\d)\s*,\s*("(?:[^"\\]|\\.)*")\s*,\s*/;
const ACTION = /^"(\w*)"\s*,\s*/;

/** Works for frames that are not whole too. Undefined if there is no message id to be found. */
export function headOf(text: string): FrameHead | undefined {
  const [head, type, quoted] = HEAD.exec(text) ?? [];
  if (head === undefined || type === undefined || quoted === undefined) return undefined;
  const after = text.slice(head.length);
  const action = type === '2' ? ACTION.exec(after) : null;
  const rest = action === null ? after : after.slice(action[0].length);
  const payload = payloadOf(text, type);
  return {
    type: Number(type),
    id: JSON.parse(quoted) as string,
    ...(action?.[1] === undefined ? {} : { action: action[1] }),
    rest,
    ...(payload === undefined ? {} : { payload }),
  };
}

function payloadOf(text: string, type: string): unknown {
  try {
    const frame = JSON.parse(text) as readonly unknown[];
    return type === '4' ? frame.slice(2) : frame[type === '2' ? 3 : 2];
  } catch {
    return undefined;
  }
}

/** The same frame under another message id. */
export const withId = (text: string, id: string): string =>
  text.replace(HEAD, (head, _type: string, quoted: string) => head.replace(quoted, () => JSON.stringify(id)));

/** Which frames follow each other: those of one action and connector. What an answer follows is its call. */
export function streamOf({ type, id, action, rest }: FrameHead): string {
  if (type !== 2) return `answer ${id}`;
  const connector = /"connectorId"\s*:\s*(\d+)/.exec(rest)?.[1];
  return connector === undefined ? String(action) : `${action} ${connector}`;
}
