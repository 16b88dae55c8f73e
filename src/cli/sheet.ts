/** A test sheet: steps in their order, each with what it needs, filled in one line after the other. */
import { columns, wrapped } from './format.ts';

export type Outcome = 'PASS' | 'FAIL' | 'SKIP';

export interface Result {
  readonly outcome: Outcome;
  /** What was seen. */
  readonly detail: string;
  /** What to do next. */
  readonly next?: string;
}

export interface Step<Context> {
  readonly id: string;
  readonly title: string;
  /** The steps that must not have failed, nor been left out because of one that has. */
  readonly needs: readonly string[];
  readonly run: (context: Context) => Result | Promise<Result>;
}

export interface Line extends Result {
  readonly id: string;
  readonly title: string;
  /** The step that failed, because of which this one was not tried. */
  readonly because?: string;
}

export interface Filling<Context> {
  readonly context: () => Context;
  /** What was found before this sheet began. */
  readonly before?: readonly Line[];
  /** Called as soon as a step has ended. */
  readonly told: (line: Line) => void;
  /** Nothing more is begun. */
  readonly signal?: AbortSignal;
}

export const pass = (detail: string, next?: string): Result => result('PASS', detail, next);
export const fail = (detail: string, next?: string): Result => result('FAIL', detail, next);
export const skip = (detail: string, next?: string): Result => result('SKIP', detail, next);

const result = (outcome: Outcome, detail: string, next: string | undefined): Result =>
  next === undefined ? { outcome, detail } : { outcome, detail, next };

/** Never rejects: a step that throws has failed. `before` is the beginning of what it resolves to. */
export async function fillIn<Context>(
  steps: readonly Step<Context>[],
  { context, before = [], told, signal }: Filling<Context>,
): Promise<readonly Line[]> {
  const lines = [...before];
  for (const step of steps) {
    const line = { ...(await outcomeOf(step, lines, context, signal)), id: step.id, title: step.title };
    lines.push(line);
    told(line);
  }
  return lines;
}

async function outcomeOf<Context>(
  { needs, run }: Step<Context>,
  lines: readonly Line[],
  context: () => Context,
  signal: AbortSignal | undefined,
): Promise<Result & Pick<Line, 'because'>> {
  const cause = lines.find(
    ({ id, outcome, because }) => needs.includes(id) && (outcome === 'FAIL' || because !== undefined),
  );
  if (cause !== undefined) {
    const because = cause.because ?? cause.title;
    return { ...skip(`not tried, because of: ${because}`), because };
  }
  if (signal?.aborted === true) return skip('not tried: ended before its turn');
  try {
    return await run(context());
  } catch (cause) {
    return fail(`it broke off: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

export const failed = (lines: readonly Line[]): boolean => lines.some(({ outcome }) => outcome === 'FAIL');

const TITLE_COLUMN = 20;
const INDENT = 4;

/** In 80 columns: the verdict and the title, then what was seen and what to do, indented. */
export function lineText({ outcome, title, detail, next }: Line): string {
  const short = `${outcome}  ${title.padEnd(TITLE_COLUMN)}  ${detail}`;
  const head =
    short.length <= 80 && !/\s{2,}|\n/.test(detail)
      ? columns([[short]])
      : `${outcome}  ${title}\n${wrapped(detail, INDENT)}`;
  return head + (next === undefined ? '' : wrapped(`-> ${next}`, INDENT));
}

/** `11 passed, 1 failed, 2 skipped.` and what to do first. */
export function totalText(lines: readonly Line[]): string {
  const count = (outcome: Outcome): number => lines.filter((line) => line.outcome === outcome).length;
  const counts = `${count('PASS')} passed, ${count('FAIL')} failed, ${count('SKIP')} skipped.`;
  const first = lines.find(({ outcome }) => outcome === 'FAIL');
  if (first === undefined) return `\n${counts}\n`;
  return `\n${counts}\n${wrapped(`Begin with: ${first.title}. ${first.next ?? first.detail}`, 0)}`;
}
