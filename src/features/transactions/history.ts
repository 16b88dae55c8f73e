/** The last transactions, for whoever asks at the charge point: written along with their stops, so that it costs no write of its own. */
import type { StopReason } from '../../core/connector/state.ts';
import { deadRange, factsFrom, headKey, isDeadLetter, isFact, isHead } from '../../ocpp/outbox/fact.ts';
import type { KeyRange, Stamp, Store, StoreOperation } from '../../ports.ts';
import { type OpenTransaction, openRange } from './facts.ts';

/** A transaction whose stop is durable. */
export interface EndedTransaction {
  readonly id: string;
  readonly connectorId: number;
  readonly idTag: string;
  readonly began: Stamp;
  readonly ended: Stamp;
  /** Whole Wh of the register; absent: begun by a release that did not keep it. */
  readonly startWh?: number;
  readonly stopWh: number;
  readonly reason: StopReason;
  /** Absent: the central system had not given it by then. */
  readonly transactionId?: number;
}

/** What stays of a transaction when it ends. */
export const endedOf = (
  { id, connectorId, idTag, began, startWh, lastWh }: OpenTransaction,
  { reason, stamp }: { readonly reason: StopReason; readonly stamp: Stamp },
): EndedTransaction => ({
  id,
  connectorId,
  idTag,
  began,
  ended: stamp,
  ...(startWh === undefined ? {} : { startWh }),
  stopWh: lastWh,
  reason,
});

export const HISTORY_LENGTH = 200;
const PREFIX = 'ended/';
export const historyRange: KeyRange = { from: PREFIX, to: 'ended0' };
const DIGITS = 15;

const keyOf = ({ id, ended }: EndedTransaction): string =>
  `${PREFIX}${String(Math.max(0, Math.round(ended.wall))).padStart(DIGITS, '0')}/${id}`;

type Readable = Pick<Store, 'list' | 'get'>;

/** Bounded: what is too old goes with the next batch. */
export class TransactionHistory {
  readonly #store: Readable;
  /** Keys that the next batch deletes. */
  #surplus: readonly string[] = [];
  /** Those of this boot whose id is not known yet. */
  readonly #unnumbered = new Map<string, EndedTransaction>();

  constructor(store: Readable) {
    this.#store = store;
  }

  /** For the batch of its stop. */
  ended(transaction: EndedTransaction): readonly StoreOperation[] {
    if (transaction.transactionId === undefined && this.#unnumbered.size < HISTORY_LENGTH)
      this.#unnumbered.set(transaction.id, transaction);
    const surplus = this.#surplus.map((key): StoreOperation => ({ type: 'delete', key }));
    return [{ type: 'put', key: keyOf(transaction), value: transaction }, ...surplus];
  }

  /** For the batch in which StartTransaction.conf is taken in, later than the stop. */
  numbered(id: string, transactionId: number): readonly StoreOperation[] {
    const transaction = this.#unnumbered.get(id);
    if (transaction === undefined) return [];
    this.#unnumbered.delete(id);
    return [{ type: 'put', key: keyOf(transaction), value: { ...transaction, transactionId } }];
  }

  /** After the batch: nobody waits for it. Never rejects. */
  async tidy(): Promise<void> {
    try {
      const rows = await this.#store.list<unknown>({ ...historyRange, reverse: true });
      this.#surplus = rows.slice(HISTORY_LENGTH).map(([key]) => key);
    } catch {
      // The next stop looks again.
    }
  }
}

/** `running`: no stop yet. `waiting`: the central system has not confirmed it. `deadLettered`: something of it was given up. */
export type Delivery = 'running' | 'waiting' | 'delivered' | 'deadLettered';

export interface SessionView {
  readonly id: string;
  readonly connectorId: number;
  readonly idTag: string;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number | null;
  /** One of the two times was a guess: the clock was not set. */
  readonly doubtful: boolean;
  readonly energyWh: number | null;
  readonly reason: StopReason | null;
  readonly transactionId: number | null;
  readonly delivery: Delivery;
}

/** The last transactions, newest first, those that run before all others. Rejects with StoreError. */
export async function sessionsIn(store: Readable, last: number): Promise<readonly SessionView[]> {
  const [open, ended, letters] = await Promise.all([
    store.list<OpenTransaction>(openRange),
    store.list<EndedTransaction>({ ...historyRange, reverse: true, limit: last }),
    store.list<unknown>(deadRange),
  ]);
  const waiting = await waitingIn(store, new Set(ended.map(([, { id }]) => id)));
  const dead = new Set(letters.flatMap(([, letter]) => (isDeadLetter(letter) ? [letter.fact.transaction] : [])));
  const running = open.map(([, transaction]) => viewOfRunning(transaction)).sort((a, b) => b.began - a.began);
  return [
    ...running,
    ...ended.map(([, transaction]) => viewOf(transaction, deliveryOf(transaction, waiting, dead))),
  ].slice(0, last);
}

function deliveryOf({ id }: EndedTransaction, waiting: ReadonlySet<string>, dead: ReadonlySet<string>): Delivery {
  if (waiting.has(id)) return 'waiting';
  return dead.has(id) ? 'deadLettered' : 'delivered';
}

const PAGE = 200;

/** Which of these the outbox still holds something of; in pages, because it may be long. */
async function waitingIn(store: Readable, wanted: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const head = await store.get<unknown>(headKey);
  for (let range: KeyRange = { ...factsFrom(isHead(head) ? head.sequence : 0), limit: PAGE }; ; ) {
    const rows = await store.list<unknown>(range);
    for (const [, fact] of rows) if (isFact(fact) && wanted.has(fact.transaction)) found.add(fact.transaction);
    const end = rows.at(-1);
    if (end === undefined || found.size === wanted.size) return found;
    range = { ...range, from: `${end[0]}\0` };
  }
}

const viewOf = (
  { id, connectorId, idTag, began, ended, startWh, stopWh, reason, transactionId }: EndedTransaction,
  delivery: Delivery,
): SessionView => ({
  id,
  connectorId,
  idTag,
  began: began.wall,
  ended: ended.wall,
  doubtful: !began.trusted || !ended.trusted,
  energyWh: startWh === undefined ? null : stopWh - startWh,
  reason,
  transactionId: transactionId ?? null,
  delivery,
});

const viewOfRunning = ({ id, connectorId, idTag, began, startWh, lastWh }: OpenTransaction): SessionView => ({
  id,
  connectorId,
  idTag,
  began: began.wall,
  ended: null,
  doubtful: !began.trusted,
  energyWh: startWh === undefined ? null : lastWh - startWh,
  reason: null,
  transactionId: null,
  delivery: 'running',
});
