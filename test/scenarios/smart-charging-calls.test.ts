/** SetChargingProfile, ClearChargingProfile and GetCompositeSchedule on the wire (OCPP 1.6 sections 5.5, 5.7 and 5.16). */
import { describe, expect, it } from 'vitest';
import type { Payload } from '../sim/network.ts';
import {
  ACCEPTED,
  byDefault,
  charge,
  charging,
  clear,
  composite,
  inS,
  limits,
  ofAll,
  offerA,
  profile,
  REJECTED,
  remoteStart,
  set,
  start,
  statuses,
  TWO,
  UNKNOWN,
  wasInstalled,
} from '../sim/smart-charging.ts';
import { seconds } from '../sim/virtual-clock.ts';
import type { WorldOptions } from '../sim/world.ts';

describe('SetChargingProfile', () => {
  it.each<[string, Payload, number]>([
    ['stackLevel is below 0', byDefault({ level: -1 }), 1],
    ['stackLevel is above ChargeProfileMaxStackLevel', byDefault({ level: 101 }), 1],
    ['Recurring needs a recurrencyKind', byDefault({ kind: 'Recurring' }), 1],
    [
      'validTo is not after validFrom',
      byDefault({ more: { validFrom: '2026-01-05T09:00:00Z', validTo: '2026-01-05T09:00:00Z' } }),
      1,
    ],
    ['duration is not above 0', byDefault({ schedule: { duration: 0 } }), 1],
    ['minChargingRate is below 0', byDefault({ schedule: { minChargingRate: -0.1 } }), 1],
    ['there is no period', byDefault({ periods: [] }), 1],
    [
      'there are more periods than ChargingScheduleMaxPeriods',
      byDefault({ periods: Array.from({ length: 501 }, (_, n) => [n, 10]) }),
      1,
    ],
    ['the first startPeriod is not 0', byDefault({ periods: [[1, 10]] }), 1],
    [
      'startPeriod does not ascend',
      byDefault({
        periods: [
          [0, 10],
          [60, 8],
          [60, 6],
        ],
      }),
      1,
    ],
    ['a limit is below 0', byDefault({ periods: [[0, -1]] }), 1],
    ['numberPhases is not 1, 2 or 3', byDefault({ periods: [[0, 10, 4]] }), 1],
    ['a ChargePointMaxProfile belongs on connector 0', ofAll(), 1],
    ['a TxProfile belongs on one connector', profile(), 0],
    ['no transaction runs on connector 1', profile(), 1],
  ])('is Rejected, and says in the log that %s', async (reason, bad, connectorId) => {
    const world = await start();
    const answer = set(world, bad, connectorId);
    // A long frame is read in slices.
    await world.clock.advance(seconds(1));
    expect(await answer).toEqual(REJECTED);
    expect(world.logged).toContainEqual({
      level: 'warn',
      message: `charging profile 1 was rejected: ${reason}`,
      fields: { connectorId },
    });
    expect(await clear(world)).toEqual(UNKNOWN);
  });

  it('is Rejected when MaxChargingProfilesInstalled is reached, unless it replaces one', async () => {
    const world = await start({ keys: { MaxChargingProfilesInstalled: '2' } });
    await set(world, byDefault({ id: 1 }));
    await set(world, byDefault({ id: 2, level: 1, periods: [[0, 8]] }));
    expect(await set(world, byDefault({ id: 3, level: 2, periods: [[0, 6]] }))).toEqual(REJECTED);
    expect(await limits(world)).toEqual([[0, 8]]);
    expect(await set(world, byDefault({ id: 3, level: 1, periods: [[0, 6]] }))).toEqual(ACCEPTED);
    expect(await limits(world)).toEqual([[0, 6]]);
  });

  it.each([2, -1])('for connector %i, which does not exist, is a CALLERROR (errata 3.39)', async (connectorId) => {
    const world = await start();
    for (const bad of [profile(), byDefault(), ofAll()])
      expect(await set(world, bad, connectorId)).toBe('PropertyConstraintViolation');
    expect(await clear(world)).toEqual(UNKNOWN);
  });

  it.each<[string, Payload]>([
    ['chargingRateUnit', byDefault({ schedule: { chargingRateUnit: 'kW' } })],
    ['chargingProfileKind', byDefault({ more: { chargingProfileKind: 'Sometimes' } })],
    ['chargingProfilePurpose', byDefault({ more: { chargingProfilePurpose: 'Default' } })],
    ['recurrencyKind', byDefault({ kind: 'Recurring', more: { recurrencyKind: 'Yearly' } })],
  ])('with a %s that there is not is a CALLERROR (errata 3.38)', async (_, bad) => {
    const world = await start();
    expect(await set(world, bad)).toBe('PropertyConstraintViolation');
  });

  it.each([
    ['Current', 'W', 'Power', 'A'],
    ['Power', 'A', 'Current', 'W'],
  ] as const)(
    'takes only what ChargingScheduleAllowedChargingRateUnit holds: %s, so not %s',
    async (allowed, unit, refused, other) => {
      const world = await start({ keys: { ChargingScheduleAllowedChargingRateUnit: allowed } });
      expect(await set(world, byDefault({ unit }))).toEqual(REJECTED);
      expect(await remoteStart(world, profile({ unit }))).toEqual(REJECTED);
      const reason = `ChargingScheduleAllowedChargingRateUnit does not hold ${refused}`;
      expect(world.logged.map(({ message }) => message)).toEqual(
        expect.arrayContaining([
          `charging profile 1 was rejected: ${reason}`,
          `a remote start was rejected: ${reason}`,
        ]),
      );
      expect(await composite(world, 60, { chargingRateUnit: unit })).toEqual(REJECTED);
      expect(await composite(world, 60, { chargingRateUnit: other })).toMatchObject(ACCEPTED);
      expect(await set(world, byDefault({ unit: other }))).toEqual(ACCEPTED);
    },
  );

  it('takes what harms nobody: times and ids that mean nothing here, periods that are never reached', async () => {
    const world = await start();
    const odd = byDefault({
      kind: 'Relative',
      periods: [
        [0, 10],
        [100, 6],
      ],
      schedule: { duration: 60, startSchedule: '2001-01-01T00:00:00Z' },
      more: { recurrencyKind: 'Daily', transactionId: 5 },
    });
    expect(await set(world, odd)).toEqual(ACCEPTED);
    expect(await limits(world)).toEqual([
      [0, 10],
      [60, 32],
    ]);
  });
});

describe('GetCompositeSchedule', () => {
  const DEFAULT = { options: { compositeScheduleDefaultLimitAmps: 48 } };

  it.each<[string, WorldOptions, number, number]>([
    ['what its connector may offer', {}, 1, 32],
    ['the sum of its connectors for connector 0', {}, 0, 64],
    ['no more than the fuse for connector 0', { installation: { fuseA: 40 } }, 0, 40],
    ['CompositeScheduleDefaultLimitAmps', DEFAULT, 1, 48],
    ['CompositeScheduleDefaultLimitAmps, once, for connector 0', DEFAULT, 0, 48],
    ['no more than the fuse, whatever the default is', { ...DEFAULT, installation: { fuseA: 25 } }, 1, 25],
  ])('without a profile says %s', async (_, options, connectorId, amps) => {
    const world = await start({ connectors: TWO, ...options });
    expect(await limits(world, 400, { connectorId })).toEqual([[0, amps]]);
    expect(await limits(world, 400, { connectorId, chargingRateUnit: 'W' })).toEqual([[0, amps * 690]]);
    await set(world, byDefault({ schedule: { duration: 60 } }), 1);
    const rest = connectorId === 1 ? 10 : Math.min(amps, 10 + (options.options === undefined ? 32 : 48));
    const rows = [
      [0, rest],
      [60, amps],
    ];
    expect(await limits(world, 400, { connectorId })).toEqual(rest === amps ? [[0, amps]] : rows);
    await charge(world);
    expect(offerA(world)).toBe(10);
  });

  it('for connector 0 with two connectors is what both may take, within the ChargePointMaxProfile', async () => {
    const world = await start({ connectors: TWO });
    await set(
      world,
      ofAll({ id: 1, periods: [[0, 40]], schedule: { duration: 300, startSchedule: inS(world, 0) } }),
      0,
    );
    await set(world, byDefault({ id: 2, periods: [[0, 10]], schedule: { duration: 100 } }), 1);
    await set(world, byDefault({ id: 3, periods: [[0, 16]], schedule: { duration: 200 } }), 2);
    expect(await limits(world, 400, { connectorId: 0 })).toEqual([
      [0, 26],
      [100, 40],
      [300, 64],
    ]);
    expect(await limits(world, 400, { connectorId: 2 })).toEqual([
      [0, 16],
      [200, 32],
    ]);
  });

  it('has no startSchedule (errata 3.57), and says when it begins, how long it is and in which unit', async () => {
    const world = await start();
    await set(world, byDefault({ unit: 'W', periods: [[0, 6900]] }), 0);
    await world.clock.advance(400);
    expect(await composite(world, 86_400)).toEqual({
      status: 'Accepted',
      connectorId: 1,
      scheduleStart: '2026-01-05T08:00:00.000Z',
      chargingSchedule: {
        duration: 86_400,
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 10, numberPhases: 3 }],
      },
    });
    expect(await limits(world, 60, { chargingRateUnit: 'W' })).toEqual([[0, 6900]]);
  });

  it('has no two neighbours that are equal', async () => {
    const world = await start();
    const restless = byDefault({
      kind: 'Absolute',
      periods: [
        [0, 10],
        [60, 10],
        [120, 8],
        [180, 40],
        [240, 32],
        [300, 50],
      ],
      schedule: { startSchedule: inS(world, 0), duration: 86_400 },
    });
    await set(world, restless, 0);
    expect(await limits(world)).toEqual([
      [0, 10],
      [120, 8],
      [180, 32],
    ]);
  });

  it('of an unknown connector, or of a negative duration, is Rejected', async () => {
    const world = await start();
    for (const connectorId of [2, -1]) expect(await composite(world, 60, { connectorId })).toEqual(REJECTED);
    expect(await composite(world, -1)).toEqual(REJECTED);
    expect(await composite(world, 60, { chargingRateUnit: 'kW' })).toBe('PropertyConstraintViolation');
  });

  it('of a transaction goes on from where that is', async () => {
    const world = await charging();
    const tx = profile({
      periods: [
        [0, 16],
        [100, 10],
      ],
      schedule: { duration: 200 },
    });
    await set(world, tx);
    await world.clock.advance(seconds(46));
    // 50 s after the start.
    expect(await limits(world)).toEqual([
      [0, 16],
      [50, 10],
      [150, 32],
    ]);
  });
});

describe('ClearChargingProfile', () => {
  const INSTALLED: readonly (readonly [connectorId: number, Payload])[] = [
    [0, ofAll({ id: 1 })],
    [0, byDefault({ id: 2 })],
    [1, byDefault({ id: 3 })],
    [1, byDefault({ id: 4, level: 1 })],
    [1, profile({ id: 5 })],
    [2, profile({ id: 6, level: 1 })],
  ];
  const PURPOSES = ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'];

  it('clears, for every combination of criteria, what matches all of them, and says Unknown if nothing does', async () => {
    const world = await charging({ connectors: TWO });
    await charge(world, 2, 'TWO');
    const some = <T>(values: readonly T[]): readonly (T | undefined)[] => [undefined, ...values];
    for (const connectorId of some([0, 1, 2, 3]))
      for (const chargingProfilePurpose of some(PURPOSES))
        for (const stackLevel of some([0, 1, 2])) {
          for (const [on, each] of INSTALLED) expect(await set(world, each, on)).toEqual(ACCEPTED);
          const criteria = JSON.parse(JSON.stringify({ connectorId, chargingProfilePurpose, stackLevel })) as Payload;
          const matching = INSTALLED.filter(([on, each]) =>
            Object.entries(criteria).every(([name, value]) => ({ connectorId: on, ...each })[name] === value),
          ).map(([, { chargingProfileId }]) => chargingProfileId);
          expect(await clear(world, criteria), JSON.stringify(criteria)).toEqual(
            matching.length === 0 ? UNKNOWN : ACCEPTED,
          );
          const gone: number[] = [];
          for (const id of [1, 2, 3, 4, 5, 6]) if (!(await wasInstalled(world, id))) gone.push(id);
          expect(gone, JSON.stringify(criteria)).toEqual(matching);
        }
  });

  it('looks at the id alone where there is one (errata 3.26)', async () => {
    const world = await charging({ connectors: TWO });
    await charge(world, 2, 'TWO');
    for (const [on, each] of INSTALLED) await set(world, each, on);
    const others = { connectorId: 2, chargingProfilePurpose: 'TxProfile', stackLevel: 9 };
    expect(await clear(world, { id: 4, ...others })).toEqual(ACCEPTED);
    expect(await clear(world, { id: 4, ...others })).toEqual(UNKNOWN);
    for (const id of [1, 2, 3, 5, 6]) expect(await wasInstalled(world, id)).toBe(true);
  });

  it('gives the current back to the transaction that runs', async () => {
    const world = await charging();
    await set(world, profile({ periods: [[0, 0]] }));
    await world.clock.advance(seconds(10));
    const said = statuses(world);
    expect([offerA(world), await clear(world)]).toEqual([0, ACCEPTED]);
    await world.clock.advance(seconds(10));
    expect([offerA(world), said().at(-1)]).toEqual([32, 'Charging']);
  });
});
