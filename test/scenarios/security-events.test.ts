/** Security events: the log, and what the central system is told (security whitepaper, A04 and section 8). */
import { describe, expect, it } from 'vitest';
import type { SimCentralSystem } from '../sim/network.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const takes = (central: SimCentralSystem): void => {
  central.showsBootEvents = true;
  central.answer('SecurityEventNotification', () => ({}));
};
const start = (options: WorldOptions = {}) => World.start({ prepare: takes, ...options });
const told = (world: World) => world.central.received('SecurityEventNotification').map(({ type }) => type);
const logged = (world: World) =>
  world.logged.flatMap(({ message }) => (message.startsWith('security event ') ? [message.slice(15)] : []));

describe('StartupOfTheDevice', () => {
  it('is told after each boot, after the statuses', async () => {
    const world = await start();
    expect(world.story()).toEqual([
      'BootNotification',
      'StatusNotification(0 Available)',
      'StatusNotification(1 Available)',
      'SecurityEventNotification',
    ]);
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(told(world)).toEqual(['StartupOfTheDevice', 'StartupOfTheDevice']);
  });

  it('costs no fsync', async () => {
    const world = await World.start({ prepare: takes });
    const before = world.disk.durableBatches;
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(world.disk.durableBatches).toBe(before);
  });
});

describe('ResetOrReboot', () => {
  it('is told after the boot: the stops go first', async () => {
    const world = await start();
    await world.central.call('Reset', { type: 'Soft' });
    await world.clock.advance(seconds(1));
    expect(told(world)).toEqual(['StartupOfTheDevice']);
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(told(world)).toEqual(['StartupOfTheDevice', 'ResetOrReboot', 'StartupOfTheDevice']);
    expect(world.central.received('SecurityEventNotification')[1]).toMatchObject({ techInfo: 'Reset Soft' });
  });
});

describe('SettingSystemTime', () => {
  it('says by how much, and nothing of a small correction', async () => {
    const world = await start();
    world.clock.jumpTo(world.clock.wall(world.clock.now()) + 3000);
    world.clock.jumpTo(world.clock.wall(world.clock.now()) - hours(1));
    await world.clock.advance(seconds(1));
    expect(world.central.received('SecurityEventNotification').slice(1)).toEqual([
      expect.objectContaining({ type: 'SettingSystemTime', techInfo: 'by -3600 s' }),
    ]);
  });

  it('is told of a clock that nobody trusted before, and what happened before has the right time', async () => {
    const world = await start({
      trusted: false,
      prepare: (central) => {
        takes(central);
        central.answer('BootNotification', () => ({
          status: 'Accepted',
          currentTime: '2026-03-01T10:00:00Z',
          interval: 3600,
        }));
      },
    });
    expect(told(world)).toEqual(['StartupOfTheDevice', 'SettingSystemTime']);
    expect(world.central.securityEvents[0]).toMatchObject({ timestamp: '2026-03-01T10:00:00.000Z' });
  });
});

describe('events that are only logged', () => {
  it('InvalidMessages: once a minute, without a value of the message', async () => {
    const world = await start();
    for (const text of ['not json', '{"a":1}', '[2,"1","Reset",{"type":"secret"}]', '[2,"2","Reset",{}]']) {
      world.central.raw(text);
      await world.clock.advance(seconds(1));
    }
    await world.clock.advance(minutes(1));
    world.central.raw('[2,"3","Reset",{"type":"secret"}]');
    await world.clock.advance(seconds(1));
    expect(logged(world).filter((type) => type === 'InvalidMessages')).toHaveLength(2);
    expect(told(world)).toEqual(['StartupOfTheDevice']);
    const infos = world.logged.flatMap(({ message, fields }) =>
      message === 'security event InvalidMessages' ? [(fields as { techInfo: string }).techInfo] : [],
    );
    expect(infos).toEqual(['not JSON', 'Reset: PropertyConstraintViolation; 3 more before']);
  });

  it('FailedToAuthenticateAtCentralSystem: once until the link is open again', async () => {
    const world = await start();
    world.network.refuse = { failure: 'httpStatus', httpStatus: 401, code: 1006, reason: 'HTTP 401 Unauthorized' };
    world.central.close();
    await world.clock.advance(minutes(30));
    world.network.refuse = undefined;
    await world.clock.advance(minutes(2));
    expect(logged(world)).toEqual(['StartupOfTheDevice', 'FailedToAuthenticateAtCentralSystem']);
    expect(told(world)).toEqual(['StartupOfTheDevice']);
  });

  it('ReconfigurationOfSecurityParameters: without the value', async () => {
    const world = await start();
    await world.central.call('ChangeConfiguration', { key: 'AuthorizationKey', value: 'a-secret-of-16-characters' });
    await world.clock.advance(seconds(1));
    expect(logged(world)).toContain('ReconfigurationOfSecurityParameters');
    expect(JSON.stringify(world.logged)).not.toContain('a-secret');
  });
});

describe('a dial that TLS ends', () => {
  it.each([
    ['validity', true, 'InvalidCentralSystemCertificate'],
    ['validity', false, undefined],
    ['certificate', false, 'InvalidCentralSystemCertificate'],
    ['version', true, 'InvalidTLSVersion'],
    ['cipherSuite', true, 'InvalidTLSCipherSuite'],
    ['refusedUs', true, undefined],
  ] as const)('by %s (clock trusted: %s) is told as %s', async (tls, trusted, type) => {
    const world = await World.start({ trusted, prepare: takes, centralSystem: { securityProfile: 2 } });
    await world.powerCut();
    if (!trusted) Object.assign(world, { clock: world.clock.untrusted() });
    world.central.clock = world.clock;
    world.network.refuse = { failure: 'tls', tls, code: 1006, reason: 'WHY' };
    await world.boot();
    await world.clock.advance(minutes(3));
    world.network.refuse = undefined;
    await world.clock.advance(minutes(2));
    const types = world.central.securityEvents
      .map((event) => event['type'])
      .filter((each) => /TLS|Invalid/.test(String(each)));
    expect(types).toEqual(type === undefined ? [] : [type]);
  });
});

describe('what is to be told', () => {
  const events = (world: World, count: number) => {
    for (let n = 1; n <= count; n++) {
      // A whole day, there and back, so that each is one of its own.
      world.clock.jumpTo(world.clock.wall(world.clock.now()) + hours(24) * (n % 2 === 0 ? -1 : 1));
    }
  };

  it('waits for the link, survives a power cut, and goes one at a time and in order', async () => {
    const world = await start();
    world.network.cut();
    await world.clock.advance(seconds(5));
    events(world, 4);
    await world.clock.advance(seconds(5));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(minutes(1));
    const infos = world.central.received('SecurityEventNotification').map(({ techInfo }) => techInfo);
    expect(infos).toEqual([undefined, 'by 86400 s', 'by -86400 s', 'by 86400 s', 'by -86400 s', undefined]);
    const requests = world.wire.filter(({ frame }) => frame[2] === 'SecurityEventNotification');
    for (const { frame } of requests) {
      const at = world.wire.findIndex((entry) => entry.frame === frame);
      expect(world.wire[at + 1]?.frame.slice(0, 2)).toEqual([3, frame[1]]);
    }
  });

  it('is told once each when several come at once', async () => {
    const world = await start();
    events(world, 3);
    await world.clock.advance(seconds(5));
    expect(told(world).slice(1)).toEqual(['SettingSystemTime', 'SettingSystemTime', 'SettingSystemTime']);
  });

  it('is bounded: the oldest of more than 200 is given up', async () => {
    const world = await start();
    world.network.cut();
    await world.clock.advance(seconds(5));
    events(world, 250);
    await world.clock.advance(seconds(1));
    world.network.restore();
    await world.clock.advance(minutes(1));
    expect(told(world)).toHaveLength(201);
  });

  it('does not hold up a transaction for long where the central system says nothing to it', async () => {
    const world = await World.start({
      prepare: (central) => {
        central.showsBootEvents = true;
        central.answer('SecurityEventNotification', () => 'silence');
      },
    });
    await world.clock.advance(minutes(30));
    expect(told(world)).toHaveLength(1);
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(seconds(1));
    expect(world.central.transactions).toHaveLength(1);
    await world.clock.advance(hours(1));
    expect(told(world)).toHaveLength(2);
    world.central.answer('SecurityEventNotification', () => ({}));
    world.central.close();
    await world.clock.advance(minutes(1));
    expect(told(world)).toHaveLength(3);
    world.central.close();
    await world.clock.advance(hours(3));
    expect(told(world)).toHaveLength(3);
  });

  it('is told once to a central system that does not know it', async () => {
    const world = await World.start({
      prepare: (central) => {
        central.showsBootEvents = true;
      },
    });
    world.central.close();
    await world.clock.advance(hours(3));
    expect(told(world)).toHaveLength(1);
  });
});
