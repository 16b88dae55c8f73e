/** Security events: the log of the newest ones, and the queue of those that the central system is told (security whitepaper, A04 and section 8). */
import type { Clock, KeyRange, Log, Stamp, Store, StoreOperation, Unsubscribe } from '../../ports.ts';
import type { SecurityEvents, SecurityLogEntry, WaitingEvent } from '../feature.ts';
import { SECURITY_EVENTS } from '../security-event.ts';
import { stampNow, trueStamp } from '../stamp.ts';

export interface SecurityEventsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** A rolling log (A04.FR.04). */
const KEPT = 1000;
/** So many wait for a central system that cannot be reached; the oldest is given up first, it stays in the log. */
const MOST_WAITING = 200;
const LONGEST_TYPE = 50;
const LONGEST_INFO = 255;
const DIGITS = 12;

const LOG_PREFIX = 'security/log/';
const QUEUE_PREFIX = 'security/queue/';
const LOG_RANGE: KeyRange = { from: LOG_PREFIX, to: 'security/log0' };
/** What waits to be told is of no use to another central system. */
export const QUEUED_EVENTS: KeyRange = { from: QUEUE_PREFIX, to: 'security/queue0' };

const LOGGED_ONLY: ReadonlySet<string> = new Set(
  Object.entries(SECURITY_EVENTS).flatMap(([type, where]) => (where === 'logged' ? [type] : [])),
);
/** Happens at every start: an entry that a power cut takes along is made again at once. */
const NOT_SYNCED: ReadonlySet<string> = new Set(['StartupOfTheDevice']);

interface Entry {
  readonly type: string;
  readonly techInfo?: string;
  readonly stamp: Stamp;
}

export class SecurityEventLog implements SecurityEvents {
  readonly #options: SecurityEventsOptions;
  readonly #listeners = new Set<(type: string) => void>();
  #queue: { readonly number: number; readonly entry: Entry }[] = [];
  #next = 1;

  constructor(options: SecurityEventsOptions) {
    this.#options = options;
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    const { store } = this.#options;
    const [logged, queued] = await Promise.all([
      store.list<Entry>({ ...LOG_RANGE, reverse: true, limit: 1 }),
      store.list<Entry>(QUEUED_EVENTS),
    ]);
    this.#queue = queued.map(([key, entry]) => ({ number: numberOf(key, QUEUE_PREFIX), entry }));
    const newest = logged.map(([key]) => numberOf(key, LOG_PREFIX));
    this.#next = Math.max(0, ...newest, ...this.#queue.map(({ number }) => number)) + 1;
    const { clock } = this.#options;
    clock.onTrusted(() => this.#keepTrueTimes());
    // A process before this one, of the same boot, may have left guesses.
    if (clock.trusted) this.#keepTrueTimes();
  }

  report(type: string, techInfo?: string): void {
    const { clock, log } = this.#options;
    const entry: Entry = {
      type: type.slice(0, LONGEST_TYPE),
      ...(techInfo === undefined ? {} : { techInfo: techInfo.slice(0, LONGEST_INFO) }),
      stamp: stampNow(clock),
    };
    log.warn(`security event ${entry.type}`, techInfo === undefined ? {} : { techInfo: entry.techInfo });
    const number = this.#next++;
    const operations: StoreOperation[] = [
      { type: 'put', key: keyOf(LOG_PREFIX, number), value: entry },
      ...(number > KEPT ? [{ type: 'delete', key: keyOf(LOG_PREFIX, number - KEPT) } as const] : []),
    ];
    const isTold = !LOGGED_ONLY.has(entry.type);
    if (isTold) {
      operations.push({ type: 'put', key: keyOf(QUEUE_PREFIX, number), value: entry }, ...this.#makeRoom());
      this.#queue.push({ number, entry });
    }
    this.#write(operations, isTold && !NOT_SYNCED.has(entry.type) ? 'durable' : 'relaxed');
    if (isTold) for (const listener of [...this.#listeners]) listener(entry.type);
  }

  async entries(from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): Promise<readonly SecurityLogEntry[]> {
    const rows = await this.#options.store.list<Entry>(LOG_RANGE);
    return rows.map(([, entry]) => this.#told(entry)).filter(({ wall }) => wall >= from && wall <= to);
  }

  get first(): WaitingEvent | undefined {
    const head = this.#queue[0];
    return head && { number: head.number, ...this.#told(head.entry) };
  }

  /** A power cut may bring it back: then it is told twice, which is better than an fsync for each. */
  told(number: number): void {
    if (this.#queue[0]?.number !== number) return;
    this.#queue.shift();
    this.#write([{ type: 'delete', key: keyOf(QUEUE_PREFIX, number) }], 'relaxed');
  }

  onWaiting(listener: (type: string) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #makeRoom(): readonly StoreOperation[] {
    if (this.#queue.length < MOST_WAITING) return [];
    const oldest = this.#queue.shift();
    return oldest === undefined ? [] : [{ type: 'delete', key: keyOf(QUEUE_PREFIX, oldest.number) }];
  }

  /** The time of an event of this boot follows the clock, which may have become trusted since. */
  #told({ type, techInfo, stamp }: Entry): SecurityLogEntry {
    const { clock } = this.#options;
    const wall = stamp.bootId === clock.bootId && !stamp.trusted ? clock.wall(stamp.at) : stamp.wall;
    return { wall, type, ...(techInfo === undefined ? {} : { techInfo }) };
  }

  /** Another boot cannot tell any more when it was. */
  #keepTrueTimes(): void {
    const { clock } = this.#options;
    const guessed = this.#queue;
    this.#queue = guessed.map((waiting) => {
      const stamp = trueStamp(waiting.entry.stamp, clock);
      return stamp === waiting.entry.stamp ? waiting : { ...waiting, entry: { ...waiting.entry, stamp } };
    });
    const corrected = this.#queue.filter((waiting, index) => waiting !== guessed[index]);
    if (corrected.length === 0) return;
    this.#write(
      corrected.map(({ number, entry }) => ({ type: 'put', key: keyOf(QUEUE_PREFIX, number), value: entry })),
      'durable',
    );
  }

  #write(operations: readonly StoreOperation[], durability: 'durable' | 'relaxed'): void {
    this.#options.store.batch(operations, durability).catch((cause: unknown) => {
      this.#options.log.error('a security event could not be stored', { cause });
    });
  }
}

const keyOf = (prefix: string, number: number): string => prefix + String(number).padStart(DIGITS, '0');
const numberOf = (key: string, prefix: string): number => Number(key.slice(prefix.length)) || 0;
