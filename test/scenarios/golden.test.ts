/** Three stories whose every frame is written down: nothing missing, nothing extra, order and seconds exact. */
import { describe, it } from 'vitest';
import { expectGolden } from '../sim/golden.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

describe('the wire log of', () => {
  it('a remote session from boot to unplug', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '60' } });
    world.plugIn();
    await world.clock.advance(seconds(5));
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(minutes(2) + seconds(30));
    await world.central.call('RemoteStopTransaction', { transactionId: 1 });
    await world.clock.advance(seconds(10));
    world.unplug();
    await world.clock.advance(seconds(5));
    expectGolden(world.wire, 'remote-session.jsonl');
  });

  it('a session offline, reported when the link returns', async () => {
    const world = await World.start({
      connectors: [{ id: 1, cable: 'socket' }],
      keys: { MeterValueSampleInterval: '60', AllowOfflineTxForUnknownId: 'true' },
    });
    world.network.cut();
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(minutes(2) + seconds(10));
    world.present('ABC');
    await world.clock.advance(seconds(20));
    world.network.restore();
    await world.clock.advance(seconds(5));
    world.unplug();
    await world.clock.advance(seconds(5));
    expectGolden(world.wire, 'offline-session.jsonl');
  });

  it('a loss of power in the middle of a session', async () => {
    const world = await World.start({ meterSerial: 'METER', keys: { MeterValueSampleInterval: '60' } });
    world.plugIn();
    await world.clock.advance(seconds(5));
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(minutes(1) + seconds(30));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expectGolden(world.wire, 'power-loss.jsonl');
  });
});
