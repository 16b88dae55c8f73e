/** The Store port over an open LevelDB: writes in order and in groups, and back on its feet after the medium failed. */
import { constants, open, unlink, writeFile } from 'node:fs/promises';
import type { ClassicLevel } from 'classic-level';
import { StoreError } from '../errors.ts';
import type { KeyRange, Log, Store, StoreOperation } from '../ports.ts';
import { isCorruption, storeError } from './level-error.ts';

export type Database = ClassicLevel<string, string>;

type Encoded = { readonly type: 'put'; readonly key: string; readonly value: string } | Deletion;
type Deletion = { readonly type: 'del'; readonly key: string };

interface Waiting {
  readonly operations: readonly Encoded[];
  readonly durable: boolean;
  resolve(): void;
  reject(error: StoreError): void;
}

/** Batches that wait while one is written go to the medium together: one fsync for all of them. */
const LARGEST_GROUP = 256;
/** How much one trip to LevelDB brings. */
export const READ_CHUNK_BYTES = 256 * 1024;
/** Reopening writes the log out as a table; there should be room for it. */
const PROBE_BYTES = 1024 * 1024;

/** How long after a failed write the medium is tried again, in milliseconds, if nobody else writes. */
const RETRY_MS = 10_000;

/** Empties nothing, and nothing that a link leads to: root may be at work in the folder of the service. */
const MARKING = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/** Marks a store in which corrupt data was met, so that the next start moves it aside. */
export const damageMark = (directory: string): string => `${directory}.damaged`;

export class LevelStore implements Store {
  readonly #database: Database;
  readonly #log: Log;
  readonly #retryMs: number;
  readonly #waiting: Waiting[] = [];
  /** What the keys of failed batches held before: LevelDB cannot say whether a failed write is in its log. */
  readonly #undo = new Map<string, Encoded>();
  /** A write failed: what follows it in the log may be unreadable later, so nothing follows before a reopening. */
  #suspect = false;
  #healthy = true;
  #closed = false;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  /** `database` is open and becomes ours. */
  constructor(database: Database, log: Log, retryMs = RETRY_MS) {
    this.#database = database;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  async get<T>(key: string): Promise<T | undefined> {
    const text = await this.#read(() => this.#database.get(key));
    return text === undefined ? undefined : this.#decoded<T>(key, text)[0];
  }

  /** Reads on where values turned out unreadable: who asks for pages must not take one that has a hole for the last. */
  async list<T>({ from, to, limit = Number.POSITIVE_INFINITY, reverse = false }: KeyRange) {
    let found: readonly (readonly [key: string, value: T])[] = [];
    for (let range = { gte: from, lt: to }; ; ) {
      const wanted = limit - found.length;
      const rows = await this.#read(() =>
        this.#database.iterator({ ...range, limit: wanted, reverse, highWaterMarkBytes: READ_CHUNK_BYTES }).all(),
      );
      const readable = rows.flatMap(([key, text]) => this.#decoded<T>(key, text).map((value) => [key, value] as const));
      found = found.length === 0 ? readable : [...found, ...readable];
      const last = rows.at(-1);
      if (last === undefined || rows.length < wanted || found.length === limit) return found;
      range = reverse ? { ...range, lt: last[0] } : { ...range, gte: `${last[0]}\0` };
    }
  }

  /** One batch takes one fdatasync if `durable`; relaxed ones become durable with the next durable one. */
  async batch(operations: readonly StoreOperation[], durability: 'durable' | 'relaxed'): Promise<void> {
    if (this.#closed) throw new StoreError('storeClosed', 'the store is closed');
    const encoded = operations.map(encode);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations: encoded, durable: durability === 'durable', resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Writes what was asked for before, then closes. May be called again. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    clearTimeout(this.#retry);
    await this.#database.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, LARGEST_GROUP);
      const failure = await this.#commit(group);
      for (const { resolve, reject } of group) {
        if (failure === undefined) resolve();
        else reject(failure);
      }
    }
    this.#writing = undefined;
  }

  async #commit(group: readonly Waiting[]): Promise<StoreError | undefined> {
    const operations = group.flatMap((waiting) => waiting.operations);
    const sync = group.some((waiting) => waiting.durable);
    clearTimeout(this.#retry);
    try {
      if (this.#suspect) await this.#reopen();
      await this.#write(operations, sync);
      this.#undo.clear();
      this.#healthy = true;
      return undefined;
    } catch (cause) {
      this.#healthy = false;
      this.#retryLater();
      return this.#mapped(cause);
    }
  }

  /** Who asks for `healthy` before he writes anything must not depend on somebody else who writes. */
  #retryLater(): void {
    const tryAgain = (): Promise<void> => this.batch([], 'durable').catch(() => undefined);
    this.#retry = setTimeout(() => void tryAgain(), this.#retryMs).unref();
  }

  async #write(operations: readonly Encoded[], sync: boolean): Promise<void> {
    try {
      await this.#database.batch([...this.#undo.values(), ...operations], { sync });
    } catch (failure) {
      this.#suspect = true;
      await this.#remember(operations);
      throw failure;
    }
  }

  /** A failed batch is not visible through the open handle, so what is read now is what was before. */
  async #remember(operations: readonly Encoded[]): Promise<void> {
    const keys = [...new Set(operations.map(({ key }) => key))].filter((key) => !this.#undo.has(key));
    try {
      const values = await this.#database.getMany(keys);
      keys.forEach((key, index) => {
        const value = values[index];
        this.#undo.set(key, value === undefined ? { type: 'del', key } : { type: 'put', key, value });
      });
    } catch (error) {
      this.#log.error('a failed write cannot be undone', { error });
    }
  }

  /** Only once the medium takes data again: the old handle can still read, and a failed reopening would leave none. */
  async #reopen(): Promise<void> {
    await probe(`${this.#database.location}.probe`);
    if (this.#database.status !== 'closed') await this.#database.close();
    await this.#database.open();
    this.#suspect = false;
    this.#log.warn('the store was reopened after a failed write');
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError('storeClosed', 'the store is closed');
    try {
      return await read();
    } catch (cause) {
      throw await this.#mapped(cause);
    }
  }

  async #mapped(cause: unknown): Promise<StoreError> {
    if (isCorruption(cause)) {
      this.#healthy = false;
      this.#log.error('the store is damaged: the next start moves it aside', { error: cause });
      await writeFile(damageMark(this.#database.location), '', { flag: MARKING }).catch((error: unknown) => {
        this.#log.error('the damaged store cannot be marked', { error });
      });
    }
    return storeError(cause);
  }

  /** The value, or nothing if a bad medium made it unreadable: one rotten value must not hide the others. */
  #decoded<T>(key: string, text: string): [T] | [] {
    try {
      return [JSON.parse(text) as T];
    } catch (error) {
      this.#log.error('a stored value is unreadable', { key, error });
      return [];
    }
  }
}

function encode(operation: StoreOperation): Encoded {
  const { key } = operation;
  if (operation.type === 'delete') return { type: 'del', key };
  const value = json(key, operation.value);
  return { type: 'put', key, value };
}

function json(key: string, value: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new StoreError('storeFormat', `the value of ${key} is no JSON`, { cause });
  }
  throw new StoreError('storeFormat', `the value of ${key} is no JSON`);
}

/** Rejects with the system's error unless the medium takes data. On a file of its own, not on what a link leads to. */
export async function probe(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(Buffer.alloc(PROBE_BYTES));
    await file.sync();
  } finally {
    await file.close();
    await unlink(path).catch(() => undefined);
  }
}
