/** The end of the process, and what may not happen on the way: nothing begins, nothing stays closed, nothing comes back. */
import { describe, expect, it } from 'vitest';
import { seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const PAIR: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: { MeterValueSampleInterval: '0' },
};

const remoteStart = (world: World, connectorId: number) =>
  world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId });

async function charging(options: WorldOptions = PAIR): Promise<World> {
  const world = await World.start(options);
  world.plugIn(1);
  await world.clock.advance(seconds(1));
  await remoteStart(world, 1);
  await world.clock.advance(seconds(5));
  expect(world.board.connector(1).observe().contactor).toBe('closed');
  return world;
}

describe('a process that is about to end', () => {
  it('lets nothing begin while it waits for the last confirmation', async () => {
    const world = await charging();
    world.central.answer('StopTransaction', () => 'silence');
    world.plugIn(2);
    await world.clock.advance(seconds(1));
    let isOver = false;
    void world.agent.stop('Reboot').then(() => {
      isOver = true;
    });
    await world.clock.advance(seconds(1));
    expect(await remoteStart(world, 2)).toEqual({ status: 'Rejected' });
    world.present('XYZ', [2]);
    await world.clock.advance(seconds(3));
    expect(isOver).toBe(true);
    expect(world.board.contactorHistory(2)).toEqual(['open']);
    expect(world.board.connector(1).observe().contactor).toBe('open');
  });

  it('lets nothing begin while a soft reset waits, and does not break the current of anybody', async () => {
    const world = await charging();
    world.central.answer('StopTransaction', () => 'silence');
    world.plugIn(2);
    await world.clock.advance(seconds(1));
    await world.central.call('Reset', { type: 'Soft' });
    await world.clock.advance(seconds(5));
    expect(await remoteStart(world, 2)).toEqual({ status: 'Rejected' });
    await world.clock.advance(seconds(12));
    expect(world.exits).toEqual(['reset']);
    expect(world.board.contactorHistory(2)).toEqual(['open']);
  });

  it('opens the other contactors when one cannot be commanded', async () => {
    const world = await World.start(PAIR);
    for (const id of [1, 2]) world.plugIn(id);
    await world.clock.advance(seconds(1));
    for (const id of [1, 2]) await remoteStart(world, id);
    await world.clock.advance(seconds(5));
    const [broken] = world.board.connectors;
    if (broken === undefined) throw new Error('there is no connector');
    const permit = broken.evse.permit.bind(broken.evse);
    broken.evse.permit = () => {
      throw new Error('EIO');
    };
    expect(() => world.agent.trip()).toThrow('EIO');
    expect(world.board.connector(2).observe().contactor).toBe('open');
    broken.evse.permit = permit;
  });
});
