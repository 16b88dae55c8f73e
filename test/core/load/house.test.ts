/** What a house leaves of its grid connection, sample by sample. */
import { describe, expect, it } from 'vitest';
import type { PerPhase } from '../../../src/core/load/grid.ts';
import { type HouseSample, leftOver, withSample } from '../../../src/core/load/house.ts';

const NOTHING: PerPhase = [0, 0, 0];
const sample = (atS: number, total: PerPhase, own: PerPhase = NOTHING): HouseSample => ({ at: atS * 1000, total, own });
/** The same on R at each of these seconds. */
const onR = (...each: readonly (readonly [atS: number, amps: number])[]): readonly HouseSample[] =>
  each.reduce<readonly HouseSample[]>((samples, [atS, amps]) => withSample(samples, sample(atS, [amps, 0, 0])), []);
const leftOnR = (samples: readonly HouseSample[], atS: number, fuseA = 32) => leftOver(samples, fuseA, atS * 1000)?.[0];

describe('what the house leaves', () => {
  it('is the fuse less the others on each phase, without our own', () => {
    expect(leftOver([sample(0, [20, 3, 10], [16, 0, 10])], 32, 0)).toEqual([28, 29, 32]);
  });

  it('is whole ampere, rounded down', () => {
    expect(leftOver([sample(0, [4.2, 0.1, 3.999])], 32, 0)).toEqual([27, 31, 28]);
  });

  it('is never below nothing', () => {
    expect(leftOver([sample(0, [40, 32, 32.5])], 32, 0)).toEqual([0, 0, 0]);
  });

  it('is no more than the fuse while another phase or a solar plant feeds in', () => {
    expect(leftOver([sample(0, [-12, -3, 5])], 32, 0)).toEqual([32, 32, 27]);
  });

  it('does not count a reading of our own that is greater than the total as fed in', () => {
    expect(leftOver([sample(0, [10, 0, 0], [16, 0, 0])], 32, 0)).toEqual([32, 32, 32]);
  });

  it.each<[string, readonly (readonly [number, number])[], number, number]>([
    ['the only one', [[0, 10]], 0, 22],
    [
      'the worse of two',
      [
        [0, 10],
        [2, 4],
      ],
      2,
      22,
    ],
    [
      'the second worst of three',
      [
        [0, 30],
        [2, 10],
        [4, 4],
      ],
      4,
      22,
    ],
    [
      'a load that is seen for the second time',
      [
        [0, 4],
        [2, 20],
        [4, 20],
      ],
      4,
      12,
    ],
    [
      'not a load that is seen for the first time',
      [
        [0, 4],
        [2, 4],
        [4, 20],
      ],
      4,
      28,
    ],
    [
      'the second worst for 10 s',
      [
        [0, 20],
        [1, 20],
        [4, 4],
        [6, 4],
        [8, 4],
      ],
      9.9,
      12,
    ],
    [
      'not the worst after 10 s',
      [
        [0, 20],
        [1, 20],
        [4, 4],
        [6, 4],
        [10, 4],
      ],
      10,
      28,
    ],
  ])('counts %s', (_, readings, atS, left) => {
    expect(leftOnR(onR(...readings), atS)).toBe(left);
  });

  it('looks for the worst on each phase by itself', () => {
    const samples = [sample(0, [20, 0, 0]), sample(2, [0, 20, 0]), sample(4, [20, 5, 9])];
    expect(leftOver(samples, 32, 4000)).toEqual([12, 27, 32]);
  });

  it('is not known before the first sample, nor when the last one is 10 s old', () => {
    expect(leftOver([], 32, 0)).toBeUndefined();
    const samples = onR([0, 4], [2, 4]);
    expect(leftOnR(samples, 11.999)).toBe(28);
    expect(leftOnR(samples, 12)).toBeUndefined();
  });

  it('forgets what is older than 10 s', () => {
    expect(onR([0, 1], [2, 1], [10, 1], [12, 1]).map(({ at }) => at)).toEqual([10_000, 12_000]);
  });
});
