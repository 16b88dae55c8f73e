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

const infosOf = (world: World, type: string) =>
  world.logged.flatMap(({ message, fields }) =>
    message === `security event ${type}` ? [(fields as { techInfo: string }).techInfo] : [],
  );

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

describe('MemoryExhaustion', () => {
  const MIB = 1024 * 1024;
  const exhaustions = (world: World) =>
    world.central
      .received('SecurityEventNotification')
      .flatMap(({ type, techInfo }) => (type === 'MemoryExhaustion' ? [techInfo] : []));
  /** A disk that has so much room, one look after the other. */
  const disk = async (...rooms: readonly (number | undefined)[]) => {
    let room = rooms[0];
    const world = await start({ freeBytes: () => room && room * MIB });
    await world.clock.advance(minutes(1));
    for (const next of rooms.slice(1)) {
      room = next;
      await world.clock.advance(minutes(10));
    }
    return world;
  };

  it.each([
    [[31], ['31 MiB are free on the disk of the store']],
    [[32, 33, undefined, 1000], []],
    [[100, 31.5, 63, 10, 33, 0.5], ['31 MiB are free on the disk of the store']],
    [
      [10, 64, 40, 31],
      ['10 MiB are free on the disk of the store', '31 MiB are free on the disk of the store'],
    ],
  ])('is told once, until there has been room again: %j MiB', async (rooms, expected) => {
    const world = await disk(...rooms);
    expect(exhaustions(world)).toEqual(expected);
  });

  it('is not told again after a restart, unless there was room meanwhile', async () => {
    let room = 10;
    const world = await start({ freeBytes: () => room * MIB });
    for (const next of [10, 10, 40, 20, 100, 10]) {
      room = next;
      await world.clock.advance(minutes(11));
      await world.kill();
      await world.boot();
    }
    expect(exhaustions(world)).toHaveLength(2);
  });

  it('is told also where the disk takes nothing any more', async () => {
    const world = await start({ freeBytes: () => 0 });
    world.disk.failWrites(true);
    await world.clock.advance(hours(1));
    expect(exhaustions(world)).toHaveLength(1);
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

  it.each([401, 403])(
    'FailedToAuthenticateAtCentralSystem for %i: once until the link is open again',
    async (httpStatus) => {
      const world = await start();
      world.network.refuse = { failure: 'httpStatus', httpStatus, code: 1006, reason: `HTTP ${httpStatus}` };
      world.central.close();
      await world.clock.advance(minutes(30));
      world.network.refuse = undefined;
      await world.clock.advance(minutes(2));
      expect(logged(world)).toEqual(['StartupOfTheDevice', 'FailedToAuthenticateAtCentralSystem']);
      expect(told(world)).toEqual(['StartupOfTheDevice']);
    },
  );

  it.each([404, 503])('none where the server answers %i', async (httpStatus) => {
    const world = await start();
    world.network.refuse = { failure: 'httpStatus', httpStatus, code: 1006, reason: `HTTP ${httpStatus}` };
    world.central.close();
    await world.clock.advance(minutes(5));
    expect(logged(world)).toEqual(['StartupOfTheDevice']);
  });

  it.each([
    ['validity', ['InvalidCentralSystemCertificate', 'CentralSystemFailedToAuthenticate']],
    ['certificate', ['InvalidCentralSystemCertificate', 'CentralSystemFailedToAuthenticate']],
    ['version', ['InvalidTLSVersion']],
    ['refusedUs', ['FailedToAuthenticateAtCentralSystem']],
  ] as const)(
    'CentralSystemFailedToAuthenticate goes with the certificate of the server: %s',
    async (tls, expected) => {
      const world = await start();
      world.network.refuse = { failure: 'tls', tls, code: 1006, reason: 'WHY' };
      world.central.close();
      await world.clock.advance(minutes(30));
      world.network.refuse = undefined;
      await world.clock.advance(minutes(2));
      expect(logged(world)).toEqual(['StartupOfTheDevice', ...expected]);
      expect(told(world)).not.toContain('CentralSystemFailedToAuthenticate');
    },
  );

  it('ReconfigurationOfSecurityParameters: SecurityProfile was changed', async () => {
    const world = await start({ keys: { AuthorizationKey: 'sixteen-and-more' } });
    await world.central.call('ChangeConfiguration', { key: 'SecurityProfile', value: '1' });
    await world.clock.advance(seconds(5));
    expect(infosOf(world, 'ReconfigurationOfSecurityParameters')).toEqual(['SecurityProfile was changed']);
    expect(told(world)).not.toContain('ReconfigurationOfSecurityParameters');
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
