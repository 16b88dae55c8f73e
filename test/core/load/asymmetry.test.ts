/** An EV that takes its phases unevenly: how long it may, and when it is even again. */
import { describe, expect, it } from 'vitest';
import { ASYMMETRIC_FOR_MS, type Asymmetry, judgeAsymmetry, SYMMETRIC } from '../../../src/core/load/asymmetry.ts';
import type { PerLine } from '../../../src/core/load/grid.ts';

type Part = readonly [forS: number, amps: PerLine];

/** After each second: whether the offer is bounded. Phases may differ by 16 A. */
function judged(...parts: readonly Part[]): readonly boolean[] {
  let memory: Asymmetry = SYMMETRIC;
  let at = 0;
  return parts.flatMap(([forS, amps]) =>
    Array.from({ length: forS }, () => {
      memory = judgeAsymmetry(memory, { at, amps }, 16);
      at += 1000;
      return memory.bounded;
    }),
  );
}
/** The seconds from which on the answer is another one. */
const changes = (...parts: readonly Part[]): readonly number[] =>
  judged(...parts).flatMap((is, second, all) => (is === (all[second - 1] ?? false) ? [] : [second]));

const even: PerLine = [32, 32, 32];
const onOne: PerLine = [32, 0, 0];

describe('the asymmetry of an EV (OVE R 37, 5.9.3)', () => {
  it('is bounded after 30 s, which leaves the EV half of the minute to follow', () => {
    expect(ASYMMETRIC_FOR_MS).toBe(30_000);
    expect(changes([10, even], [60, onOne])).toEqual([40]);
  });

  it.each<[string, PerLine, boolean]>([
    ['as much as they may', [16, 0, 0], false],
    ['more on L1', [16.1, 0, 0], true],
    ['more on two phases', [32, 32, 0], true],
    ['more between L2 and L3', [20, 8, 30], true],
    ['less than that on top of what all have', [32, 16, 20], false],
  ])('is judged by what the phases differ by: %s', (_what, amps, isBounded) => {
    expect(judged([60, amps]).at(-1)).toBe(isBounded);
  });

  it('is none where the phases are even again in between', () => {
    expect(changes([29, onOne], [1, even], [29, onOne], [1, even])).toEqual([]);
  });

  it('is over once the phases differ by 2 A less than they may', () => {
    expect(changes([31, onOne], [60, [16, 0, 0]], [60, [14, 0, 0]])).toEqual([30]);
    expect(changes([31, onOne], [60, [16, 0, 0]], [60, [13.9, 0, 0]])).toEqual([30, 91]);
    expect(changes([31, onOne], [60, even])).toEqual([30, 31]);
  });
});
