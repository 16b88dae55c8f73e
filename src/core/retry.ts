/** How long to wait before the next dial. Pure arithmetic; options as in OCPP 2.0.1 (RetryBackOff*), values as in the design. */

export interface BackOff {
  /** Seconds; RetryBackoffWaitMinimum, default 1. */
  readonly waitMinimumS: number;
  /** How often the wait doubles; RetryBackoffRepeatTimes, default 6. */
  readonly repeatTimes: number;
  /** Seconds, added at random; RetryBackoffRandomRange, default 1. */
  readonly randomRangeS: number;
}

/**
 * What the last attempt came to. `failures`: dials without success since the link was last settled, 0 for the first.
 * `lost`: a link that had been settled broke. `refused`: the server knows us not, or not so (HTTP 401, 403, 404).
 */
export type Retry = { readonly after: 'failed' | 'lost' | 'refused'; readonly failures: number };

export const DEFAULT_BACK_OFF: BackOff = { waitMinimumS: 1, repeatTimes: 6, randomRangeS: 1 };

const LONGEST_WAIT_S = 60;
const REFUSED_WAIT_S = 60;
/** A central system that restarts gets all its charge points back soon, but not in the same instant. */
const LOST_WITHIN_MS = 300;
/** With all options at 0 we would dial in a busy loop. */
const SHORTEST_WAIT_S = 0.1;
/** 2^30 is far beyond the longest wait; a greater exponent only overflows. */
const GREATEST_EXPONENT = 30;

/**
 * Milliseconds until the next dial: min(waitMinimum x 2^min(failures, repeatTimes), 60) + random(0..randomRange) seconds;
 * 0..300 ms after `lost`; at least 60 s after `refused`. `fraction` is uniform in [0, 1).
 */
export function retryDelayMs(backOff: BackOff, retry: Retry, fraction: number): number {
  if (retry.after === 'lost') return fraction * LOST_WITHIN_MS;
  const exponent = Math.min(retry.failures, backOff.repeatTimes, GREATEST_EXPONENT);
  const waitS = Math.min(backOff.waitMinimumS * 2 ** exponent, LONGEST_WAIT_S);
  const leastS = retry.after === 'refused' ? REFUSED_WAIT_S : SHORTEST_WAIT_S;
  return 1000 * (Math.max(waitS, leastS) + fraction * backOff.randomRangeS);
}
