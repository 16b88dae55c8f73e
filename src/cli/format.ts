/** Text in columns for a terminal of 80. */

const WIDTH = 80;

/** Rows in columns, two blanks apart, each line cut to `width` characters. */
export function columns(rows: readonly (readonly string[])[], width = WIDTH): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => printable(row[index] ?? '').length)));
  return rows
    .map((row) => row.map((cell, index) => printable(cell).padEnd(widths[index] ?? 0)).join('  '))
    .map((line) => `${cut(line.trimEnd(), width)}\n`)
    .join('');
}

const cut = (line: string, width: number): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);

/** In lines of at most `width` characters, broken between words where that is possible; each after `indent` blanks. */
export function wrapped(text: string, indent: number, width = WIDTH): string {
  const room = Math.max(1, width - indent);
  const lines = [''];
  for (const word of printable(text).split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length <= room) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(...(word.match(new RegExp(`.{1,${room}}`, 'gu')) ?? []));
  }
  return lines
    .slice(1)
    .map((line) => `${' '.repeat(indent)}${line}\n`)
    .join('');
}

/** For `--json`: the answer as it is, indented, and without the control characters that JSON leaves as they are. */
export const json = (answer: unknown): string => escapedRest(`${JSON.stringify(answer, undefined, 2)}\n`);

/** A terminal takes U+009B for an escape sequence, too. */
export const escapedRest = (text: string): string =>
  text.replace(/(?!\n)\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** On one line. What comes from the central system or a file may hold anything, escape sequences included. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?');

/** Unknown JSON as an object, without trusting who sent it. */
export const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

export const phasesText = (phases: unknown): string => `${textOf(phases)} ${phases === 1 ? 'phase' : 'phases'}`;
