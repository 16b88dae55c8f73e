/** What sees the levels of the control pilot: comparators, peak detectors behind a slow converter, or a fast converter. */
import type { Offer, Unsubscribe } from '../contract.ts';
import type { Sample } from './pilot-filter.ts';

export interface PilotLook {
  readonly sample: Sample;
  /** The negative half is where it belongs; undefined: this look has not seen it. */
  readonly negativeHalf: boolean | undefined;
  /** There was no reading, or one that no EV and no short circuit can make: the board is broken. */
  readonly broken?: boolean;
}

export interface PilotSense {
  /** The board is made to see the negative half. */
  readonly checksDiode: boolean;
  /** One look, at most 5 ms. Throws what the kernel says; then there was none. */
  look(offer: Offer): PilotLook;
  /** Called at each change, where the hardware tells of them. */
  onEdge(listener: () => void): Unsubscribe;
}

export interface ConverterSense extends PilotSense {
  close(): void;
}

export const NOTHING_SEEN: PilotLook = { sample: 'nonsense', negativeHalf: undefined, broken: true };
