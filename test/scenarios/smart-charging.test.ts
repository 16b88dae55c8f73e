/** Smart charging as it is lived: what profiles do to the pilot, and what becomes of them (OCPP 1.6 sections 3.13 and 3.13.6). */
import { describe, expect, it } from 'vitest';
import { meterValuesOf } from '../sim/metering.ts';
import {
  ACCEPTED,
  byDefault,
  charge,
  charging,
  clear,
  composite,
  LASTING,
  leave,
  limits,
  ofAll,
  offerA,
  profile,
  REJECTED,
  remoteStart,
  set,
  start,
  starts,
  statuses,
  stops,
  UNKNOWN,
  wasInstalled,
  watched,
} from '../sim/smart-charging.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import type { WorldOptions } from '../sim/world.ts';

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
