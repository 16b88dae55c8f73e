/** How a long transaction keeps its sampled values for StopTransaction within bounds. Pure. */

/** Of each series (periodic, clock-aligned) of one transaction at most so many meter values are kept. */
export const MOST_KEPT = 240;

/** The n-th value of a series, counted from 1, is kept if n is a multiple of `stride`. */
export interface Series {
  readonly stride: number;
  /** Numbers of the values that are kept, ascending. */
  readonly kept: readonly number[];
}

export const EMPTY_SERIES: Series = { stride: 1, kept: [] };

/**
 * Takes in the n-th value. When there are more than `most`, every second one goes and from then on only every second one is taken:
 * what remains is again evenly spaced, over the whole transaction. Begin and end are no part of a series and always stay.
 */
export function taking(
  series: Series,
  n: number,
  most = MOST_KEPT,
): { readonly series: Series; readonly dropped: readonly number[] } {
  const { stride } = series;
  if (n % stride !== 0) return { series, dropped: [n] };
  const kept = [...series.kept, n];
  if (kept.length <= most) return { series: { stride, kept }, dropped: [] };
  const isKept = (number: number): boolean => number % (stride * 2) === 0;
  return {
    series: { stride: stride * 2, kept: kept.filter(isKept) },
    dropped: kept.filter((number) => !isKept(number)),
  };
}
