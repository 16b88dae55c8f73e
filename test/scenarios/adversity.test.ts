/** Bad days: a disk that fails for a moment, a link that dies without a word. What is lost comes back by itself. */
import { describe, expect, it } from 'vitest';
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
