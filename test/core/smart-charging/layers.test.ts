/** Which profile prevails: stack levels and purposes (OCPP 1.6 sections 3.13.1 to 3.13.3), with the rows of the OCTT. */
import { describe, expect, it } from 'vitest';
import { clear } from '../../../src/core/smart-charging/book.ts';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { at, bookOf, composite, DAY_S, MIDNIGHT, profile, type Rows, schedule, site } from './builders.ts';

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
  it('a TxProfile bounds its transaction also while that has no id, or none that is known', () => {
    const rows = composite(book, inTransaction);
    expect(composite(book, { site: site({ transaction: { startedAt: MIDNIGHT } }) })).toEqual(rows);
    const { transactionId: _, ...anyTransaction } = tx;
    const remote = bookOf([
      [0, max],
      [1, byDefault],
      [1, anyTransaction],
    ]);
    expect(composite(remote, inTransaction)).toEqual(rows);
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
