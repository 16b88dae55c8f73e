/** What a meter tells of what an EV would draw. */
import { describe, expect, it } from 'vitest';
import { type Appetite, demandOf, follow, isFasting } from '../../../src/core/load/appetite.ts';

/** Looks every 2 s; `[seconds, limit, draw]`, a draw of undefined is a silent meter. */
type Stretch = readonly [forS: number, limitA: number, drawA: number | undefined];

function seen(...stretches: readonly Stretch[]): Appetite | undefined {
  let appetite: Appetite | undefined;
  let atS = 0;
  for (const [forS, limitA, drawA] of stretches)
    for (const end = atS + forS; atS < end; atS += 2) appetite = follow(appetite, { limitA, drawA, at: atS * 1000 });
  return appetite;
}

const ALL = Number.POSITIVE_INFINITY;

describe('what an EV would draw', () => {
  it.each<[string, readonly Stretch[], number]>([
    ['all while nothing is known', [], ALL],
    ['all while it draws all', [[120, 16, 16]], ALL],
    ['all while it draws all but 1 A', [[120, 16, 15]], ALL],
    ['all for 30 s of drawing less', [[30, 16, 9]], ALL],
    ['what it draws and 2 A more after 30 s', [[32, 16, 9]], 11],
    ['6 A at least', [[32, 16, 2]], 6],
    [
      'the most of the stretch',
      [
        [10, 16, 9],
        [10, 16, 12],
        [12, 16, 9],
      ],
      14,
    ],
    [
      'the most of the stretch for another 30 s',
      [
        [30, 16, 12],
        [30, 16, 9],
      ],
      14,
    ],
    [
      'what it draws now once two stretches have passed',
      [
        [30, 16, 12],
        [62, 16, 9],
      ],
      11,
    ],
    [
      'more as soon as its draw rises',
      [
        [32, 16, 9],
        [2, 16, 13],
      ],
      15,
    ],
    [
      'all as soon as it draws all it gets',
      [
        [32, 16, 9],
        [2, 11, 11],
      ],
      ALL,
    ],
    [
      'all when its meter falls silent',
      [
        [32, 16, 9],
        [2, 16, undefined],
      ],
      ALL,
    ],
    [
      'all when it is not offered anything',
      [
        [32, 16, 9],
        [2, 0, 0],
      ],
      ALL,
    ],
    [
      'all for 30 s after it was hungry',
      [
        [32, 16, 9],
        [2, 11, 11],
        [30, 16, 9],
      ],
      ALL,
    ],
  ])('is %s', (_, stretches, demandA) => {
    expect(demandOf(seen(...stretches))).toBe(demandA);
  });

  it('stays the same at the offer that it was asked to be content with', () => {
    const appetite = seen([32, 16, 9], [300, 11, 9]);
    expect(demandOf(appetite)).toBe(11);
  });

  it.each<[string, readonly Stretch[], boolean]>([
    ['is not fasting in its first 30 s', [[30, 16, 0]], false],
    ['is fasting when it has drawn nothing for 30 s', [[32, 16, 0]], true],
    ['is fasting although it wakes its electronics', [[32, 16, 0.9]], true],
    [
      'is not fasting if it has drawn something',
      [
        [10, 16, 3],
        [22, 16, 0],
      ],
      false,
    ],
    [
      'is not fasting any more as soon as it draws',
      [
        [32, 16, 0],
        [2, 16, 3],
      ],
      false,
    ],
    ['is not fasting if its meter is silent', [[62, 16, undefined]], false],
    ['is not fasting if nothing is offered', [[62, 0, 0]], false],
  ])('%s', (_, stretches, fasting) => {
    expect(isFasting(seen(...stretches))).toBe(fasting);
  });
});
