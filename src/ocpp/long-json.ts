/** JSON read a piece at a time: `JSON.parse` of a long text, or of a hostile one, would hold everybody up. */

export interface LongJson {
  readonly value: unknown;
  /** How deep lists and objects are nested: 0 for a plain value. */
  readonly depth: number;
}

/** Characters. So many take less than a millisecond, and 3 ms while the code is cold, even if each is part of an escape. */
const PIECE = 32 * 1024;
/** What a value costs besides its characters, in characters. */
const VALUE = 32;
/** Characters of a text that are read in one go; a longer one is put together. As a name a longer one is of no message. */
const TEXT_PIECE = 16 * 1024;
/** No message of OCPP 1.6 has an object with more than 30; a million of them would only be a burden to whoever looks at it. */
const MOST_MEMBERS = 1_000;

/** Far below what would exhaust anything, far above what any message needs. */
const DEEPEST = 500;

const SPACE = /[ \t\n\r]*/y;
/** A plain value but a string. */
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** What JSON.parse has to look at: escapes, and control characters, which it refuses. */
const SPECIAL = /[\\\p{Cc}]/u;

const [QUOTE, BACKSLASH, LETTER_U] = ['"', '\\', 'u'].map((character) => character.charCodeAt(0));
/** `\u0041` */
const UNICODE_ESCAPE = 6;

interface Container {
  readonly value: unknown[] | Record<string, unknown>;
  /** The name of the member whose value is read next. */
  name: string | undefined;
  members: number;
}

/**
 * Yields after each piece. Throws SyntaxError where `JSON.parse` does, and for what no message needs: 1,000 members, 500 levels, names of more than
 * 16,384 characters.
 */
export function* readingJson(text: string): Generator<undefined, LongJson> {
  const reader = new Reader(text);
  for (let effort = 0; !reader.isDone; ) {
    effort += reader.step();
    if (effort < PIECE) continue;
    effort = 0;
    yield;
  }
  return { value: reader.value, depth: reader.depth };
}

class Reader {
  value: unknown;
  depth = 0;
  isDone = false;
  readonly #text: string;
  readonly #open: Container[] = [];
  #at = 0;
  /** Where the next quotation mark is, looked for once: a long text without one is not searched again for each of its pieces. */
  #quote = -1;
  /** What has been read of a long text. */
  #pieces: string[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes in one value, and what closes behind it, or a piece of a long text. Returns what that cost, in characters. */
  step(): number {
    const from = this.#at;
    if (this.#pieces === undefined) this.#value();
    else this.#readOn(this.#pieces);
    return VALUE + this.#at - from;
  }

  #value(): void {
    this.#space();
    const character = this.#text[this.#at];
    if (character === '[') this.#enter([]);
    else if (character === '{') this.#enter({});
    else if (character === '"') this.#begin();
    else this.#put(this.#plain());
  }

  #enter(value: Container['value']): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === closing(value)) {
      this.#at++;
      this.depth = Math.max(this.depth, this.#open.length + 1);
      this.#put(value);
      return;
    }
    this.depth = Math.max(this.depth, this.#open.push({ value, name: undefined, members: 0 }));
    if (this.depth > DEEPEST) this.#fail();
    this.#name();
  }

  /** The value has its place; then comes the next one, or the end of what holds it, which is a value as well. */
  #put(value: unknown): void {
    for (let whole = value; ; ) {
      const container = this.#open.at(-1);
      this.#space();
      if (container === undefined) {
        if (this.#at < this.#text.length) this.#fail();
        this.value = whole;
        this.isDone = true;
        return;
      }
      place(container, whole);
      const character = this.#text[this.#at++];
      if (character === ',') {
        this.#name();
        return;
      }
      if (character !== closing(container.value)) this.#fail();
      whole = this.#open.pop()?.value;
    }
  }

  /** Before a member of an object. */
  #name(): void {
    const container = this.#open.at(-1);
    if (container === undefined || Array.isArray(container.value)) return;
    if (++container.members > MOST_MEMBERS) this.#fail();
    this.#space();
    if (this.#text[this.#at] !== '"') this.#fail();
    this.#at++;
    container.name = this.#inside();
    if (!this.#isClosed()) this.#fail();
    this.#space();
    if (this.#text[this.#at++] !== ':') this.#fail();
  }

  /** Behind the quotation mark of a text that is a value. */
  #begin(): void {
    this.#at++;
    const text = this.#inside();
    if (this.#isClosed()) this.#put(text);
    else this.#pieces = [text];
  }

  #readOn(pieces: string[]): void {
    pieces.push(this.#inside());
    if (!this.#isClosed()) return;
    this.#pieces = undefined;
    this.#put(pieces.join(''));
  }

  #isClosed(): boolean {
    if (this.#text[this.#at] !== '"') return false;
    this.#at++;
    return true;
  }

  /** What stands in a text, up to its end or for one piece. Escapes are left to `JSON.parse`, and never cut in two. */
  #inside(): string {
    const from = this.#at;
    if (this.#quote < from) this.#quote = this.#text.indexOf('"', from);
    if (this.#quote === -1) this.#fail();
    const end = Math.min(this.#quote, from + TEXT_PIECE);
    const plain = this.#text.slice(from, end);
    this.#at = end;
    if (!SPECIAL.test(plain)) return plain;
    this.#at = endOfPiece(this.#text, from);
    const isWhole = this.#pieces === undefined && this.#text[this.#at] === '"';
    // With its own quotation marks a text need not be copied.
    const quoted = isWhole ? this.#text.slice(from - 1, this.#at + 1) : `"${this.#text.slice(from, this.#at)}"`;
    return JSON.parse(quoted) as string;
  }

  #plain(): unknown {
    PLAIN.lastIndex = this.#at;
    const [token] = PLAIN.exec(this.#text) ?? this.#fail();
    this.#at += token.length;
    return JSON.parse(token);
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #fail(): never {
    throw new SyntaxError(`no JSON at ${this.#at}`);
  }
}

const closing = (value: Container['value']): string => (Array.isArray(value) ? ']' : '}');

/** `__proto__` becomes a member like any other, as with `JSON.parse`. */
function place({ value, name }: Container, member: unknown): void {
  if (Array.isArray(value)) value.push(member);
  else if (name === '__proto__')
    Object.defineProperty(value, name, { value: member, writable: true, enumerable: true, configurable: true });
  else if (name !== undefined) value[name] = member;
}

/** The quotation mark that ends the text, or where a piece of it is long enough. */
function endOfPiece(text: string, from: number): number {
  const most = Math.min(from + TEXT_PIECE, text.length);
  let at = from;
  for (let character = text.charCodeAt(at); at < most && character !== QUOTE; character = text.charCodeAt(at))
    at += character !== BACKSLASH ? 1 : text.charCodeAt(at + 1) === LETTER_U ? UNICODE_ESCAPE : 2;
  return at;
}
