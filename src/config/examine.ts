/** Holds a document against a shape and reports everything that is wrong with it, each with its place. */
import * as v from 'valibot';
import type { ConfigProblem } from '../config.ts';
import { type ConfigDocument, type Path, pathText } from './document.ts';
import { nearest } from './nearest.ts';

export type Examined<T> = { readonly value: T } | { readonly problems: readonly ConfigProblem[] };

export function examine<T>(document: ConfigDocument, shape: v.GenericSchema<unknown, T>): Examined<T> {
  if (document.problems.length > 0) return { problems: document.problems };
  const structure = [...structureProblems(shape, document.value, [])];
  const result = v.safeParse(shape, document.value);
  if (result.success && structure.length === 0) return { value: result.output };
  const lists = structure.filter(({ isList }) => isList).map(({ path }) => pathText(path));
  const wrong = (result.issues ?? [])
    .filter((issue) => !isMemberIssue(issue) && !lists.some((list) => pathText(pathOf(issue)).startsWith(list)))
    .map((issue) => wrongValue(document, issue));
  const found = structure.map(({ path, message, hint }) => document.problem(path, message, hint));
  return { problems: inOrder(unique([...found, ...wrong])) };
}

/** valibot stops at the first unknown member and does not say what a missing one should be: `structureProblems` does both. */
const isMemberIssue = (issue: v.BaseIssue<unknown>): boolean => {
  const last = issue.path?.at(-1);
  return (
    issue.type === 'strict_object' &&
    last !== undefined &&
    (issue.expected === 'never' || issue.received === 'undefined')
  );
};

const pathOf = (issue: v.BaseIssue<unknown>): Path => (issue.path ?? []).map((item) => item.key as string | number);

function wrongValue(document: ConfigDocument, issue: v.BaseIssue<unknown>): ConfigProblem {
  const written = issue.type === 'string' ? unquoted(document, issue) : undefined;
  if (written !== undefined)
    return document.problem(
      pathOf(issue),
      `is ${written}, expected ${issue.message}`,
      `put it in quotes: ${JSON.stringify(written)}`,
    );
  const options = [...(issue.expected ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
  const guess = typeof issue.input === 'string' ? nearest(issue.input, options) : undefined;
  return document.problem(
    pathOf(issue),
    `is ${shown(issue.input)}, expected ${issue.message}`,
    guess === undefined ? undefined : `did you mean ${guess}?`,
  );
}

/** What was meant as a text, as it is written: YAML takes it for a number, true or false. */
function unquoted(document: ConfigDocument, issue: v.BaseIssue<unknown>): string | undefined {
  if (typeof issue.input !== 'number' && typeof issue.input !== 'boolean') return undefined;
  const source = document.source(pathOf(issue));
  return source === undefined || source.length > 60 ? undefined : source;
}

/** A value, short enough for one line. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const json = JSON.stringify(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}..."`;
}

/** Just enough of a valibot schema to walk it beside a value. */
interface Walkable {
  readonly type: string;
  readonly message?: unknown;
  readonly entries?: Readonly<Record<string, Walkable>>;
  readonly item?: Walkable;
  /** Of a record: what each member is. */
  readonly value?: Walkable;
  readonly wrapped?: Walkable;
  readonly options?: readonly Walkable[];
  readonly key?: string;
  readonly literal?: unknown;
}

/** Something about which members there are, before anybody looks at their values. */
interface Structure {
  readonly path: Path;
  readonly message: string;
  readonly hint?: string | undefined;
  /** A list where an object belongs, which valibot would take for one: nothing below it is worth a word. */
  readonly isList?: true;
}

function* structureProblems(shape: unknown, value: unknown, path: Path): Generator<Structure> {
  const schema = chosen(shape as Walkable, value);
  const isNamed = schema.entries !== undefined || schema.type === 'record' || schema.type === 'variant';
  if (Array.isArray(value) && isNamed) {
    yield { path, message: 'is a list, expected an object', isList: true };
  } else if (Array.isArray(value) && schema.item !== undefined) {
    for (const [index, item] of value.entries()) yield* structureProblems(schema.item, item, [...path, index]);
  } else if (isObject(value) && schema.value !== undefined) {
    for (const [name, member] of Object.entries(value)) yield* structureProblems(schema.value, member, [...path, name]);
  } else if (isObject(value) && schema.entries !== undefined) {
    yield* memberProblems(schema.entries, value, path);
  }
}

function* memberProblems(
  entries: Readonly<Record<string, Walkable>>,
  value: Readonly<Record<string, unknown>>,
  path: Path,
): Generator<Structure> {
  const known = Object.keys(entries);
  for (const [name, member] of Object.entries(entries)) {
    if (Object.hasOwn(value, name)) yield* structureProblems(member, value[name], [...path, name]);
    else if (!member.type.endsWith('optional')) yield { path: [...path, name], message: missing(member) };
  }
  for (const name of Object.keys(value).filter((member) => !Object.hasOwn(entries, member))) {
    const guess = nearest(name, known);
    const hint = guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${guess}?`;
    yield { path: [...path, name], message: 'is unknown', hint };
  }
}

function missing(member: Walkable): string {
  const expected = chosen(member, undefined).message;
  return typeof expected === 'string' ? `is missing, expected ${expected}` : 'is missing';
}

/** Unwraps optional and nullable, and takes the option of a variant that the value names, or that of a union that is a list as it is. */
function chosen(schema: Walkable, value: unknown): Walkable {
  if (schema.wrapped !== undefined) return chosen(schema.wrapped, value);
  const { key } = schema;
  if (schema.type === 'union' && Array.isArray(value)) {
    return schema.options?.find(({ item }) => item !== undefined) ?? schema;
  }
  if (schema.type !== 'variant' || key === undefined || !isObject(value)) return schema;
  const option = schema.options?.find((candidate) => candidate.entries?.[key]?.literal === value[key]);
  return option === undefined ? schema : chosen(option, value);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One value can break two bounds of the same expectation. */
const unique = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] => {
  const seen = new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem]));
  return [...seen.values()];
};

export const inOrder = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] =>
  [...problems].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column);

/** `file:line:col path: what is wrong, what is expected` and, indented below, the hint. */
export const problemText = ({ file, line, column, path, message, hint }: ConfigProblem): string =>
  `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : `\n    ${hint}`}`;
