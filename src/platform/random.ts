/** Chance for jitter and identifiers. */
import { randomUUID } from 'node:crypto';
import type { Random } from '../ports.ts';

export const nodeRandom: Random = {
  fraction: () => Math.random(),
  uuid: () => randomUUID(),
};
