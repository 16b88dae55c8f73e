/** The bench's broken storage: a store whose writes can be made to fail. */
import { StoreError } from '../errors.ts';
import type { Store } from '../ports.ts';

export interface FailableStore {
  readonly store: Store;
  /** While on, every write rejects with `storeBroken` and `healthy` is false at once; reads go on. Off: as the store itself says. */
  fail(on: boolean): void;
}

export function failable(inner: Store): FailableStore {
  let failing = false;
  let underWay: Promise<unknown> = Promise.resolve();
  const store: Store = {
    get healthy() {
      return !failing && inner.healthy;
    },
    get: (key) => inner.get(key),
    list: (range) => inner.list(range),
    batch: (operations, durability) => {
      // Batches settle in the order in which they were asked for, the failing ones too.
      const write = failing ? underWay.then(refuse) : inner.batch(operations, durability);
      underWay = write.catch(() => undefined);
      return write;
    },
    close: () => inner.close(),
  };
  return {
    store,
    fail: (on) => {
      failing = on;
    },
  };
}

function refuse(): never {
  throw new StoreError('storeBroken', 'the bench makes every write fail');
}
