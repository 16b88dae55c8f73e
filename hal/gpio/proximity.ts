/** The proximity pilot of a socket outlet from four comparators, or five (IEC 61851-1 annex B). */
import type { Cancel, ProximityPilot, Timebase } from '../contract.ts';
import type { InputLine } from './line.ts';

/** Contacts scrape while a plug goes in: the levels have to be equal for so long, in ms. */
export const PROXIMITY_STEADY_MS = 50;

export interface ProximityParts {
  readonly present: InputLine;
  readonly atLeast20A: InputLine;
  readonly atLeast32A: InputLine;
  readonly atLeast63A: InputLine;
  /** Below 75 ohm: no cable, a short circuit. Without it that reads as 63 A. */
  readonly short?: InputLine;
  readonly clock: Timebase;
  /** Told once the levels have contradicted each other, or shown a short circuit, for as long as a plug takes, and when they are good again. */
  onFault?(isThere: boolean): void;
}

/** The smaller rating wins if the comparators contradict each other. */
export function comparatorProximity({ clock, onFault = () => {}, ...lines }: ProximityParts): ProximityPilot {
  const listeners = new Set<(cableA: number | undefined) => void>();
  const look = (): number | undefined => {
    if (!lines.present.read()) return undefined;
    if (!lines.atLeast20A.read()) return 13;
    if (!lines.atLeast32A.read()) return 20;
    return lines.atLeast63A.read() ? 63 : 32;
  };
  /** Each comparator that is active wants all before it to be so too. */
  const contradict = (): boolean => {
    const levels = [lines.present, lines.atLeast20A, lines.atLeast32A, lines.atLeast63A].map((line) => line.read());
    return levels.some((on, index) => on && levels[index - 1] === false);
  };
  const bad = (): boolean => lines.short?.read() === true || contradict();
  let isFaulty = bad();
  if (isFaulty) onFault(true);
  let cableA = look();
  let waiting: Cancel | undefined;
  const changed = () => {
    waiting?.();
    waiting = clock.after(PROXIMITY_STEADY_MS, () => {
      const wasFaulty = isFaulty;
      isFaulty = bad();
      if (isFaulty && !wasFaulty) onFault(true);
      const now = look();
      const isOther = now !== cableA;
      cableA = now;
      if (isOther) for (const listener of [...listeners]) listener(cableA);
      // Whoever offers again has heard before what the cable carries.
      if (wasFaulty && !isFaulty) onFault(false);
    });
  };
  for (const line of Object.values(lines)) line.onChange(changed);
  return {
    get cableA() {
      return cableA;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
