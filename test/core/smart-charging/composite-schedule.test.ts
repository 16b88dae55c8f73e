/** The worked examples of the specification, the rows of the OCTT and the readings that were chosen, as tables. */
import { describe, expect, it } from 'vitest';
import { clear, type ProfileBook } from '../../../src/core/smart-charging/book.ts';
import {
  type CompositeRequest,
  compositeSchedule,
  MOST_DURATION_S,
} from '../../../src/core/smart-charging/composite-schedule.ts';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { at, bookOf, DAY_S, HOUR_S, MIDNIGHT, profile, schedule, site, unanchored } from './builders.ts';

type Rows = (readonly [startPeriod: number, limit: number, numberPhases?: number])[];

/** Rows of three phases leave that out, as the message may. */
function composite(book: ProfileBook, request: Partial<CompositeRequest> = {}): Rows {
  const whole = { connectorId: 1, from: MIDNIGHT, durationS: 400, unit: 'A', site: site(), ...request } as const;
  const periods = compositeSchedule(book, whole)?.periods ?? [];
  return periods.map(({ startPeriod, limit, numberPhases }) =>
    numberPhases === 3 ? [startPeriod, limit] : [startPeriod, limit, numberPhases],
  );
}

const recurring = (recurrencyKind: 'Daily' | 'Weekly'): Partial<ChargingProfile> => ({
  chargingProfileKind: 'Recurring',
  recurrencyKind,
});

describe('the example of section 3.13.7: 6 kW between 08:00 and 20:00, else 11 kW', () => {
  const book = bookOf([
    [
      1,
      profile(100, {
        ...recurring('Daily'),
        chargingSchedule: schedule(
          [
            [0, 11_000, 3],
            [8 * HOUR_S, 6000, 3],
            [20 * HOUR_S, 11_000, 3],
          ],
          { chargingRateUnit: 'W', duration: DAY_S, startSchedule: Date.UTC(2013, 0, 1) },
        ),
      }),
    ],
  ]);
  it('is the composite schedule of two days, without a seam at midnight', () => {
    expect(composite(book, { durationS: 2 * DAY_S, unit: 'W' })).toEqual([
      [0, 11_000],
      [8 * HOUR_S, 6000],
      [20 * HOUR_S, 11_000],
      [32 * HOUR_S, 6000],
      [44 * HOUR_S, 11_000],
    ]);
  });
  it('is rounded down in ampere per phase', () => {
    expect(composite(book, { from: at(7 * HOUR_S), durationS: 2 * HOUR_S })).toEqual([
      [0, 15.9],
      [HOUR_S, 8.6],
    ]);
  });
  it('begins in the middle of a period', () => {
    expect(composite(book, { from: at(9 * HOUR_S), durationS: 60, unit: 'W' })).toEqual([[0, 6000]]);
  });
});

describe('the example of section 3.13.2: a week with a holiday on top', () => {
  // A week from Monday 2025-12-29: nights and weekends 32 A, the days 8 A; New Year's Day as a whole 16 A.
  const monday = Date.UTC(2025, 11, 29);
  const workdays = [0, 1, 2, 3, 4].flatMap((day) => [
    [day * DAY_S + 6 * HOUR_S, 8] as const,
    [day * DAY_S + 23 * HOUR_S, 32] as const,
  ]);
  const week = profile(1, {
    ...recurring('Weekly'),
    chargingSchedule: schedule([[0, 32], ...workdays], { startSchedule: monday, duration: 7 * DAY_S }),
  });
  const holiday = profile(2, {
    stackLevel: 1,
    validFrom: MIDNIGHT,
    validTo: at(DAY_S),
    chargingSchedule: schedule([[0, 16]]),
  });
  it('lets the exception prevail on its day, and the week after it', () => {
    expect(
      composite(
        bookOf([
          [0, week],
          [0, holiday],
        ]),
        { from: at(-2 * HOUR_S), durationS: 2 * DAY_S },
      ),
    ).toEqual([
      [0, 8],
      [HOUR_S, 32],
      [2 * HOUR_S, 16],
      [26 * HOUR_S, 32],
      [32 * HOUR_S, 8],
    ]);
  });
});

describe('stacking (3.13.2, 5.16.4)', () => {
  const low = profile(1, {
    chargingSchedule: schedule(
      [
        [0, 6],
        [100, 8],
        [200, 10],
      ],
      { duration: 410 },
    ),
  });
  const high = (chargingSchedule: ChargingProfile['chargingSchedule'], rest: Partial<ChargingProfile> = {}) =>
    profile(2, { stackLevel: 1, chargingSchedule, ...rest });

  it.each<[string, ChargingProfile, Rows]>([
    [
      'OCTT 072: level 1 for 150 s, then level 0',
      high(
        schedule(
          [
            [0, 7],
            [100, 9],
          ],
          { duration: 150 },
        ),
      ),
      [
        [0, 7],
        [100, 9],
        [150, 8],
        [200, 10],
      ],
    ],
    ['without a duration it never falls back (errata 3.7)', high(schedule([[0, 7]])), [[0, 7]]],
    [
      'not valid yet: the lower level until validFrom',
      high(schedule([[0, 7]]), { validFrom: at(50) }),
      [
        [0, 6],
        [50, 7],
      ],
    ],
    [
      'valid no longer: the lower level from validTo',
      high(schedule([[0, 7]]), { validTo: at(150) }),
      [
        [0, 7],
        [150, 8],
        [200, 10],
      ],
    ],
    [
      'a schedule that has not begun gives way',
      high(schedule([[0, 7]], { startSchedule: at(150) })),
      [
        [0, 6],
        [100, 8],
        [150, 7],
      ],
    ],
    [
      'the last period goes on until the duration ends',
      high(
        schedule(
          [
            [0, 7],
            [10, 9],
          ],
          { duration: 300 },
        ),
      ),
      [
        [0, 7],
        [10, 9],
        [300, 10],
      ],
    ],
    [
      'periods behind the duration are not executed',
      high(
        schedule(
          [
            [0, 7],
            [150, 30],
          ],
          { duration: 150 },
        ),
      ),
      [
        [0, 7],
        [150, 8],
        [200, 10],
      ],
    ],
  ])('%s', (_what, top, rows) => {
    expect(
      composite(
        bookOf([
          [1, low],
          [1, top],
        ]),
      ),
    ).toEqual(rows);
  });

  it('falls back to no profile at all, then to what the connector may offer', () => {
    expect(composite(bookOf([[1, low]]), { durationS: 500, site: site({ maxA: 16 }) })).toEqual([
      [0, 6],
      [100, 8],
      [200, 10],
      [410, 16],
    ]);
  });
  it('a replaced profile with a validFrom in the future leaves a gap (3.13.2)', () => {
    const again = profile(9, { validFrom: at(300), chargingSchedule: schedule([[0, 12]]) });
    expect(
      composite(
        bookOf([
          [1, low],
          [1, again],
        ]),
      ),
    ).toEqual([
      [0, 32],
      [300, 12],
    ]);
  });
});

describe('purposes (3.13.1, 3.13.3)', () => {
  const max = profile(1, {
    chargingProfilePurpose: 'ChargePointMaxProfile',
    chargingSchedule: schedule([[0, 10]], { duration: DAY_S }),
  });
  const byDefault = profile(2, {
    chargingSchedule: schedule(
      [
        [0, 6],
        [60, 10],
        [120, 8],
        [180, 25],
        [260, 8],
      ],
      { duration: 300 },
    ),
  });
  const tx = profile(3, {
    chargingProfilePurpose: 'TxProfile',
    transactionId: 7,
    chargingSchedule: schedule(
      [
        [0, 8],
        [50, 11],
        [140, 16],
        [200, 6],
        [240, 12],
      ],
      { duration: 260 },
    ),
  });
  const transaction = { startedAt: MIDNIGHT, transactionId: 7 };
  const inTransaction = { site: site({ transaction }) };
  const book = bookOf(
    [
      [0, max],
      [1, byDefault],
      [1, tx],
    ],
    transaction,
  );

  it('OCTT 066: the minimum of ChargePointMaxProfile and TxProfile, and of TxDefaultProfile when that is over', () => {
    expect(composite(book, inTransaction)).toEqual([
      [0, 8],
      [50, 10],
      [200, 6],
      [240, 10],
      [260, 8],
      [300, 10],
    ]);
  });
  it.each<[string, Parameters<typeof clear>[1], Rows]>([
    [
      'the TxProfile',
      { id: 3 },
      [
        [0, 6],
        [60, 10],
        [120, 8],
        [180, 10],
        [260, 8],
        [300, 10],
      ],
    ],
    [
      'the TxDefaultProfiles',
      { chargingProfilePurpose: 'TxDefaultProfile' },
      [
        [0, 8],
        [50, 10],
        [200, 6],
        [240, 10],
      ],
    ],
    [
      'connector 0',
      { connectorId: 0 },
      [
        [0, 8],
        [50, 11],
        [140, 16],
        [200, 6],
        [240, 12],
        [260, 8],
        [300, 32],
      ],
    ],
    ['all', {}, [[0, 32]]],
  ])('OCTT 067: without %s the remaining limits', (_what, criteria, rows) => {
    expect(composite(clear(book, criteria).book, inTransaction)).toEqual(rows);
  });
  it('a TxProfile is for its own transaction only', () => {
    const others = [{ ...transaction, transactionId: 8 }, undefined];
    const without = composite(clear(book, { id: 3 }).book);
    for (const other of others) {
      const { transaction: _, ...idle } = site().connectors[0] ?? { connectorId: 1, phases: 3, maxA: 32 };
      const connectors = [other === undefined ? idle : { ...idle, transaction: other }];
      expect(composite(book, { site: site({}, { connectors }) })).toEqual(without);
    }
  });
  it('OCTT 082: a TxDefaultProfile bounds a transaction that has begun before it', () => {
    expect(composite(bookOf([[0, profile(1)]]), { site: site({ transaction: { startedAt: at(-1000) } }) })).toEqual([
      [0, 10],
    ]);
  });

  const two = site({}, { connectors: [1, 2].map((connectorId) => ({ connectorId, phases: 3 as const, maxA: 32 })) });
  it.each<[number, Rows]>([
    [1, [[0, 12]]],
    [2, [[0, 10]]],
  ])(
    'a TxDefaultProfile of connector 1 replaces the one of connector 0 for connector 1 only (connector %i)',
    (connectorId, rows) => {
      const twelve = profile(2, { chargingSchedule: schedule([[0, 12]]) });
      expect(
        composite(
          bookOf([
            [0, profile(1)],
            [1, twelve],
          ]),
          { connectorId, site: two },
        ),
      ).toEqual(rows);
    },
  );
  it('at different levels the TxDefaultProfiles of both are one stack', () => {
    const night = profile(2, { stackLevel: 1, chargingSchedule: schedule([[0, 20]], { duration: 100 }) });
    expect(
      composite(
        bookOf([
          [0, night],
          [1, profile(1)],
        ]),
      ),
    ).toEqual([
      [0, 20],
      [100, 10],
    ]);
  });
});

describe('kinds (7.9, 7.13, 7.37)', () => {
  const short = (startS: number, duration: number, rest: Partial<ChargingProfile>) =>
    profile(1, {
      chargingSchedule: schedule(
        [
          [0, 6],
          [HOUR_S, 8],
        ],
        { duration, startSchedule: at(startS) },
      ),
      ...rest,
    });

  it('Daily over midnight', () => {
    const book = bookOf([[1, short(-10 * DAY_S + 23 * HOUR_S, 2 * HOUR_S, recurring('Daily'))]]);
    expect(composite(book, { durationS: DAY_S })).toEqual([
      [0, 8],
      [HOUR_S, 32],
      [23 * HOUR_S, 6],
    ]);
  });
  it('Weekly, at the same day and time', () => {
    const book = bookOf([[1, short(-21 * DAY_S + 12 * HOUR_S, 2 * HOUR_S, recurring('Weekly'))]]);
    expect(composite(book, { durationS: 8 * DAY_S })).toEqual([
      [0, 32],
      [12 * HOUR_S, 6],
      [13 * HOUR_S, 8],
      [14 * HOUR_S, 32],
      [7 * DAY_S + 12 * HOUR_S, 6],
      [7 * DAY_S + 13 * HOUR_S, 8],
      [7 * DAY_S + 14 * HOUR_S, 32],
    ]);
  });
  it('what is longer than its recurrence is cut off where it begins anew (errata 3.44)', () => {
    const long = schedule(
      [
        [0, 6],
        [23 * HOUR_S, 8],
        [25 * HOUR_S, 30],
      ],
      { duration: 40 * HOUR_S },
    );
    const book = bookOf([[1, profile(1, { ...recurring('Daily'), chargingSchedule: long })]]);
    expect(composite(book, { durationS: 2 * DAY_S })).toEqual([
      [0, 6],
      [23 * HOUR_S, 8],
      [DAY_S, 6],
      [47 * HOUR_S, 8],
    ]);
  });
  it('what recurs does not begin before its startSchedule', () => {
    const book = bookOf([[1, short(DAY_S, 2 * HOUR_S, recurring('Daily'))]]);
    expect(composite(book, { durationS: DAY_S + 60 })).toEqual([
      [0, 32],
      [DAY_S, 6],
    ]);
  });
  it('a recurrence that becomes valid many days ahead is found', () => {
    const book = bookOf([[1, short(-DAY_S, 2 * HOUR_S, { ...recurring('Daily'), validFrom: at(5 * DAY_S + HOUR_S) })]]);
    expect(composite(book, { durationS: 6 * DAY_S })).toEqual([
      [0, 32],
      [5 * DAY_S + HOUR_S, 8],
      [5 * DAY_S + 2 * HOUR_S, 32],
    ]);
  });

  const periods = [
    [0, 6],
    [600, 8],
  ] as const;
  const begun = site({ transaction: { startedAt: at(-500) } });
  it.each<[string, Partial<ChargingProfile>]>([
    ['Relative', { chargingProfileKind: 'Relative', chargingSchedule: unanchored(periods) }],
    ['Relative with a startSchedule', { chargingProfileKind: 'Relative', chargingSchedule: schedule(periods) }],
    ['Absolute without a startSchedule', { chargingSchedule: unanchored(periods) }],
    ['Daily without a startSchedule', { ...recurring('Daily'), chargingSchedule: unanchored(periods) }],
  ])('%s counts from the start of the transaction', (_what, rest) => {
    expect(composite(bookOf([[1, profile(1, rest)]]), { site: begun })).toEqual([
      [0, 6],
      [100, 8],
    ]);
  });
  it('counts from now, as if a transaction began, where none runs or its start lies in the future', () => {
    const relative = profile(1, {
      chargingProfileKind: 'Relative',
      chargingSchedule: unanchored([
        [0, 6],
        [60, 8],
      ]),
    });
    const connectors = [{ connectorId: 1, phases: 3 as const, maxA: 32 }];
    for (const each of [site({}, { connectors }), site({ transaction: { startedAt: at(9999) } })])
      expect(composite(bookOf([[0, relative]]), { from: at(1000), site: each })).toEqual([
        [0, 6],
        [60, 8],
      ]);
  });
  it('a Relative ChargePointMaxProfile counts from its installation', () => {
    const relative = profile(1, {
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: unanchored([
        [0, 6],
        [60, 8],
      ]),
    });
    expect(composite(bookOf([[0, relative]]), { from: at(50) })).toEqual([
      [0, 6],
      [10, 8],
    ]);
  });
});

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

describe('the answer itself', () => {
  const minutes = Array.from({ length: 60 }, (_, n) => [n * 60, 6 + (n % 2)] as const);
  const book = bookOf([[1, profile(1, { chargingSchedule: schedule(minutes) })]]);
  const request = { connectorId: 1, from: at(30.9), durationS: 3600, unit: 'A', site: site() } as const;

  it('starts with the whole second in which it was asked for', () => {
    const { scheduleStart, durationS, unit, periods } = compositeSchedule(book, request) ?? {};
    expect({ scheduleStart, durationS, unit, second: periods?.[1] }).toEqual({
      scheduleStart: at(30),
      durationS: 3600,
      unit: 'A',
      second: { startPeriod: 30, limit: 7, numberPhases: 3 },
    });
  });
  it('ends before it would have more periods than it may', () => {
    const { durationS, periods } = compositeSchedule(book, { ...request, mostPeriods: 3 }) ?? {};
    expect({ durationS, count: periods?.length }).toEqual({ durationS: 150, count: 3 });
  });
  it.each([
    [0, 1],
    [-5, 1],
    [1e300, MOST_DURATION_S],
  ])('takes %d s for %d s', (asked, durationS) => {
    expect(compositeSchedule(book, { ...request, durationS: asked })?.durationS).toBe(durationS);
  });
  it('is undefined for a connector that does not exist', () => {
    expect(compositeSchedule(book, { ...request, connectorId: 2 })).toBeUndefined();
    expect(compositeSchedule(book, { ...request, connectorId: -1 })).toBeUndefined();
  });
});
