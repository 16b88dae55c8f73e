/** Units, phases and connector 0 (OCPP 1.6 sections 5.7, 7.12 and 7.14). */
import { describe, expect, it } from 'vitest';
import type { ProfileBook } from '../../../src/core/smart-charging/book.ts';
import type { CompositeRequest } from '../../../src/core/smart-charging/composite-schedule.ts';
import { bookOf, composite, profile, type Rows, schedule, site } from './builders.ts';

describe('phases and units (7.12, 7.14, errata 3.34)', () => {
  const one = { phases: 1 } as const;
  it.each<[string, 'A' | 'W', readonly [number, number, number?], 'A' | 'W', Parameters<typeof site>, Rows]>([
    ['W on 3 phases, by default', 'W', [0, 11_040], 'A', [], [[0, 16]]],
    ['W on 1 phase', 'W', [0, 3680, 1], 'A', [], [[0, 16, 1]]],
    ['W on 2 phases', 'W', [0, 3680, 2], 'A', [], [[0, 8, 2]]],
    ['W for 3 phases where only one is installed: the limit as given', 'W', [0, 3680, 3], 'A', [one], [[0, 16, 1]]],
    ['A is per phase', 'A', [0, 10], 'W', [], [[0, 6900]]],
    ['A on 1 phase', 'A', [0, 10, 1], 'W', [], [[0, 2300, 1]]],
    ['A for 3 phases where only one is installed', 'A', [0, 10, 3], 'W', [one], [[0, 2300, 1]]],
    ['another nominal voltage', 'W', [0, 3300], 'A', [{}, { nominalV: 110 }], [[0, 10]]],
    ['W there and back', 'W', [0, 6000.1], 'W', [], [[0, 6000.1]]],
    ['never more than the connector may offer', 'A', [0, 80], 'A', [{ maxA: 16 }], [[0, 16]]],
    ['never more than the grid connection', 'A', [0, 80], 'A', [{}, { gridA: 20 }], [[0, 20]]],
  ])('%s', (_what, chargingRateUnit, period, unit, where, rows) => {
    const book = bookOf([[1, profile(1, { chargingSchedule: schedule([period], { chargingRateUnit }) })]]);
    expect(composite(book, { unit, site: site(...where) })).toEqual(rows);
  });
  it('keeps the current of every phase below each of the merged limits', () => {
    const max = profile(1, {
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingSchedule: schedule([[0, 6900]], { chargingRateUnit: 'W' }),
    });
    const book = bookOf([
      [0, max],
      [1, profile(2, { chargingSchedule: schedule([[0, 20, 1]]) })],
    ]);
    expect(composite(book)).toEqual([[0, 10, 1]]);
    expect(composite(book, { unit: 'W' })).toEqual([[0, 2300, 1]]);
  });
  it('tells periods apart by their phases alone', () => {
    const book = bookOf([
      [
        1,
        profile(1, {
          chargingSchedule: schedule([
            [0, 10, 1],
            [60, 10],
            [120, 10, 3],
          ]),
        }),
      ],
    ]);
    expect(composite(book)).toEqual([
      [0, 10, 1],
      [60, 10],
    ]);
  });
});

describe('connector 0: what the charge point expects to take from the grid (5.7, errata 3.30)', () => {
  const both = (phases: 1 | 3, gridA?: number) =>
    site(
      {},
      {
        connectors: [1, 2].map((connectorId) => ({ connectorId, phases, maxA: 16 })),
        ...(gridA === undefined ? {} : { gridA }),
      },
    );
  const max = (limit: number) =>
    profile(1, {
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingSchedule: schedule([[0, limit]], { duration: 100 }),
    });
  const six = profile(2, { chargingSchedule: schedule([[0, 6]]) });

  it.each<[string, ProfileBook, Partial<CompositeRequest>, Rows]>([
    ['the sum of its connectors', [], { site: both(3) }, [[0, 32]]],
    ['the same in watt', [], { site: both(3), unit: 'W' }, [[0, 22_080]]],
    ['bounded by the grid connection', [], { site: both(3, 25) }, [[0, 25]]],
    [
      'bounded by ChargePointMaxProfile, for all connectors combined',
      bookOf([[0, max(20)]]),
      { site: both(3) },
      [
        [0, 20],
        [100, 32],
      ],
    ],
    [
      'less than ChargePointMaxProfile when the connectors take less',
      bookOf([
        [0, max(20)],
        [0, six],
      ]),
      { site: both(3) },
      [[0, 12]],
    ],
    ['with a profile on one of the connectors', bookOf([[2, six]]), { site: both(3) }, [[0, 22]]],
    [
      'connectors of one phase on a grid of three',
      bookOf([[0, max(20)]]),
      { site: both(1), unit: 'W' },
      [[0, 7360, 1]],
    ],
  ])('%s', (_what, book, request, rows) => {
    expect(composite(book, { connectorId: 0, ...request })).toEqual(rows);
  });
});
