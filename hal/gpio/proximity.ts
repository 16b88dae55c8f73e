/** The proximity pilot of a socket outlet from four comparators (IEC 61851-1 annex B). */
import type { Cancel, ProximityPilot, Timebase } from '../contract.ts';
import type { InputLine } from './line.ts';

/** Contacts scrape while a plug goes in: the levels have to be equal for so long, in ms. */
export const PROXIMITY_STEADY_MS = 50;

export interface ProximityParts {
  readonly present: InputLine;
  readonly atLeast20A: InputLine;
  readonly atLeast32A: InputLine;
  readonly atLeast63A: InputLine;
  readonly clock: Timebase;
  /** Told once the levels have contradicted each other for as long as a plug takes, and when they agree again. */
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
  let isFaulty = contradict();
  if (isFaulty) onFault(true);
  let cableA = look();
  let waiting: Cancel | undefined;
  const changed = () => {
    waiting?.();
    waiting = clock.after(PROXIMITY_STEADY_MS, () => {
      if (contradict() !== isFaulty) {
        isFaulty = !isFaulty;
        onFault(isFaulty);
      }
      const now = look();
      if (now === cableA) return;
      cableA = now;
      for (const listener of [...listeners]) listener(cableA);
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
