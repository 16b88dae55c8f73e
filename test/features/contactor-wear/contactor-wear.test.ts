/** What is kept of a contactor's wear when the store does not do as it should, and what the control interface says. */
import { describe, expect, it } from 'vitest';
import { World } from '../../sim/world.ts';

const worn = { contactorLife: { operations: 100, underLoad: 10 } };

async function session(world: World): Promise<void> {
  world.plugIn();
  world.present('ABC');
  await world.clock.advance(5000);
  world.unplug();
  await world.clock.advance(5000);
}

const contactors = (world: World) => world.control('GET', '/contactors');

describe('the wear of contactors', () => {
  it('is nobody’s business where nobody counts', async () => {
    expect(await contactors(await World.start())).toEqual({ contactors: [] });
  });

  it('goes on after a power cut', async () => {
    const world = await World.start({ protection: worn });
    await session(world);
    await session(world);
    await world.powerCut();
    await world.boot();
    await world.clock.advance(100);
    await session(world);
    expect(await contactors(world)).toMatchObject({ contactors: [{ operations: 3, underLoad: 0 }] });
    expect(world.agent.view().connectors).toMatchObject([{ wear: { operations: 3, underLoad: 0 } }]);
  });

  it('refuses to forget a contactor that there is not', async () => {
    const world = await World.start({ protection: worn });
    await expect(world.control('POST', '/contactors/exchanged', { connectorId: 2 })).rejects.toThrow(
      'connectorId is 2, expected one of /contactors',
    );
    await expect(world.control('POST', '/contactors/exchanged')).rejects.toThrow('connectorId is undefined');
  });
});
