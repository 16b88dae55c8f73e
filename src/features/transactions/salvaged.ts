/** The transactions that were running when their store was lost, for `chargepoint outbox recover`. */
import { type Fact, isDeadLetter, isFact } from '../../ocpp/outbox/fact.ts';
import { within } from '../../ocpp/outbox/salvaged.ts';
import type { Stamp, Store, StoreOperation } from '../../ports.ts';
import { type OpenTransaction, openKey, openRange, type StopFact, seenOf } from './facts.ts';
import { type EndedTransaction, endedOf, historyRange, TransactionHistory } from './history.ts';
import { byTime, type MeterRecord, meterDataRange } from './meter-data.ts';

export type Rows = readonly (readonly [key: string, value: unknown])[];

/** What has to be adopted along with the outbox, in the same batch. */
export interface Endings {
  /** Stops that are to be queued behind everything else, oldest transaction first. */
  readonly facts: readonly Fact[];
  readonly operations: readonly StoreOperation[];
}

/** Oldest first. A repair may bring the row of an ended transaction back: its stop, or its place in the history, tells. */
export function runningIn(rows: Rows): readonly OpenTransaction[] {
  const stops = rows.flatMap(([, value]) => stoppedBy(value));
  const history = within(rows, historyRange).map(([, value]) => (value as EndedTransaction | null)?.id);
  const ended = new Set<unknown>([...stops, ...history]);
  return within(rows, openRange)
    .map(([, value]) => value)
    .filter(isOpenTransaction)
    .filter(({ id }) => !ended.has(id))
    .sort((a, b) => a.began.wall - b.began.wall);
}

/**
 * The next start of `present` ends them as any that a loss of power has cut off, with what the register shows then. Where somebody else has
 * charged since, it shows his energy, too: such a one ends here, with what was journalled last.
 */
export async function endingsOf(
  running: readonly OpenTransaction[],
  rows: Rows,
  present: Pick<Store, 'get' | 'list'>,
): Promise<Endings> {
  const known = [
    ...(await present.list<OpenTransaction>(openRange)),
    ...(await present.list<EndedTransaction>(historyRange)),
  ].map(([, transaction]) => transaction);
  const history = new TransactionHistory(present);
  const unknown = running.filter(({ id }) => known.every((other) => other.id !== id));
  const endings = unknown.map((open, n): Endings => {
    const data = within(rows, meterDataRange(open.id));
    const isFollowed = [...known, ...unknown.slice(n + 1)].some(({ connectorId }) => connectorId === open.connectorId);
    return isFollowed ? stopOf(open, data, history) : { facts: [], operations: leftOpen(open, data) };
  });
  return { facts: endings.flatMap(({ facts }) => facts), operations: endings.flatMap(({ operations }) => operations) };
}

/** A repair may bring older values back, so nobody can vouch for when it was last seen: it ends, whatever `resumeWithinS` says. */
function leftOpen(open: OpenTransaction, data: Rows): readonly StoreOperation[] {
  const doubtful: OpenTransaction = { ...open, seen: { ...seenOf(open), trusted: false } };
  return [[openKey(open.id), doubtful] as const, ...data].map(([key, value]) => ({ type: 'put', key, value }));
}

function stopOf(open: OpenTransaction, data: Rows, history: TransactionHistory): Endings {
  const stop = { reason: 'PowerLoss', stamp: seenOf(open) } as const;
  const records = data.map(([, record]) => record as MeterRecord).sort(byTime);
  const content: StopFact = {
    ...stop,
    meterStop: open.lastWh,
    ...(records.length === 0 ? {} : { data: records }),
  };
  return {
    facts: [{ action: 'StopTransaction', transaction: open.id, content }],
    operations: history.ended(endedOf(open, stop)),
  };
}

function stoppedBy(value: unknown): readonly string[] {
  const fact = isDeadLetter(value) ? value.fact : value;
  return isFact(fact) && fact.action === 'StopTransaction' ? [fact.transaction] : [];
}

function isOpenTransaction(value: unknown): value is OpenTransaction {
  const { id, connectorId, idTag, began, seen, lastWh, offsetWh, progresses } = (value ??
    {}) as Partial<OpenTransaction>;
  return (
    typeof id === 'string' &&
    typeof connectorId === 'number' &&
    typeof idTag === 'string' &&
    typeof lastWh === 'number' &&
    typeof offsetWh === 'number' &&
    isStamp(began) &&
    (seen === undefined || isStamp(seen)) &&
    typeof progresses === 'object' &&
    progresses !== null
  );
}

const isStamp = (value: Partial<Stamp> | null | undefined): value is Stamp =>
  typeof value?.bootId === 'string' && typeof value.at === 'number' && typeof value.wall === 'number';
