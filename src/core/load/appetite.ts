/** How much an EV would draw, as far as its meter shows: what it leaves is for others. Pure. */
import { LEAST_OFFER_A } from '../current.ts';

/** It has drawn clearly less than it might, since then. */
export interface Appetite {
  readonly since: number;
  /** The most since then. */
  readonly peakA: number;
  /** The most of the stretch before: known only after a whole stretch. */
  readonly settledA?: number;
}

export interface Look {
  readonly limitA: number;
  /** The most on a phase; undefined: the meter is silent. */
  readonly drawA: number | undefined;
  readonly at: number;
}

/** Nobody calls an EV modest before it has been so for so long: a change of offer costs it 5 s. */
const STRETCH_MS = 30_000;
/** Who draws all but this much would draw more. */
const SATED_A = 1;
/** So much more than it draws stays with it, so that it can show that it wants more. */
const HEADROOM_A = 2;

/** Undefined: it takes what it gets, or nobody knows. */
export function follow(before: Appetite | undefined, { limitA, drawA, at }: Look): Appetite | undefined {
  if (limitA < LEAST_OFFER_A || drawA === undefined || drawA >= limitA - SATED_A) return undefined;
  if (before === undefined) return { since: at, peakA: drawA };
  const peakA = Math.max(before.peakA, drawA);
  if (at - before.since < STRETCH_MS) return { ...before, peakA };
  return { since: at, peakA: drawA, settledA: peakA };
}

export const demandOf = (appetite: Appetite | undefined): number =>
  appetite?.settledA === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(LEAST_OFFER_A, Math.max(appetite.settledA, appetite.peakA) + HEADROOM_A);

/** It has not drawn anything for a whole stretch: who waits goes before it. */
export const isFasting = (appetite: Appetite | undefined): boolean =>
  appetite?.settledA !== undefined && Math.max(appetite.settledA, appetite.peakA) < SATED_A;
