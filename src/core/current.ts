/** From a limit in ampere to what may be offered on the pilot. Pure. */
import type { Offer } from '../../hal/contract.ts';

/** The pilot can offer no less (IEC 61851-1); a smaller limit withdraws the offer. */
export const LEAST_OFFER_A = 6;
const MOST_OFFER_A = 80;

/**
 * The offer that keeps to the least of `limitsA`, in ampere, rounded down to 0.1 A. `x1` below 6 A, without any limit and with one
 * that is not a number: what is not known to be allowed is not offered.
 */
export function offerWithin(limitsA: readonly number[]): Offer {
  const limitA = Math.min(MOST_OFFER_A, ...limitsA);
  if (limitsA.length === 0 || !(limitA >= LEAST_OFFER_A)) return 'x1';
  return Math.floor(limitA * 10 + 1e-6) / 10;
}
