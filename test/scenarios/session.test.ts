/** Whole sessions in virtual time; the wire log is the witness. */
import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

describe('a charging session', () => {
  it('boots, reports every connector, and stays quiet', async () => {
    const world = await World.start();
    await world.clock.advance(minutes(10));
    expect(world.story()).toEqual([
      'BootNotification',
      'StatusNotification(0 Available)',
      'StatusNotification(1 Available)',
    ]);
  });

  it('runs from plug to unplug by remote start and stop', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '60' } });
    const begin = world.clock.now();
    world.plugIn();
    await world.clock.advance(seconds(5));
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 })).toEqual({
      status: 'Accepted',
    });
    await world.clock.advance(minutes(3) + seconds(10));
    expect(world.board.connector(1).observe()).toMatchObject({ contactor: 'closed', pilot: 'C' });
    expect(await world.central.call('RemoteStopTransaction', { transactionId: 1 })).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(10));
    world.unplug();
    await world.clock.advance(seconds(1));
    expect(world.story(begin)).toEqual([
      'StatusNotification(1 Preparing)',
      'StartTransaction',
      'StatusNotification(1 Charging)',
      'MeterValues',
      'MeterValues',
      'MeterValues',
      'StatusNotification(1 Finishing)',
      'StopTransaction',
      'StatusNotification(1 Available)',
    ]);
    const [start] = world.central.received('StartTransaction');
    const [stop] = world.central.received('StopTransaction');
    expect(start).toMatchObject({ connectorId: 1, idTag: 'ABC', meterStart: 0 });
    expect(stop).toMatchObject({ transactionId: 1, reason: 'Remote' });
    expect(stop?.['meterStop']).toBeGreaterThan(300);
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
  });
});
