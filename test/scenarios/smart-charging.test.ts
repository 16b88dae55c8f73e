/** Smart charging as it is lived: what profiles do to the pilot of a transaction (OCPP 1.6 sections 3.13, 5.5, 5.7, 5.11 and 5.16). */
import { describe, expect, it } from 'vitest';
import { cached } from '../sim/driver.ts';
import { meterValuesOf } from '../sim/metering.ts';
import type { Payload } from '../sim/network.ts';
import {
  charge,
  charging,
  clear,
  composite,
  inS,
  limits,
  offerA,
  profile,
  set,
  start,
  watched,
} from '../sim/smart-charging.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import type { World, WorldOptions } from '../sim/world.ts';

const ACCEPTED = { status: 'Accepted' };
const REJECTED = { status: 'Rejected' };
const UNKNOWN = { status: 'Unknown' };
const TWO = [
  { id: 1, cable: 'attached' },
  { id: 2, cable: 'attached' },
] as const;

/** A transaction goes on after a loss of power. */
const LASTING: WorldOptions = { resumeWithinS: 90, lasting: true };

const starts = (world: World) => world.central.received('StartTransaction');
const stops = (world: World) => world.central.received('StopTransaction');
/** Each status of connector 1 from now on, with its info. */
function statuses(world: World) {
  const from = world.central.received('StatusNotification').length;
  return () =>
    world.central
      .received('StatusNotification')
      .slice(from)
      .map(({ status, info }) => (info === undefined ? status : `${status}: ${info}`));
}

/** Ends the transaction on a connector and takes the plug out. */
async function leave(world: World, connectorId = 1): Promise<void> {
  world.unplug(connectorId);
  await world.clock.advance(seconds(10));
}

/** Whether it is installed; it is not afterwards. */
const wasInstalled = async (world: World, id: number): Promise<boolean> =>
  ((await clear(world, { id })) as Payload)['status'] === 'Accepted';

const byDefault = (options: Parameters<typeof profile>[0] = {}) => profile({ purpose: 'TxDefaultProfile', ...options });
const ofAll = (options: Parameters<typeof profile>[0] = {}) =>
  profile({ purpose: 'ChargePointMaxProfile', kind: 'Absolute', ...options });

const remoteStart = (world: World, chargingProfile: Payload, idTag = 'ABC') =>
  world.central.call('RemoteStartTransaction', { idTag, connectorId: 1, chargingProfile });

describe('the limits 0, 10, 0 and 16 A in one transaction', () => {
  it('are x1 and back, SuspendedEVSE with its reason, and what is offered shows in MeterValues', async () => {
    const { world, offersSince } = await watched({
      keys: { MeterValueSampleInterval: '30', MeterValuesSampledData: 'Current.Offered,Power.Offered' },
    });
    await world.clock.advance(900);
    await charge(world);
    // 08:00:02.
    const began = world.clock.now() - seconds(4);
    const said = statuses(world);
    const sequence = profile({
      periods: [
        [0, 0],
        [60, 10],
        [120, 0],
        [180, 16],
      ],
      schedule: { duration: 240 },
    });
    await world.clock.advance(seconds(6));
    expect(await set(world, sequence)).toEqual(ACCEPTED);
    await world.clock.advance(seconds(260));
    expect(offersSince(began)).toEqual([
      [10, 0],
      [60, 10],
      [120, 0],
      [180, 16],
      [240, 32],
    ]);
    expect(said()).toEqual([
      'SuspendedEVSE: TxProfile 1 allows 0 A until 08:01:02Z',
      'Charging',
      'SuspendedEVSE: TxProfile 1 allows 0 A until 08:03:02Z',
      'Charging',
    ]);
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed', 'open', 'closed', 'open', 'closed']);
    const offered = world.central
      .received('MeterValues')
      .map((payload) => meterValuesOf(payload)[0]?.sampledValue.map(({ value, unit }) => `${value} ${unit}`));
    expect(offered).toEqual([
      ['0.0 A', '0 W'],
      ['10.0 A', '6900 W'],
      ['10.0 A', '6900 W'],
      ['0.0 A', '0 W'],
      ['0.0 A', '0 W'],
      ['16.0 A', '11040 W'],
      ['16.0 A', '11040 W'],
      ['32.0 A', '22080 W'],
      ['32.0 A', '22080 W'],
    ]);
    expect(starts(world)).toHaveLength(1);
    expect(stops(world)).toEqual([]);
    expect(world.agent.view().connectors[0]).toMatchObject({ status: 'Charging', transaction: 'online' });
  });

  it('give a reason of at most 50 characters, whatever the profile is called', async () => {
    const world = await charging();
    const said = statuses(world);
    await set(world, ofAll({ id: 2_147_483_647, periods: [[0, 5.9]], schedule: { duration: 3601 } }), 0);
    await world.clock.advance(seconds(10));
    const [first] = said();
    expect(first).toBe('SuspendedEVSE: ChargePointMaxProfile 2147483647 allows 5.9 A');
    expect(String(first).replace('SuspendedEVSE: ', '').length).toBeLessThanOrEqual(50);
  });

  it('below 6 A is no offer: the least that a pilot can say is 6 A', async () => {
    const { world, offers } = await watched();
    await charge(world);
    for (const limit of [5.9, 6, 6.5]) {
      await world.clock.advance(seconds(10));
      await set(world, profile({ periods: [[0, limit]] }));
    }
    await world.clock.advance(seconds(10));
    expect(offers()).toEqual([0, 32, 0, 6, 6.5]);
  });
});

describe('what is installed', () => {
  it.each(['kill', 'powerCut'] as const)('survives a %s right after it was Accepted (errata 3.37)', async (how) => {
    const { world, offers } = await watched();
    await set(world, ofAll({ id: 1, periods: [[0, 20]] }), 0);
    await set(world, byDefault({ id: 2, periods: [[0, 12]], schedule: { duration: 60 } }), 0);
    expect(await set(world, byDefault({ id: 3, level: 1, periods: [[0, 9]], schedule: { duration: 30 } }))).toEqual(
      ACCEPTED,
    );
    await world[how]();
    await world.boot();
    await world.clock.advance(seconds(5));
    const rows = [
      [0, 9],
      [30, 12],
      [60, 20],
    ];
    expect(await limits(world)).toEqual(rows);
    await charge(world);
    await world.clock.advance(seconds(90));
    expect(offers()).toEqual([0, 9, 12, 20]);
  });

  it.each(['kill', 'powerCut'] as const)('and cleared does not come back after a %s', async (how) => {
    const world = await start();
    await set(world, byDefault());
    expect(await clear(world)).toEqual(ACCEPTED);
    await world[how]();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await limits(world)).toEqual([[0, 32]]);
    expect(await clear(world)).toEqual(UNKNOWN);
  });

  it('replaced by another id of the same purpose and level is gone, also after a restart', async () => {
    const world = await start();
    await set(world, byDefault({ id: 1 }));
    await set(world, byDefault({ id: 2, periods: [[0, 8]] }));
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await limits(world)).toEqual([[0, 8]]);
    expect([await wasInstalled(world, 1), await wasInstalled(world, 2)]).toEqual([false, true]);
  });

  it('for a transaction ends with it, and does not come back', async () => {
    const { world, offers } = await watched();
    await charge(world);
    await world.clock.advance(seconds(5));
    await set(world, profile({ more: { transactionId: 1 } }));
    await world.clock.advance(seconds(5));
    await leave(world);
    expect(stops(world)).toHaveLength(1);
    await charge(world);
    expect(offers()).toEqual([0, 32, 10, 0, 32]);
    await leave(world);
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await wasInstalled(world, 1)).toBe(false);
    await charge(world);
    expect(offerA(world)).toBe(32);
  });

  it('for a transaction that a loss of power has ended is gone after the restart', async () => {
    const { world, offers } = await watched();
    await charge(world);
    await world.clock.advance(seconds(5));
    await set(world, profile());
    await world.clock.advance(seconds(5));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(stops(world)).toMatchObject([{ reason: 'PowerLoss' }]);
    await charge(world);
    expect(offers()).toEqual([0, 32, 10, 0, 32]);
    expect(await wasInstalled(world, 1)).toBe(false);
  });

  it.each(['kill', 'powerCut'] as const)(
    'for a transaction goes on with it after a %s, on its own time',
    async (how) => {
      const { world, offers, offersSince } = await watched(LASTING);
      await charge(world);
      const began = world.clock.now() - seconds(4);
      await world.clock.advance(seconds(5));
      await set(
        world,
        profile({
          periods: [
            [0, 10],
            [60, 8],
          ],
          more: { transactionId: 1 },
        }),
      );
      await world.clock.advance(seconds(11));
      await world[how]();
      await world.clock.advance(seconds(10));
      await world.boot();
      await world.clock.advance(seconds(60));
      expect(world.board.connector(1).observe().contactor).toBe('closed');
      expect(starts(world)).toHaveLength(1);
      expect(offers()).toEqual([0, 32, 10, 0, 10, 8]);
      expect(offersSince(began + seconds(40)).at(-1)?.[0]).toBeCloseTo(20, 0);
      await leave(world);
      expect(await wasInstalled(world, 1)).toBe(false);
    },
  );

  it.each<[string, WorldOptions, readonly number[]]>([
    ['bounds the transaction that goes on', LASTING, [0, 10, 0, 10]],
    ['is forgotten with a transaction that does not', {}, [0, 10, 0, 32]],
  ])('with a remote start, and cut off before it was installed, %s', async (_, options, offered) => {
    const hook = { afterWrite: (): void => {} };
    const reached: WorldOptions['reached'] = (point) => {
      if (point === 'afterStoreWrite') hook.afterWrite();
    };
    const { world, offers } = await watched({ ...options, reached });
    world.plugIn();
    await world.clock.advance(seconds(1));
    // The start is on the medium, and nothing that comes after it.
    hook.afterWrite = () => {
      hook.afterWrite = () => {};
      void world.disk.kill();
    };
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(3));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(10));
    if (options.lasting !== true) await charge(world);
    expect(offers()).toEqual(offered);
    expect(await wasInstalled(world, 1)).toBe(options.lasting === true);
  });
});

describe('a disk that fails', () => {
  it('makes SetChargingProfile Rejected, and what was in force stays', async () => {
    const world = await charging();
    await world.clock.advance(seconds(5));
    await set(world, profile({ id: 1 }));
    world.disk.failWrites(true);
    const said = statuses(world);
    expect(await set(world, profile({ id: 1, periods: [[0, 6]] }))).toEqual(REJECTED);
    expect(await set(world, byDefault({ id: 2, periods: [[0, 6]] }))).toEqual(REJECTED);
    expect(await set(world, ofAll({ id: 3, periods: [[0, 6]] }), 0)).toEqual(REJECTED);
    await world.clock.advance(seconds(10));
    expect([await limits(world), offerA(world), said()]).toEqual([[[0, 10]], 10, []]);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ message: 'charging profile 1 was rejected: it could not be stored' }),
    );
    world.disk.failWrites(false);
    expect(await set(world, profile({ id: 1, periods: [[0, 6]] }))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(10));
    expect(offerA(world)).toBe(6);
  });

  it('clears nothing: Unknown, and the limit stays, now and after a restart', async () => {
    const world = await charging();
    await set(world, byDefault());
    world.disk.failWrites(true);
    expect(await clear(world)).toEqual(UNKNOWN);
    await world.clock.advance(seconds(10));
    expect(offerA(world)).toBe(10);
    world.disk.failWrites(false);
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await limits(world)).toEqual([[0, 10]]);
  });

  it('lets no remote start with a profile begin', async () => {
    const { world, offers } = await watched();
    world.disk.failWrites(true);
    expect(await remoteStart(world, profile())).toEqual(REJECTED);
    world.plugIn();
    await world.clock.advance(seconds(10));
    expect(offers()).toEqual([0]);
  });
});

describe('offline (3.13.6)', () => {
  it('the last profiles stay in force and their schedules go on', async () => {
    const { world, offersSince } = await watched();
    await set(world, byDefault({ id: 1, periods: [[0, 20]] }), 0);
    await charge(world);
    const began = world.clock.now() - seconds(4);
    await world.clock.advance(seconds(6));
    const tx = profile({
      id: 2,
      periods: [
        [0, 16],
        [60, 0],
        [120, 8],
      ],
      schedule: { duration: 180 },
    });
    expect(await set(world, tx)).toEqual(ACCEPTED);
    await world.clock.advance(seconds(5));
    world.network.cut();
    await world.clock.advance(seconds(200));
    expect(offersSince(began)).toEqual([
      [10, 16],
      [59.9, 0],
      [119.9, 8],
      [179.9, 20],
    ]);
  });

  it('a transaction that begins then follows the TxDefaultProfile', async () => {
    const { world, offers } = await watched({ keys: { AllowOfflineTxForUnknownId: 'true' } });
    await set(world, byDefault({ periods: [[0, 10]] }), 0);
    world.network.cut();
    await charge(world);
    await world.clock.advance(minutes(5));
    expect(offers()).toEqual([0, 10]);
    world.network.restore();
    await world.clock.advance(seconds(10));
    expect([starts(world).length, offers()]).toEqual([1, [0, 10]]);
  });

  it('without any profile nothing bounds it', async () => {
    const { world, offers } = await watched({ keys: { AllowOfflineTxForUnknownId: 'true' } });
    world.network.cut();
    await charge(world);
    expect(offers()).toEqual([0, 32]);
  });
});

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

describe('without the SmartCharging profile', () => {
  const OFF = { keys: { SupportedFeatureProfiles: 'Core' } };

  it('its calls are CALLERROR NotSupported (errata 3.39)', async () => {
    const world = await start(OFF);
    expect([await set(world, byDefault()), await clear(world), await composite(world)]).toEqual([
      'NotSupported',
      'NotSupported',
      'NotSupported',
    ]);
  });

  it.each([profile(), byDefault(), profile({ periods: [] })])(
    'that of a remote start is ignored (section 5.11)',
    async (ignored) => {
      const { world, offers } = await watched(OFF);
      world.plugIn();
      await world.clock.advance(seconds(1));
      expect(await remoteStart(world, ignored)).toEqual(ACCEPTED);
      await world.clock.advance(seconds(10));
      expect(offers()).toEqual([0, 32]);
    },
  );

  it('what was installed before bounds nothing, and does again when it is back', async () => {
    const { world, offers } = await watched();
    // Those of the next boot.
    const keys = world.options.keys as Record<string, string>;
    await set(world, byDefault());
    keys['SupportedFeatureProfiles'] = 'Core';
    await world.kill();
    await world.boot();
    await charge(world);
    expect(offers()).toEqual([0, 32]);
    delete keys['SupportedFeatureProfiles'];
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await limits(world)).toEqual([[0, 10]]);
  });
});

describe('a remote start with a profile', () => {
  const schedule = {
    periods: [
      [0, 10],
      [60, 8],
    ],
  } as const;

  it('before the plug comes waits for it: bounded from the first offer on, relative to the start', async () => {
    const { world, offersSince } = await watched();
    const t = world.clock.now();
    expect(await remoteStart(world, profile(schedule))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(60));
    world.plugIn();
    await world.clock.advance(seconds(70));
    expect(offersSince(t)).toEqual([
      [60, 10],
      [119.9, 8],
    ]);
  });

  it('is never offered more, also when an EV asks at once', async () => {
    const { world, offers } = await watched();
    world.board.inputs.patchConnector(1, { ev: { plugged: true, mode: 'C' } });
    await world.clock.advance(seconds(1));
    await remoteStart(world, profile({ periods: [[0, 6]] }));
    await world.clock.advance(minutes(1));
    expect(offers()).toEqual([0, 6]);
    expect(world.board.connector(1).observe()).toMatchObject({ contactor: 'closed', amps: 6 });
  });

  it('keeps it back altogether if it allows less than 6 A', async () => {
    const { world, offers } = await watched();
    const said = statuses(world);
    world.plugIn();
    await world.clock.advance(seconds(1));
    await remoteStart(world, profile({ periods: [[0, 0]] }));
    await world.clock.advance(minutes(1));
    expect(offers()).toEqual([0]);
    expect(said()).toEqual(['Preparing', 'SuspendedEVSE: TxProfile 1 allows 0 A']);
    expect(starts(world)).toHaveLength(1);
  });

  it('does not look at the transactionId that it may have (errata 3.41), and is replaced by one that names it', async () => {
    const { world, offers } = await watched();
    world.plugIn();
    await world.clock.advance(seconds(1));
    expect(await remoteStart(world, profile({ id: 1, more: { transactionId: 77 } }))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(10));
    expect(await set(world, profile({ id: 2, level: 1, periods: [[0, 6]], schedule: { duration: 30 } }))).toEqual(
      ACCEPTED,
    );
    await world.clock.advance(seconds(30));
    expect(await set(world, profile({ id: 3, periods: [[0, 16]], more: { transactionId: 1 } }))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(10));
    expect(offers()).toEqual([0, 10, 6, 10, 16]);
    expect([await wasInstalled(world, 1), await wasInstalled(world, 2), await wasInstalled(world, 3)]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('goes before the TxDefaultProfile, which counts where it says nothing', async () => {
    const { world, offers } = await watched();
    await set(world, byDefault({ id: 2, periods: [[0, 6]] }), 0);
    world.plugIn();
    await world.clock.advance(seconds(1));
    await remoteStart(world, profile({ periods: [[0, 16]], schedule: { duration: 60 } }));
    await world.clock.advance(seconds(90));
    expect(offers()).toEqual([0, 16, 6]);
  });

  it('is Rejected with a profile that is no good, and says why in the log', async () => {
    const world = await start();
    expect(await remoteStart(world, profile({ periods: [[5, 10]] }))).toEqual(REJECTED);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ message: 'a remote start was rejected: the first startPeriod is not 0' }),
    );
    await charge(world);
    expect(offerA(world)).toBe(32);
  });

  it('is Rejected where no more profiles may be installed, and the next transaction is not bounded', async () => {
    const { world, offers } = await watched({ keys: { MaxChargingProfilesInstalled: '1' } });
    await set(world, ofAll({ id: 9, periods: [[0, 20]] }), 0);
    expect(await remoteStart(world, profile())).toEqual(REJECTED);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ message: 'a remote start was rejected: MaxChargingProfilesInstalled is reached' }),
    );
    await charge(world);
    expect(offers()).toEqual([0, 20]);
  });

  it('counts those that wait on other connectors, and not the one whose id it has', async () => {
    const world = await start({ connectors: TWO, keys: { MaxChargingProfilesInstalled: '1' } });
    const onTwo = (id: number) =>
      world.central.call('RemoteStartTransaction', { idTag: 'TWO', connectorId: 2, chargingProfile: profile({ id }) });
    expect(await remoteStart(world, profile({ id: 1 }))).toEqual(ACCEPTED);
    expect(await onTwo(2)).toEqual(REJECTED);
    expect(await onTwo(1)).toEqual(ACCEPTED);
  });

  it('that was Accepted bounds its transaction although there is no more room by then, and ends with it', async () => {
    const { world, offers } = await watched({ keys: { MaxChargingProfilesInstalled: '1' }, ...LASTING });
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await set(world, byDefault({ id: 9, periods: [[0, 20]] }), 0);
    world.plugIn();
    await world.clock.advance(seconds(20));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(20));
    await leave(world);
    await charge(world);
    expect(offers()).toEqual([0, 10, 0, 10, 0, 20]);
  });

  /** A local start of the same tag, long after; nothing of the remote start may be left. */
  async function expectUnbounded(world: World): Promise<void> {
    await world.clock.advance(seconds(5));
    await charge(world);
    expect([starts(world).at(-1)?.['idTag'], offerA(world)]).toEqual(['ABC', 32]);
    await world.clock.advance(seconds(5));
    expect(await wasInstalled(world, 1)).toBe(false);
  }

  it('that nobody plugs in for is forgotten with its time-out', async () => {
    const world = await start({ keys: { ConnectionTimeOut: '30' } });
    await remoteStart(world, profile());
    await world.clock.advance(seconds(31));
    expect(world.agent.view().connectors[0]?.status).toBe('Available');
    await expectUnbounded(world);
  });

  it('that the same tag gives back at the reader is forgotten', async () => {
    const world = await start();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(5));
    world.present('ABC');
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors[0]?.status).toBe('Available');
    await expectUnbounded(world);
  });

  it('that is not authorised is forgotten', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true' } });
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Blocked' } }));
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(5));
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    await expectUnbounded(world);
  });

  it('that a fault overtakes while the tag is being authorised is forgotten', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true' } });
    world.central.answer('Authorize', () => {
      world.board.inputs.setFault(1, 'groundFault', {});
      return { idTagInfo: { status: 'Accepted' } };
    });
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors[0]?.status).toBe('Faulted');
    world.board.inputs.setFault(1, 'groundFault', null);
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    await expectUnbounded(world);
  });

  it('that a loss of power overtakes before it has begun is forgotten', async () => {
    const world = await start();
    await remoteStart(world, profile());
    await world.powerCut();
    await world.boot();
    await expectUnbounded(world);
  });

  it('does not begin without its profile, which somebody in between has spent', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true', LocalPreAuthorize: 'true' } });
    await cached(world, 'BOB');
    world.central.answer('Authorize', () => 'silence');
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await cached(world, 'BOB');
    const authorize = world.central.calls().findLast(({ frame }) => frame[2] === 'Authorize');
    world.central.raw(JSON.stringify([3, authorize?.frame[1], { idTagInfo: { status: 'Accepted' } }]));
    world.plugIn();
    await world.clock.advance(seconds(5));
    expect(starts(world)).toEqual([]);
    expect(world.logged.map(({ message }) => message)).toContain(
      'a remote start does not begin: its charging profile was given up meanwhile',
    );
  });

  it('bounds no other tag that begins instead of it, nor its own tag afterwards', async () => {
    const { world, offers } = await watched({
      keys: { AuthorizeRemoteTxRequests: 'true', LocalPreAuthorize: 'true' },
    });
    await world.central.call('SendLocalList', {
      listVersion: 1,
      updateType: 'Full',
      localAuthorizationList: [{ idTag: 'OTHER', idTagInfo: { status: 'Accepted' } }],
    });
    world.central.answer('Authorize', () => 'silence');
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(1));
    await charge(world, 1, 'OTHER');
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    await world.clock.advance(minutes(2));
    expect([starts(world).map(({ idTag }) => idTag), offers()]).toEqual([['OTHER'], [0, 32]]);
    await leave(world);
    await expectUnbounded(world);
  });

  it('ends with its transaction', async () => {
    const world = await start();
    world.plugIn();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(5));
    expect(offerA(world)).toBe(10);
    await leave(world);
    await expectUnbounded(world);
  });
});

describe('a TxDefaultProfile', () => {
  it('on connector 0 is for all, on connector 1 only for that one, which it is replaced for', async () => {
    const world = await start({ connectors: TWO });
    await set(world, byDefault({ id: 1, periods: [[0, 10]] }), 0);
    await set(world, byDefault({ id: 2, periods: [[0, 16]] }), 1);
    await charge(world, 1, 'ONE');
    await charge(world, 2, 'TWO');
    expect([offerA(world, 1), offerA(world, 2)]).toEqual([16, 10]);
    await world.clock.advance(seconds(10));
    await clear(world, { id: 2 });
    await world.clock.advance(seconds(10));
    expect([offerA(world, 1), offerA(world, 2)]).toEqual([10, 10]);
    await clear(world, { connectorId: 0 });
    await world.clock.advance(seconds(10));
    expect([offerA(world, 1), offerA(world, 2)]).toEqual([32, 32]);
  });

  it.each([0, 1])(
    'is set, replaced and cleared on connector %i in the middle of a transaction',
    async (connectorId) => {
      const { world, offersSince } = await watched();
      await charge(world);
      await world.clock.advance(seconds(10));
      const t = world.clock.now() - 1;
      await set(world, byDefault({ id: 1, periods: [[0, 10]] }), connectorId);
      await world.clock.advance(seconds(10));
      await set(world, byDefault({ id: 1, periods: [[0, 8]] }), connectorId);
      await world.clock.advance(seconds(10));
      await set(world, byDefault({ id: 2, periods: [[0, 16]] }), connectorId);
      await world.clock.advance(seconds(10));
      expect(await wasInstalled(world, 1)).toBe(false);
      await clear(world, { connectorId, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 0 });
      await world.clock.advance(seconds(10));
      expect(offersSince(t).map(([s, amps]) => [Math.floor(s), amps])).toEqual([
        [0, 10],
        [10, 8],
        [20, 16],
        [30, 32],
      ]);
      expect(stops(world)).toEqual([]);
    },
  );

  it('that comes again and again pulls the offer to and fro at most every 5 s (IEC 61851-1)', async () => {
    const { world, offersSince } = await watched();
    await charge(world);
    await world.clock.advance(seconds(10));
    const t = world.clock.now();
    for (let n = 0; n < 30; n++) {
      await set(world, byDefault({ periods: [[0, 8 + (n % 7)]] }));
      await world.clock.advance(seconds(1));
    }
    const times = offersSince(t - 1).map(([s]) => s);
    expect(times.length).toBeGreaterThan(4);
    for (const [index, s] of times.entries())
      if (index > 0) expect(Math.round((s - (times[index - 1] ?? 0)) * 1000)).toBeGreaterThanOrEqual(5000);
    await world.clock.advance(seconds(10));
    expect(offerA(world)).toBe(8 + (29 % 7));
  });

  it('of every day goes over midnight, and begins anew each day', async () => {
    const { world, offersSince } = await watched();
    const night = byDefault({
      kind: 'Recurring',
      periods: [
        [0, 16],
        [7200, 10],
      ],
      schedule: { startSchedule: '2020-02-01T23:00:00Z', duration: 10_800 },
      more: { recurrencyKind: 'Daily' },
    });
    await set(world, night, 0);
    await charge(world);
    // 08:00.
    const eight = -100;
    await world.clock.advance(hours(48) + eight - world.clock.now() + 100);
    expect(offersSince(seconds(2)).map(([s, amps]) => [Math.round((s + 2) / 360) / 10, amps])).toEqual([
      [15, 16],
      [17, 10],
      [18, 32],
      [39, 16],
      [41, 10],
      [42, 32],
    ]);
  });

  it('of every week is for its days, in UTC', async () => {
    // The world begins on Monday 2026-01-05 08:00.
    const { world, offersSince } = await watched();
    const sunday = byDefault({
      kind: 'Recurring',
      periods: [[0, 8]],
      schedule: { startSchedule: '2025-12-28T00:00:00Z', duration: 86_400 },
      more: { recurrencyKind: 'Weekly' },
    });
    await set(world, sunday, 0);
    await charge(world);
    const hoursLater = async (h: number): Promise<void> => world.clock.advance(hours(h) - world.clock.now());
    await hoursLater(24 * 14);
    expect(offersSince(seconds(2)).map(([s, amps]) => [Math.round((s + 2) / 360) / 10, amps])).toEqual([
      [136, 8],
      [160, 32],
      [304, 8],
      [328, 32],
    ]);
  });

  it('that is Relative begins with each transaction', async () => {
    const { world, offersSince } = await watched();
    await set(
      world,
      byDefault({
        periods: [
          [0, 8],
          [60, 12],
        ],
        schedule: { duration: 120 },
      }),
    );
    for (const pauseS of [0, 1000]) {
      await world.clock.advance(seconds(pauseS));
      const t = world.clock.now();
      await charge(world);
      await world.clock.advance(seconds(150));
      expect(offersSince(t).map(([s, amps]) => [Math.round(s), amps])).toEqual([
        [1, 8],
        [61, 12],
        [121, 32],
      ]);
      await leave(world);
    }
  });

  it('is valid from validFrom to validTo, with the lower levels before and after', async () => {
    const { world, offersSince } = await watched();
    await set(world, byDefault({ id: 1, periods: [[0, 20]] }), 0);
    const window = { validFrom: inS(world, 60), validTo: inS(world, 120) };
    await set(world, byDefault({ id: 2, level: 3, periods: [[0, 8]], more: window }), 0);
    const t = world.clock.now();
    await charge(world);
    await world.clock.advance(minutes(5));
    expect(offersSince(t).map(([s, amps]) => [Math.round(s), amps])).toEqual([
      [1, 20],
      [60, 8],
      [120, 20],
    ]);
  });
});

describe('a ChargePointMaxProfile', () => {
  it('bounds all connectors together (3.13.3)', async () => {
    const world = await start({ connectors: TWO });
    await set(world, ofAll({ periods: [[0, 20]] }), 0);
    let most = 0;
    world.board.onOutput(() => {
      most = Math.max(most, offerA(world, 1) + offerA(world, 2));
    });
    await charge(world, 1, 'ONE');
    await world.clock.advance(seconds(20));
    expect(offerA(world, 1)).toBe(20);
    await charge(world, 2, 'TWO');
    await world.clock.advance(minutes(2));
    expect([offerA(world, 1), offerA(world, 2)]).toEqual([10, 10]);
    expect(most).toBeLessThanOrEqual(20);
  });

  it('counts also where a TxProfile allows more', async () => {
    const { world, offers } = await watched();
    await set(world, ofAll({ id: 9, periods: [[0, 16]] }), 0);
    await charge(world);
    await world.clock.advance(seconds(10));
    await set(world, profile({ periods: [[0, 25]] }));
    await world.clock.advance(seconds(10));
    await set(world, profile({ periods: [[0, 7]] }));
    await world.clock.advance(seconds(10));
    expect(offers()).toEqual([0, 16, 7]);
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

describe('a clock that nobody vouches for', () => {
  /** Boots without NTP and without a central system; an EV is plugged in and its tag is presented. */
  async function bootedBlind(installed: readonly Payload[], options: WorldOptions = {}) {
    const { world, offers } = await watched({ keys: { AllowOfflineTxForUnknownId: 'true' }, ...options });
    for (const each of installed) expect(await set(world, each, 0)).toEqual(ACCEPTED);
    await world.powerCut();
    world.clock = world.clock.untrusted();
    world.central.clock = world.clock;
    world.network.cut();
    await world.boot();
    await charge(world);
    await world.clock.advance(seconds(10));
    return { world, offers };
  }
  const always = (limit: number) =>
    byDefault({ kind: 'Absolute', periods: [[0, limit]], schedule: { startSchedule: '2026-01-01T00:00:00Z' } });

  it.each([
    ['by default 6 A', {}, 6],
    ['8 A where the installation says so', { installation: { safeA: 8 } }, 8],
    ['none at all', { installation: { safeA: 0 } }, 0],
  ])(
    'makes a profile that depends on the time the safe current, %s, until it is trusted',
    async (_, options, safeA) => {
      const { world, offers } = await bootedBlind([always(20)], options);
      expect(offers()).toEqual(safeA === 0 ? [0] : [0, safeA]);
      expect(world.agent.view().connectors[0]?.limitA).toBe(safeA);
      world.network.restore();
      await world.clock.advance(seconds(20));
      expect(offers()).toEqual(safeA === 0 ? [0, 20] : [0, safeA, 20]);
    },
  );

  it('says so', async () => {
    const { world } = await bootedBlind([always(20)], { installation: { safeA: 0 } });
    world.central.answer('BootNotification', () => 'silence');
    world.network.restore();
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors[0]).toMatchObject({
      status: 'SuspendedEVSE',
      why: expect.stringContaining('the time is not known yet: 0 A'),
    });
  });

  it.each<[string, Payload]>([
    ['validFrom', byDefault({ periods: [[0, 20]], more: { validFrom: '2026-01-01T00:00:00Z' } })],
    ['validTo', byDefault({ periods: [[0, 20]], more: { validTo: '2027-01-01T00:00:00Z' } })],
    [
      'a recurrence',
      byDefault({
        kind: 'Recurring',
        periods: [[0, 20]],
        schedule: { startSchedule: '2026-01-01T00:00:00Z' },
        more: { recurrencyKind: 'Daily' },
      }),
    ],
    [
      'a ChargePointMaxProfile with a start',
      ofAll({ periods: [[0, 20]], schedule: { startSchedule: '2026-01-01T00:00:00Z' } }),
    ],
  ])('cannot tell %s', async (_, installed) => {
    const { offers } = await bootedBlind([installed]);
    expect(offers()).toEqual([0, 6]);
  });

  it('tells a Relative profile, which counts as it is, all the same', async () => {
    const { world, offers } = await bootedBlind([
      byDefault({
        periods: [
          [0, 20],
          [60, 10],
        ],
      }),
    ]);
    await world.clock.advance(seconds(60));
    expect(offers()).toEqual([0, 20, 10]);
  });
});

describe('a wall clock that jumps', () => {
  it('makes the schedule be looked at anew', async () => {
    const { world, offers } = await watched();
    const evening = byDefault({
      kind: 'Recurring',
      periods: [[0, 8]],
      schedule: { startSchedule: '2026-01-01T20:00:00Z', duration: 3600 },
      more: { recurrencyKind: 'Daily' },
    });
    await set(world, evening, 0);
    await charge(world);
    await world.clock.advance(seconds(10));
    for (const hour of [20, 8, 20]) {
      world.clock.jumpTo(Date.UTC(2026, 0, 5, hour, 30));
      await world.clock.advance(seconds(10));
    }
    expect(offers()).toEqual([0, 32, 8, 32, 8]);
    await world.clock.advance(minutes(30));
    expect(offerA(world)).toBe(32);
  });

  it('does not move a Relative schedule', async () => {
    const { world, offersSince } = await watched();
    const relative = byDefault({
      periods: [
        [0, 8],
        [60, 12],
      ],
    });
    await set(world, relative, 0);
    const t = world.clock.now();
    await charge(world);
    for (const jumpS of [3600, -86_400, 0.3]) {
      world.clock.jumpTo(world.clock.wall(world.clock.now()) + seconds(jumpS));
      await world.clock.advance(seconds(5));
    }
    await world.clock.advance(seconds(60));
    expect(offersSince(t).map(([s, amps]) => [Math.round(s), amps])).toEqual([
      [1, 8],
      [61, 12],
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
