/** A YAML text with a place in the file for every member of its value. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ConfigProblem } from '../config.ts';

export type Path = readonly (string | number)[];

export interface ConfigDocument {
  readonly file: string;
  /** Plain JSON values; undefined if the text is no YAML. */
  readonly value: unknown;
  /** What is wrong with the text as YAML. */
  readonly problems: readonly ConfigProblem[];
  /** A problem at this member, or at the nearest enclosing one that exists. */
  problem(path: Path, message: string, hint?: string): ConfigProblem;
  /** A scalar as it is written in the file: `0012` stays `0012`. */
  source(path: Path): string | undefined;
}

/** Hints for what YAML itself says in its own words. */
const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces; YAML allows no tabs there',
  DUPLICATE_KEY: 'keep one of the two',
  BAD_INDENT: 'members of one object begin in the same column',
  MULTIPLE_DOCS: 'one file holds one document: remove the line ---',
};

/** What became of bytes that are not UTF-8, and the zeros of UTF-16. */
const NOT_UTF8 = /[\ufffd\0]/;

export function parseConfig(file: string, text: string): ConfigDocument {
  const foreign = text.search(NOT_UTF8);
  // A counter belongs to one parse: reused, it gives the lines of both texts added up.
  const lines = new LineCounter();
  // Of another encoding nothing else is worth a word.
  const readable = foreign < 0 ? text : `${text.slice(0, foreign).replace(/[^\n]/g, ' ')} `;
  const document = parseDocument(readable, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = document.errors.map((error) =>
    withHint({ ...at(error.pos[0]), path: '', message: lowerFirst(error.message) }, SYNTAX_HINTS[error.code]),
  );
  if (foreign >= 0) problems.push({ ...at(foreign), path: '', message: 'is not UTF-8', hint: 'save it as UTF-8' });
  const root = document.contents;
  const place = (path: Path) => at(offsetOf(root, path));
  const value =
    problems.length > 0
      ? undefined
      : toValue(document, (message) => {
          problems.push({ ...at(0), path: '', message });
        });
  return {
    file,
    value,
    problems,
    problem: (path, message, hint) => withHint({ ...place(path), path: pathText(path), message }, hint),
    source: (path) => {
      const node = document.getIn(path, true);
      return isScalar(node) ? node.source : undefined;
    },
  };
}

/** Aliases are bounded, so that a few lines cannot unfold into gigabytes. */
function toValue(document: ReturnType<typeof parseDocument>, report: (message: string) => void): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    report(`cannot be unfolded: ${cause instanceof Error ? lowerFirst(cause.message) : String(cause)}`);
    return undefined;
  }
}

/** `connectors[0].meter.unit`. */
export const pathText = (path: Path): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('');

/** A member is found at its name; an item of a list and the root at their value. */
function offsetOf(root: Node | null, path: Path): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) return offset;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

const withHint = (problem: ConfigProblem, hint: string | undefined): ConfigProblem =>
  hint === undefined ? problem : { ...problem, hint };

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
