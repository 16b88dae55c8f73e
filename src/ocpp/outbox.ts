/**
 * The durable queue of transaction-related messages (OCPP 1.6 §3.7, §3.7.1, §4.8, §4.10; errata 3.18): strictly in order, one
 * outstanding, nothing lost, nothing twice. It knows no connector and no meter: facts are its owner's JSON.
 */
import { CallFailure, StoreError } from '../errors.ts';
import type { Cancel, Clock, Log, Store, StoreOperation, Unsubscribe } from '../ports.ts';
import {
  type Binding,
  bindingKey,
  type DeadLetter,
  type DeliveryFailure,
  deadKey,
  deadRange,
  type Fact,
  factKey,
  factsFrom,
  type Head,
  headKey,
  isDeadLetter,
  isFact,
  sequenceOf,
} from './outbox/fact.ts';
import { Ledger } from './outbox/ledger.ts';
import { judged, type Outcome, outcomeOf } from './outbox/outcome.ts';
import type { Salvaged } from './outbox/salvaged.ts';
import { standingIn } from './outbox/standing.ts';
import { type Entry, Window } from './outbox/window.ts';

/** What later messages of a transaction carry if its StartTransaction was given up (errata 3.18). */
export const UNKNOWN_TRANSACTION_ID = -1;

/** How long after a failed write or read the store is tried again, in milliseconds. */
const STORE_RETRY_MS = 10_000;
/** A StopTransaction may carry hundreds of meter values: a few of them at once are no long turn. */
const REVISED_PAGE = 10;

/**
 * Moments at which a kill must do no harm. `afterSend`: the call was handed to the peer, which may hold it back while another call of ours
 * is outstanding.
 */
export type KillPoint =
  | 'beforeStoreWrite'
  | 'afterStoreWrite'
  | 'beforeSend'
  | 'afterSend'
  | 'confReceived'
  | 'confStored';

export interface OutboxPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * One call. Resolves to the confirmation, which fits its shape; rejects with CallFailure. `late` is told a confirmation that
   * comes after the call has timed out.
   */
  send(action: Fact['action'], payload: unknown, late: (confirmation: unknown) => void): Promise<unknown>;
  /**
   * Makes the request payload, anew for each attempt. `transactionId` is what the central system gave, or -1 if that is unknown for good;
   * it is undefined for the StartTransaction itself. A throw counts as a failed attempt.
   */
  render(fact: Fact, transactionId: number | undefined): unknown;
  /**
   * What the fact will say from now on; called at `revise` and before the fact is sent for the first time. Another fact than the one given
   * replaces it durably before it is sent, so that a repetition says the same, after a kill as well.
   */
  finish?(fact: Fact): Fact;
  /** Operations that go into the same durable batch as the removal of a confirmed fact. */
  settle?(fact: Fact, confirmation: unknown): readonly StoreOperation[];
  /** After that batch is durable; while the store fails, at once: the outcome is then in memory until the store heals. */
  delivered(fact: Fact, confirmation: unknown): void;
  /** TransactionMessageAttempts; 0 counts as 1. */
  attempts(): number;
  /** TransactionMessageRetryInterval, in seconds of agent time. */
  retryIntervalS(): number;
  /** A fact became a dead letter: kept, listed, worth an alarm. */
  gaveUp(letter: DeadLetter): void;
  /** For kill tests; absent in production. */
  reached?(point: KillPoint): void;
}

export interface AddOptions {
  /** `relaxed` (samples): survives a kill at once, a power cut only with the next durable write. Default `durable`. */
  readonly durability?: 'durable' | 'relaxed';
  /**
   * For a transaction that already runs: if the store fails, keep the facts and their companions in memory, in order, and write them when
   * it heals. `add` then resolves.
   */
  readonly volatileOnFailure?: boolean;
}

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #ledger: Ledger;
  readonly #bindings = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #window: Window;
  #state: 'new' | 'open' | 'closed' = 'new';
  /** The next free sequence number. */
  #next = 0;
  /** Resolves when every `add` so far has been admitted or refused. */
  #adds: Promise<unknown> = Promise.resolve();
  #head: Head = { sequence: 0, failures: 0 };
  #paused = true;
  /** Counts `resume` calls: tells a loss of the present link from a late report about the one before. */
  #link = 0;
  #pumping = false;
  #retry: Cancel | undefined;
  /** Came while its fact waited for a retry: the fact need not be sent again. */
  #late: { readonly entry: Entry; readonly outcome: Outcome } | undefined;
  #storeRetry: Cancel | undefined;
  /** The store must do something before the next fact can go. */
  #blocked = false;
  /** A confirmation is in memory only, so the store may still hold its fact. */
  #unsettled = false;
  /** From here on facts have to be revised. */
  #unrevised: number | undefined;
  #revisions = 0;
  /** In the last step. */
  #hasRevised = false;
  /** What was handed over for sending in this process, up to this number, says the same for ever. */
  #sent = -1;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#ledger = new Ledger(ports.store);
    this.#window = new Window(this.#ledger, 0, 0);
  }

  /** Reads where delivery stood. It takes the same time for one fact and for 100,000. Rejects with StoreError. Sends nothing before `resume`. */
  async open(): Promise<void> {
    const { head, end, next, bindings } = await standingIn(this.#ports.store);
    this.#head = head;
    this.#next = next;
    for (const [transaction, transactionId] of bindings) this.#bindings.set(transaction, transactionId);
    // It was sent by the process before.
    if (head.failures > 0) this.#sent = head.sequence;
    this.#window = new Window(this.#ledger, head.sequence, end);
    this.#state = 'open';
  }

  /** Facts not yet confirmed, the one under way included, dead letters not. After a power cut an upper bound until they were read. */
  get size(): number {
    return this.#window.size;
  }

  /**
   * Queues facts, in order, in one atomic batch with their companions. Resolves when that is durable; sending does not wait for other
   * adds, nor they for it. Rejects with StoreError: then nothing of it happened. Keys that once went `alongside` or through
   * `settle` must be written only in these ways (`add([], operations)` is allowed), so that what is owed never overwrites newer.
   */
  async add(
    facts: readonly Fact[],
    alongside: readonly StoreOperation[] = [],
    options: AddOptions = {},
  ): Promise<void> {
    if (this.#state !== 'open') throw new StoreError('storeClosed', 'the outbox is not open');
    const added = this.#addAfter(this.#adds, facts, alongside, options);
    // Without its result, which would hold that of the one before, and so on back to the first.
    this.#adds = Promise.allSettled([this.#adds, added]).then(() => undefined);
    return added;
  }

  /** Everything up to asking for the write happens at once. */
  async #addAfter(
    before: Promise<unknown>,
    facts: readonly Fact[],
    alongside: readonly StoreOperation[],
    options: AddOptions,
  ): Promise<void> {
    const first = this.#next;
    this.#next += facts.length;
    const puts = facts.map((value, index) => ({ type: 'put', key: factKey(first + index), value }) as const);
    this.#reached('beforeStoreWrite');
    try {
      await this.#write([...puts, ...alongside], options);
    } catch (failure) {
      if (this.#next === first + facts.length) this.#next = first;
      throw failure;
    }
    this.#reached('afterStoreWrite');
    if (facts.length === 0) return;
    // Writes that settle in one turn (a group of the store) come here in any order; the window is told in that of the numbers.
    await before;
    this.#window.admit(first, facts);
    this.#changed();
    this.#pump();
  }

  /**
   * Takes over what another store held: facts behind the present ones, dead letters, and bindings of transactions unknown here; in one
   * atomic batch with its companions.
   */
  async adopt(salvaged: Salvaged, alongside: readonly StoreOperation[] = []): Promise<void> {
    const bindings = salvaged.bindings.filter(([transaction]) => !this.#bindings.has(transaction));
    const firstLetter = this.#next;
    this.#next += salvaged.deadLetters.length;
    await this.add(salvaged.facts, [
      ...salvaged.deadLetters.map((letter, index) => put(deadKey(firstLetter + index), letter)),
      ...bindings.map(([transaction, transactionId]) => bind(transaction, transactionId)),
      ...alongside,
    ]);
    for (const [transaction, transactionId] of bindings) this.#bindings.set(transaction, transactionId);
  }

  /** The link is up and the registration Accepted: go on sending. */
  resume(): void {
    this.#link++;
    this.#paused = false;
    this.#pump();
  }

  /** Sends nothing new until `resume`. A call under way may still be confirmed. A retry interval goes on running. */
  pause(): void {
    this.#paused = true;
  }

  /** Asks `finish` for every fact that waits, durably and in turn with the sending: the owner knows now what it did not know before. */
  revise(): void {
    this.#revisions++;
    this.#unrevised = this.#window.start;
    this.#pump();
  }

  /** The oldest unconfirmed facts, oldest first. Rejects with StoreError. */
  async pending(limit: number): Promise<readonly Fact[]> {
    const rows = await this.#ledger.list({ ...factsFrom(this.#window.start, this.#next), limit });
    return rows.map(([, value]) => value).filter(isFact);
  }

  /** The oldest dead letters, oldest first. Rejects with StoreError. */
  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await this.#ledger.list({ ...deadRange, limit });
    return rows.map(([, value]) => value).filter(isDeadLetter);
  }

  /**
   * The id that StartTransaction.conf gave, exactly (0, negative and non-Accepted ones too; beyond 2^53 JSON has rounded it), or -1 if the
   * Start was given up. Undefined before that, and again once the Stop is done.
   */
  transactionId(transaction: string): number | undefined {
    return this.#bindings.get(transaction);
  }

  /** Called when `size`, a binding or the dead letters changed. */
  onChange(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for writes under way; a confirmation that comes later is ignored, so that its fact is sent again after the next start. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#retry?.();
    this.#storeRetry?.();
    if (this.#ledger.owing) await this.#ledger.writeOrOwe([]);
    await this.#ledger.quiet();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#drain();
  }

  // Between the last look at #ready and #pumping = false nothing may wait, or a wake-up would be lost.
  async #drain(): Promise<void> {
    while (this.#ready()) await this.#step();
    this.#pumping = false;
  }

  #ready(): boolean {
    return this.#state === 'open' && (this.#mayRevise || this.#maySend);
  }

  get #maySend(): boolean {
    return !this.#paused && !this.#blocked && this.#retry === undefined && this.#window.size > 0;
  }

  /** A store that fails does not hold up the sending: it is tried again first. */
  get #mayRevise(): boolean {
    return this.#unrevised !== undefined && this.#storeRetry === undefined;
  }

  async #step(): Promise<void> {
    // In turn: a long queue is not to wait until all of it has been looked at.
    this.#hasRevised = this.#mayRevise && !(this.#hasRevised && this.#maySend);
    if (this.#hasRevised) return this.#revise();
    const entry = this.#window.first;
    if (entry === undefined) return this.#fill();
    // At most one fact that the store holds may be confirmed in memory only: more would be sent twice after a kill. Facts that
    // are in memory only die with the process and cannot be sent twice.
    if (this.#unsettled && !this.#ledger.owes(factKey(entry.sequence))) return this.#block();
    const finished = entry.sequence > this.#sent ? this.#finished(entry.fact) : entry.fact;
    if (finished !== entry.fact) return this.#replace(entry, finished);
    await this.#attempt(entry);
  }

  #finished(fact: Fact): Fact {
    return this.#guarded('finish', () => this.#ports.finish?.(fact)) ?? fact;
  }

  /** One page. Nothing is sent or removed meanwhile; what is added meanwhile is behind it. */
  async #revise(): Promise<void> {
    // What was asked for before is in the store then.
    await this.#adds;
    const revision = this.#revisions;
    const from = Math.max(this.#unrevised ?? 0, this.#window.start, this.#sent + 1);
    try {
      const rows = await this.#ledger.list({ ...factsFrom(from, this.#next), limit: REVISED_PAGE });
      const revised = rows.flatMap(([key, fact]) => {
        const finished = isFact(fact) ? this.#finished(fact) : fact;
        return finished === fact ? [] : [[key, finished as Fact] as const];
      });
      if (revised.length > 0)
        await this.#write(
          revised.map(([key, fact]) => put(key, fact)),
          {},
        );
      for (const [key, fact] of revised) this.#window.replace(sequenceOf(key), fact);
      const last = rows.at(-1);
      // Unless somebody has asked for all of it once more meanwhile.
      if (this.#revisions === revision) this.#unrevised = last === undefined ? undefined : sequenceOf(last[0]) + 1;
    } catch (error) {
      if (this.#state === 'closed') return;
      this.#ports.log.error('the facts that wait cannot be revised', { error });
      this.#armStoreRetry();
    }
  }

  /** What is in memory only stays so: it cannot be repeated after a kill. */
  async #replace({ sequence }: Entry, fact: Fact): Promise<void> {
    const key = factKey(sequence);
    try {
      await this.#write([put(key, fact)], { volatileOnFailure: this.#ledger.owes(key) });
      this.#window.replace(sequence, fact);
    } catch (error) {
      this.#ports.log.error('a fact cannot be finished before it is sent', { ...named(fact), error });
      this.#block();
    }
  }

  async #fill(): Promise<void> {
    const before = this.size;
    try {
      await this.#window.fill();
    } catch (error) {
      this.#ports.log.error('the outbox cannot be read', { error });
      this.#block();
    }
    if (this.size !== before) this.#changed();
  }

  async #attempt(entry: Entry): Promise<void> {
    const link = this.#link;
    const outcome = this.#late?.entry === entry ? this.#late.outcome : await this.#call(entry);
    this.#late = undefined;
    if (this.#state === 'closed') return;
    if (outcome.type === 'confirmed') return this.#confirmed(entry, outcome.confirmation);
    if (outcome.type === 'failed') return this.#failed(entry, outcome.failure);
    if (link === this.#link) this.#paused = true;
  }

  #onLate(entry: Entry, confirmation: unknown): void {
    const outcome = judged(entry.fact, confirmation);
    if (this.#retry === undefined || this.#window.first !== entry || outcome.type !== 'confirmed') return;
    this.#ports.log.info('a confirmation came late', named(entry.fact));
    this.#retry();
    this.#retry = undefined;
    this.#late = { entry, outcome };
    this.#pump();
  }

  async #call(entry: Entry): Promise<Outcome> {
    const { fact } = entry;
    try {
      const payload = this.#ports.render(fact, this.#idFor(fact));
      this.#sent = entry.sequence;
      this.#reached('beforeSend');
      const answer = this.#ports.send(fact.action, payload, (confirmation) => this.#onLate(entry, confirmation));
      this.#reached('afterSend');
      const confirmation = await answer;
      this.#reached('confReceived');
      return judged(fact, confirmation);
    } catch (thrown) {
      if (!(thrown instanceof CallFailure))
        this.#ports.log.error('a fact cannot be sent', { ...named(fact), error: thrown });
      return outcomeOf(fact, thrown);
    }
  }

  #idFor(fact: Fact): number | undefined {
    if (fact.action === 'StartTransaction') return undefined;
    const id = this.#bindings.get(fact.transaction);
    if (id === undefined) this.#ports.log.warn('no StartTransaction is known for this fact', named(fact));
    return id ?? UNKNOWN_TRANSACTION_ID;
  }

  async #confirmed(entry: Entry, confirmation: unknown): Promise<void> {
    const { fact } = entry;
    const { settle } = this.#ports;
    const given = fact.action === 'StartTransaction' ? (confirmation as Binding).transactionId : undefined;
    const companions = this.#guarded('settle', () => settle?.call(this.#ports, fact, confirmation)) ?? [];
    await this.#retire(entry, given, companions);
    this.#reached('confStored');
    this.#guarded('delivered', () => this.#ports.delivered(fact, confirmation));
    this.#changed();
  }

  /** OCPP 1.6 §3.7.1: wait retryInterval x preceding transmissions, or give up. */
  async #failed(entry: Entry, failure: DeliveryFailure): Promise<void> {
    const { attempts: allowed, retryIntervalS } = this.#ports;
    const { clock, log } = this.#ports;
    const before = this.#head.sequence === entry.sequence ? this.#head.failures : 0;
    const attempts = before + 1;
    log.warn('a fact was not processed', { ...named(entry.fact), attempts, failure });
    if (attempts >= Math.max(1, allowed.call(this.#ports))) return this.#giveUp(entry, attempts, failure);
    this.#head = { sequence: entry.sequence, failures: attempts };
    // Counted across restarts, because the limit is per message and a poison one must not block for as long as restarts go on.
    // Relaxed: a power cut costs one more attempt at most.
    this.#retry = clock.after(retryIntervalS.call(this.#ports) * 1000 * attempts, () => {
      this.#retry = undefined;
      this.#pump();
    });
    await this.#write([put(headKey, this.#head)], { durability: 'relaxed', volatileOnFailure: true });
  }

  async #giveUp({ sequence, fact }: Entry, attempts: number, failure: DeliveryFailure): Promise<void> {
    const { clock } = this.#ports;
    const at = clock.now();
    const gaveUpAt = { bootId: clock.bootId, at, wall: clock.wall(at), trusted: clock.trusted };
    const letter: DeadLetter = { fact, attempts, failure, gaveUpAt };
    const given = fact.action === 'StartTransaction' ? UNKNOWN_TRANSACTION_ID : undefined;
    await this.#retire({ sequence, fact }, given, [put(deadKey(sequence), letter)]);
    this.#guarded('gaveUp', () => this.#ports.gaveUp(letter));
    this.#changed();
  }

  /** The oldest fact is done: one batch removes it, moves the head, keeps or drops the binding, and carries the companions. */
  async #retire(entry: Entry, given: number | undefined, companions: readonly StoreOperation[]): Promise<void> {
    const { sequence, fact } = entry;
    this.#head = { sequence: sequence + 1, failures: 0 };
    const ended = fact.action === 'StopTransaction';
    await this.#write(
      [
        { type: 'delete', key: factKey(sequence) },
        put(headKey, this.#head),
        ...(given === undefined ? [] : [bind(fact.transaction, given)]),
        ...(ended ? [{ type: 'delete', key: bindingKey(fact.transaction) } as const] : []),
        ...companions,
      ],
      { volatileOnFailure: true },
    );
    if (this.#ledger.owing) this.#unsettled = true;
    if (given !== undefined) this.#bindings.set(fact.transaction, given);
    if (ended) this.#bindings.delete(fact.transaction);
    this.#window.shift();
  }

  async #write(operations: readonly StoreOperation[], options: AddOptions): Promise<void> {
    const failing = this.#ledger.owing;
    try {
      await this.#writeNow(operations, options);
    } finally {
      if (this.#storeFails) this.#armStoreRetry();
      else if (failing) this.#healed();
    }
  }

  async #writeNow(operations: readonly StoreOperation[], { durability, volatileOnFailure }: AddOptions): Promise<void> {
    const failing = this.#ledger.owing;
    if (volatileOnFailure !== true) return this.#ledger.write(operations, durability ?? 'durable');
    const failure = await this.#ledger.writeOrOwe(operations, durability);
    if (failure !== undefined && !failing) this.#ports.log.error('the store fails: facts stay in memory', { failure });
  }

  get #storeFails(): boolean {
    return this.#ledger.owing || !this.#ports.store.healthy;
  }

  #healed(): void {
    this.#ports.log.info('the store works again: all facts are durable');
    this.#unsettled = false;
    this.#blocked = false;
    this.#pump();
  }

  #block(): void {
    this.#blocked = true;
    this.#armStoreRetry();
  }

  #armStoreRetry(): void {
    if (this.#state !== 'open') return;
    this.#storeRetry ??= this.#ports.clock.after(STORE_RETRY_MS, () => {
      this.#storeRetry = undefined;
      void this.#tryStore();
    });
  }

  /** Also with nothing owed: nobody begins a transaction while the store counts as broken, so nobody else would write. */
  async #tryStore(): Promise<void> {
    if (this.#storeFails) await this.#write([put(headKey, this.#head)], {}).catch(() => undefined);
    this.#blocked = false;
    this.#pump();
  }

  #reached(point: KillPoint): void {
    this.#ports.reached?.(point);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) this.#guarded('onChange', listener);
  }

  /** What the owner throws must not stop the queue. */
  #guarded<T>(what: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#ports.log.error(`the outbox's owner failed in ${what}`, { error });
      return undefined;
    }
  }
}

/** For the log: which fact, without its content, which may be long and names people. */
const named = ({ action, transaction }: Fact): Record<string, unknown> => ({ action, transaction });

const put = (key: string, value: unknown): StoreOperation => ({ type: 'put', key, value });
const bind = (transaction: string, transactionId: number): StoreOperation =>
  put(bindingKey(transaction), { transactionId } satisfies Binding);
