/** Comparators on the peaks of the control pilot. */
import type { InputLine } from './line.ts';
import { type Levels, sampleOf } from './pilot-filter.ts';
import type { PilotSense } from './pilot-sense.ts';

export interface ComparatorInputs {
  /** From the highest threshold down: 10.5, 7.5, 4.5, 1.5 V. */
  readonly above: readonly [InputLine, InputLine, InputLine, InputLine];
  /** Absent: this board cannot check the diode. */
  readonly belowMinus10V5?: InputLine;
}

export function comparatorSense({ above, belowMinus10V5 }: ComparatorInputs): PilotSense {
  return {
    checksDiode: belowMinus10V5 !== undefined,
    look(offer) {
      const negativeHalf = belowMinus10V5 === undefined ? undefined : negativeHalfOf(belowMinus10V5);
      const levels = above.map((line) => line.read());
      const sample = sampleOf(levels as unknown as Levels, offer === 'F');
      return { sample, negativeHalf, broken: sample === 'nonsense' };
    },
    onEdge(listener) {
      const lines = [...above, ...(belowMinus10V5 === undefined ? [] : [belowMinus10V5])];
      const unsubscribe = lines.map((line) => line.onChange(listener));
      return () => {
        for (const each of unsubscribe) each();
      };
    },
  };
}

/** A comparator that cannot be read proves nothing. */
function negativeHalfOf(line: InputLine): boolean {
  try {
    return line.read();
  } catch {
    return false;
  }
}
