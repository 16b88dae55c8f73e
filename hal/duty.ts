/** IEC 61851-1 table A.7: current in ampere <-> duty cycle of the control pilot in percent. Pure. */
import type { Offer } from './contract.ts';

/** The least current that the pilot can offer, in ampere. Anything below is no offer (x1). */
export const LEAST_OFFER_A = 6;
/** The most that the pilot can offer, in ampere. */
const MOST_OFFER_A = 80;

/**
 * Duty cycle in percent, 0..100, for an offer: `x1` is 100 (steady +12 V), `F` is 0 (steady -12 V). A current between 51 and
 * 52.5 A has no code point and becomes 51 A. Throws a RangeError outside 6..80 A: the offer has to be decided before it gets here.
 */
export function dutyOf(offer: Offer): number {
  if (offer === 'x1') return 100;
  if (offer === 'F') return 0;
  if (!(offer >= LEAST_OFFER_A && offer <= MOST_OFFER_A)) {
    throw new RangeError(`an offer of ${offer} A cannot be coded, it takes ${LEAST_OFFER_A}..${MOST_OFFER_A} A`);
  }
  if (offer <= 51) return offer / 0.6;
  return offer < 52.5 ? 85 : offer / 2.5 + 64;
}

/** What an EV may draw at a measured duty cycle, in ampere; 0 where it must not charge (also 3..7 %, digital communication). */
export function currentOf(dutyPercent: number): number {
  if (dutyPercent < 8 || dutyPercent > 97) return 0;
  if (dutyPercent < 10) return LEAST_OFFER_A;
  if (dutyPercent <= 85) return dutyPercent * 0.6;
  return dutyPercent <= 96 ? (dutyPercent - 64) * 2.5 : MOST_OFFER_A;
}
