/** What a connector may be taking, whatever it was told last. */
import { describe, expect, it } from 'vitest';
import type { GridPhase, PerPhase } from '../../../src/core/load/grid.ts';
import { allowedOf, type Grant, heldOf, overdrawOf, pruned, type Usage } from '../../../src/core/load/usage.ts';

const RST: readonly GridPhase[] = [0, 1, 2];
/** `[second, ampere]`, oldest first. */
const grants = (...all: readonly (readonly [atS: number, limitA: number, phases?: readonly GridPhase[]])[]): Grant[] =>
  all.map(([atS, limitA, phases = RST]) => ({ at: atS * 1000, limitA, phases }));
const draw = (atS: number, ...amps: PerPhase) => ({ at: atS * 1000, amps });
const usage = (given: readonly Grant[], more: Partial<Usage> = {}): Usage => ({
  grants: given,
  draw: undefined,
  closed: true,
  ...more,
});
const all = (amps: number): PerPhase => [amps, amps, amps];

/** At second 10 the limit went from 16 to 10 A. */
const LOWERED = grants([0, 16], [10, 10]);

describe('what a connector was allowed lately', () => {
  it.each<[string, number, Partial<Usage>, number]>([
    ['the old limit for 5 s where the meter shows that the EV has followed', 14.9, { draw: draw(12, 10, 10, 10) }, 16],
    ['the new limit from then on', 15, { draw: draw(12, 10, 10, 10) }, 10],
    ['half an ampere more is the tolerance of meter and pilot', 15, { draw: draw(12, 10.5, 10, 10) }, 10],
    ['the old limit for 6 s where the meter shows more', 15.9, { draw: draw(12, 10.6, 0, 0) }, 16],
    ['the old limit for 6 s where the meter was last read before', 15.9, { draw: draw(10, 10, 10, 10) }, 16],
    ['the old limit for 6 s without a meter', 15.9, {}, 16],
    ['the new limit after 6 s in any case', 16, { draw: draw(12, 16, 16, 16) }, 10],
    ['the new limit after 6 s without a meter', 16, {}, 10],
  ])('is %s', (_, atS, more, limitA) => {
    expect(allowedOf(usage(LOWERED, more), atS * 1000)).toEqual(all(limitA));
  });

  it('is the most of several limits within that time', () => {
    expect(allowedOf(usage(grants([0, 8], [10, 16], [11, 6], [12, 10])), 16_999)).toEqual(all(16));
    expect(allowedOf(usage(grants([0, 8], [10, 16], [11, 6], [12, 10])), 17_000)).toEqual(all(10));
  });

  it('is on the phases that were connected then', () => {
    const switched = grants([0, 10], [10, 16, [1]]);
    expect(allowedOf(usage(switched), 12_000)).toEqual([10, 16, 10]);
    expect(allowedOf(usage(switched), 16_000)).toEqual([0, 16, 0]);
  });

  it('is nothing where nothing was ever allowed', () => {
    expect(allowedOf(usage([]), 0)).toEqual(all(0));
  });
});

describe('what nobody else may have', () => {
  it('is what is drawn, where that is more than was allowed', () => {
    expect(heldOf(usage(LOWERED, { draw: draw(18, 16, 3, 0) }), 20_000)).toEqual([16, 10, 10]);
  });

  it('is what was allowed, where that is more than is drawn', () => {
    expect(heldOf(usage(LOWERED, { draw: draw(18, 4, 4, 4) }), 20_000)).toEqual(all(10));
  });

  it('does not trust a reading that is more than 6 s old', () => {
    expect(heldOf(usage(LOWERED, { draw: draw(18, 16, 16, 16) }), 24_000)).toEqual(all(16));
    expect(heldOf(usage(LOWERED, { draw: draw(18, 16, 16, 16) }), 24_001)).toEqual(all(10));
  });

  it.each<[string, Partial<Usage>, number]>([
    ['the last current that was allowed, behind a contactor that is closed and a silent meter', {}, 16],
    ['what the meter shows, if it answers again', { draw: draw(59, 2, 2, 2) }, 2],
    ['nothing once the contactor is open', { closed: false }, 0],
    ['nothing behind an open contactor, whatever the meter shows', { closed: false, draw: draw(59, 9, 9, 9) }, 0],
  ])('is, long after a stop: %s', (_, more, held) => {
    expect(heldOf(usage(grants([0, 20], [10, 16], [20, 0]), more), 60_000)).toEqual(all(held));
  });

  it('is what was allowed within 6 s although the contactor is open: the EV may come back to it', () => {
    const paused = usage(grants([0, 16], [10, 0]), { closed: false });
    expect(heldOf(paused, 15_900)).toEqual(all(16));
    expect(heldOf(paused, 16_000)).toEqual(all(0));
  });

  it('is the limit in force although the contactor is open', () => {
    expect(heldOf(usage(grants([0, 16]), { closed: false }), 60_000)).toEqual(all(16));
  });
});

describe('what is drawn beyond all that was allowed', () => {
  it.each<[string, number, Partial<Usage>, PerPhase]>([
    ['nothing while the EV still may follow', 14, { draw: draw(14, 16, 16, 16) }, [0, 0, 0]],
    ['all above the limit after that', 17, { draw: draw(17, 16, 12, 10) }, [6, 2, 0]],
    ['nothing within the tolerance', 17, { draw: draw(17, 10.5, 10.4, 0) }, [0, 0, 0]],
    ['nothing that anybody knows of while the meter is silent', 30, { draw: draw(17, 16, 16, 16) }, [0, 0, 0]],
  ])('is %s', (_, atS, more, beyond) => {
    expect(overdrawOf(usage(LOWERED, more), atS * 1000)).toEqual(beyond);
  });

  it('is all that flows through a welded contactor', () => {
    const ended = usage(grants([0, 16], [10, 0]), { draw: draw(30, 14, 14, 0) });
    expect(overdrawOf(ended, 30_000)).toEqual([14, 14, 0]);
  });
});

describe('what is kept of the limits', () => {
  const atS = (kept: readonly Grant[]): readonly number[] => kept.map(({ at }) => at / 1000);
  const ended = grants([0, 20], [10, 16], [20, 0]);

  it('is the one in force, and what ended within 6 s', () => {
    expect(atS(pruned(usage(ended, { closed: false }), 20_000))).toEqual([10, 20]);
    expect(atS(pruned(usage(ended, { closed: false }), 26_000))).toEqual([10, 20]);
    expect(atS(pruned(usage(ended, { closed: false }), 26_001))).toEqual([20]);
  });

  it('is also the last current, as long as the contactor is closed', () => {
    expect(atS(pruned(usage(ended), 3_600_000))).toEqual([10, 20]);
  });

  it('changes nothing that is held', () => {
    for (let s = 20; s < 40; s += 0.5)
      for (const closed of [true, false]) {
        const before = usage(ended, { closed });
        expect(heldOf({ ...before, grants: pruned(before, s * 1000) }, s * 1000)).toEqual(heldOf(before, s * 1000));
      }
  });
});
