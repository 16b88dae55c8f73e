/** Windows and hysteresis of the control pilot's voltage, and what a converter's voltages mean. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  calibrated,
  HELD_V,
  isBrokenLevel,
  isNegativeHalf,
  sampleOfVolts,
  WINDOW_V,
} from '../../../hal/gpio/pilot-levels.ts';

describe('the voltage of the control pilot (IEC 61851-1 table A.2)', () => {
  it.each([
    [12, 'A'],
    [11.4, 'A'],
    [12.6, 'A'],
    [8.36, 'B'],
    [9.56, 'B'],
    [5.48, 'C'],
    [6.49, 'C'],
    [2.62, 'D'],
    [3.25, 'D'],
    [0, 'E'],
    [-12, 'E'],
  ] as const)('%d V is %s at the edges that SAE J1772 gives a state', (volts, state) => {
    expect(sampleOfVolts(volts, 'nonsense', false)).toBe(state);
  });

  it.each([14, 10.5, 7.5, 4.5, 1.5, Number.NaN])('%d V makes no sense', (volts) => {
    expect(sampleOfVolts(volts, 'nonsense', false)).toBe('nonsense');
  });

  it('without a positive half it is F while we signal F, else E', () => {
    expect([sampleOfVolts(-12, 'B', true), sampleOfVolts(0.5, 'B', true)]).toEqual(['F', 'F']);
    expect(sampleOfVolts(9, 'F', true)).toBe('B');
  });

  it('a state is held a little beyond the window in which it is entered', () => {
    expect(sampleOfVolts(6 + HELD_V - 0.05, 'C', false)).toBe('C');
    expect(sampleOfVolts(6 + HELD_V - 0.05, 'B', false)).toBe('nonsense');
    expect(sampleOfVolts(6 + HELD_V + 0.05, 'C', false)).toBe('nonsense');
    expect(sampleOfVolts(6 + WINDOW_V - 0.05, 'B', false)).toBe('C');
  });

  it('noise of less than the hysteresis never makes a state flicker', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1300, max: 1300 }), fc.integer({ min: -19, max: 19 }), (centivolts, noise) => {
        const first = sampleOfVolts(centivolts / 100, 'nonsense', false);
        if (first !== 'nonsense') expect(sampleOfVolts((centivolts + noise) / 100, first, false)).toBe(first);
      }),
      { numRuns: 5000 },
    );
  });

  it('no EV and no short circuit makes more than 12 V, or less than none where no F is signalled', () => {
    expect([12.6, 9, 7.5, 6, 3, 0, -0.5].map((volts) => isBrokenLevel(volts, false))).not.toContain(true);
    expect([13.2, -12, -13.2, Number.NaN].map((volts) => isBrokenLevel(volts, false))).not.toContain(false);
    expect([isBrokenLevel(-12, true), isBrokenLevel(13.2, true)]).toEqual([false, true]);
  });

  it('the negative half is right at -12 V and wrong as the mirror image of B, C or D', () => {
    expect([-11.4, -12, -12.6].map(isNegativeHalf)).toEqual([true, true, true]);
    expect([-9, -6, -3, 0, Number.NaN].map(isNegativeHalf)).toEqual([false, false, false, false, false]);
  });
});

describe('a calibration', () => {
  it('goes straight from point to point and on beyond the last', () => {
    const volts = calibrated([
      { adcV: 3, pilotV: 12 },
      { adcV: 0, pilotV: 0 },
      { adcV: 1, pilotV: 6 },
    ]);
    expect([-0.5, 0, 0.5, 1, 2, 3, 4].map(volts)).toEqual([-3, 0, 3, 6, 9, 12, 15]);
  });

  it('may fall, as behind an inverting stage', () => {
    const volts = calibrated([
      { adcV: 0, pilotV: 12 },
      { adcV: 3, pilotV: -12 },
    ]);
    expect([0, 1.5, 3].map(volts)).toEqual([12, 0, -12]);
  });
});
