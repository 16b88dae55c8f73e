/** Chance for jitter and identifiers. */
import type { Random } from '../ports.ts';

export const nodeRandom: Random = {
  fraction: () => Math.random(),
  uuid: () => globalThis.crypto.randomUUID(),
};
