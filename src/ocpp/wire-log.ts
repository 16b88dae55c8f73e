/** What went over the wire: one log line per frame, the last ones kept, subscribers told. Secrets are masked first. */
import type { Log, Unsubscribe } from '../ports.ts';

/** As seen from this side. */
export type Direction = 'tx' | 'rx';

export interface WireLog {
  /** `at` is monotonic, in milliseconds. Never throws. */
  frame(direction: Direction, text: string, at: number): void;
}

export interface LoggedFrame {
  readonly at: number;
  readonly direction: Direction;
  /** Masked. */
  readonly text: string;
}

const KEPT_FRAMES = 200;
/** Longer frames are cut in the log and in what is kept; subscribers get them whole, unless they are enormous. */
const LONGEST_LINE = 4096;
/** To look for secrets in longer ones would hold the event loop up, and no message that holds one is so long: they are not shown at all. */
const LONGEST_SEARCHED = 256 * 1024;
const MASK = '***';

export class FrameLog implements WireLog {
  readonly #log: Log;
  readonly #recent: LoggedFrame[] = [];
  readonly #listeners = new Set<(frame: LoggedFrame) => void>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The last 200 frames, oldest first. */
  get recent(): readonly LoggedFrame[] {
    return [...this.#recent];
  }

  /** Called with every frame, in the order of the wire. */
  onFrame(listener: (frame: LoggedFrame) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  frame(direction: Direction, text: string, at: number): void {
    const masked = masking(text);
    const line = oneLine(masked);
    this.#log.info(`${direction} ${line}`);
    this.#recent.push({ at, direction, text: line });
    if (this.#recent.length > KEPT_FRAMES) this.#recent.shift();
    for (const listener of this.#listeners) this.#tell(listener, { at, direction, text: masked });
  }

  #tell(listener: (frame: LoggedFrame) => void, frame: LoggedFrame): void {
    try {
      listener(frame);
    } catch (cause) {
      this.#log.error('a listener of the wire log failed', { cause });
    }
  }
}

/** Replaces control and direction characters too, so that a hostile frame can neither forge log lines nor command a terminal. */
function oneLine(text: string): string {
  const flat = text
    .slice(0, LONGEST_LINE)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '?');
  return text.length > LONGEST_LINE ? `${flat}... (${text.length} characters)` : flat;
}

/** Where firmware comes from and logs go to: its query may be a key (a presigned URL), and its password may hold any character. */
const LOCATION = /("(?:location|remoteLocation)"\s*:\s*")((?:[^"\\]|\\.)*)/gi;

const maskLocation = (_: string, member: string, location: string): string =>
  member + location.replace(/(:(?:\\?\/){2}[^:@]*):.*@/, `$1:${MASK}@`).replace(/([?#]).*$/, `$1${MASK}`);

/** The value of AuthorizationKey, in whatever case and escaping, and passwords inside of addresses. */
function masking(text: string): string {
  if (text.length > LONGEST_SEARCHED) return `${headOf(text)} (a frame of ${text.length} characters)`;
  const withoutPasswords = text
    .replace(/(:(?:\\?\/){2}[^/\s"@:\\]*):[^/\s"@]*@/g, `$1:${MASK}@`)
    .replace(LOCATION, maskLocation);
  return /authorizationkey|\\u/i.test(withoutPasswords) ? maskAuthorizationKey(withoutPasswords) : withoutPasswords;
}

/** Type, id and action, if that is how it begins. */
const headOf = (text: string): string => /^\[\d,"[\w-]{1,36}"(,"\w{1,50}")?/.exec(text)?.[0] ?? '';

function maskAuthorizationKey(text: string): string {
  try {
    let found = false;
    const masked = JSON.stringify(JSON.parse(text), (_name, member: unknown) => {
      if (!isAuthorizationKey(member)) return member;
      found = true;
      return { ...member, value: MASK };
    });
    return found ? masked : text;
  } catch {
    return `(a broken frame that may hold a secret, ${text.length} characters)`;
  }
}

function isAuthorizationKey(member: unknown): member is Record<string, unknown> {
  if (typeof member !== 'object' || member === null || !('key' in member) || !('value' in member)) return false;
  return typeof member.key === 'string' && member.key.trim().toLowerCase() === 'authorizationkey';
}
