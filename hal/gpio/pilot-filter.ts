/** From comparator levels to a pilot state: windows and time filters of the control pilot. Pure. */
import type { Monotonic, PilotState } from '../contract.ts';

/** The pilot is looked at so often, in ms; edges are looked at at once. */
export const SAMPLE_MS = 10;
/** The slowest that an unsafe state may be noticed: levels outside every window, or no valid sample. */
export const FILTER_MOST_MS = 40;
/** IEC 61851-1 sequence 4 gives us 3 s to close; half a second hides the pulses that some cars make (facts/evse.md 1.2). */
export const CLOSING_FILTER_MS = 500;

/** Comparators from the highest threshold down: 10.5, 7.5, 4.5, 1.5 V. */
export type Levels = readonly [boolean, boolean, boolean, boolean];

/** What one sample says; `nonsense` is no reading, or levels outside every window. */
export type Sample = PilotState | 'nonsense';

const STATES: { readonly [levels in string]?: 'A' | 'B' | 'C' | 'D' | 'low' } = {
  '1111': 'A',
  '0111': 'B',
  '0011': 'C',
  '0001': 'D',
  '0000': 'low',
};

/** A comparator that is on while a lower one is off is broken. Without a positive half it is F if that is our own signal, else E. */
export function sampleOf(levels: Levels, signalsF: boolean): Sample {
  const state = STATES[levels.map(Number).join('')];
  if (state === 'low') return signalsF ? 'F' : 'E';
  return state ?? 'nonsense';
}

export const asksForPower = (sample: Sample): boolean => sample === 'C' || sample === 'D';

const settled = (sample: Sample): PilotState => (sample === 'nonsense' ? 'E' : sample);

export interface Filter {
  /** The state in force. */
  readonly state: PilotState;
  /** The newest sample and since when it has been the same. */
  readonly sample: Sample;
  readonly since: Monotonic;
  /** The first sample in a row that differed from the state. */
  readonly departed: Monotonic | undefined;
}

/** Without a past nothing asks for power: C and D have to last before they count. */
export function firstFilter(sample: Sample, at: Monotonic): Filter {
  return { state: asksForPower(sample) ? 'B' : settled(sample), sample, since: at, departed: undefined };
}

/**
 * The filter after one more sample. Into C or D: the same sample for half a second. Out of C or D: no sample has confirmed the
 * state for `filterMs` (at most 40), whatever it was instead. Otherwise the same sample for `filterMs`.
 */
export function filtered(filter: Filter, sample: Sample, at: Monotonic, filterMs: number): Filter {
  const { state } = filter;
  const since = sample === filter.sample ? filter.since : at;
  if (sample === state) return { state, sample, since, departed: undefined };
  const departed = filter.departed ?? at;
  const quick = sample === 'nonsense' ? FILTER_MOST_MS : Math.min(filterMs, FILTER_MOST_MS);
  // Whoever plugs in and asks at once is there in B until the asking has lasted.
  if (state === 'A' && asksForPower(sample) && at - since >= quick)
    return { state: 'B', sample, since, departed: undefined };
  const due = asksForPower(state)
    ? at - departed >= quick
    : at - since >= (asksForPower(sample) ? CLOSING_FILTER_MS : quick);
  return due ? { state: settled(sample), sample, since, departed: undefined } : { state, sample, since, departed };
}
