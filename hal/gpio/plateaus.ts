/** The two levels of a control pilot that was sampled at any moments of its period. Pure. */

export interface Plateaus {
  /** In volt; undefined where there are too few samples that agree. */
  readonly high: number | undefined;
  readonly low: number | undefined;
}

/** Samples of one level lie within so much of each other; levels are 3 V apart. */
const SPREAD_V = 1;
/** So many that agree are a level, fewer are a spike. At 8 % the high half is hit at least six times in two periods. */
const LEAST_HIGH = 3;
/** At 97 % the low half is 30 us long: hit once in a period. */
const LEAST_LOW = 2;

/** The highest and the lowest level on which enough samples agree; on a steady pilot both are the same. */
export function plateausOf(volts: readonly number[]): Plateaus {
  const rising = volts.toSorted((a, b) => a - b);
  return { high: outermost(rising.toReversed(), LEAST_HIGH), low: outermost(rising, LEAST_LOW) };
}

/** The median of the first samples, as they are sorted, of which `least` lie close together. */
function outermost(sorted: readonly number[], least: number): number | undefined {
  for (const [index, first] of sorted.entries()) {
    const last = sorted[index + least - 1];
    if (last === undefined) return undefined;
    if (Math.abs(first - last) > SPREAD_V) continue;
    const level = sorted.slice(index).filter((each) => Math.abs(each - first) <= SPREAD_V);
    return level[Math.floor(level.length / 2)];
  }
  return undefined;
}
