/** The Store of a replay: in memory, gone at its end. */
import { StoreError } from '../../errors.ts';
import type { KeyRange, Store, StoreOperation } from '../../ports.ts';

export function memoryStore(rows: Readonly<Record<string, unknown>>): Store {
  // As text, so that a value that is changed later is not changed here.
  const texts = new Map(Object.entries(rows).map(([key, value]) => [key, JSON.stringify(value)]));
  let isClosed = false;
  const opened = (): void => {
    if (isClosed) throw new StoreError('storeClosed', 'the store is closed');
  };
  return {
    healthy: true,
    async get<T>(key: string): Promise<T | undefined> {
      opened();
      const text = texts.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    async list<T>({ from, to, limit, reverse }: KeyRange) {
      opened();
      const keys = [...texts.keys()].filter((key) => key >= from && key < to).sort();
      if (reverse === true) keys.reverse();
      return keys.slice(0, limit).map((key) => [key, JSON.parse(texts.get(key) ?? 'null') as T] as const);
    },
    async batch(operations: readonly StoreOperation[]) {
      opened();
      for (const operation of operations) {
        if (operation.type === 'delete') texts.delete(operation.key);
        else texts.set(operation.key, JSON.stringify(operation.value));
      }
    },
    async close() {
      isClosed = true;
    },
  };
}
