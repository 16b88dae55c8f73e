/** Finds the tests of a test file with their names, without running it: describe and it, with `each`, nested. */

export interface FoundTest {
  /** Below `test/`, without `.test.ts`. */
  readonly file: string;
  /** With the names of the describes around it. */
  readonly name: string;
  /** What stands between its first and its last character, tables of `each` included. */
  readonly source: string;
}

interface Block {
  readonly kind: 'describe' | 'it';
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const COMMENT_STRING_OR_REGEXP =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?{};[]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])+\/[a-z]*/g;
const OPENING = /(?<![\w.])(describe|it)(\.each\b)?(?=\s*[(<])/g;
const STRING = /^\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/;

/** The position after the bracket that closes the next one. */
function afterBrackets(masked: string, from: number): number {
  let depth = 0;
  for (let at = masked.indexOf('(', from); at < masked.length; at++) {
    if (masked[at] === '(') depth++;
    if (masked[at] === ')' && --depth === 0) return at + 1;
  }
  return masked.length;
}

function blocksOf(text: string): readonly Block[] {
  // Of the same length, so that a position in the one is the same in the other.
  const masked = text.replace(COMMENT_STRING_OR_REGEXP, (token) => ' '.repeat(token.length));
  return [...masked.matchAll(OPENING)].flatMap(({ 1: kind, 2: each, index: start }) => {
    const open = masked.indexOf('(', each === undefined ? start : afterBrackets(masked, start));
    const [, quote, name] = STRING.exec(text.slice(open + 1)) ?? [];
    if (name === undefined) return [];
    const said = quote === '`' ? name.replaceAll(/\$\{[^}]*\}/g, 'n') : name.replaceAll(/\\(.)/g, '$1');
    return [{ kind: kind as Block['kind'], name: said, start, end: afterBrackets(masked, open) }];
  });
}

export function testsOf(file: string, text: string): readonly FoundTest[] {
  const blocks = blocksOf(text);
  return blocks
    .filter(({ kind }) => kind === 'it')
    .map(({ name, start, end }) => {
      const around = blocks.filter((block) => block.kind === 'describe' && block.start < start && end <= block.end);
      return { file, name: [...around.map((block) => block.name), name].join(': '), source: text.slice(start, end) };
    });
}
