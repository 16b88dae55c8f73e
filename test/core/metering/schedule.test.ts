/** When samples are due (OCPP 1.6 sections 3.16.1 and 9.1.5). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOnGrid, nextPeriodic } from '../../../src/core/metering/schedule.ts';

const wall = (text: string): number => Date.parse(text);

describe('the next sample of a transaction', () => {
  it.each([
    [100, 100, 60, 160],
    [100, 159, 60, 160],
    [100, 160, 60, 220],
    [100, 1000, 60, 1060],
    [100, 50, 60, 160],
  ])('begun at %i, at %i, every %i, is at %i', (origin, now, interval, expected) => {
    expect(nextPeriodic(origin, now, interval)).toBe(expected);
  });
});

describe('the next moment on the grid of the day', () => {
  it.each([
    ['2026-01-05T08:00:00.000Z', 20, '2026-01-05T08:00:20.000Z'],
    ['2026-01-05T08:00:19.999Z', 20, '2026-01-05T08:00:20.000Z'],
    ['2026-01-05T08:00:01.500Z', 900, '2026-01-05T08:15:00.000Z'],
    ['2026-01-05T23:59:59.000Z', 900, '2026-01-06T00:00:00.000Z'],
    ['2026-01-05T10:00:00.000Z', 86_400, '2026-01-06T00:00:00.000Z'],
    // 7 s do not divide the day: midnight begins anew.
    ['2026-01-05T23:59:54.000Z', 7, '2026-01-06T00:00:00.000Z'],
    ['2026-01-06T00:00:00.000Z', 7, '2026-01-06T00:00:07.000Z'],
  ])('after %s, every %i s, is %s', (now, intervalS, expected) => {
    expect(new Date(nextOnGrid(wall(now), intervalS * 1000)).toISOString()).toBe(expected);
  });

  it('lies ahead, at most one interval, and on a multiple since midnight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 86_400 }), (now, intervalS) => {
        const next = nextOnGrid(now, intervalS * 1000);
        expect(next).toBeGreaterThan(now);
        expect(next - now).toBeLessThanOrEqual(intervalS * 1000);
        expect((next % 86_400_000) % (intervalS * 1000)).toBe(0);
      }),
    );
  });
});
