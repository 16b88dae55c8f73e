/** Compares what the store was asked to hold with what the central system got: nothing lost, nothing twice but what was in flight. */
import type { StoredFact, Tell } from '../rigs/kill-entry.ts';
import type { Call, Frame } from './central-system.ts';

/** A fact that the agent wanted to be durable. */
export interface Owed {
  readonly fact: StoredFact;
  /** The batch with it has resolved: from then on it may not be lost. */
  durable: boolean;
  /** When the batch that removed it had resolved: from then on it may not be sent. CLOCK_MONOTONIC. */
  removedNs: bigint | undefined;
}

/** Takes in what the processes tell, one life after another. */
export class Ledger {
  readonly owed: Owed[] = [];
  readonly kills: bigint[] = [];
  readonly #batches = new Map<number, { readonly puts: readonly Owed[]; readonly removed: readonly Owed[] }>();

  /** A new process counts its batches from 0. */
  begin(): void {
    this.#batches.clear();
  }

  take(tell: Tell): void {
    if (tell.type === 'asked') {
      const removed = tell.removed.flatMap((key) => this.owed.findLast(({ fact }) => fact.key === key) ?? []);
      const puts = tell.puts.map((fact) => ({ fact, durable: false, removedNs: undefined }));
      this.owed.push(...puts);
      this.#batches.set(tell.batch, { puts, removed });
    } else if (tell.type === 'durable') {
      const batch = this.#batches.get(tell.batch);
      for (const owed of batch?.puts ?? []) owed.durable = true;
      for (const owed of batch?.removed ?? []) owed.removedNs = BigInt(tell.ns);
    } else {
      this.kills.push(BigInt(tell.ns));
    }
  }
}

export interface Verdict {
  readonly violations: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

const ACTIONS: ReadonlySet<string> = new Set(['StartTransaction', 'MeterValues', 'StopTransaction']);

/** Calls that say the same, in the order in which they came. */
interface Arrival {
  readonly identity: string;
  readonly calls: Call[];
}

export function judge(ledger: Ledger, calls: readonly Call[], frames: readonly Frame[]): Verdict {
  const violations: string[] = [];
  const arrivals = arrivalsOf(calls, violations);
  const matched = match(ledger.owed, arrivals, violations);
  const repeats = judgeRepeats(matched, arrivals, ledger.kills, violations);
  const ids = givenIds(frames);
  const transactions = judgeTransactions(matched, ids, violations);
  return {
    violations,
    counts: {
      facts: matched.size,
      calls: arrivals.reduce((sum, { calls }) => sum + calls.length, 0),
      transactions,
      ...repeats,
    },
  };
}

/** Strictly in order, one at a time: whatever is repeated is repeated before anything else goes. */
function arrivalsOf(calls: readonly Call[], violations: string[]): Arrival[] {
  const arrivals: Arrival[] = [];
  const seen = new Set<string>();
  for (const call of calls.filter(({ action }) => ACTIONS.has(action))) {
    const { transactionId: _, ...payload } = call.payload;
    const identity = `${call.action} ${canonical(payload)}`;
    const last = arrivals.at(-1);
    if (last?.identity === identity) last.calls.push(call);
    else {
      if (seen.has(identity)) violations.push(`repeated after something else went: ${identity}`);
      seen.add(identity);
      arrivals.push({ identity, calls: [call] });
    }
  }
  return arrivals;
}

/** What was owed, in the order of the queue, beside what came, in the order of the wire. */
function match(owed: readonly Owed[], arrivals: readonly Arrival[], violations: string[]): ReadonlyMap<Owed, Arrival> {
  const matched = new Map<Owed, Arrival>();
  const queue = inQueue(owed, violations);
  let next = 0;
  for (const arrival of arrivals) {
    const found = queue.findIndex(({ fact }, index) => index >= next && sameFact(fact, arrival));
    const entry = queue[found];
    if (entry === undefined) violations.push(`nobody asked for it: ${arrival.identity}`);
    else {
      matched.set(entry, arrival);
      for (const { fact, durable } of queue.slice(next, found)) if (durable) violations.push(`lost: ${describe(fact)}`);
      next = found + 1;
    }
  }
  for (const { fact, durable } of queue.slice(next)) if (durable) violations.push(`lost: ${describe(fact)}`);
  return matched;
}

/**
 * A key that is used again for the same fact corrects its times, from a clock that has been set meanwhile; for another fact it shows that
 * what was asked first has never been stored.
 */
function inQueue(owed: readonly Owed[], violations: string[]): readonly Owed[] {
  const byKey = new Map<string, Owed>();
  for (const entry of owed) {
    const { fact } = entry;
    const before = byKey.get(fact.key);
    if (before?.durable === true) {
      if (timeless(before.fact) !== timeless(fact)) violations.push(`overwritten: ${describe(before.fact)}`);
      entry.durable = true;
    }
    byKey.set(fact.key, entry);
  }
  return [...byKey.values()].sort((a, b) => (a.fact.key < b.fact.key ? -1 : 1));
}

const timeless = (fact: StoredFact): string =>
  JSON.stringify(fact, (name, member: unknown) => (name === 'stamp' ? undefined : member));

const CLOCKS_AGREE_MS = 2_000;

function sameFact({ action, content }: StoredFact, { calls: [call] }: Arrival): boolean {
  if (call?.action !== action) return false;
  const { stamp, values, ...rest } = content;
  const { transactionId: _, timestamp, meterValue, ...said } = call.payload;
  const [sample] = (meterValue ?? []) as readonly { readonly timestamp: string; readonly sampledValue: unknown }[];
  const { wall } = stamp as { readonly wall: number };
  const at = Date.parse(String(sample?.timestamp ?? timestamp));
  return (
    Math.abs(at - wall) < CLOCKS_AGREE_MS &&
    canonical(rest) === canonical(said) &&
    canonical(values) === canonical(sample?.sampledValue)
  );
}

/** Only what was in flight when the link or the process went, once for each time, with a new message id. */
function judgeRepeats(
  matched: ReadonlyMap<Owed, Arrival>,
  arrivals: readonly Arrival[],
  kills: readonly bigint[],
  violations: string[],
): { readonly repeatedAfterKill: number; readonly repeatedAfterCut: number } {
  const repeatsOfLink = new Map<number, number>();
  let [repeatedAfterKill, repeatedAfterCut] = [0, 0];
  for (const { identity, calls } of arrivals) {
    calls.forEach((call, index) => {
      const before = calls[index - 1];
      if (before === undefined) return;
      if (before.id === call.id) violations.push(`repeated with the same message id: ${identity}`);
      if (before.link === call.link) violations.push(`repeated on one link: ${identity}`);
      repeatsOfLink.set(call.link, (repeatsOfLink.get(call.link) ?? 0) + 1);
      if (kills.some((ns) => ns > before.ns && ns < call.ns)) repeatedAfterKill++;
      else repeatedAfterCut++;
    });
  }
  for (const [link, repeats] of repeatsOfLink) {
    if (repeats > 1) violations.push(`${repeats} facts were repeated on link ${link}`);
  }
  for (const [{ fact, removedNs }, { calls }] of matched) {
    const late = calls.some(({ ns }) => removedNs !== undefined && ns > removedNs);
    if (late) violations.push(`sent after its confirmation was durable: ${describe(fact)}`);
  }
  return { repeatedAfterKill, repeatedAfterCut };
}

/** Message id of a StartTransaction -> the id that its confirmation gave. */
function givenIds(frames: readonly Frame[]): ReadonlyMap<string, unknown> {
  const ids = new Map<string, unknown>();
  for (const { from, message } of frames) {
    const [type, id, payload] = message as [number, string, { transactionId?: unknown } | undefined];
    if (from === 'centralSystem' && type === 3 && payload?.transactionId !== undefined)
      ids.set(id, payload.transactionId);
  }
  return ids;
}

/** One start and one stop each, counted by (connector, timestamp, meterStart); what lies between carries the id of its start. */
function judgeTransactions(
  matched: ReadonlyMap<Owed, Arrival>,
  ids: ReadonlyMap<string, unknown>,
  violations: string[],
): number {
  const starts = new Set<string>();
  const stories = new Map<string, { readonly fact: StoredFact; readonly arrival: Arrival }[]>();
  for (const [{ fact }, arrival] of matched) {
    const story = stories.get(fact.transaction) ?? [];
    story.push({ fact, arrival });
    stories.set(fact.transaction, story);
  }
  for (const [transaction, story] of stories) {
    const [start] = story;
    const stop = story.at(-1);
    const shape = story.map(({ fact }) => (fact.action[0] === 'M' ? 'm' : fact.action.slice(0, 3))).join('');
    if (!/^Stam*Sto$/.test(shape)) violations.push(`transaction ${transaction} went ${shape}`);
    const { connectorId, timestamp } = start?.arrival.calls[0]?.payload ?? {};
    const { meterStart } = start?.fact.content ?? {};
    starts.add(canonical({ connectorId, timestamp, meterStart }));
    const { meterStop } = stop?.fact.content ?? {};
    if (!(Number(meterStop) >= Number(meterStart)))
      violations.push(`${transaction} went from ${meterStart} to ${meterStop} Wh`);
    const given = ids.get(start?.arrival.calls.at(-1)?.id ?? '');
    for (const { fact, arrival } of story.slice(1)) {
      for (const { payload } of arrival.calls) {
        if (payload['transactionId'] !== given)
          violations.push(`${describe(fact)} carries ${payload['transactionId']}, not ${given}`);
      }
    }
  }
  if (starts.size !== stories.size) violations.push(`${stories.size} transactions, ${starts.size} of them distinct`);
  return stories.size;
}

const describe = ({ key, action, content }: StoredFact): string => `${key} ${action} ${canonical(content)}`;

/** JSON with its members in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${name}:${canonical(member)}`).join()}}`;
}
