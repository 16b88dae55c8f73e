/** What the other users of a house leave of its grid connection. Pure. */
import type { PerPhase } from './grid.ts';

/** What the grid meter said, and what we drew at about the same time. */
export interface HouseSample {
  readonly at: number;
  /** Everything behind the connection, this charge point included; negative: fed in. */
  readonly total: PerPhase;
  readonly own: PerPhase;
}

/** What was free for so long is free. */
const WORST_OF_MS = 10_000;
/** A grid meter that has said nothing for so long is silent: what is left is not known any more. */
const HOUSE_SILENT_AFTER_MS = 10_000;
const PHASES = [0, 1, 2] as const;

export const withSample = (samples: readonly HouseSample[], sample: HouseSample): readonly HouseSample[] => [
  ...samples.filter(({ at }) => sample.at - at < WORST_OF_MS),
  sample,
];

/**
 * Whole ampere per phase, not below 0: a grid meter that wavers shall not make the offer waver. The two meters are not read in the
 * same moment, so the one worst sample of several does not count: it may be an EV that began in between. Undefined while the meter
 * is silent.
 */
export function leftOver(samples: readonly HouseSample[], fuseA: number, at: number): PerPhase | undefined {
  const recent = samples.filter((sample) => at - sample.at < HOUSE_SILENT_AFTER_MS);
  if (recent.length === 0) return undefined;
  const left = PHASES.map((phase) => {
    const others = recent.map(({ total, own }) => Math.max(0, total[phase] - own[phase])).toSorted((a, b) => b - a);
    const worst = others[others.length > 2 ? 1 : 0] ?? 0;
    return Math.max(0, Math.floor(fuseA - worst + 1e-6));
  });
  return left as unknown as PerPhase;
}
