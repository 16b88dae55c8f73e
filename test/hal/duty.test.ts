/** The test vectors of facts/evse.md 1.3. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentOf, dutyOf } from '../../hal/duty.ts';

describe('duty cycle of the control pilot (IEC 61851-1 table A.7)', () => {
  it.each([
    [6, 10.0],
    [10, 16.67],
    [13, 21.67],
    [16, 26.67],
    [20, 33.33],
    [25, 41.67],
    [32, 53.33],
    [40, 66.67],
    [48, 80.0],
    [51, 85.0],
    [52, 85.0],
    [63, 89.2],
    [70, 92.0],
    [80, 96.0],
  ])('codes %d A as %d %%', (current, duty) => {
    expect(dutyOf(current)).toBeCloseTo(duty, 1);
  });

  it('is 100 for x1 and 0 for F', () => {
    expect([dutyOf('x1'), dutyOf('F')]).toEqual([100, 0]);
  });

  it.each([5.9, 0, -1, 80.1, Number.NaN])('refuses %d A', (current) => {
    expect(() => dutyOf(current)).toThrow(RangeError);
  });

  it.each([
    [0, 0],
    [5, 0],
    [7.9, 0],
    [8, 6],
    [9.9, 6],
    [10, 6],
    [96.5, 80],
    [97.1, 0],
    [100, 0],
  ])('reads %d %% as %d A', (duty, current) => {
    expect(currentOf(duty)).toBeCloseTo(current, 6);
  });

  it('is read back by the EV as what was offered, never more', () => {
    fc.assert(
      fc.property(fc.double({ min: 6, max: 80, noNaN: true }), (offer) => {
        const read = currentOf(dutyOf(offer));
        expect(read).toBeLessThanOrEqual(offer + 1e-9);
        if (offer <= 51 || offer >= 52.5) expect(read).toBeCloseTo(offer, 6);
      }),
    );
  });
});
