/** The back-off arithmetic of the link. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BackOff, DEFAULT_BACK_OFF, retryDelayMs } from '../../src/core/retry.ts';

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const backOff: fc.Arbitrary<BackOff> = fc.record({
  waitMinimumS: fc.nat(1_000_000),
  repeatTimes: fc.nat(1_000_000),
  randomRangeS: fc.nat(1_000),
});

describe('the delay before the next dial', () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 4],
    [5, 32],
    [6, 60],
    [1000, 60],
  ])('with the defaults, after %i failures, is %i s and up to a second at random', (failures, waitS) => {
    const delay = (fraction: number) => retryDelayMs(DEFAULT_BACK_OFF, { after: 'failed', failures }, fraction);
    expect(delay(0)).toBe(1000 * waitS);
    expect(delay(0.5)).toBe(1000 * waitS + 500);
  });

  it('stops doubling after repeatTimes', () => {
    const policy = { waitMinimumS: 2, repeatTimes: 2, randomRangeS: 0 };
    const waits = [0, 1, 2, 3, 50].map((failures) => retryDelayMs(policy, { after: 'failed', failures }, 0.9));
    expect(waits).toEqual([2000, 4000, 8000, 8000, 8000]);
  });

  it('is up to 300 ms after a settled link was lost', () => {
    expect(retryDelayMs(DEFAULT_BACK_OFF, { after: 'lost', failures: 0 }, 0)).toBe(0);
    expect(retryDelayMs(DEFAULT_BACK_OFF, { after: 'lost', failures: 0 }, 0.5)).toBe(150);
  });

  it('is at least a minute after a refusal, spread like any other', () => {
    expect(retryDelayMs(DEFAULT_BACK_OFF, { after: 'refused', failures: 0 }, 0)).toBe(60_000);
    expect(retryDelayMs(DEFAULT_BACK_OFF, { after: 'refused', failures: 0 }, 0.5)).toBe(60_500);
  });

  it('is never a busy loop, never over a minute plus the random range, and never shorter after more failures', () => {
    fc.assert(
      fc.property(backOff, fc.nat(), fraction, (policy, failures, at) => {
        const delay = retryDelayMs(policy, { after: 'failed', failures }, at);
        expect(delay).toBeGreaterThanOrEqual(100);
        expect(delay).toBeLessThanOrEqual(60_000 + 1000 * policy.randomRangeS);
        expect(retryDelayMs(policy, { after: 'failed', failures: failures + 1 }, at)).toBeGreaterThanOrEqual(delay);
      }),
    );
  });
});
