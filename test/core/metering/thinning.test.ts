/** How a series stays within bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_SERIES, MOST_KEPT, type Series, taking } from '../../../src/core/metering/thinning.ts';

function seriesOf(count: number, most?: number): Series {
  let series = EMPTY_SERIES;
  for (let n = 1; n <= count; n++) series = taking(series, n, most).series;
  return series;
}

describe('a series', () => {
  it('keeps everything while there is room', () => {
    expect(seriesOf(4, 4)).toEqual({ stride: 1, kept: [1, 2, 3, 4] });
  });

  it('drops every second value when there are too many, and then takes every second one', () => {
    expect(seriesOf(5, 4)).toEqual({ stride: 2, kept: [2, 4] });
    expect(taking(seriesOf(5, 4), 6, 4)).toEqual({ series: { stride: 2, kept: [2, 4, 6] }, dropped: [] });
    expect(taking(seriesOf(6, 4), 7, 4).dropped).toEqual([7]);
  });

  it('holds four hours of minutes whole', () => {
    expect(seriesOf(MOST_KEPT).kept).toHaveLength(240);
  });

  it('stays bounded, evenly spaced over the whole time, and tells all that it drops', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 2, max: 50 }), (count, most) => {
        let series = EMPTY_SERIES;
        const held = new Set<number>();
        for (let n = 1; n <= count; n++) {
          const taken = taking(series, n, most);
          series = taken.series;
          held.add(n);
          for (const number of taken.dropped) held.delete(number);
        }
        expect([...held]).toEqual(series.kept);
        expect(series.kept.length).toBeLessThanOrEqual(most);
        expect(series.kept).toEqual(series.kept.map((_, index) => (index + 1) * series.stride));
        expect(count - (series.kept.at(-1) ?? 0)).toBeLessThan(series.stride * 2);
      }),
    );
  });
});
