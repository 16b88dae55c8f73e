/** Bad days: a disk that fails for a moment, a link that dies without a word, a pilot that flaps. What is lost comes back by itself. */
import { describe, expect, it } from 'vitest';
import type { ConnectorStatus } from '../../src/core/connector/state.ts';
import { mayFollow } from '../../src/core/connector/transitions.ts';
import { uncaught } from '../sim/uncaught.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

describe('a disk that fails for a moment', () => {
  it('costs the transaction that was to begin then, and no later one', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '0' } });
    const begin = (): Promise<unknown> =>
      world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    world.plugIn();
    await world.clock.advance(seconds(1));
    const first = begin();
    // Healthy when the central system asked, not any more when the start is written.
    world.disk.failWrites(true);
    await world.clock.advance(seconds(1));
    world.disk.failWrites(false);
    expect(await first).toEqual({ status: 'Accepted' });
    expect(world.central.received('StartTransaction')).toEqual([]);
    await world.clock.advance(seconds(10));
    expect(await begin()).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(10));
    expect(world.central.received('StartTransaction')).toHaveLength(1);
  });
});

describe('an output that cannot be written', () => {
  const EIO = new Error('EIO');
  /** From here on every offer fails before the pilot or the interlock has heard of it. */
  const breakPilot = (world: World): void => {
    const [connector] = world.board.connectors;
    if (connector === undefined) throw new Error('there is no connector');
    connector.evse.offer = () => {
      throw EIO;
    };
  };
  const begin = (world: World): Promise<unknown> =>
    world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });

  it.each<[string, (world: World) => unknown]>([
    ['RemoteStopTransaction', (world) => world.central.call('RemoteStopTransaction', { transactionId: 1 })],
    ['UnlockConnector', (world) => world.central.call('UnlockConnector', { connectorId: 1 })],
    ['a tag', (world) => world.present('ABC')],
    ['an EV that leaves', (world) => world.unplug()],
    [
      'a limit on the control socket',
      (world) => world.control('POST', '/limits', { source: 'ems', connectorId: 1, limitA: 6, forS: 600 }),
    ],
  ])('ends the process, whoever has asked for the step: %s', async (_who, asks) => {
    const world = await World.start({ connectors: [{ id: 1, cable: 'socket' }] });
    world.plugIn();
    await world.clock.advance(seconds(1));
    await begin(world);
    await world.clock.advance(seconds(10));
    breakPilot(world);
    const heard = await uncaught(async () => {
      await Promise.all([Promise.resolve(asks(world)).catch(() => {}), world.clock.advance(seconds(10))]);
    });
    expect(heard).toContain(EIO);
  });

  it('ends the process in the step that begins a transaction, and closes nothing before that', async () => {
    const world = await World.start();
    world.plugIn();
    await world.clock.advance(seconds(1));
    breakPilot(world);
    const heard = await uncaught(() => Promise.all([begin(world), world.clock.advance(seconds(10))]));
    expect(heard).toContain(EIO);
    expect(world.board.contactorHistory(1)).toEqual(['open']);
    expect(world.logged.map(({ message }) => message)).not.toContainEqual(expect.stringContaining('durable'));
  });
});

describe('a link that is half-open', () => {
  it.each(['0', '60'])(
    'never counts as an attempt: the stop goes on the next link (ping interval %s)',
    async (interval) => {
      const world = await World.start({
        keys: { MeterValueSampleInterval: '0', TransactionMessageAttempts: '1', WebSocketPingInterval: interval },
      });
      world.plugIn();
      await world.clock.advance(seconds(1));
      await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
      await world.clock.advance(seconds(10));
      world.central.vanish();
      world.unplug();
      await world.clock.advance(seconds(39));
      expect(world.central.received('StopTransaction')).toEqual([]);
      await world.clock.advance(seconds(5));
      expect(world.central.received('StopTransaction')).toHaveLength(1);
      expect(await world.agent.outbox.deadLetters(1)).toEqual([]);
      expect(world.agent.outbox.size).toBe(0);
    },
  );
});

describe('a pilot that flaps while no StatusNotification is answered', () => {
  const FLAPS = 1000;

  async function flapping(): Promise<World> {
    const world = await World.start({
      connectors: [
        { id: 1, cable: 'attached' },
        { id: 2, cable: 'attached' },
      ],
      keys: { MeterValueSampleInterval: '0' },
    });
    world.plugIn(2);
    world.present('ABC', [2]);
    await world.clock.advance(seconds(10));
    world.central.answer('StatusNotification', () => 'silence');
    for (let n = 0; n < FLAPS; n++) {
      if (n % 2 === 0) world.plugIn();
      else world.unplug();
      await world.clock.advance(200);
    }
    return world;
  }

  it('holds nothing else up: a stop goes after the one call that is in flight', async () => {
    const world = await flapping();
    world.unplug(2);
    await world.clock.advance(seconds(31));
    expect(world.central.received('StopTransaction')).toHaveLength(1);
  });

  it('leaves little to be said, each status may follow the one before, and the last one is true', async () => {
    const world = await flapping();
    world.plugIn();
    world.central.answer('StatusNotification', () => ({}));
    const before = world.wire.length;
    await world.clock.advance(seconds(60));
    const statuses = world.central
      .received('StatusNotification')
      .filter(({ connectorId }) => connectorId === 1)
      .map(({ status }) => status as ConnectorStatus);
    for (const [n, status] of statuses.entries()) expect(mayFollow(statuses[n - 1] ?? status, status)).toBe(true);
    expect(statuses.at(-1)).toBe('Preparing');
    expect(world.wire.length - before).toBeLessThan(50);
  });

  it('is history once the link is lost: on the next one only what is true then is said', async () => {
    const world = await flapping();
    world.central.answer('StatusNotification', () => ({}));
    world.network.cut();
    await world.clock.advance(seconds(1));
    world.network.restore();
    const restored = world.clock.now();
    await world.clock.advance(seconds(60));
    expect(world.story(restored).filter((said) => said.includes('(1 '))).toEqual(['StatusNotification(1 Available)']);
  });
});
