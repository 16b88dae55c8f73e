/** `chargepoint replay`: plays a flight recording into the simulation and says whether the agent of this version does the same. */
import { readFileSync } from 'node:fs';
import type { Comparison, Difference, Pair } from '../bench/replay/compare.ts';
import type { Replayed } from '../bench/replay/play.ts';
import type { Recording } from '../bench/replay/read-recording.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { RecordedEntry } from '../recorder/recording.ts';
import { columns, json, wrapped } from './format.ts';
import type { Io } from './io.ts';

export interface ReplayOptions {
  readonly connector?: number;
  readonly json?: boolean;
  readonly timeline?: boolean;
}

/** Differences that are shown; what comes after the first ones mostly follows from them. */
const SHOWN = 10;

/** Exit code 0: the same. 1: something else. 78: the file cannot be read or is no recording. */
export async function replay(io: Io, file: string, options: ReplayOptions): Promise<ExitCode> {
  const [reading, { replay: play }, { compare }, { nodeCertificates: certificates }] = await Promise.all([
    import('../bench/replay/read-recording.ts'),
    import('../bench/replay/play.ts'),
    import('../bench/replay/compare.ts'),
    import('../platform/x509.ts'),
  ]);
  const text = textOf(io, file);
  if (text === undefined) return EXIT.config;
  const read = reading.readRecording(text);
  const problems = read.ok ? read.warnings : [read.problem];
  for (const { line, message, hint } of problems) io.err(`${file}:${line}: ${message}\n  ${hint}\n`);
  if (!read.ok) return EXIT.config;
  const { recording } = read;
  const replayed = await play(recording, { settle, certificates });
  const comparison = compare(replayed);
  const { connectorOf, entryText, outputText } = await import('../bench/replay/words.ts');
  const words: Words = {
    entryText,
    outputText,
    connectorOf,
    isShown: (entry) => {
      const connector = connectorOf(entry);
      return options.connector === undefined || connector === undefined || connector === options.connector;
    },
    seconds: (at) => `${at < recording.header.at ? '-' : '+'}${(Math.abs(at - recording.header.at) / 1000).toFixed(3)}`,
  };
  const isSame = comparison.differences.length === 0;
  if (options.json === true) io.out(json(answerOf(recording, replayed, comparison, options, words)));
  else {
    if (options.timeline === true) io.out(`${timelineText(replayed, comparison, words)}\n`);
    io.out(summaryText(recording, replayed, comparison, words));
  }
  return isSame ? EXIT.ok : EXIT.different;
}

type Shown = RecordedEntry | Replayed['outputs'][number];

interface Words {
  readonly entryText: (entry: RecordedEntry) => string;
  readonly outputText: (output: Replayed['outputs'][number]) => string;
  readonly connectorOf: (entry: Shown) => number | undefined;
  readonly isShown: (entry: Shown) => boolean;
  /** From the cause of the recording on. */
  readonly seconds: (at: number) => string;
}

/** As the tests do: whatever only waits for promises has run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const TROUBLES: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file: `chargepoint recordings` lists those of this charge point',
  EISDIR: 'this is a directory: name one of the recordings in it',
  EACCES: 'you may not read this file: try it with sudo',
};

function textOf(io: Io, file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    io.err(`${file}: ${TROUBLES[code] ?? message}\n`);
    return undefined;
  }
}

function summaryText(
  { header }: Recording,
  { from, skippedMs, to, isPart, entries, outputs }: Replayed,
  { differences }: Comparison,
  words: Words,
): string {
  const frames = outputs.filter(({ what }) => what === 'frame').length;
  const also = header.also === undefined ? [] : [['', `also ${header.also.join('; ')}`]];
  const head = columns([
    ['Recording', header.cause],
    ...also,
    ['', `version ${header.version}, ${header.wall ?? 'time not known'}`],
    [
      'Played',
      `${((to - from) / 1000).toFixed(1)} s, ${isPart ? 'from the middle on' : 'from the start of the agent on'}`,
    ],
    ...(skippedMs === 0
      ? []
      : [['', `not its first ${(skippedMs / 1000).toFixed(1)} s: what waited in the outbox then is not known`]]),
    ['Recorded', `${entries.length} entries`],
    ['Done now', `${outputs.length - frames} offers and permits, ${frames} messages`],
  ]);
  if (differences.length === 0) return `${head}\nThe agent of this version does the same.\n`;
  const shown = differences.filter((difference) => isShown(difference, words));
  const many = differences.length === 1 ? 'There is 1 difference' : `There are ${differences.length} differences`;
  const which = shown.length > SHOWN ? `; the first ${SHOWN}` : '';
  const verdict = `The agent of this version does something else. ${many}${which}, in seconds from the cause:`;
  return `${head}\n${wrapped(verdict, 0)}\n${shown
    .slice(0, SHOWN)
    .map((difference) => differenceText(difference, words))
    .join('')}`;
}

const WHAT: { readonly [kind in Difference['kind']]: string } = {
  missing: 'not done now',
  additional: 'done now only',
  different: 'something else',
  time: 'at another time',
  order: 'sent before the contactor was told to open',
};

function differenceText({ kind, at, recorded, replayed }: Difference, words: Words): string {
  const either = recorded ?? replayed;
  const connector = either && words.connectorOf(either);
  const side = (name: string, output: Difference['recorded']): string =>
    output === undefined ? '' : wrapped(`${name} ${words.seconds(output.at)} s: ${words.outputText(output)}`, 2);
  const where = connector === undefined ? '' : `  connector ${connector}`;
  return `${words.seconds(at)} s${where}  ${WHAT[kind]}\n${side('recorded', recorded)}${side('now', replayed)}`;
}

const isShown = ({ recorded, replayed }: Difference, words: Words): boolean =>
  [recorded, replayed].some((output) => output !== undefined && words.isShown(output));

interface Line {
  /** ` ` came from outside; `=` recorded and done now; `-` recorded only; `+` done now only; `!` differs. */
  readonly mark: ' ' | '=' | '-' | '+' | '!';
  readonly at: number;
  readonly entry: Shown;
  readonly text: string;
}

const LEGEND = '= recorded and done now   - recorded only   + done now only   ! not the same';

function timelineText(replayed: Replayed, comparison: Comparison, words: Words): string {
  const rows = timelineOf(replayed, comparison, words).map(({ mark, at, entry, text }) => [
    mark,
    words.seconds(at).padStart(10),
    String(words.connectorOf(entry) ?? ''),
    text,
  ]);
  return `${LEGEND}\n${columns([[' ', '   seconds', 'C', 'what'], ...rows])}`;
}

/** In the order of the recording; what is done now only at its time. */
function timelineOf({ entries }: Replayed, { pairs, differences }: Comparison, words: Words): readonly Line[] {
  const different = new Set(differences.map(({ replayed }) => replayed));
  const halves = new Map<string, Pair[]>();
  for (const pair of pairs) {
    if (pair.recorded === undefined) continue;
    const key = `${pair.recorded.at} ${words.outputText(pair.recorded)}`;
    halves.set(key, [...(halves.get(key) ?? []), pair]);
  }
  const recorded = entries.map((entry): Line => {
    const pair = halves.get(`${entry.at} ${words.entryText(entry)}`)?.shift();
    const there = pair?.replayed === undefined ? '-' : different.has(pair.replayed) ? '!' : '=';
    return { mark: pair === undefined ? ' ' : there, at: entry.at, entry, text: words.entryText(entry) };
  });
  const added = pairs.flatMap(({ recorded, replayed }): readonly Line[] =>
    recorded === undefined && replayed !== undefined
      ? [{ mark: '+', at: replayed.at, entry: replayed, text: words.outputText(replayed) }]
      : [],
  );
  return [...recorded, ...added].filter(({ entry }) => words.isShown(entry)).toSorted((a, b) => a.at - b.at);
}

function answerOf(
  { header }: Recording,
  replayed: Replayed,
  comparison: Comparison,
  options: ReplayOptions,
  words: Words,
): unknown {
  const { keys: _, ...recording } = header;
  const { from, to, isPart } = replayed;
  return {
    recording,
    same: comparison.differences.length === 0,
    from,
    to,
    isPart,
    differences: comparison.differences.filter((difference) => isShown(difference, words)),
    ...(options.timeline === true
      ? { timeline: timelineOf(replayed, comparison, words).map(({ mark, at, text }) => ({ mark, at, text })) }
      : {}),
  };
}
