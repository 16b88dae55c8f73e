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
/** So long may one be that has to be parsed for it: chosen to be slow, 32 k take 2 ms. */
const LONGEST_PARSED = 32 * 1024;
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
  member + withoutPassword(location).replace(/([?#]).*$/, `$1${MASK}`);

/** Step by step: one expression for all of it goes back and forth in a hostile text for minutes. */
function withoutPassword(location: string): string {
  const login = /:(?:\\?\/){2}/.exec(location);
  const end = location.lastIndexOf('@');
  if (login === null || end < 0) return location;
  const colon = location.indexOf(':', login.index + login[0].length);
  return colon < 0 || colon > end ? location : `${location.slice(0, colon)}:${MASK}${location.slice(end)}`;
}

/** The address of a central system: its user and its query may be a key, too. */
const OF_CENTRAL_SYSTEM = /(wss?:(?:\\?\/){2})((?:[^\s"\\]|\\[^"])*)/gi;

const maskCentralSystem = (_: string, scheme: string, rest: string): string =>
  scheme + rest.replace(/^[^/\\?]*@/, `${MASK}@`).replace(/\?.+$/, `?${MASK}`);

/** The value of AuthorizationKey, in whatever case and escaping, and passwords inside of addresses. */
function masking(text: string): string {
  if (text.length > LONGEST_SEARCHED) return beginningOf(text);
  const withoutPasswords = text
    .replace(/(:(?:\\?\/){2}[^/\s"@:\\]*):[^/\s"@]*@/g, `$1:${MASK}@`)
    .replace(LOCATION, maskLocation)
    .replace(OF_CENTRAL_SYSTEM, maskCentralSystem);
  if (!/authorizationkey|\\u/i.test(withoutPasswords)) return withoutPasswords;
  return text.length > LONGEST_PARSED ? beginningOf(text) : maskAuthorizationKey(withoutPasswords);
}

const beginningOf = (text: string): string => `${headOf(text)} (a frame of ${text.length} characters)`;

/** Type, id and action, if that is how it begins. */
const headOf = (text: string): string => /^\[\d,"[\w-]{1,36}"(,"\w{1,50}")?/.exec(text)?.[0] ?? '';

function maskAuthorizationKey(text: string): string {
  try {
    let found = false;
    const masked = JSON.stringify(JSON.parse(text), (_name, member: unknown) => {
      const safe = isJsonWithKey(member) ? maskAuthorizationKey(member) : withoutValue(member);
      found ||= safe !== member;
      return safe;
    });
    return found ? masked : text;
  } catch {
    return `(a broken frame that may hold a secret, ${text.length} characters)`;
  }
}

/** A frame may hold another one as a text, as the data of DataTransfer do. */
const isJsonWithKey = (member: unknown): member is string =>
  typeof member === 'string' && /^\s*[[{].*"/s.test(member) && /authorizationkey|\\u/i.test(member);

/** In whatever case: what a charge point does not understand is no less secret. */
function withoutValue(member: unknown): unknown {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
  const entries = Object.entries(member);
  const isNamed = entries.some(([name, value]) => isCalled(name, 'key') && isCalled(value, 'authorizationkey'));
  if (!isNamed || !entries.some(([name, value]) => isCalled(name, 'value') && value !== MASK)) return member;
  return Object.fromEntries(entries.map(([name, value]) => [name, isCalled(name, 'value') ? MASK : value]));
}

const isCalled = (text: unknown, name: string): boolean =>
  typeof text === 'string' && text.trim().toLowerCase() === name;
