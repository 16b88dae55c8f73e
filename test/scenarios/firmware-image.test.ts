/** What lies on the disk while an update waits, what a switch of the central system leaves there, and an installation that goes on without us. */
import { describe, expect, it } from 'vitest';
import { switchCentralSystem } from '../../src/central-system-switch.ts';
import type { Installation } from '../../src/ports.ts';
import { firmwareWorld, signedUpdate, TAMPERED, told, update } from '../sim/firmware.ts';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { silentLog, type World } from '../sim/world.ts';

const RETRIEVED = ['Downloading', 'Downloaded', 'SignatureVerified'];

/** To be installed in half a minute. */
const later = (world: World) =>
  signedUpdate(
    {},
    { installDateTime: new Date(world.clock.wall(world.clock.now()) + seconds(30)).toISOString() },
  )(world);

const charge = async (world: World): Promise<void> => {
  play.plugIn()(world);
  play.tag('ABC', [1])(world);
  await world.clock.advance(seconds(10));
};

const tamper = ({ firmwareFile }: World): void => {
  for (const file of firmwareFile.files.keys()) firmwareFile.files.set(file, TAMPERED);
};
const lose = ({ firmwareFile }: World): void => firmwareFile.files.clear();

const events = ({ central }: World): readonly unknown[] =>
  [...central.calls()].flatMap(({ frame: [, , action, payload] }) =>
    action === 'SecurityEventNotification' ? [(payload as { type: unknown }).type] : [],
  );

describe('an image that is not what it was when its time comes', () => {
  const waits: readonly (readonly [string, (world: World) => void])[] = [
    ['was changed', tamper],
    ['has gone', lose],
  ];
  it.each(waits)('and %s until installDateTime is no firmware that anybody has signed', async (_, act) => {
    const world = await firmwareWorld();
    await story(
      world,
      [
        [0, later],
        [10, act],
      ],
      60,
    );
    expect(told(world)).toEqual([...RETRIEVED, 'InstallScheduled', 'InvalidSignature']);
    expect(events(world)).toContain('InvalidFirmwareSignature');
    expect([world.exits, world.firmwareFile.files.size]).toEqual([[], 0]);
    expect(world.agent.view().connectors).toMatchObject([{ status: 'Available' }]);
  });

  it.each(waits)('and %s while a transaction went on is not installed', async (_, act) => {
    const world = await firmwareWorld();
    await charge(world);
    await story(
      world,
      [
        [0, signedUpdate()],
        [10, act],
        [20, play.tag('ABC', [1])],
        [25, play.unplug()],
      ],
      60,
    );
    expect(told(world)).toEqual([...RETRIEVED, 'InstallScheduled', 'InvalidSignature']);
    expect([world.exits, world.agent.view().connectors[0]?.status]).toEqual([[], 'Available']);
  });

  it.each(waits)('and %s while nobody ran is not installed', async (_, act) => {
    const world = await firmwareWorld();
    await story(
      world,
      [
        [0, later],
        [
          10,
          async (world) => {
            await world.kill();
            act(world);
            await world.clock.advance(minutes(1));
            await world.boot();
          },
        ],
      ],
      90,
    );
    expect(told(world)).toEqual([...RETRIEVED, 'InstallScheduled', 'InvalidSignature']);
    expect(world.exits).toEqual([]);
  });

  it.each(waits)('and %s after UpdateFirmware is a failed installation', async (_, act) => {
    const world = await firmwareWorld();
    await charge(world);
    await story(
      world,
      [
        [0, update()],
        [10, act],
        [20, play.tag('ABC', [1])],
      ],
      60,
    );
    expect(told(world)).toEqual(['Downloading', 'Downloaded', 'InstallationFailed']);
    expect([world.exits, events(world)]).toEqual([[], []]);
  });

  it('after UpdateFirmware is installed if it is the same', async () => {
    const world = await firmwareWorld();
    await charge(world);
    await story(
      world,
      [
        [0, update()],
        [10, play.restart('kill', 1)],
        [20, play.tag('ABC', [1])],
      ],
      60,
    );
    expect(told(world)).toEqual(['Downloading', 'Downloaded', 'Installing']);
    expect(world.exits).toEqual(['reset']);
  });
});

describe('a switch of the central system', () => {
  it('takes the update of the old one along, and the next start its image', async () => {
    const world = await firmwareWorld();
    await story(world, [[0, later]], 10);
    expect(told(world).at(-1)).toBe('InstallScheduled');
    expect(world.firmwareFile.files.size).toBe(1);
    await world.kill();
    const store = world.disk.open();
    const nowhere = { url: 'ws://new', identity: 'cp002' };
    const ports = { store, log: silentLog, keep: async () => {}, rename: async () => {} };
    expect(await switchCentralSystem(ports, { from: { url: 'ws://old', identity: 'cp001' }, to: nowhere })).toBe(
      'done',
    );
    await store.close();
    await world.boot();
    await world.clock.advance(minutes(2));
    expect(told(world).at(-1)).toBe('InstallScheduled');
    expect([world.exits, world.firmwareFile.files.size]).toEqual([[], 0]);
    expect(world.agent.view().connectors).toMatchObject([{ status: 'Available' }]);
  });
});

describe('an installation that goes on without us', () => {
  /** Killed in the middle of it; the next process is told this, a minute later. */
  async function cutOff(result: Installation): Promise<World> {
    const world = await firmwareWorld({ inputs: { installMs: minutes(60) } });
    world.resume = async () => {
      await new Promise<void>((resolve) => void world.clock.after(minutes(1), resolve));
      return result;
    };
    await story(
      world,
      [
        [0, signedUpdate()],
        [10, play.restart('kill', 1)],
      ],
      40,
    );
    expect(told(world)).toEqual([...RETRIEVED, 'Installing']);
    expect(world.agent.view().connectors).toMatchObject([{ status: 'Unavailable' }]);
    await world.clock.advance(minutes(2));
    return world;
  }

  it('is waited for after the restart, and then runs from the next one on', async () => {
    const world = await cutOff({ ok: true, reboot: true });
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting']);
    expect(world.exits).toEqual(['reset']);
  });

  it('is waited for after the restart, and has failed', async () => {
    const world = await cutOff({ ok: false, reason: 'no release waits for its first start' });
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallationFailed']);
    expect([world.exits, world.agent.view().connectors[0]?.status]).toEqual([[], 'Available']);
  });
});
