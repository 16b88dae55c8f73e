/** Compares what was recorded with what an agent does now. Pure. */
import { parseTimestamp } from '../../ocpp/timestamp.ts';
import { type FrameHead, headOf, type Output, outputOf, streamOf } from './output.ts';
import type { Replayed } from './play.ts';

/**
 * `missing`: recorded only. `additional`: done now only. `different`: both, but not the same. `time`: the same, but too far apart. `order`: a
 * message goes out before the contactor is told to open, and did not when it was recorded.
 */
export interface Difference {
  readonly kind: 'missing' | 'additional' | 'different' | 'time' | 'order';
  readonly at: number;
  readonly recorded?: Output;
  readonly replayed?: Output;
}

export interface Pair {
  readonly recorded?: Output;
  readonly replayed?: Output;
}

export interface Comparison {
  /** Oldest first. */
  readonly differences: readonly Difference[];
  /** All outputs, each with the one that it was compared with. */
  readonly pairs: readonly Pair[];
}

/** What may differ without being a difference, besides message ids. */
const TOLERANCE = {
  /** A replay writes and reads in no time; timestamps inside messages follow from that. */
  apartMs: 1000,
  /** They beat from a moment that a recording need not hold. */
  notCompared: ['Heartbeat'],
  /** Members of calls that hold what was there before the recording began. */
  fromBefore: { StopTransaction: ['transactionData'] } as Readonly<Record<string, readonly string[]>>,
} as const;

/** How far to look for the other half of a pair. */
const LOOK_AHEAD = 8;

export function compare({ entries, outputs, from, to, isPart }: Replayed): Comparison {
  const recorded = entries.flatMap((entry) => outputOf(entry) ?? []).filter(isCompared);
  const replayed = outputs.filter(isCompared);
  const [then, now] = [byStream(recorded), byStream(replayed)];
  const pairs = [...new Set([...then.keys(), ...now.keys()])].flatMap((stream) =>
    align(then.get(stream) ?? [], now.get(stream) ?? [], (a, b) => isNear(a, b) && isSame(a, b, isPart)),
  );
  const isEdge = ({ recorded: a, replayed: b }: Pair): boolean => {
    if (a === undefined) return b !== undefined && b.at > to - TOLERANCE.apartMs;
    return b === undefined && isPart && a.what === 'frame' && a.at < from + TOLERANCE.apartMs;
  };
  const differences = [
    ...pairs.filter((pair) => !isEdge(pair)).flatMap((pair) => differenceOf(pair, isPart)),
    ...disorderOf(
      pairs.filter((pair) => differenceOf(pair, isPart).length === 0),
      recorded,
      replayed,
    ),
  ];
  // Of what happened at the same time the cause comes first.
  const order = new Map(recorded.map((output, index) => [output, index]));
  const orderOf = ({ recorded: output }: Difference): number => (output && order.get(output)) ?? recorded.length;
  return { pairs, differences: differences.toSorted((a, b) => a.at - b.at || orderOf(a) - orderOf(b)) };
}

function isCompared(output: Output): boolean {
  const action = output.what === 'frame' ? headOf(output.text)?.action : undefined;
  return action === undefined || !TOLERANCE.notCompared.some((name) => name === action);
}

function byStream(outputs: readonly Output[]): ReadonlyMap<string, readonly Output[]> {
  const streams = new Map<string, Output[]>();
  for (const output of outputs) {
    const stream = nameOfStream(output);
    const others = streams.get(stream);
    if (others === undefined) streams.set(stream, [output]);
    else others.push(output);
  }
  return streams;
}

function nameOfStream(output: Output): string {
  if (output.what !== 'frame') return `connector ${output.connector}`;
  const head = headOf(output.text);
  return head === undefined ? 'frame' : streamOf(head);
}

/** What is the same at about the same time goes together, what is only on one side stays alone, what is neither is a pair that differs. */
function align(
  then: readonly Output[],
  now: readonly Output[],
  same: (a: Output, b: Output) => boolean,
): readonly Pair[] {
  const pairs: Pair[] = [];
  const [left, right] = [[...then], [...now]];
  for (let [a, b] = [left[0], right[0]]; a !== undefined && b !== undefined; [a, b] = [left[0], right[0]]) {
    const [recorded, replayed] = [a, b];
    const skipThen = left.slice(0, LOOK_AHEAD).findIndex((other) => same(other, replayed));
    const skipNow = right.slice(0, LOOK_AHEAD).findIndex((other) => same(recorded, other));
    if (skipThen > 0 && (skipNow < 0 || skipThen <= skipNow))
      pairs.push(...left.splice(0, skipThen).map((recorded) => ({ recorded })));
    else if (skipNow > 0) pairs.push(...right.splice(0, skipNow).map((replayed) => ({ replayed })));
    else if (recorded.what === replayed.what) {
      pairs.push({ recorded, replayed });
      left.shift();
      right.shift();
    } else {
      pairs.push({ recorded });
      left.shift();
    }
  }
  return [...pairs, ...left.map((recorded) => ({ recorded })), ...right.map((replayed) => ({ replayed }))];
}

function differenceOf({ recorded, replayed }: Pair, isPart: boolean): readonly Difference[] {
  if (recorded === undefined) return replayed === undefined ? [] : [{ kind: 'additional', at: replayed.at, replayed }];
  if (replayed === undefined) return [{ kind: 'missing', at: recorded.at, recorded }];
  const both = { at: recorded.at, recorded, replayed };
  if (!isSame(recorded, replayed, isPart)) return [{ kind: 'different', ...both }];
  return isNear(recorded, replayed) ? [] : [{ kind: 'time', ...both }];
}

const isNear = (a: Output, b: Output): boolean => Math.abs(a.at - b.at) <= TOLERANCE.apartMs;

/** A trip comes before it is told: where a permit was withdrawn before a message, it still is. */
function disorderOf(
  pairs: readonly Pair[],
  recorded: readonly Output[],
  replayed: readonly Output[],
): readonly Difference[] {
  const now = new Map(pairs.map((pair) => [pair.recorded, pair.replayed]));
  return recorded.flatMap((withdrawn, index): readonly Difference[] => {
    if (withdrawn.what !== 'permit' || withdrawn.given) return [];
    const told = recorded.slice(index + 1).find((output) => isStatusOf(output, withdrawn.connector));
    const [first, second] = [now.get(withdrawn), told && now.get(told)];
    if (told === undefined || first === undefined || second === undefined) return [];
    return replayed.indexOf(first) < replayed.indexOf(second)
      ? []
      : [{ kind: 'order', at: told.at, recorded: told, replayed: second }];
  });
}

function isStatusOf(output: Output, connector: number): boolean {
  const head = output.what === 'frame' ? headOf(output.text) : undefined;
  return head !== undefined && streamOf(head) === `StatusNotification ${connector}`;
}

function isSame(a: Output, b: Output, isPart: boolean): boolean {
  if (a.what === 'offer' && b.what === 'offer') return a.offer === b.offer;
  if (a.what === 'permit' && b.what === 'permit') return a.given === b.given;
  if (a.what !== 'frame' || b.what !== 'frame') return false;
  const [then, now] = [headOf(a.text), headOf(b.text)];
  if (then === undefined || now === undefined) return a.text === b.text;
  if (then.type !== now.type || then.action !== now.action) return false;
  if (a.cut !== undefined) return isBeginningOf(then, now);
  const fromBefore = isPart ? (TOLERANCE.fromBefore[then.action ?? ''] ?? []) : [];
  return isAlike(without(then.payload, fromBefore), without(now.payload, fromBefore));
}

/** Of a frame that was cut only the beginning can be compared. */
function isBeginningOf(then: FrameHead, now: FrameHead): boolean {
  const [a, b] = [then, now].map(({ rest }) => rest.replace(/"timestamp":"[^"]*"/g, ''));
  // A timestamp may have been cut in the middle.
  const whole = a?.replace(/"timestamp[^"]*"?:?"?[^"]*$/, '') ?? '';
  return b?.startsWith(whole) === true;
}

function without(payload: unknown, members: readonly string[]): unknown {
  if (members.length === 0 || !isObject(payload)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !members.includes(name)));
}

/** Equal but for times, which may be as far apart as the messages themselves. */
function isAlike(a: unknown, b: unknown, name = ''): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => isAlike(each, b[i]));
  if (isObject(a) && isObject(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].every((each) => isAlike(a[each], b[each], each));
  }
  if (name === 'timestamp' && typeof a === 'string' && typeof b === 'string') {
    const [then, now] = [parseTimestamp(a), parseTimestamp(b)];
    return then !== undefined && now !== undefined && Math.abs(then - now) <= TOLERANCE.apartMs;
  }
  return a === b;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
