/** The Store of a virtual charge point: memory-level for what a process sees, a second one for what a power cut leaves. */
import { MemoryLevel } from 'memory-level';
import { StoreError } from '../../src/errors.ts';
import type { KeyRange, Store, StoreOperation } from '../../src/ports.ts';

type Level = MemoryLevel<string, string>;
type Encoded = { type: 'put'; key: string; value: string } | { type: 'del'; key: string };

const newLevel = (): Level => new MemoryLevel<string, string>({ storeEncoding: 'utf8' });

/**
 * The disk outlives the stores opened on it: `open` again after `kill` (the process died, everything written stays) or `powerCut`
 * (relaxed batches since the last durable one are gone).
 */
export class MemoryDisk {
  /** What the file system would give back to a new process. */
  #written = newLevel();
  /** What is on the medium. */
  #durable = newLevel();
  /** Written, but not durable yet. */
  #relaxed: Encoded[] = [];
  #writesFail = false;
  #readsFail = false;
  #meanwhile: { readonly prefix: string; readonly then: () => unknown } | undefined;
  #current: MemoryStore | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  /** Batches that reached the medium, for counting. */
  durableBatches = 0;

  open(): Store {
    if (this.#current !== undefined) throw new Error('kill the process that holds the disk first');
    this.#current = new MemoryStore(this);
    return this.#current;
  }

  /** The store was closed in good order. */
  released(): void {
    this.#current = undefined;
  }

  /** Every write rejects with `storeBroken` and changes nothing. */
  failWrites(on: boolean): void {
    this.#writesFail = on;
  }

  failReads(on: boolean): void {
    this.#readsFail = on;
  }

  /** Calls `then` once, while the next batch with such a key is on its way; the disk takes as long as that does. */
  during(prefix: string, then: () => unknown): void {
    this.#meanwhile = { prefix, then };
  }

  get writesFail(): boolean {
    return this.#writesFail;
  }

  /** The process is gone: the open store does nothing more, everything written stays. Resolves when the disk is at rest. */
  async kill(): Promise<void> {
    this.#current?.die();
    this.#current = undefined;
    await this.#underWay;
  }

  /** The mains are gone: only what was durable stays. */
  async powerCut(): Promise<void> {
    await this.kill();
    this.#relaxed = [];
    this.#written = newLevel();
    await this.#written.batch(
      (await this.#durable.iterator().all()).map(([key, value]) => ({ type: 'put', key, value })),
    );
  }

  async read<T>(range: Required<Pick<KeyRange, 'from' | 'to'>> & KeyRange): Promise<[string, T][]> {
    if (this.#readsFail) throw new StoreError('storeBroken', 'reads are made to fail');
    const { from, to, limit, reverse } = range;
    const rows = await this.#written
      .iterator({ gte: from, lt: to, limit: limit ?? -1, reverse: reverse ?? false })
      .all();
    return rows.map(([key, text]) => [key, JSON.parse(text) as T]);
  }

  write(operations: readonly Encoded[], durable: boolean): Promise<void> {
    const write = this.#write(operations, durable);
    this.#underWay = write.catch(() => undefined);
    return write;
  }

  async #write(operations: readonly Encoded[], durable: boolean): Promise<void> {
    if (this.#writesFail) throw new StoreError('storeBroken', 'writes are made to fail');
    const meanwhile = this.#meanwhile;
    if (meanwhile !== undefined && operations.some(({ key }) => key.startsWith(meanwhile.prefix))) {
      this.#meanwhile = undefined;
      await meanwhile.then();
    }
    this.#relaxed.push(...operations);
    await this.#written.batch([...operations]);
    if (!durable) return;
    const flushed = this.#relaxed;
    this.#relaxed = [];
    this.durableBatches++;
    await this.#durable.batch(flushed);
  }
}

class MemoryStore implements Store {
  readonly #disk: MemoryDisk;
  #last: Promise<unknown> = Promise.resolve();
  #failed = false;
  #closed = false;
  #dead = false;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  get healthy(): boolean {
    return !this.#failed && !this.#disk.writesFail;
  }

  /** From now on nothing has an effect and no promise settles, as if the process had been killed. */
  die(): void {
    this.#dead = true;
  }

  async get<T>(key: string): Promise<T | undefined> {
    const [row] = await this.#alive(() => this.#disk.read<T>({ from: key, to: `${key}\0`, limit: 1 }));
    return row?.[1];
  }

  list<T>(range: KeyRange): Promise<readonly (readonly [key: string, value: T])[]> {
    return this.#alive(() => this.#disk.read<T>(range));
  }

  batch(operations: readonly StoreOperation[], durability: 'durable' | 'relaxed'): Promise<void> {
    const encoded = operations.map(encode);
    const write = this.#last.then(() => this.#alive(() => this.#disk.write(encoded, durability === 'durable')));
    this.#last = write.then(
      () => {
        this.#failed = false;
      },
      () => {
        this.#failed = true;
      },
    );
    return write;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    this.#disk.released();
  }

  async #alive<T>(action: () => Promise<T>): Promise<T> {
    if (this.#dead) return new Promise<never>(() => undefined);
    if (this.#closed) throw new StoreError('storeClosed', 'the store is closed');
    const result = await action();
    return this.#dead ? new Promise<never>(() => undefined) : result;
  }
}

/** Encoded at once, as a real store does, so that a later change of the value is not stored. */
function encode(operation: StoreOperation): Encoded {
  const { key } = operation;
  if (operation.type === 'delete') return { type: 'del', key };
  const value: string | undefined = JSON.stringify(operation.value);
  if (value === undefined) throw new StoreError('storeFormat', `the value of ${key} is no JSON`);
  return { type: 'put', key, value };
}
