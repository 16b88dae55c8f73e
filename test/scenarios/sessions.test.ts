/** The history of transactions that a technician sees: written with the stops, bounded, and true about what is delivered. */
import { describe, expect, it } from 'vitest';
import type { SessionView } from '../../src/features/transactions/history.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const QUIET: WorldOptions = { keys: { MeterValueSampleInterval: '0' } };

async function sessions(world: World, last = '20'): Promise<readonly SessionView[]> {
  const route = world.agent.routes.find(({ path }) => path === '/sessions');
  const asked = route?.handle({ query: { last }, body: undefined }) as Promise<{ sessions: readonly SessionView[] }>;
  return (await asked).sessions;
}

async function begin(world: World, idTag: string): Promise<void> {
  world.plugIn();
  await world.clock.advance(seconds(1));
  world.present(idTag);
  await world.clock.advance(seconds(5));
}

async function charge(world: World, idTag: string, ms = minutes(6)): Promise<void> {
  await begin(world, idTag);
  await world.clock.advance(ms);
  world.unplug();
  await world.clock.advance(seconds(10));
}

describe('sessions', () => {
  it('tell what ran from when to when, how much it took, and why it ended; the newest first', async () => {
    const world = await World.start(QUIET);
    const before = world.clock.wall(world.clock.now());
    await charge(world, 'ABC');
    await begin(world, 'DEF');
    const [running, ended] = await sessions(world);
    expect(running).toMatchObject({ idTag: 'DEF', delivery: 'running', ended: null, reason: null });
    expect(running?.transactionId).toEqual(expect.any(Number));
    expect(ended).toMatchObject({ idTag: 'ABC', connectorId: 1, delivery: 'delivered', reason: 'EVDisconnected' });
    const stop = world.central.calls().find(({ frame }) => frame[2] === 'StopTransaction')?.frame[3] as {
      readonly meterStop: number;
      readonly transactionId: number;
      readonly timestamp: string;
    };
    const start = world.central.calls().find(({ frame }) => frame[2] === 'StartTransaction')?.frame[3] as {
      readonly meterStart: number;
    };
    expect(ended?.energyWh).toBe(stop.meterStop - start.meterStart);
    expect(ended?.energyWh).toBeGreaterThan(100);
    expect(ended?.transactionId).toBe(stop.transactionId);
    expect(ended?.ended).toBe(Date.parse(stop.timestamp));
    expect(ended?.began).toBeGreaterThanOrEqual(before);
  });

  it('say that one waits while the link is down, and its number once the central system has given it', async () => {
    const world = await World.start({ keys: { ...QUIET.keys, AllowOfflineTxForUnknownId: 'true' } });
    world.network.cut();
    await charge(world, 'ABC');
    expect(await sessions(world)).toMatchObject([{ idTag: 'ABC', delivery: 'waiting', transactionId: null }]);
    world.network.restore();
    await world.clock.advance(minutes(3));
    const [session] = await sessions(world);
    expect(session).toMatchObject({ idTag: 'ABC', delivery: 'delivered' });
    expect(session?.transactionId).toEqual(expect.any(Number));
  });

  it('say that something of one was given up', async () => {
    const world = await World.start({ keys: { ...QUIET.keys, TransactionMessageAttempts: '1' } });
    world.central.answer('StartTransaction', () => ['callError', 'GenericError']);
    await charge(world, 'ABC', seconds(1));
    expect(await sessions(world)).toMatchObject([{ idTag: 'ABC', delivery: 'deadLettered', transactionId: -1 }]);
  });

  it('are still there after a power cut, which has ended what ran', async () => {
    const world = await World.start(QUIET);
    await charge(world, 'ABC');
    await begin(world, 'DEF');
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(10));
    expect(await sessions(world)).toMatchObject([
      { idTag: 'DEF', reason: 'PowerLoss' },
      { idTag: 'ABC', reason: 'EVDisconnected' },
    ]);
  });

  it('cost no write: the batch of the stop carries them, and with it goes what is older than the last 200', async () => {
    const world = await World.start(QUIET);
    for (let wall = 1; wall <= 205; wall++) {
      const key = `ended/${String(wall).padStart(15, '0')}/old`;
      const stamp = { bootId: 'old', at: wall, wall, trusted: true };
      const value = { id: `old-${wall}`, connectorId: 1, idTag: 'OLD', began: stamp, ended: stamp, stopWh: 1 };
      await world.disk.write([{ type: 'put', key, value: JSON.stringify({ ...value, reason: 'Local' }) }], true);
    }
    await charge(world, 'ABC', seconds(1));
    await charge(world, 'DEF', seconds(1));
    // The second stop has taken away what the first one found to be too many.
    expect(await world.disk.read({ from: 'ended/', to: 'ended0' })).toHaveLength(201);
    expect((await sessions(world, '2')).map(({ idTag }) => idTag)).toEqual(['DEF', 'ABC']);
  });

  it.each(['0', '201', 'x', '-1'])('takes no %s for a number of them', async (last) => {
    const world = await World.start(QUIET);
    await expect(sessions(world, last)).rejects.toMatchObject({ code: 'badRequest' });
  });
});
