/** Where delivery stood when the last process ended: read in the same time for one fact and for 100,000. */
import type { Store } from '../../ports.ts';
import {
  bindingRange,
  deadRange,
  factsFrom,
  type Head,
  headKey,
  isBinding,
  isHead,
  sequenceOf,
  transactionOf,
} from './fact.ts';

const PAGE = 100;

export interface Standing {
  readonly head: Head;
  /** Behind the last fact that waits. */
  readonly end: number;
  /** The next free sequence number. */
  readonly next: number;
  readonly bindings: ReadonlyMap<string, number>;
}

type Readable = Pick<Store, 'get' | 'list'>;

/** Rejects with StoreError. */
export async function standingIn(store: Readable): Promise<Standing> {
  const kept = await store.get<unknown>(headKey);
  const head = isHead(kept) ? kept : { sequence: 0, failures: 0 };
  const [last] = await store.list<unknown>({ ...factsFrom(head.sequence), limit: 1, reverse: true });
  const [letter] = await store.list<unknown>({ ...deadRange, limit: 1, reverse: true });
  const end = last === undefined ? head.sequence : sequenceOf(last[0]) + 1;
  // A letter that was adopted may have a number behind those of all facts.
  const next = Math.max(end, letter === undefined ? 0 : sequenceOf(letter[0]) + 1);
  return { head, end, next, bindings: await bindingsIn(store) };
}

async function bindingsIn(store: Readable): Promise<ReadonlyMap<string, number>> {
  const bindings = new Map<string, number>();
  for (let range = { ...bindingRange, limit: PAGE }; ; ) {
    const rows = await store.list<unknown>(range);
    for (const [key, value] of rows) {
      if (isBinding(value)) bindings.set(transactionOf(key), value.transactionId);
    }
    const last = rows.at(-1);
    if (last === undefined) return bindings;
    range = { ...range, from: `${last[0]}\0` };
  }
}
