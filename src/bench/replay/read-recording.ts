/** Reads a flight recording strictly: what is not understood is said with its line, for a replay of something else proves nothing. */
import { parseTimestamp } from '../../ocpp/timestamp.ts';
import { RECORDING_FORMAT, type RecordedEntry, type RecordingHeader } from '../../recorder/recording.ts';

export interface Recording {
  readonly header: RecordingHeader;
  readonly entries: readonly RecordedEntry[];
}

/** Lines count from 1. */
export interface RecordingProblem {
  readonly line: number;
  readonly message: string;
  readonly hint: string;
}

export type RecordingRead =
  | { readonly ok: true; readonly recording: Recording; readonly warnings: readonly RecordingProblem[] }
  | { readonly ok: false; readonly problem: RecordingProblem };

type Given = Readonly<Record<string, unknown>>;
interface Rule {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
  readonly optional?: true;
}
type Rules = Readonly<Record<string, Rule>>;

const oneOf = (...values: readonly unknown[]): Rule => ({
  expected: `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`,
  holds: (value) => values.includes(value),
});
const NUMBER: Rule = { expected: 'a number', holds: (value) => typeof value === 'number' && Number.isFinite(value) };
const TEXT: Rule = { expected: 'a text', holds: (value) => typeof value === 'string' };
const TRUTH: Rule = { expected: 'true or false', holds: (value) => typeof value === 'boolean' };
const OBJECT: Rule = { expected: 'an object', holds: (value) => isObject(value) };
const CONNECTOR: Rule = {
  expected: 'the number of a connector, 0 for the charge point',
  holds: (value) => Number.isInteger(value) && (value as number) >= 0,
};
const optional = (rule: Rule): Rule => ({ ...rule, optional: true });
const orNull = ({ expected, holds }: Rule): Rule => ({
  expected: `${expected}, or null`,
  holds: (value) => value === null || holds(value),
});
const listOf = (rules: Rules): Rule => ({
  expected: `a list of objects with ${Object.keys(rules).join(', ')}`,
  holds: (value) => Array.isArray(value) && value.every((each) => isObject(each) && broken(each, rules) === undefined),
});

const PILOT = oneOf('A', 'B', 'C', 'D', 'E', 'F');
const CONTACTOR = oneOf('open', 'closed');
const MAINS = oneOf('on', 'failing');
const OFFER: Rule = {
  expected: 'a current in A, "x1" or "F"',
  holds: (value) => NUMBER.holds(value) || value === 'x1' || value === 'F',
};

const HEADER: Rules = {
  version: TEXT,
  cause: TEXT,
  at: NUMBER,
  wall: optional({
    expected: 'a time as in 2026-01-05T08:00:00Z',
    holds: (value) => typeof value === 'string' && parseTimestamp(value) !== undefined,
  }),
  bootId: TEXT,
  connectors: listOf({
    id: CONNECTOR,
    maxA: NUMBER,
    phases: oneOf(1, 3),
    cable: oneOf('socket', 'attached'),
    ventilated: TRUTH,
  }),
  keys: {
    expected: 'an object of texts',
    holds: (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'string'),
  },
};

const ENTRIES: { readonly [what in RecordedEntry['what']]: Rules } = {
  pilot: { connector: CONNECTOR, pilot: PILOT },
  feedback: { connector: CONNECTOR, contactor: CONTACTOR },
  contactor: { connector: CONNECTOR, command: oneOf('open', 'close') },
  offer: { connector: CONNECTOR, offer: OFFER, dutyPercent: NUMBER },
  permit: { connector: CONNECTOR, given: TRUTH },
  lock: { connector: CONNECTOR, locked: TRUTH },
  proximity: { connector: CONNECTOR, cableA: orNull(NUMBER) },
  reading: { connector: CONNECTOR, took: NUMBER, values: OBJECT },
  noReading: { connector: CONNECTOR, took: NUMBER, code: TEXT },
  fault: { connector: CONNECTOR, code: TEXT, raised: TRUTH, info: optional(TEXT), vendorErrorCode: optional(TEXT) },
  faultReset: { connector: CONNECTOR },
  mains: { mains: MAINS },
  tag: { reader: NUMBER, idTag: TEXT },
  link: { open: TRUTH },
  frame: { direction: oneOf('tx', 'rx'), text: TEXT, cut: optional(NUMBER) },
  state: {
    connectors: listOf({
      connector: OBJECT,
      pilot: PILOT,
      contactor: CONTACTOR,
      transactionId: optional(orNull(NUMBER)),
    }),
    mains: MAINS,
    linked: TRUTH,
  },
};

const NO_RECORDING =
  'a recording begins with a line like {"recording":1,...}; one from a diagnostics archive has to be unpacked first';
const DAMAGED = 'the file has been damaged or edited: take another copy of the recording';

/** A last line that is not whole is left out with a warning: the power may have gone while it was written. */
export function readRecording(text: string): RecordingRead {
  const lines = text.split('\n').map((line, index) => ({ line: index + 1, text: line.trim() }));
  const [first, ...rest] = lines.filter((line) => line.text !== '');
  const header = first === undefined ? undefined : jsonOf(first.text);
  if (first === undefined || !isObject(header) || !('recording' in header))
    return bad(first?.line ?? 1, 'this is no flight recording', NO_RECORDING);
  if (header['recording'] !== RECORDING_FORMAT)
    return bad(
      first.line,
      `the recording has format ${JSON.stringify(header['recording'])}, this version reads format ${RECORDING_FORMAT}`,
      `replay it with the version that recorded it (${String(header['version'] ?? 'unknown')}) or a later one`,
    );
  const wrong = broken(header, HEADER);
  if (wrong !== undefined) return bad(first.line, `header: ${wrong}`, DAMAGED);

  const entries: RecordedEntry[] = [];
  const warnings: RecordingProblem[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const { line, text: json } of rest) {
    const value = jsonOf(json);
    if (value === undefined && line === rest.at(-1)?.line) {
      warnings.push({ line, message: 'the last line is not whole', hint: 'it is left out' });
      break;
    }
    const trouble = troubleOf(value, before);
    if (trouble !== undefined) return bad(line, trouble, DAMAGED);
    const entry = value as RecordedEntry;
    before = entry.at;
    entries.push(entry);
  }
  return { ok: true, recording: { header: header as unknown as RecordingHeader, entries }, warnings };
}

function troubleOf(value: unknown, before: number): string | undefined {
  if (!isObject(value)) return 'this is no JSON object';
  const { what, at } = value;
  const rules =
    typeof what === 'string' && Object.hasOwn(ENTRIES, what) ? ENTRIES[what as RecordedEntry['what']] : undefined;
  if (rules === undefined) return `what is ${JSON.stringify(what)}, expected one of ${Object.keys(ENTRIES).join(', ')}`;
  if (typeof at !== 'number' || !Number.isFinite(at)) return `at is ${JSON.stringify(at)}, expected a number`;
  if (at < before) return `at is ${at}, which is before the entry above (${before})`;
  return broken(value, rules);
}

/** The first rule that does not hold, in words. */
function broken(given: Given, rules: Rules): string | undefined {
  for (const [name, { expected, holds, optional: mayMiss }] of Object.entries(rules)) {
    const value = given[name];
    if (value === undefined ? mayMiss : holds(value)) continue;
    return value === undefined
      ? `${name} is missing, expected ${expected}`
      : `${name} is ${JSON.stringify(value).slice(0, 40)}, expected ${expected}`;
  }
  return undefined;
}

const bad = (line: number, message: string, hint: string): RecordingRead => ({
  ok: false,
  problem: { line, message, hint },
});

const isObject = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
