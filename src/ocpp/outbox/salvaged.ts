/** Reads the outbox out of the rows of a damaged store, for `chargepoint outbox recover`. */

import type { KeyRange } from '../../ports.ts';
import {
  bindingRange,
  type DeadLetter,
  deadRange,
  type Fact,
  factKey,
  factsFrom,
  headKey,
  isBinding,
  isDeadLetter,
  isFact,
  isHead,
  transactionOf,
} from './fact.ts';

export interface Salvaged {
  /** Oldest first. */
  readonly facts: readonly Fact[];
  readonly deadLetters: readonly DeadLetter[];
  readonly bindings: readonly (readonly [transaction: string, transactionId: number])[];
}

/**
 * `rows` in any order. A repair may bring confirmed facts back; those before the head are left out. What does not look like ours is
 * ignored.
 */
export function salvagedFrom(rows: readonly (readonly [key: string, value: unknown])[]): Salvaged {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = sorted.find(([key]) => key === headKey)?.[1];
  const facts = { ...factsFrom(0), from: factKey(isHead(head) ? head.sequence : 0) };
  return {
    facts: within(sorted, facts)
      .map(([, value]) => value)
      .filter(isFact),
    deadLetters: within(sorted, deadRange)
      .map(([, value]) => value)
      .filter(isDeadLetter),
    bindings: within(sorted, bindingRange).flatMap(([key, value]) =>
      isBinding(value) ? [[transactionOf(key), value.transactionId] as const] : [],
    ),
  };
}

export function within<T extends readonly [key: string, value: unknown]>(
  rows: readonly T[],
  range: KeyRange,
): readonly T[] {
  return rows.filter(([key]) => key >= range.from && key < range.to);
}
