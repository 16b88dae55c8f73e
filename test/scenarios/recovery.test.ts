/** The store is lost while transactions run, a fresh one starts, and a technician recovers the old one (`chargepoint outbox recover`). */
import { describe, expect, it } from 'vitest';
import { adopt } from '../../src/cli/outbox.ts';
import { openRange } from '../../src/features/transactions/facts.ts';
import { historyRange } from '../../src/features/transactions/history.ts';
import type { Rows } from '../../src/features/transactions/salvaged.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import { silentLog, World, type WorldOptions } from '../sim/world.ts';

const EVERYTHING = { from: '', to: '\uffff' };
const ONE_METER: WorldOptions = { lasting: true, meterSerial: 'METER' };

interface Said {
  readonly meterStart?: number;
  readonly meterStop?: number;
  readonly transactionId?: number;
  readonly reason?: string;
  readonly timestamp: string;
  readonly transactionData?: readonly { readonly timestamp: string }[];
}
const said = (world: World, action: string) => world.central.received(action) as unknown as readonly Said[];

async function charging(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({ keys: { MeterValueSampleInterval: '60' }, ...ONE_METER, ...options });
  await charge(world, 'ABC');
  return world;
}

async function charge(world: World, idTag: string): Promise<void> {
  world.plugIn();
  await world.clock.advance(seconds(1));
  world.present(idTag);
  await world.clock.advance(seconds(150));
}

/** The power goes, and the store with it: what it held, as a repair finds it. */
async function lose(world: World): Promise<Rows> {
  await world.powerCut();
  const store = world.disk.open();
  const rows = await store.list<unknown>(EVERYTHING);
  await store.batch(
    rows.map(([key]) => ({ type: 'delete', key })),
    'durable',
  );
  await world.disk.kill();
  return rows;
}

/** No agent runs. */
async function recover(world: World, rows: Rows, name = 'aside'): Promise<boolean> {
  const store = world.disk.open();
  const isNew = await adopt(store, { clock: world.clock, log: silentLog }, rows, name);
  await store.close();
  return isNew;
}

async function restart(world: World): Promise<void> {
  await world.boot();
  await world.clock.advance(minutes(5));
}

/** The fresh store has had an agent; it has been stopped since. */
async function freshly(world: World, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  await restart(world);
  await meanwhile();
  await world.kill();
}

describe('a transaction that ran when the store was lost', () => {
  it('ends with PowerLoss, once, with the register of now and all its meter values', async () => {
    const world = await charging({
      keys: { MeterValueSampleInterval: '60', StopTxnSampledData: 'Energy.Active.Import.Register' },
    });
    const register = world.board.connector(1).observe().energyWh;
    const rows = await lose(world);
    await freshly(world);
    expect(said(world, 'StopTransaction')).toEqual([]);
    await recover(world, rows);
    for (let boot = 0; boot < 3; boot++) {
      await restart(world);
      await world.kill();
    }
    expect(said(world, 'StartTransaction')).toHaveLength(1);
    const [stop, ...more] = said(world, 'StopTransaction');
    expect(more).toEqual([]);
    expect(stop).toMatchObject({ transactionId: 1, reason: 'PowerLoss', meterStop: Math.floor(register) });
    // Begin, two samples, end.
    expect(stop?.transactionData).toHaveLength(4);
    expect(await world.disk.read({ from: 'meter-data/', to: 'meter-data0' })).toEqual([]);
  });

  it('is told from its start on, where the central system had not confirmed that', async () => {
    const world = await World.start({ keys: { AllowOfflineTxForUnknownId: 'true' }, ...ONE_METER });
    world.network.cut();
    await charge(world, 'ABC');
    const rows = await lose(world);
    await freshly(world);
    expect(said(world, 'StartTransaction')).toEqual([]);
    await recover(world, rows);
    await restart(world);
    expect(world.central.transactions).toMatchObject([{ start: { idTag: 'ABC' }, stop: { reason: 'PowerLoss' } }]);
  });

  it('never goes on, though the car is still there and the power was away for a moment only', async () => {
    const world = await charging({ resumeWithinS: 3600 });
    const rows = await lose(world);
    await recover(world, rows);
    await restart(world);
    expect(said(world, 'StopTransaction')).toMatchObject([{ transactionId: 1, reason: 'PowerLoss' }]);
    expect(world.board.connector(1).observe().contactor).toBe('open');
  });

  it.each(['has ended', 'still ran'])('takes no energy of one that began there since and %s', async (how) => {
    const world = await charging({ resumeWithinS: 3600 });
    const rows = await lose(world);
    await freshly(world, async () => {
      world.unplug();
      await world.clock.advance(hours(1));
      await charge(world, 'DEF');
      if (how === 'has ended') world.unplug();
      await world.clock.advance(minutes(1));
    });
    await recover(world, rows);
    await restart(world);
    world.unplug();
    await world.clock.advance(minutes(1));
    const [first, second] = said(world, 'StartTransaction');
    const [ofFirst] = said(world, 'StopTransaction').filter(({ transactionId }) => transactionId === 1);
    const [ofSecond] = said(world, 'StopTransaction').filter(({ transactionId }) => transactionId === 2);
    expect(said(world, 'StopTransaction')).toHaveLength(2);
    expect(ofFirst).toMatchObject({ reason: 'PowerLoss' });
    expect(ofFirst?.meterStop).toBeGreaterThan(first?.meterStart ?? Number.NaN);
    expect(ofFirst?.meterStop).toBeLessThanOrEqual(second?.meterStart ?? Number.NaN);
    expect(Date.parse(ofFirst?.timestamp ?? '')).toBeLessThan(Date.parse(second?.timestamp ?? ''));
    // The one of the present store is what it would have been without the other: it may go on, and its energy is its own.
    expect(ofSecond?.reason).toBe('EVDisconnected');
    expect(ofSecond?.meterStop).toBeGreaterThan(second?.meterStart ?? Number.NaN);
    expect(await world.disk.read(openRange)).toEqual([]);
    expect(await world.disk.read(historyRange)).toHaveLength(2);
  });

  it('ends once, though a repair has brought its row back behind its stop', async () => {
    const world = await charging();
    const before = await world.disk.read<unknown>(openRange);
    world.unplug();
    await world.clock.advance(minutes(1));
    const rows = [...(await lose(world)), ...before];
    expect(before).toHaveLength(1);
    await recover(world, rows);
    await restart(world);
    expect(said(world, 'StopTransaction')).toMatchObject([{ reason: 'EVDisconnected' }]);
  });
});

describe('a store that is recovered a second time', () => {
  it('brings nothing twice, whether what it held was sent meanwhile or not, nor by way of another that was lost', async () => {
    const world = await charging();
    const rows = await lose(world);
    expect(await recover(world, rows)).toBe(true);
    expect(await recover(world, rows)).toBe(false);
    await restart(world);
    await world.kill();
    expect(await recover(world, rows)).toBe(false);
    await restart(world);
    const next = await lose(world);
    expect(await recover(world, next, 'next')).toBe(true);
    expect(await recover(world, rows)).toBe(false);
    await restart(world);
    expect(said(world, 'StartTransaction')).toHaveLength(1);
    expect(said(world, 'StopTransaction')).toHaveLength(1);
  });
});
