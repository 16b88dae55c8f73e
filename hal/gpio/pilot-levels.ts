/** From the voltages of the control pilot to a state: the windows that real firmware accepts (facts/evse.md 1.2). Pure. */
import type { CalibrationPoint } from '../board-description.ts';
import type { Sample } from './pilot-filter.ts';

/** States by the peak of their positive half, in volt. */
const NOMINAL: readonly (readonly [state: 'A' | 'B' | 'C' | 'D', volts: number])[] = [
  ['A', 12],
  ['B', 9],
  ['C', 6],
  ['D', 3],
];
/** So far from the nominal voltage a state is entered, and so far it is held: what is in neither window makes no sense. */
export const WINDOW_V = 1.1;
export const HELD_V = 1.3;
/** The negative half is -12 V; with an EV whose diode is missing it is the mirror image of the positive one. */
const NEGATIVE_MOST_V = -10.5;

/** `before` is what the look before said. Without a positive half it is F if that is our own signal, else E. */
export function sampleOfVolts(volts: number, before: Sample, signalsF: boolean): Sample {
  const within = (state: Sample) => (state === before ? HELD_V : WINDOW_V);
  const low = signalsF ? 'F' : 'E';
  if (volts <= within(low)) return low;
  const found = NOMINAL.find(([state, nominal]) => Math.abs(volts - nominal) <= within(state));
  return found?.[0] ?? 'nonsense';
}

/** The EVSE drives +12 V through 1 kOhm: whatever is plugged in or shorted, the positive half lies between 0 V and that. */
export const isBrokenLevel = (volts: number, signalsF: boolean): boolean =>
  !(volts <= 12 + WINDOW_V) || (volts < -WINDOW_V && !signalsF);

export const isNegativeHalf = (volts: number): boolean => volts <= NEGATIVE_MOST_V;

/** Volts of the pilot for volts at the converter: straight lines through the points, the outer ones prolonged. */
export function calibrated(points: readonly CalibrationPoint[]): (adcV: number) => number {
  const sorted = points.toSorted((a, b) => a.adcV - b.adcV);
  const lines = sorted.slice(1).map((to, index) => {
    const from = sorted[index] ?? to;
    const slope = (to.pilotV - from.pilotV) / (to.adcV - from.adcV);
    return { until: to.adcV, pilotV: (adcV: number) => from.pilotV + slope * (adcV - from.adcV) };
  });
  return (adcV) => (lines.find(({ until }) => adcV <= until) ?? lines.at(-1))?.pilotV(adcV) ?? Number.NaN;
}
