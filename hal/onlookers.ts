/** Who only looks on: told after the fact, and what one of them throws hinders nobody. */
import type { Unsubscribe } from './contract.ts';

export interface Onlookers<T> {
  add(look: (seen: T) => void): Unsubscribe;
  /** Never throws. */
  tell(seen: T): void;
}

export function onlookers<T>(): Onlookers<T> {
  const looks = new Set<(seen: T) => void>();
  return {
    add(look) {
      looks.add(look);
      return () => looks.delete(look);
    },
    tell(seen) {
      for (const look of looks) {
        try {
          look(seen);
        } catch {
          // A contactor opens whether or not somebody can write it down.
        }
      }
    },
  };
}
