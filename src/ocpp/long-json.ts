/** JSON read a piece at a time: `JSON.parse` of a long text, or of a hostile one, would hold everybody up. */

export interface LongJson {
  readonly value: unknown;
  /** How deep lists and objects are nested: 0 for a plain value. */
  readonly depth: number;
}

/** So many values take about a millisecond. */
const VALUES_PER_PIECE = 2_000;
/** No message of OCPP 1.6 has an object with more than 30; a million of them would only be a burden to whoever looks at it. */
const MOST_MEMBERS = 1_000;

/** Far below what would exhaust anything, far above what any message needs. */
const DEEPEST = 500;

const SPACE = /[ \t\n\r]*/y;
/** A plain value but a string. */
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** What JSON.parse has to look at: escapes, and control characters, which it refuses. */
const SPECIAL = /[\\\p{Cc}]/u;

interface Container {
  readonly value: unknown[] | Record<string, unknown>;
  /** The name of the member whose value is read next. */
  name: string | undefined;
  members: number;
}

/** Yields after each piece. Throws SyntaxError where `JSON.parse` does, and for what no message needs: 1,000 members, 500 levels. */
export function* readingJson(text: string): Generator<undefined, LongJson> {
  const reader = new Reader(text);
  for (let values = 1; !reader.isDone; values++) {
    reader.step();
    if (values % VALUES_PER_PIECE === 0) yield;
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

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes in one value, and what closes behind it. */
  step(): void {
    this.#space();
    const character = this.#text[this.#at];
    if (character === '[') this.#enter([]);
    else if (character === '{') this.#enter({});
    else if (character === '"') this.#put(this.#string());
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
    container.name = this.#string();
    this.#space();
    if (this.#text[this.#at++] !== ':') this.#fail();
  }

  /** Escapes are left to `JSON.parse`. */
  #string(): string {
    const from = this.#at;
    let end = from;
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end === -1) this.#fail();
    } while (isEscaped(this.#text, end));
    this.#at = end + 1;
    const inside = this.#text.slice(from + 1, end);
    return SPECIAL.test(inside) ? (JSON.parse(this.#text.slice(from, end + 1)) as string) : inside;
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

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === '\\') from--;
  return (at - from) % 2 === 1;
}
