/** A card that stays on a reader is presented once: when it was away for long enough it is presented again. */
import type { Monotonic } from '../contract.ts';

export const AWAY_MS = 1000;

export interface Presence {
  /** What the reader sees at this moment; true for a card that was not there before. Only looks that worked count. */
  look(card: string | undefined, at: Monotonic): boolean;
  /** A look that failed says nothing about what is there. */
  blind(): void;
}

export function presence(): Presence {
  /** Of each card that counts as there: since when it has not been seen; undefined while it is. */
  const there = new Map<string, Monotonic | undefined>();
  return {
    look(card, at) {
      for (const [other, missedSince] of [...there]) {
        if (other === card) continue;
        if (missedSince !== undefined && at - missedSince >= AWAY_MS) there.delete(other);
        else there.set(other, missedSince ?? at);
      }
      if (card === undefined) return false;
      const isNew = !there.has(card);
      there.set(card, undefined);
      return isNew;
    },
    blind() {
      for (const card of there.keys()) there.set(card, undefined);
    },
  };
}
