/** Security events of the start: a store that was lost is told to the operator (security whitepaper, section 5.15). */
import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

const incidents = [
  { type: 'StoreReplaced', techInfo: 'x'.repeat(400) },
  { type: 'FirmwareUpdated', techInfo: 'second' },
] as const;

describe('what the start of the process has found', () => {
  it('is told once, in order, after the registration, with the time it was found', async () => {
    const world = await World.start({
      incidents,
      prepare: (central) => central.answer('SecurityEventNotification', () => ({})),
    });
    await world.clock.advance(minutes(5));
    const told = world.central.received('SecurityEventNotification');
    expect(told.map(({ type }) => type)).toEqual(['StoreReplaced', 'FirmwareUpdated']);
    expect(told[0]).toMatchObject({ timestamp: '2026-01-05T08:00:00.000Z', techInfo: 'x'.repeat(255) });
    expect(world.story()[0]).toBe('BootNotification');
  });

  it('is not told again and again to a central system that knows no security events', async () => {
    const world = await World.start({ incidents });
    world.central.close();
    await world.clock.advance(minutes(5));
    expect(world.central.received('SecurityEventNotification')).toHaveLength(2);
  });

  it('waits for the next connection when the link is lost', async () => {
    const world = await World.start({
      incidents: incidents.slice(0, 1),
      prepare: (central) => central.answer('SecurityEventNotification', () => 'silence'),
    });
    world.network.cut();
    await world.clock.advance(seconds(5));
    world.central.answer('SecurityEventNotification', () => ({}));
    world.network.restore();
    await world.clock.advance(minutes(5));
    expect(world.central.received('SecurityEventNotification')).toHaveLength(2);
  });
});
