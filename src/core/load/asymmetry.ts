/** An EV that takes one phase more than another loads the grid unevenly: when its offer has to be bounded, and when not any more. Pure. */
import type { PerLine } from './grid.ts';

/** OVE R 37 (5.9.3) gives 60 s in all, of which the EV takes 5 s to follow. One that begins on one phase after the other has them by then. */
export const ASYMMETRIC_FOR_MS = 30_000;
/** The bound goes once the phases differ by so much less than they may, in ampere. */
const HYSTERESIS_A = 2;

export interface Asymmetry {
  /** The phases have differed by more than they may at every look since then. */
  readonly since?: number;
  /** No phase may have more than the phases may differ by. */
  readonly bounded: boolean;
}

export const SYMMETRIC: Asymmetry = { bounded: false };

export interface AsymmetryLook {
  readonly at: number;
  readonly amps: PerLine;
}

/** `mostA`: what the phases may differ by, in ampere. */
export function judgeAsymmetry(before: Asymmetry, { at, amps }: AsymmetryLook, mostA: number): Asymmetry {
  const differA = Math.max(...amps) - Math.min(...amps);
  if (before.bounded) return differA < mostA - HYSTERESIS_A ? SYMMETRIC : before;
  if (differA <= mostA) return SYMMETRIC;
  const since = before.since ?? at;
  return { since, bounded: at - since >= ASYMMETRIC_FOR_MS };
}
