/** A loss of power with `resumeWithinS`: what goes on, what ends, and what the central system sees of it (OCTT TC_032_2). */
import { describe, expect, it } from 'vitest';
import { watchedMeter } from '../sim/metering.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const starts = (world: World) => world.central.received('StartTransaction');
const stops = (world: World) => world.central.received('StopTransaction');
const coil = (world: World, connectorId = 1) => world.board.connector(connectorId).observe().contactor;

async function charging(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({
    keys: { MeterValueSampleInterval: '60' },
    resumeWithinS: 90,
    lasting: true,
    ...options,
  });
  world.plugIn();
  await world.clock.advance(seconds(1));
  world.present('ABC');
  await world.clock.advance(seconds(140));
  expect(coil(world)).toBe('closed');
  return world;
}

/** The power is away for so long; the process is there again, and has had time to settle. */
async function outage(world: World, ms: number, how: 'powerCut' | 'kill' = 'powerCut'): Promise<number> {
  await world[how]();
  await world.clock.advance(ms);
  const booted = world.clock.now();
  await world.boot();
  await world.clock.advance(seconds(10));
  return booted;
}

describe('TC_032_2: power failure, charging is resumed after the boot', () => {
  it('goes on as Charging without a new start, and the tag that began it stops it', async () => {
    const world = await charging();
    const booted = await outage(world, seconds(20));
    expect(world.story(booted)).toEqual([
      'BootNotification',
      'StatusNotification(0 Available)',
      'StatusNotification(1 SuspendedEVSE)',
      'StatusNotification(1 Charging)',
    ]);
    expect(coil(world)).toBe('closed');
    world.present('abc');
    await world.clock.advance(seconds(5));
    expect(starts(world)).toHaveLength(1);
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'Local', idTag: 'abc' }]);
    expect(world.story().slice(-2)).toEqual(['StatusNotification(1 Finishing)', 'StopTransaction']);
  });
});

describe('a transaction that goes on', () => {
  it('keeps its id, its register and its schedule of samples', async () => {
    const world = await charging();
    await outage(world, seconds(20));
    await world.clock.advance(minutes(3));
    const began = Date.parse(String(starts(world)[0]?.['timestamp']));
    const samples = world.central.received('MeterValues') as unknown as {
      transactionId: number;
      meterValue: { timestamp: string; sampledValue: { value: string }[] }[];
    }[];
    const times = samples.flatMap(({ meterValue }) => meterValue.map(({ timestamp }) => Date.parse(timestamp) - began));
    expect(times).toEqual([1, 2, 3, 4, 5].map(minutes));
    expect(new Set(samples.map(({ transactionId }) => transactionId))).toEqual(new Set([1]));
    const energies = samples.map(({ meterValue }) => Number(meterValue[0]?.sampledValue[0]?.value));
    expect(energies).toEqual(energies.toSorted((a, b) => a - b));
    expect(energies.at(-1)).toBeGreaterThan(energies[1] ?? Number.NaN);
  });

  it('survives a second loss of power on the same schedule', async () => {
    const world = await charging();
    await outage(world, seconds(10));
    await outage(world, seconds(10), 'kill');
    await world.clock.advance(minutes(1));
    world.unplug();
    await world.clock.advance(seconds(5));
    const began = Date.parse(String(starts(world)[0]?.['timestamp']));
    const last = world.central.received('MeterValues').at(-1) as unknown as { meterValue: { timestamp: string }[] };
    expect((Date.parse(last.meterValue[0]?.timestamp ?? '') - began) % minutes(1)).toBe(0);
    expect(starts(world)).toHaveLength(1);
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'EVDisconnected' }]);
  });

  it.each([60, 900])(
    'survives cuts 10 s apart, sampled every %i s: each register is compared over the time since the one before',
    async (intervalS) => {
      const world = await charging({ keys: { MeterValueSampleInterval: String(intervalS) }, resumeWithinS: 1200 });
      await world.clock.advance(minutes(10));
      for (let cut = 0; cut < 4; cut++) {
        await outage(world, seconds(5));
        expect([coil(world), stops(world)]).toEqual(['closed', []]);
      }
    },
  );

  it('can be stopped by another tag of the group that StartTransaction.conf named', async () => {
    const family = () => ({ idTagInfo: { status: 'Accepted', parentIdTag: 'FAMILY' } });
    const world = await charging({
      prepare: (central) => {
        central.answer('StartTransaction', () => ({ transactionId: 1, ...family() }));
      },
    });
    await outage(world, seconds(20));
    world.central.answer('Authorize', family);
    world.present('MUM');
    await world.clock.advance(seconds(5));
    expect(stops(world)).toMatchObject([{ reason: 'Local', idTag: 'MUM' }]);
  });

  it('holds the plug in a socket, and charges only once that is held', async () => {
    const world = await charging({ connectors: [{ id: 1, cable: 'socket' }] });
    await outage(world, seconds(20));
    expect(world.board.connector(1).observe()).toMatchObject({ contactor: 'closed', locked: true });
    expect(stops(world)).toEqual([]);
  });

  it('goes on when only the central system tells the time', async () => {
    const world = await charging();
    await world.powerCut();
    world.clock = world.clock.untrusted();
    world.central.clock = world.clock;
    const { wall } = world.clock;
    world.central.answer('BootNotification', () => 'silence');
    await world.clock.advance(seconds(20));
    await world.boot();
    await world.clock.advance(seconds(20));
    expect(coil(world)).toBe('open');
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'XYZ', connectorId: 1 })).toEqual({
      status: 'Rejected',
    });
    world.clock.set(wall.call(world.clock, world.clock.now()));
    await world.clock.advance(seconds(10));
    expect(coil(world)).toBe('closed');
  });
});

describe('a transaction ends with PowerLoss, and the contactor stays open,', () => {
  async function expectEnd(world: World): Promise<void> {
    expect(coil(world)).toBe('open');
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'PowerLoss' }]);
    expect(starts(world)).toHaveLength(1);
    expect(world.board.contactorHistory(1)).toEqual(['open']);
    // The connector is as good as new.
    world.unplug();
    await world.clock.advance(seconds(1));
    expect(world.agent.view().connectors[0]).toMatchObject({ status: 'Available', transaction: 'none' });
  }

  it('by default', async () => {
    const world = await charging({ resumeWithinS: 0 });
    await outage(world, seconds(1));
    await expectEnd(world);
  });

  it('if the power was away for too long', async () => {
    const world = await charging();
    await outage(world, seconds(90));
    await expectEnd(world);
  });

  it('if the car has left meanwhile', async () => {
    const world = await charging();
    await world.powerCut();
    await world.clock.advance(seconds(20));
    world.left = world.left.map(({ connectorId, change: { meter } }) => ({
      connectorId,
      change: { ev: { plugged: false }, ...(meter === undefined ? {} : { meter }) },
    }));
    await world.boot();
    await world.clock.advance(seconds(10));
    await expectEnd(world);
  });

  it.each<[string, { readonly wh?: number; readonly serial?: string }]>([
    ['the meter is another one', { serial: 'NEW' }],
    ['the register fell', { wh: 1 }],
    ['the register jumped', { wh: 1_000_000 }],
  ])('if %s', async (_, meter) => {
    const world = await charging();
    await world.powerCut();
    world.left = world.left.map(({ connectorId, change }) => ({
      connectorId,
      change: { ...change, meter: { ...change.meter, ...meter } },
    }));
    await world.boot();
    await world.clock.advance(seconds(10));
    await expectEnd(world);
  });

  it('if nobody tells the time before it has run out', async () => {
    const world = await charging();
    await world.powerCut();
    world.clock = world.clock.untrusted();
    world.central.clock = world.clock;
    world.network.cut();
    await world.boot();
    await world.clock.advance(seconds(89));
    expect(world.agent.view().connectors[0]).toMatchObject({ status: 'SuspendedEVSE', transaction: 'online' });
    expect(coil(world)).toBe('open');
    await world.clock.advance(seconds(2));
    world.network.restore();
    await world.clock.advance(seconds(10));
    await expectEnd(world);
  });

  it('at once if its tag is presented while nobody knows yet whether it goes on', async () => {
    const world = await charging();
    await world.powerCut();
    world.clock = world.clock.untrusted();
    world.central.clock = world.clock;
    world.network.cut();
    await world.boot();
    await world.clock.advance(seconds(5));
    world.present('ABC');
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors[0]?.transaction).toBe('none');
    expect(coil(world)).toBe('open');
    world.network.restore();
    await world.clock.advance(seconds(10));
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'Local', idTag: 'ABC' }]);
  });

  it('if the central system had not accepted its idTag', async () => {
    const world = await charging({
      keys: { MeterValueSampleInterval: '60', StopTransactionOnInvalidId: 'false', MaxEnergyOnInvalidId: '100000' },
      prepare: (central) =>
        central.answer('StartTransaction', () => ({ transactionId: 1, idTagInfo: { status: 'Invalid' } })),
    });
    await outage(world, seconds(5));
    await expectEnd(world);
  });
});

describe('a stop that comes while the register is read', () => {
  it('ends it once, and no restart finds it again', async () => {
    const { watch, furnish } = watchedMeter();
    const world = await charging({ furnish });
    await world.powerCut();
    // The one before the stop takes longer than that of the stop itself.
    const delays = [1500, 100];
    watch.slowness = () => new Promise<void>((resolve) => void world.clock.after(delays.shift() ?? 0, resolve));
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(await world.central.call('RemoteStopTransaction', { transactionId: 1 })).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(10));
    expect(delays).toEqual([]);
    watch.slowness = () => Promise.resolve();
    await outage(world, seconds(5));
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'Remote' }]);
    expect(coil(world)).toBe('open');
  });
});

describe('two connectors', () => {
  it('are judged each by itself', async () => {
    const world = await World.start({
      connectors: [
        { id: 1, cable: 'attached' },
        { id: 2, cable: 'socket' },
      ],
      keys: { MeterValueSampleInterval: '60' },
      resumeWithinS: 90,
      lasting: true,
    });
    for (const connectorId of [1, 2]) {
      world.plugIn(connectorId);
      await world.central.call('RemoteStartTransaction', { idTag: `TAG${connectorId}`, connectorId });
    }
    await world.clock.advance(seconds(70));
    await world.powerCut();
    world.left = world.left.map(({ connectorId, change }) =>
      connectorId === 1 ? { connectorId, change: { ...change, ev: { plugged: false } } } : { connectorId, change },
    );
    await world.boot();
    await world.clock.advance(seconds(10));
    expect([coil(world, 1), coil(world, 2)]).toEqual(['open', 'closed']);
    expect(stops(world)).toMatchObject([{ reason: 'PowerLoss' }]);
  });
});
