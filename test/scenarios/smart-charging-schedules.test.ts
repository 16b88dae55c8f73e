/** TxDefaultProfile and ChargePointMaxProfile over days and clocks (OCPP 1.6 sections 3.13.1 and 3.13.2). */
import { describe, expect, it } from 'vitest';
import type { Payload } from '../sim/network.ts';
import {
  ACCEPTED,
  byDefault,
  charge,
  clear,
  inS,
  leave,
  ofAll,
  offerA,
  profile,
  set,
  start,
  stops,
  TWO,
  wasInstalled,
  watched,
} from '../sim/smart-charging.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import type { WorldOptions } from '../sim/world.ts';

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
