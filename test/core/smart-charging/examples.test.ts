/** The specification, sentence by sentence, as schedules: sections 3.13, 5.16.2 to 5.16.4 and 7.12 with their errata. */
import { describe, expect, it } from 'vitest';
import { clear, endTransaction, forRemoteStart, type ProfileBook } from '../../../src/core/smart-charging/book.ts';
import { chargePointLimitAt, limitAt } from '../../../src/core/smart-charging/limit-at.ts';
import { type ChargingProfile, withTimes } from '../../../src/core/smart-charging/profile.ts';
import {
  at,
  bookOf,
  composite,
  DAY_S,
  HOUR_S,
  MIDNIGHT,
  profile,
  type Rows,
  recurring,
  schedule,
  site,
  unanchored,
} from './builders.ts';

const MAX = { chargingProfilePurpose: 'ChargePointMaxProfile' } as const;
const TX = { chargingProfilePurpose: 'TxProfile' } as const;
const hoursOf = (rows: Rows) => rows.map(([startS, limit]) => [startS / HOUR_S, limit]);
const inTwoDays = { durationS: 2 * DAY_S };

/** As it stands in the table, in the form of the message. */
const SECTION_3_13_7: ChargingProfile<string> = {
  chargingProfileId: 100,
  stackLevel: 0,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Recurring',
  recurrencyKind: 'Daily',
  chargingSchedule: {
    duration: 86_400,
    startSchedule: '2013-01-01T00:00Z',
    chargingRateUnit: 'W',
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 11_000, numberPhases: 3 },
      { startPeriod: 28_800, limit: 6000, numberPhases: 3 },
      { startPeriod: 72_000, limit: 11_000, numberPhases: 3 },
    ],
  },
};

describe('3.13.7: a daily default profile that limits the power to 6 kW between 08:00 and 20:00', () => {
  const book = bookOf([[0, withTimes(SECTION_3_13_7, Date.parse)]]);

  it.each<['W' | 'A', number, number]>([
    ['W', 11_000, 6000],
    ['A', 15.9, 8.6],
  ])('over 48 h in %s', (unit, night, day) => {
    expect(hoursOf(composite(book, { ...inTwoDays, unit }))).toEqual([
      [0, night],
      [8, day],
      [20, night],
      [32, day],
      [44, night],
    ]);
  });

  it('moment by moment, with the reason and the time of its end', () => {
    const seen: unknown[] = [];
    for (let ms = at(0); ms < at(inTwoDays.durationS); ) {
      const limit = limitAt(book, 1, ms, site());
      seen.push([(ms - at(0)) / (1000 * HOUR_S), limit?.reason]);
      ms = limit?.until ?? Number.POSITIVE_INFINITY;
    }
    expect(seen).toEqual([
      [0, 'TxDefaultProfile 100 allows 15.9 A until 08:00Z'],
      [8, 'TxDefaultProfile 100 allows 8.6 A until 20:00Z'],
      [20, 'TxDefaultProfile 100 allows 15.9 A until 08:00Z'],
      [32, 'TxDefaultProfile 100 allows 8.6 A until 20:00Z'],
      [44, 'TxDefaultProfile 100 allows 15.9 A until 08:00Z'],
    ]);
  });

  it('is nothing before its first day', () => {
    const from = Date.UTC(2012, 11, 31, 23, 0, 0);
    expect(composite(book, { from, durationS: 2 * HOUR_S, unit: 'W' })).toEqual([
      [0, 22_080],
      [HOUR_S, 11_000],
    ]);
  });

  it('bounds a connector with one phase by the same power', () => {
    const one = { site: site({ phases: 1 }), from: at(9 * HOUR_S) };
    expect(composite(book, one)).toEqual([[0, 26, 1]]);
    expect(composite(book, { ...one, unit: 'W' })).toEqual([[0, 6000, 1]]);
  });
});

describe('3.13.2: stacking', () => {
  // Full power on weekdays from 23:00 to 06:00 and all day in weekends, 4 kW at other times; Monday is 2025-12-29.
  const monday = Date.UTC(2025, 11, 29);
  const fromFriday = { from: monday + 4 * DAY_S * 1000, durationS: 4 * DAY_S, unit: 'W' } as const;
  const weekdays = [0, 1, 2, 3, 4].flatMap((day) => [
    [day * DAY_S + 6 * HOUR_S, 4000] as const,
    [day * DAY_S + 23 * HOUR_S, 11_000] as const,
  ]);
  const week = profile(1, {
    ...recurring('Weekly'),
    chargingSchedule: schedule([[0, 11_000], ...weekdays], {
      chargingRateUnit: 'W',
      startSchedule: monday,
      duration: 7 * DAY_S,
    }),
  });

  it('a week from Friday to Monday: the weekend is full power', () => {
    expect(hoursOf(composite(bookOf([[0, week]]), fromFriday))).toEqual([
      [0, 11_000],
      [6, 4000],
      [23, 11_000],
      [78, 4000],
      [95, 11_000],
    ]);
  });

  it('an exception on top, for a holiday, takes its place while it is valid', () => {
    const holiday = profile(2, {
      stackLevel: 1,
      validFrom: fromFriday.from,
      validTo: fromFriday.from + DAY_S * 1000,
      chargingSchedule: schedule([[0, 11_000]], { chargingRateUnit: 'W' }),
    });
    expect(
      hoursOf(
        composite(
          bookOf([
            [0, week],
            [0, holiday],
          ]),
          fromFriday,
        ),
      ),
    ).toEqual([
      [0, 11_000],
      [78, 4000],
      [95, 11_000],
    ]);
  });

  it('the highest stackLevel among those that are valid, in whatever order they came', () => {
    const levels = [0, 5, 3].map(
      (stackLevel) =>
        [1, profile(stackLevel + 1, { stackLevel, chargingSchedule: schedule([[0, 10 + stackLevel]]) })] as const,
    );
    for (const book of [bookOf(levels), bookOf(levels.toReversed())]) {
      expect(composite(book)).toEqual([[0, 15]]);
      expect(composite(clear(book, { stackLevel: 5 }).book)).toEqual([[0, 13]]);
    }
  });

  it('an updated profile with validFrom in the future: default behaviour until then; one from the past leaves no gap', () => {
    const installed = [1, profile(1, { chargingSchedule: schedule([[0, 10]]) })] as const;
    const updated = (from: number) =>
      [1, profile(2, { validFrom: from, chargingSchedule: schedule([[0, 8]]) })] as const;
    expect(composite(bookOf([installed, updated(at(100))]))).toEqual([
      [0, 32],
      [100, 8],
    ]);
    expect(composite(bookOf([installed, updated(at(-100))]))).toEqual([[0, 8]]);
  });

  it('without a duration on the highest level it never falls back', () => {
    const book = bookOf([
      [1, profile(1)],
      [1, profile(2, { stackLevel: 1, chargingSchedule: schedule([[0, 20]]) })],
    ]);
    expect(composite(book, { durationS: 366 * DAY_S })).toEqual([[0, 20]]);
  });
});

describe('3.13.1: purposes', () => {
  const two = site({}, { connectors: [1, 2].map((connectorId) => ({ connectorId, phases: 3 as const, maxA: 32 })) });

  it('TxDefaultProfile: an example could be a policy that prevents charging during the day', () => {
    const policy = profile(1, {
      ...recurring('Daily'),
      chargingSchedule: schedule([[0, 0]], { startSchedule: at(6 * HOUR_S), duration: 16 * HOUR_S }),
    });
    expect(hoursOf(composite(bookOf([[0, policy]]), inTwoDays))).toEqual([
      [0, 32],
      [6, 0],
      [22, 32],
      [30, 0],
      [46, 32],
    ]);
  });

  it('TxDefaultProfile of a connector: the one of connector 0 is replaced only for that specific connector', () => {
    const book = bookOf([
      [0, profile(1, { chargingSchedule: schedule([[0, 10]]) })],
      [2, profile(2, { chargingSchedule: schedule([[0, 16]]) })],
    ]);
    expect(composite(book, { connectorId: 1, site: two })).toEqual([[0, 10]]);
    expect(composite(book, { connectorId: 2, site: two })).toEqual([[0, 16]]);
    expect(composite(clear(book, { connectorId: 2 }).book, { connectorId: 2, site: two })).toEqual([[0, 10]]);
  });

  it('TxProfile: overrules the default for the duration of the transaction only, also where it allows more', () => {
    const book = bookOf([
      [1, profile(1, { chargingSchedule: schedule([[0, 10]]) })],
      [1, profile(2, { ...TX, chargingSchedule: schedule([[0, 25]]) })],
    ]);
    expect(composite(book)).toEqual([[0, 25]]);
    expect(composite(endTransaction(book, 1).book)).toEqual([[0, 10]]);
  });
});

describe('3.13.3: combining', () => {
  const max = profile(1, {
    ...MAX,
    chargingSchedule: schedule(
      [
        [0, 20],
        [90, 12],
        [210, 30],
      ],
      { duration: 350 },
    ),
  });
  const tx = profile(2, {
    ...TX,
    chargingSchedule: schedule([
      [0, 16],
      [60, 24],
      [150, 10],
      [300, 25],
    ]),
  });
  const book = bookOf([
    [0, max],
    [1, tx],
  ]);

  it('the minimum for each interval, whose lengths need not be the same', () => {
    expect(composite(book)).toEqual([
      [0, 16],
      [60, 20],
      [90, 12],
      [150, 10],
      [300, 25],
    ]);
  });

  it('is at no time more than any of the merged schedules', () => {
    const only = (criteria: Parameters<typeof clear>[1]): ProfileBook => clear(book, criteria).book;
    for (let s = 0; s < 400; s += 5) {
      const [both = 0, maxA = 0, txA = 0] = [book, only({ id: 2 }), only({ id: 1 })].map(
        (each) => limitAt(each, 1, at(s), site())?.limitA,
      );
      expect(both).toBe(Math.min(maxA, txA));
    }
  });

  it('with more than one connector ChargePointMaxProfile is the limit for all combined', () => {
    const connectors = [1, 2, 3].map((connectorId) => ({ connectorId, phases: 3 as const, maxA: 32 }));
    const street = site({}, { connectors });
    expect(composite(book, { connectorId: 0, site: street })).toEqual([
      [0, 20],
      [90, 12],
      [210, 30],
      [350, 96],
    ]);
    expect(chargePointLimitAt(book, at(100), street)).toMatchObject({ limitA: 12, chargingProfileId: 1 });
    expect(chargePointLimitAt(book, at(350), street)?.limitA).toBe(Number.POSITIVE_INFINITY);
  });

  it('units may differ: 7 kW for all and 8 A for the one', () => {
    const inWatts = profile(1, { ...MAX, chargingSchedule: schedule([[0, 7000]], { chargingRateUnit: 'W' }) });
    const inAmps = profile(2, { chargingSchedule: schedule([[0, 8]], { duration: 100 }) });
    const mixed = bookOf([
      [0, inWatts],
      [1, inAmps],
    ]);
    expect(composite(mixed)).toEqual([
      [0, 8],
      [100, 10.1],
    ]);
    expect(composite(mixed, { unit: 'W' })).toEqual([
      [0, 5520],
      [100, 7000],
    ]);
  });
});

describe('5.16.2: a profile in RemoteStartTransaction', () => {
  it('gives way to one of the same stackLevel that names the transaction, and is stacked with one of another', () => {
    const asked = forRemoteStart(profile(1, { ...TX, transactionId: 99, chargingSchedule: schedule([[0, 10]]) }));
    if (!asked.ok) throw new Error(asked.reason);
    const transaction = { startedAt: MIDNIGHT, transactionId: 7 };
    const named = (stackLevel: number) =>
      profile(2, { ...TX, transactionId: 7, stackLevel, chargingSchedule: schedule([[0, 16]], { duration: 60 }) });
    const rows = (stackLevel: number) =>
      composite(
        bookOf(
          [
            [1, asked.profile],
            [1, named(stackLevel)],
          ],
          transaction,
        ),
        { site: site({ transaction }) },
      );
    expect(rows(0)).toEqual([
      [0, 16],
      [60, 32],
    ]);
    expect(rows(1)).toEqual([
      [0, 16],
      [60, 10],
    ]);
  });
});

describe('5.16.4: the notes', () => {
  const ends = (periods: Parameters<typeof schedule>[0], duration: number) =>
    composite(bookOf([[1, profile(1, { chargingSchedule: schedule(periods, { duration }) })]]));

  it('periods longer than duration: the remainder is not executed', () => {
    expect(
      ends(
        [
          [0, 10],
          [200, 8],
        ],
        150,
      ),
    ).toEqual([
      [0, 10],
      [150, 32],
    ]);
  });

  it('duration longer than the periods: the value of the last one is kept until it has ended', () => {
    expect(
      ends(
        [
          [0, 10],
          [50, 8],
        ],
        300,
      ),
    ).toEqual([
      [0, 10],
      [50, 8],
      [300, 32],
    ]);
  });

  it('longer than the recurrence: the remainder is not executed (errata 3.44)', () => {
    const long = profile(1, {
      ...recurring('Daily'),
      chargingSchedule: schedule(
        [
          [0, 10],
          [23 * HOUR_S, 8],
          [25 * HOUR_S, 20],
        ],
        { duration: 3 * DAY_S },
      ),
    });
    expect(hoursOf(composite(bookOf([[1, long]]), inTwoDays))).toEqual([
      [0, 10],
      [23, 8],
      [24, 10],
      [47, 8],
    ]);
  });

  it('shorter than the recurrence: a lower stackLevel if there is one, else as if nothing were installed (errata 3.43)', () => {
    const morning = profile(1, {
      ...recurring('Daily'),
      stackLevel: 1,
      chargingSchedule: schedule([[0, 8]], { duration: 6 * HOUR_S }),
    });
    const below = profile(2, { chargingSchedule: schedule([[0, 20]]) });
    const rows = (otherwise: number) => [
      [0, 8],
      [6, otherwise],
      [24, 8],
      [30, otherwise],
    ];
    expect(hoursOf(composite(bookOf([[1, morning]]), inTwoDays))).toEqual(rows(32));
    expect(
      hoursOf(
        composite(
          bookOf([
            [1, morning],
            [0, below],
          ]),
          inTwoDays,
        ),
      ),
    ).toEqual(rows(20));
  });

  it('a profile that is refreshed with startSchedule in the past leaves no default behaviour in between', () => {
    const refreshed = (startS: number) =>
      composite(
        bookOf([
          [1, profile(1, { chargingSchedule: schedule([[0, 10]]) })],
          [1, profile(1, { chargingSchedule: schedule([[0, 8]], { startSchedule: at(startS) }) })],
        ]),
      );
    expect(refreshed(-60)).toEqual([[0, 8]]);
    expect(refreshed(60)).toEqual([
      [0, 32],
      [60, 8],
    ]);
  });
});

describe('7.9 and 7.13: when a schedule begins', () => {
  const rows: Rows = [
    [0, 8],
    [60, 12],
  ];
  const began = (s: number) => site({ transaction: { startedAt: at(s) } });

  it.each<[string, Partial<ChargingProfile>]>([
    ['Relative: with the transaction', { chargingProfileKind: 'Relative', chargingSchedule: unanchored(rows) }],
    [
      'Relative, whatever startSchedule says',
      { chargingProfileKind: 'Relative', chargingSchedule: schedule(rows, { startSchedule: at(5000) }) },
    ],
    ['Absolute without startSchedule: with the start of charging', { chargingSchedule: unanchored(rows) }],
  ])('%s', (_, rest) => {
    const book = bookOf([[1, profile(1, rest)]]);
    expect(composite(book, { site: began(0) })).toEqual(rows);
    expect(composite(book, { site: began(-50) })).toEqual([
      [0, 8],
      [10, 12],
    ]);
  });
});

describe('7.12: current per phase = power / (voltage of the area x number of phases)', () => {
  it.each<[number, number | undefined, number, number]>([
    [11_040, 3, 230, 16],
    [11_040, undefined, 230, 16],
    [3680, 1, 230, 16],
    [2200, 1, 110, 20],
    [3300, undefined, 110, 10],
  ])('%d W on %s phases at %d V is %d A', (limit, numberPhases, nominalV, amps) => {
    const period = numberPhases === undefined ? ([0, limit] as const) : ([0, limit, numberPhases] as const);
    const book = bookOf([[1, profile(1, { chargingSchedule: schedule([period], { chargingRateUnit: 'W' }) })]]);
    expect(limitAt(book, 1, at(0), site({}, { nominalV }))?.limitA).toBe(amps);
  });
});
