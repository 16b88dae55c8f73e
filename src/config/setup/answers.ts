/** The answers of `chargepoint setup`: flat names to texts, from a file, from `name=value`, or typed. */
import { parseDocument } from 'yaml';
import type { ConfigProblem } from '../../config.ts';
import { parseConfig } from '../document.ts';

/** `identity`, `connector1.maxA`, `house.meter`, ... An empty text is the answer that there is none. */
export type Answers = Readonly<Record<string, string>>;

/** Nested members are joined: `connector1: { maxA: 16 }` is `connector1.maxA`. A number stays as it is written: `0012`. */
export function readAnswers(
  file: string,
  text: string,
): { readonly answers: Answers } | { readonly problems: readonly ConfigProblem[] } {
  const document = parseConfig(file, text);
  const problems = [...document.problems];
  const answers: Record<string, string> = {};
  const take = (value: unknown, path: readonly string[]): void => {
    if (value === null || value === undefined) return;
    if (Array.isArray(value)) {
      problems.push(document.problem(path, 'is a list, expected a text', 'connector1: { maxA: 16 }'));
    } else if (typeof value === 'object') {
      for (const [name, member] of Object.entries(value)) take(member, [...path, name]);
    } else {
      const source = typeof value === 'number' ? document.source(path) : undefined;
      answers[path.join('.')] = source ?? String(value);
    }
  };
  if (typeof document.value === 'object') take(document.value, []);
  else if (problems.length === 0) problems.push(document.problem([], 'is no object, expected names and answers'));
  return problems.length > 0 ? { problems } : { answers };
}

/** A text as it may stand behind `member: `, without quotes if it means the same. */
export function textScalar(text: string): string {
  const document = parseDocument(`member: ${text}`, { logLevel: 'silent' });
  return document.errors.length === 0 && document.get('member') === text ? text : JSON.stringify(text);
}

/** A number, true or false as such; anything else as a text, of which `check` then says that it is none. */
export const plainScalar = (text: string): string =>
  /^(-?\d{1,15}(\.\d{1,15})?|true|false)$/.test(text) ? text : textScalar(text);
