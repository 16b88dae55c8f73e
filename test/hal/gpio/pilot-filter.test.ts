/** The filter against its time limits, over random glitches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLOSING_FILTER_MS,
  FILTER_MOST_MS,
  type Filter,
  filtered,
  firstFilter,
  type Levels,
  SAMPLE_MS,
  type Sample,
  sampleOf,
} from '../../../hal/gpio/pilot-filter.ts';

const run = (filter: Filter, samples: readonly Sample[], from: number, filterMs = 20): Filter =>
  samples.reduce((state, sample, index) => filtered(state, sample, from + index * SAMPLE_MS, filterMs), filter);

const charging = () => run(firstFilter('B', 0), Array<Sample>(60).fill('C'), 0);

describe('pilot filter', () => {
  it.each([
    [[true, true, true, true], 'A'],
    [[false, true, true, true], 'B'],
    [[false, false, true, true], 'C'],
    [[false, false, false, true], 'D'],
    [[false, false, false, false], 'E'],
    [[true, false, true, true], 'nonsense'],
    [[false, false, true, false], 'nonsense'],
  ])('reads %j as %s', (levels, sample) => {
    expect(sampleOf(levels as unknown as Levels, false)).toBe(sample);
  });

  it('reads no positive half as F only if we signal F', () => {
    expect(sampleOf([false, false, false, false], true)).toBe('F');
  });

  it('starts in B when the EV already asks for power', () => {
    expect(firstFilter('C', 0).state).toBe('B');
    expect(firstFilter('nonsense', 0).state).toBe('E');
  });

  it('needs half a second of C', () => {
    const long = CLOSING_FILTER_MS / SAMPLE_MS;
    expect(run(firstFilter('B', 0), Array<Sample>(long).fill('C'), 0).state).toBe('B');
    expect(run(firstFilter('B', 0), Array<Sample>(long + 1).fill('C'), 0).state).toBe('C');
  });

  it.each(['C', 'D'] as const)(
    'is in B soon after A when the EV asks at once, and in %s after half a second',
    (asks) => {
      const soon = run(firstFilter('A', 0), Array<Sample>(3).fill(asks), 0);
      expect(soon.state).toBe('B');
      const long = CLOSING_FILTER_MS / SAMPLE_MS;
      expect(run(firstFilter('A', 0), Array<Sample>(long).fill(asks), 0).state).toBe('B');
      expect(run(firstFilter('A', 0), Array<Sample>(long + 1).fill(asks), 0).state).toBe(asks);
    },
  );

  it('begins anew with C after a pulse of B', () => {
    const pulses: Sample[] = [...Array<Sample>(40).fill('C'), 'B', ...Array<Sample>(40).fill('C')];
    expect(run(firstFilter('B', 0), pulses, 0).state).toBe('B');
  });

  it('forgives a glitch shorter than the filter while it charges', () => {
    const state = run(charging(), ['B', 'B', 'C', 'nonsense', 'A', 'C'], 1000);
    expect(state.state).toBe('C');
  });

  it('leaves C within the filter time, whatever is seen instead', () => {
    const other = fc.constantFrom<Sample>('A', 'B', 'E', 'F', 'nonsense');
    fc.assert(
      fc.property(
        fc.array(other, { minLength: 5, maxLength: 20 }),
        fc.integer({ min: 0, max: 99 }),
        (seen, filterMs) => {
          let filter = charging();
          for (const [index, sample] of seen.entries()) {
            filter = filtered(filter, sample, 1000 + index * SAMPLE_MS, filterMs);
            if (index * SAMPLE_MS >= FILTER_MOST_MS) expect(filter.state).not.toBe('C');
          }
        },
      ),
    );
  });

  it('takes levels outside every window for E after 40 ms', () => {
    const nonsense = Array<Sample>(5).fill('nonsense');
    expect(run(firstFilter('B', 0), nonsense.slice(1), 0).state).toBe('B');
    expect(run(firstFilter('B', 0), nonsense, 0).state).toBe('E');
  });
});
