/** When samples are due (OCPP 1.6 sections 3.16.1, 3.16.2 and 9.1.5). Pure. */

const DAY_MS = 86_400_000;

/** The first exact multiple of the interval after `origin` that lies behind `now`; all in milliseconds, the interval above 0. */
export const nextPeriodic = (origin: number, now: number, intervalMs: number): number =>
  origin + Math.max(1, Math.floor((now - origin) / intervalMs) + 1) * intervalMs;

/**
 * The next moment after `wall` (epoch milliseconds) on the grid of the UTC day. Each day begins its grid anew at midnight, also where
 * the interval (above 0, in milliseconds) does not divide it.
 */
export function nextOnGrid(wall: number, intervalMs: number): number {
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  return Math.min(nextPeriodic(midnight, wall, intervalMs), midnight + DAY_MS);
}
