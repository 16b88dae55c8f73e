/** A change that cuts the charge point off heals itself: docs/security.md, ADR 6. The wire logs of all central systems are the witness. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SwitchPorts, switchCentralSystem } from '../../src/central-system-switch.ts';
import type { Salvaged } from '../../src/ocpp/outbox/salvaged.ts';
import { masked } from '../../src/platform/mask.ts';
import type { SimCentralSystem } from '../sim/network.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import { silentLog, World, type WorldOptions } from '../sim/world.ts';

const ROOT = readFileSync(new URL('../platform/fixtures/x509/root.pem', import.meta.url), 'utf8');
const N = 300;
const OLD = 'ws://central.example';
const NEW = 'ws://new.example';
const DEAD = 'ws://dead.example';

const start = async (options: WorldOptions = {}): Promise<{ world: World; other: SimCentralSystem }> => {
  const world = await World.start(options);
  world.network.place('dead.example', 'nobody');
  return { world, other: world.place('new.example') };
};

const change = (central: SimCentralSystem, value: string, key = 'CentralSystemUrl') =>
  central.call('ChangeConfiguration', { key, value });

const shownIn = async (central: SimCentralSystem, key = 'CentralSystemUrl'): Promise<unknown> => {
  const answer = (await central.call('GetConfiguration', { key: [key] })) as {
    configurationKey: readonly { value: string }[];
  };
  return answer.configurationKey[0]?.value;
};

const actions = (central: SimCentralSystem) => central.calls().map(({ frame }) => frame[2]);
const hosts = (world: World, from = 0) =>
  world.network.dials.slice(from).map(({ request }) => new URL(request.url).host);
const boot =
  (status: string, interval = 10) =>
  () => ({
    status,
    currentTime: '2026-01-05T08:00:00Z',
    interval,
  });
const securityLog = async (world: World) =>
  (await world.disk.read<{ type: string; techInfo?: string }>({ from: 'security/log/', to: 'security/log0' })).map(
    ([, { type, techInfo }]) => `${type}: ${techInfo}`,
  );
const said = (world: World, level: string) =>
  world.logged.filter((line) => line.level === level).map(({ message }) => message);

describe('CentralSystemUrl from the central system', () => {
  it('is answered, then dialled at once, and confirmed by Accepted', async () => {
    const { world, other } = await start();
    expect(await change(world.central, `${NEW}/ocpp`)).toEqual({ status: 'Accepted' });
    await world.clock.advance(100);
    expect(world.central.connected).toBe(false);
    expect(world.network.dials.at(-1)?.request.url).toBe('ws://new.example/ocpp/cp001');
    const told = ['BootNotification', 'StatusNotification', 'StatusNotification'];
    expect(actions(other).slice(0, 3)).toEqual(told);
    await world.clock.advance(hours(2));
    expect(hosts(world)).toEqual(['central.example', 'new.example']);
    expect(await shownIn(other)).toBe(`${NEW}/ocpp`);
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(hosts(world).at(-1)).toBe('new.example');
    expect(world.agent.centralSystem).toEqual({ url: `${NEW}/ocpp` });
  });

  it('that leads nowhere is taken back after exactly the time-out, in the key, the log and the security log', async () => {
    const { world } = await start();
    await change(world.central, DEAD);
    const t = world.clock.now();
    await world.clock.advance(seconds(N) - 1);
    expect(world.central.connected).toBe(false);
    expect(new Set(hosts(world, 1))).toEqual(new Set(['dead.example']));
    const before = world.network.dials.length;
    await world.clock.advance(2);
    expect(world.central.connected).toBe(true);
    expect(hosts(world, before)).toEqual(['central.example']);
    expect(world.network.dials[before]?.t).toBe(t + seconds(N));
    await world.clock.advance(seconds(1));
    expect(await shownIn(world.central)).toBe(OLD);
    const text = `CentralSystemUrl ${DEAD} has not led to a BootNotification Accepted within 300 s: back to ${OLD}`;
    expect(said(world, 'error')).toContain(text);
    expect(await securityLog(world)).toEqual([
      expect.anything(),
      `ReconfigurationOfSecurityParameters: CentralSystemUrl was changed to ${DEAD}`,
      `ReconfigurationOfSecurityParameters: ${text}`,
    ]);
    expect(world.central.received('BootNotification')).toHaveLength(2);
    await world.powerCut();
    await world.boot();
    await world.clock.advance(hours(1));
    expect(hosts(world, before + 1)).toEqual(['central.example']);
    expect(await shownIn(world.central)).toBe(OLD);
  });

  it('has as much time as options.ConfirmConnectionWithin says', async () => {
    const { world } = await start({ options: { confirmConnectionWithinS: 40 } });
    await change(world.central, DEAD);
    await world.clock.advance(seconds(40) - 1);
    expect(world.central.connected).toBe(false);
    await world.clock.advance(seconds(1));
    expect(world.central.connected).toBe(true);
  });

  it('whose central system says Rejected is taken back', async () => {
    const { world, other } = await start();
    other.answer('BootNotification', boot('Rejected'));
    await change(world.central, NEW);
    await world.clock.advance(seconds(N) - 1);
    expect(actions(other).length).toBeGreaterThan(20);
    expect(new Set(actions(other))).toEqual(new Set(['BootNotification']));
    await world.clock.advance(seconds(1));
    expect(world.central.connected).toBe(true);
    expect(await shownIn(world.central)).toBe(OLD);
  });

  it('may be Rejected at first and Accepted in time', async () => {
    const { world, other } = await start();
    other.answer('BootNotification', boot('Rejected', 120));
    await change(world.central, NEW);
    await world.clock.advance(seconds(200));
    other.answer('BootNotification', boot('Accepted', 3600));
    await world.clock.advance(hours(1));
    expect(other.connected).toBe(true);
  });

  it('whose central system says Pending has as long as it answers, and not longer', async () => {
    const { world, other } = await start();
    other.answer('BootNotification', boot('Pending', 1000));
    await change(world.central, NEW);
    await world.clock.advance(hours(3));
    expect(other.connected).toBe(true);
    expect(await shownIn(other)).toBe(NEW);
    world.network.place('new.example', 'nobody');
    other.close();
    await world.clock.advance(seconds(2 * N));
    expect(world.central.connected).toBe(true);
    expect(await shownIn(world.central)).toBe(OLD);
  });

  it('of a server that never answers is taken back, and the old one gets its BootNotification at once', async () => {
    const { world, other } = await start();
    other.answer('BootNotification', () => 'silence');
    await change(world.central, NEW);
    await world.clock.advance(seconds(N) + 10);
    expect(world.central.received('BootNotification')).toHaveLength(2);
  });

  it('of a server that wants to be asked again later keeps nobody else waiting', async () => {
    const { world, other } = await start();
    other.answer('BootNotification', boot('Rejected', 3600));
    await change(world.central, NEW);
    await world.clock.advance(seconds(N) + 10);
    expect(world.central.received('BootNotification')).toHaveLength(2);
  });

  it.each([
    ['http://new.example', 'is no WebSocket'],
    ['new.example', 'is no address'],
    ['ws://user:canary@new.example', 'holds a password'],
    ['ws://user@new.example', 'holds a user'],
    ['ws://new.example/#here', 'holds a fragment'],
    ['ws:///path', 'has no host'],
    ['ws://new.example/\u001b[1A\u001b[2K', 'moves the cursor of who reads it'],
    ['ws://new.example/\u009b2J', 'clears the screen of who reads it'],
    ['ws://new.ex\nample', 'has a line break in it'],
    ['wss://new.example', 'does not go with security profile 0'],
    ['', 'is empty'],
  ])('%j is Rejected: it %s', async (url) => {
    const { world } = await start();
    expect(await change(world.central, url)).toEqual({ status: 'Rejected' });
    await world.clock.advance(minutes(1));
    expect(hosts(world)).toEqual(['central.example']);
    expect(JSON.stringify([world.logged, world.agent.wireLog.recent])).not.toContain('canary');
  });

  it.each([
    [`wss://new.example`, 'Accepted'],
    [NEW, 'Rejected'],
  ])('%s is %s with security profile 2', async (url, status) => {
    const { world, other } = await start({
      keys: { AuthorizationKey: 'sixteen-and-more' },
      centralSystem: { url: 'wss://central.example', securityProfile: 2 },
    });
    expect(await change(world.central, url)).toEqual({ status });
    await world.clock.advance(seconds(1));
    expect(other.connected).toBe(status === 'Accepted');
  });

  it('keeps its query, which may be a key, out of all that is shown', async () => {
    const { world, other } = await start();
    await change(world.central, `${DEAD}/ocpp?token=canary`);
    await world.clock.advance(seconds(N + 1));
    await change(world.central, `${NEW}/ocpp?token=canary`);
    await world.clock.advance(seconds(1));
    expect(world.network.dials.at(-1)?.request.url).toBe('ws://new.example/ocpp/cp001?token=canary');
    expect(await shownIn(other)).toBe(`${NEW}/ocpp?token=canary`);
    await world.control('POST', '/recordings');
    const shown = {
      // As the platform writes it.
      log: masked(world.logged),
      wire: world.agent.wireLog.recent,
      securityLog: await securityLog(world),
      keys: await world.control('GET', '/keys'),
      centralSystem: world.agent.centralSystem,
      recordings: [...world.recordings.files.values()],
    };
    for (const [what, text] of Object.entries(shown)) {
      expect(JSON.stringify(text), what).not.toContain('canary');
      expect(JSON.stringify(text), what).toContain('ws://new.example/ocpp?***');
    }
  });

  it('that is the one in force changes nothing', async () => {
    const { world } = await start();
    expect(await change(world.central, OLD)).toEqual({ status: 'Accepted' });
    await world.clock.advance(hours(1));
    expect(hosts(world)).toEqual(['central.example']);
  });

  it('that was taken back is tried again while the old one cannot be reached either', async () => {
    const { world, other } = await start();
    world.network.cut();
    world.network.restore();
    await world.clock.advance(seconds(1));
    await change(world.central, NEW);
    // Nobody can be reached, and the operator has moved in the meantime.
    world.network.refuse = { failure: 'network', code: 1006, reason: '' };
    await world.clock.advance(minutes(30));
    world.network.admit = ({ url }) =>
      url.startsWith(OLD) ? { failure: 'refused', code: 1006, reason: '' } : undefined;
    world.network.refuse = undefined;
    await world.clock.advance(seconds(N + 61));
    expect(other.connected).toBe(true);
    expect(await shownIn(other)).toBe(NEW);
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(hosts(world).at(-1)).toBe('new.example');
  });

  it('is not changed where it cannot be stored', async () => {
    const { world } = await start();
    world.disk.failWrites(true);
    expect(await change(world.central, NEW)).toEqual({ status: 'Rejected' });
    world.disk.failWrites(false);
    await world.clock.advance(hours(1));
    expect(hosts(world)).toEqual(['central.example']);
  });

  it('goes back in a broken store, too; the next start tries once more, and goes back again', async () => {
    const { world } = await start();
    await change(world.central, DEAD);
    await world.clock.advance(seconds(1));
    world.disk.failWrites(true);
    await world.clock.advance(seconds(N));
    expect(await shownIn(world.central)).toBe(OLD);
    world.disk.failWrites(false);
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(N));
    expect(hosts(world).at(-2)).toBe('dead.example');
    expect(world.central.connected).toBe(true);
    expect(await shownIn(world.central)).toBe(OLD);
  });

  it.each([
    ['at once', 0],
    ['in the middle', 150],
    ['at the end', 299],
  ])('holds over a power cut %s, and the trial begins anew', async (_when, after) => {
    const { world } = await start();
    await change(world.central, DEAD);
    await world.clock.advance(seconds(after));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(N) - 1);
    expect(hosts(world).at(-1)).toBe('dead.example');
    expect(world.central.connected).toBe(false);
    await world.clock.advance(1);
    await world.clock.advance(seconds(1));
    expect(world.central.connected).toBe(true);
    expect(await shownIn(world.central)).toBe(OLD);
  });

  it('that the very first central system gives while it still says Pending has a way back as well', async () => {
    const { world } = await start({
      prepare: (central) => central.answer('BootNotification', boot('Pending', 20)),
    });
    expect(await change(world.central, DEAD)).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(N) + 1);
    expect(world.central.connected).toBe(true);
  });

  it('wants what it was before a second change', async () => {
    const { world, other } = await start();
    await change(world.central, NEW);
    await world.clock.advance(seconds(1));
    await change(other, DEAD);
    await world.clock.advance(seconds(N) + 10);
    expect(other.connected).toBe(true);
    expect(await shownIn(other)).toBe(NEW);
    expect(actions(world.central).filter((action) => action === 'BootNotification')).toHaveLength(1);
  });
});

describe('a transaction during the trial', () => {
  const charging = async (): Promise<{ world: World; other: SimCentralSystem }> => {
    const made = await start({ keys: { MeterValueSampleInterval: '60' } });
    made.world.plugIn();
    made.world.present('ABC');
    await made.world.clock.advance(seconds(30));
    expect(made.world.central.received('StartTransaction')).toHaveLength(1);
    return made;
  };
  const facts = (central: SimCentralSystem) =>
    actions(central).filter((action) => /Transaction$|^MeterValues$/.test(String(action)));

  it('goes on, and nothing of it goes to whoever has not said Accepted', async () => {
    const { world, other } = await charging();
    other.answer('BootNotification', boot('Rejected'));
    await change(world.central, NEW);
    await world.clock.advance(seconds(200));
    expect(world.board.connector(1).observe().contactor).toBe('closed');
    world.present('ABC');
    await world.clock.advance(seconds(60));
    expect(new Set(actions(other))).toEqual(new Set(['BootNotification']));
    await world.clock.advance(seconds(60));
    expect(world.central.received('StopTransaction')).toHaveLength(1);
    expect(world.central.received('MeterValues').length).toBeGreaterThan(2);
    expect(facts(other)).toEqual([]);
    expect(world.agent.view().queue).toBe(0);
  });

  it('is told to the new one after Accepted, in order: it is the same central system that has moved', async () => {
    const { world, other } = await charging();
    other.answer('BootNotification', boot('Pending'));
    await change(world.central, NEW);
    await world.clock.advance(seconds(200));
    expect(facts(other)).toEqual([]);
    const told = facts(world.central).length;
    other.answer('BootNotification', boot('Accepted', 3600));
    world.present('ABC');
    await world.clock.advance(seconds(60));
    expect(facts(other).at(-1)).toBe('StopTransaction');
    expect(other.received('StopTransaction')[0]).toMatchObject({ transactionId: 1 });
    expect(facts(other)).toContain('MeterValues');
    expect(facts(world.central)).toHaveLength(told);
    expect(world.agent.view().queue).toBe(0);
  });
});

describe('a new central system that sets keys before it says Accepted', () => {
  const OLD_KEY = 'the-old-key-of-20-ch';
  const NEW_KEY = 'the-new-key-of-20-ch';
  const passwordOf = ({ basicAuth }: { readonly basicAuth?: { readonly password: Uint8Array } }): string =>
    Buffer.from(basicAuth?.password ?? []).toString();
  const refused = { failure: 'httpStatus', httpStatus: 401, code: 1006, reason: 'HTTP 401' } as const;
  /** The old one takes the old key only, the new one has set another and says Pending. */
  const pending = async (options: WorldOptions = {}) => {
    const made = await start({
      keys: { AuthorizationKey: OLD_KEY },
      centralSystem: { securityProfile: 1 },
      ...options,
    });
    const { world, other } = made;
    other.answer('BootNotification', boot('Pending', 1000));
    world.network.admit = (request) =>
      request.url.includes('//central.example') && passwordOf(request) !== OLD_KEY ? refused : undefined;
    await change(world.central, NEW);
    await world.clock.advance(seconds(5));
    expect(await change(other, NEW_KEY, 'AuthorizationKey')).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(5));
    expect(passwordOf(world.network.dials.at(-1)?.request ?? {})).toBe(NEW_KEY);
    return made;
  };

  it('keeps its link as long as it answers, whatever it has set', async () => {
    const { world, other } = await pending();
    const { length } = world.network.dials;
    await world.clock.advance(hours(1));
    expect(other.connected).toBe(true);
    expect(world.network.dials).toHaveLength(length);
  });

  it.each(['AuthorizationKey', 'SecurityProfile'])(
    'and does not follow through does not lock the old one out after the next restart: %s',
    async (key) => {
      const { world, other } = await pending({
        centralSystem: { securityProfile: 1, certificateAuthorities: [ROOT] },
      });
      if (key === 'SecurityProfile') {
        expect(await change(other, '2', key)).toEqual({ status: 'Accepted' });
        await world.clock.advance(seconds(5));
        expect(world.network.dials.at(-1)?.request.url).toBe('wss://new.example/cp001');
        // A word of it, and the profile has worked.
        expect(await shownIn(other, key)).toBe('2');
        await world.clock.advance(minutes(2));
      }
      world.network.place('new.example', 'nobody');
      other.close();
      await world.clock.advance(seconds(N + 1));
      expect(world.central.connected).toBe(true);
      for (let restarts = 0; restarts < 2; restarts++) {
        await world.powerCut();
        await world.boot();
        await world.clock.advance(seconds(1));
        expect(world.network.dials.at(-1)?.request.url).toBe('ws://central.example/cp001');
        expect(world.central.connected).toBe(true);
      }
    },
  );

  it('is tried again with what it has set', async () => {
    const { world, other } = await pending();
    for (const host of ['new.example', 'central.example']) world.network.place(host, 'nobody');
    other.close();
    await world.clock.advance(seconds(N + 10));
    world.network.admit = (request) => (passwordOf(request) === NEW_KEY ? undefined : refused);
    const back = world.place('new.example');
    await world.clock.advance(seconds(N + 61));
    expect(back.connected).toBe(true);
  });
});

describe('a technician who edits the file', () => {
  const edit = async (url: string, options: WorldOptions = {}) => {
    const made = await start(options);
    await made.world.powerCut();
    made.world.edit({ centralSystem: { url } });
    await made.world.boot();
    return made;
  };

  it('has it confirmed by Accepted', async () => {
    const { world, other } = await edit(NEW);
    await world.clock.advance(hours(1));
    expect(other.connected).toBe(true);
    expect(hosts(world)).toEqual(['central.example', 'new.example']);
    expect(world.agent.centralSystem).toEqual({ url: NEW });
  });

  it('needs no proof at the first start ever', async () => {
    const world = await World.start({
      prepare: (central) => central.answer('BootNotification', boot('Rejected', 60)),
    });
    await world.clock.advance(hours(1));
    expect(world.agent.centralSystem).toEqual({ url: OLD });
    expect(said(world, 'error')).toEqual([]);
  });

  it('finds the last confirmed one in force after a wrong address, at this start and the next, without waiting', async () => {
    const { world } = await edit(DEAD);
    await world.clock.advance(seconds(N) - 1);
    expect(world.central.connected).toBe(false);
    await world.clock.advance(2);
    expect(world.central.connected).toBe(true);
    const notice =
      /^centralSystem.url ws:\/\/dead.example has not led to a BootNotification Accepted within 300 s: back to ws:\/\/central.example since 2026-01-05T08:05:\S+; edit the file to try again$/;
    expect(world.agent.centralSystem).toEqual({ url: OLD, notice: expect.stringMatching(notice) });
    expect(await shownIn(world.central)).toBe(OLD);
    await world.clock.advance(hours(5));
    expect(hosts(world).at(-1)).toBe('central.example');
    await world.powerCut();
    world.logged.length = 0;
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(hosts(world).at(-1)).toBe('central.example');
    expect(said(world, 'error')).toEqual([expect.stringMatching(notice)]);
    // Once more, with the right one.
    await world.powerCut();
    world.edit({ centralSystem: { url: NEW } });
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(world.agent.centralSystem).toEqual({ url: NEW });
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(world.agent.centralSystem).toEqual({ url: NEW });
  });

  it('does not lose the change to an outage: where nobody can be reached, the two take turns', async () => {
    const { world, other } = await start();
    await world.powerCut();
    world.edit({ centralSystem: { url: NEW } });
    world.network.refuse = { failure: 'network', code: 1006, reason: '' };
    await world.boot();
    await world.clock.advance(minutes(20));
    expect(new Set(hosts(world, 1))).toEqual(new Set(['new.example', 'central.example']));
    world.network.place('central.example', 'nobody');
    world.network.refuse = undefined;
    await world.clock.advance(seconds(N + 61));
    expect(other.connected).toBe(true);
    expect(world.agent.centralSystem).toEqual({ url: NEW });
  });

  it('who was there before the move sees it happen when the old address goes away', async () => {
    const { world } = await start();
    world.network.place('new.example', 'nobody');
    await world.powerCut();
    world.edit({ centralSystem: { url: NEW } });
    await world.boot();
    await world.clock.advance(hours(10));
    expect(world.central.connected).toBe(true);
    const moved = world.place('new.example');
    world.network.place('central.example', 'nobody');
    world.central.close();
    await world.clock.advance(seconds(N + 61));
    expect(moved.connected).toBe(true);
  });

  it('goes back with a wrong password, too, which nobody is shown', async () => {
    const keys = { AuthorizationKey: 'canary-the-good-one' };
    const world = await World.start({ keys, centralSystem: { securityProfile: 1 } });
    world.network.admit = ({ basicAuth }) =>
      Buffer.from(basicAuth?.password ?? []).toString() === keys.AuthorizationKey
        ? undefined
        : { failure: 'httpStatus', httpStatus: 401, code: 1006, reason: 'HTTP 401' };
    await world.powerCut();
    world.edit({ keys: { AuthorizationKey: 'canary-a-typing-error' } });
    await world.boot();
    await world.clock.advance(seconds(N) + 10);
    expect(world.central.connected).toBe(true);
    expect(world.agent.centralSystem.notice).toMatch(/^a new AuthorizationKey has not led/);
    const seen = JSON.stringify([world.logged, await securityLog(world), await world.control('GET', '/keys')]);
    expect(seen).not.toContain('canary');
  });

  it('goes back from a wrong identity and a wrong security profile', async () => {
    const { world } = await start({ keys: { AuthorizationKey: 'sixteen-and-more' } });
    world.network.admit = ({ url }) =>
      url === 'ws://central.example/cp001' ? undefined : { failure: 'refused', code: 1006, reason: '' };
    await world.powerCut();
    world.edit({ centralSystem: { securityProfile: 2 }, chargePoint: { identity: 'cp002' } });
    await world.boot();
    await world.clock.advance(seconds(N) - 1);
    const before = world.network.dials.length;
    await world.clock.advance(seconds(30));
    expect(world.central.connected).toBe(true);
    expect(world.network.dials.length - before).toBe(1);
    expect(await shownIn(world.central, 'SecurityProfile')).toBe('0');
    expect(world.agent.centralSystem.notice).toMatch(/^chargePoint.identity cp002, SecurityProfile 2 has not led/);
  });

  it('does not undo what the central system has changed since by itself: its new password is no edit', async () => {
    const { world } = await start({
      keys: { AuthorizationKey: 'sixteen-and-more' },
      centralSystem: { securityProfile: 1 },
    });
    await change(world.central, 'another-one-of-16', 'AuthorizationKey');
    await world.clock.advance(seconds(5));
    world.network.refuse = { failure: 'network', code: 1006, reason: '' };
    await world.powerCut();
    await world.boot();
    await world.clock.advance(hours(1));
    expect(world.agent.centralSystem).toEqual({ url: OLD });
    const passwords = world.network.dials.slice(2).map(({ request }) => Buffer.from(request.basicAuth?.password ?? []));
    expect(new Set(passwords.map(String))).toEqual(new Set(['another-one-of-16']));
  });
});

describe('the security log', () => {
  const reconfigured = async (world: World) =>
    (await securityLog(world)).filter((entry) => entry.startsWith('ReconfigurationOfSecurityParameters'));

  it.each<[string, Partial<WorldOptions>, string]>([
    ['the address', { centralSystem: { url: `${NEW}?key=canary-query` } }, `centralSystem.url ${NEW}?***`],
    ['the password', { keys: { AuthorizationKey: 'canary-the-new-one' } }, 'a new AuthorizationKey'],
    ['a password that is gone', { keys: {} }, 'a new AuthorizationKey'],
    ['the profile', { centralSystem: { securityProfile: 2 } }, 'SecurityProfile 2'],
    ['the host name', { centralSystem: { verifyHostname: false } }, 'centralSystem.verifyHostname false'],
    ['the identity', { chargePoint: { identity: 'cp002' } }, 'chargePoint.identity cp002'],
  ])('has what a technician changes in the file, once, and no secret: %s', async (_, edited, expected) => {
    const { world } = await start({ keys: { AuthorizationKey: 'canary-the-old-one' } });
    await world.powerCut();
    await world.boot();
    await world.clock.advance(minutes(10));
    expect(await reconfigured(world)).toEqual([]);
    for (let starts = 0; starts < 2; starts++) {
      await world.powerCut();
      world.edit(edited);
      await world.boot();
      await world.clock.advance(minutes(10));
      expect((await reconfigured(world))[0]).toBe(`ReconfigurationOfSecurityParameters: in the file: ${expected}`);
      expect((await reconfigured(world)).filter((entry) => entry.includes('in the file'))).toHaveLength(1);
    }
    expect(JSON.stringify([masked(world.logged), await securityLog(world)])).not.toContain('canary');
  });

  it('has it also where the address is one that the central system has set', async () => {
    const { world, other } = await start({ keys: { AuthorizationKey: 'sixteen-and-more' } });
    await change(world.central, NEW);
    await world.clock.advance(minutes(10));
    expect(other.connected).toBe(true);
    await world.powerCut();
    world.edit({ keys: { AuthorizationKey: 'another-one-of-16' } });
    await world.boot();
    await world.clock.advance(seconds(1));
    expect((await reconfigured(world)).at(-1)).toBe(
      'ReconfigurationOfSecurityParameters: in the file: a new AuthorizationKey',
    );
  });

  it('has nothing of the file after a restart in the trial of what the central system has set', async () => {
    const { world } = await start();
    await change(world.central, DEAD);
    await world.clock.advance(seconds(10));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(10));
    expect((await reconfigured(world)).filter((entry) => entry.includes('in the file'))).toEqual([]);
  });
});

describe('a central-system switch (ADR 4)', () => {
  it('to a wrong address heals; what it has exported is never sent', async () => {
    const { world } = await start();
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(seconds(30));
    world.network.cut();
    world.present('ABC');
    await world.clock.advance(seconds(30));
    await world.powerCut();
    const kept: Salvaged[] = [];
    const ports: SwitchPorts = {
      store: world.disk.open(),
      log: silentLog,
      keep: async (outbox) => void kept.push(outbox),
      rename: async () => world.edit({ centralSystem: { url: DEAD } }),
    };
    const identity = 'cp001';
    expect(await switchCentralSystem(ports, { from: { url: OLD, identity }, to: { url: DEAD, identity } })).toBe(
      'done',
    );
    expect(kept[0]?.facts.map(({ action }) => action)).toEqual(['StopTransaction']);
    await ports.store.close();
    await world.boot();
    await world.clock.advance(seconds(N) + 10);
    expect(world.central.connected).toBe(true);
    expect(world.central.received('StartTransaction')).toHaveLength(1);
    expect(world.central.received('StopTransaction')).toEqual([]);
    expect(world.agent.centralSystem.notice).toContain(`centralSystem.url ${DEAD} has not led`);
    expect(await securityLog(world)).toContain(
      `ReconfigurationOfSecurityParameters: in the file: centralSystem.url ${DEAD}`,
    );
  });
});

describe('a key that can cut the link', () => {
  it.each([
    ['WebSocketPingInterval', '3600', '30'],
    ['MessageTimeout', '2', '30'],
  ])(
    '%s stays where the link has stood for half of the time and the central system then answers',
    async (key, value) => {
      const { world } = await start();
      expect(await change(world.central, value, key)).toEqual({ status: 'Accepted' });
      await world.clock.advance(seconds(N / 2) - 1);
      expect(world.central.received('Heartbeat')).toHaveLength(0);
      await world.clock.advance(seconds(1) + 1);
      expect(world.central.received('Heartbeat')).toHaveLength(1);
      for (const action of ['Heartbeat']) world.central.answer(action, () => 'silence');
      await world.clock.advance(hours(1));
      await world.powerCut();
      await world.boot();
      await world.clock.advance(hours(1));
      expect(await shownIn(world.central, key)).toBe(value);
      expect(world.network.dials).toHaveLength(2);
    },
  );

  it.each([false, true])(
    'MessageTimeout that no answer meets is taken back (restarted meanwhile: %s)',
    async (restarted) => {
      const { world } = await start();
      world.central.answer('Heartbeat', () => 'silence');
      await change(world.central, '1', 'MessageTimeout');
      await world.clock.advance(seconds(N / 2));
      if (restarted) {
        await world.powerCut();
        await world.boot();
        await world.clock.advance(seconds(N / 2));
      }
      await world.clock.advance(seconds(N / 2) - 1);
      expect(await shownIn(world.central, 'MessageTimeout')).toBe('1');
      await world.clock.advance(seconds(1));
      await world.clock.advance(1);
      expect(await shownIn(world.central, 'MessageTimeout')).toBe('30');
      expect((await securityLog(world)).at(-1)).toBe(
        'ReconfigurationOfSecurityParameters: MessageTimeout 1 has not left a working link for 300 s: back to 30',
      );
    },
  );

  it('WebSocketPingInterval under which the link breaks again and again is taken back', async () => {
    const { world } = await start();
    await change(world.central, '3600', 'WebSocketPingInterval');
    for (let broken = 0; broken < 4; broken++) {
      await world.clock.advance(seconds(74));
      world.central.close();
    }
    await world.clock.advance(seconds(10));
    expect(await shownIn(world.central, 'WebSocketPingInterval')).toBe('30');
    await world.powerCut();
    await world.boot();
    await world.clock.advance(hours(1));
    expect(await shownIn(world.central, 'WebSocketPingInterval')).toBe('30');
  });

  it('that gets its old value back by itself has nothing to prove', async () => {
    const { world } = await start();
    await change(world.central, '3600', 'WebSocketPingInterval');
    await change(world.central, '30', 'WebSocketPingInterval');
    await world.clock.advance(hours(1));
    expect(world.central.received('Heartbeat')).toEqual([]);
  });

  it('that a technician makes the central system forget is on trial no more', async () => {
    const { world } = await start();
    await change(world.central, '3600', 'WebSocketPingInterval');
    await world.control('POST', '/keys/forget', { key: 'WebSocketPingInterval' });
    await world.clock.advance(hours(1));
    expect(world.central.received('Heartbeat')).toEqual([]);
  });
});

describe('a key that can cut the link, edited in the file', () => {
  /** The link has stood under the old value, then a technician gives it another one. */
  const edit = async (key: string, value: string, prepare = (_: World): void => {}) => {
    const { world } = await start();
    await world.clock.advance(seconds(N / 2));
    await world.powerCut();
    world.edit({ keys: { [key]: value } });
    prepare(world);
    await world.boot();
    await world.clock.advance(seconds(1));
    return world;
  };
  const isSilent = ({ central }: World): void => central.answer('Heartbeat', () => 'silence');

  it.each([
    ['WebSocketPingInterval', '3600'],
    ['MessageTimeout', '2'],
  ])('%s stays where the link stands and the central system then answers', async (key, value) => {
    const world = await edit(key, value);
    await world.clock.advance(seconds(N / 2));
    expect(world.central.received('Heartbeat')).toHaveLength(1);
    isSilent(world);
    for (let starts = 0; starts < 2; starts++) {
      await world.clock.advance(hours(1));
      expect(await shownIn(world.central, key)).toBe(value);
      await world.powerCut();
      await world.boot();
    }
    expect(said(world, 'error')).toEqual([]);
  });

  it.each([false, true])(
    'MessageTimeout that no answer meets is taken back (restarted meanwhile: %s)',
    async (restarted) => {
      const world = await edit('MessageTimeout', '1', isSilent);
      if (restarted) {
        await world.clock.advance(seconds(N / 2));
        await world.powerCut();
        await world.boot();
      }
      await world.clock.advance(seconds(N - 2));
      expect(await shownIn(world.central, 'MessageTimeout')).toBe('1');
      await world.clock.advance(seconds(3));
      expect(await shownIn(world.central, 'MessageTimeout')).toBe('30');
      const text = 'MessageTimeout 1 has not left a working link for 300 s: back to 30; edit the file to try again';
      expect((await securityLog(world)).at(-1)).toBe(`ReconfigurationOfSecurityParameters: ${text}`);
      expect(said(world, 'error')).toContain(text);
      // As long as the file is what it was.
      await world.powerCut();
      await world.boot();
      await world.clock.advance(hours(1));
      expect(await shownIn(world.central, 'MessageTimeout')).toBe('30');
      await world.powerCut();
      world.edit({ keys: { MessageTimeout: '20' } });
      world.central.answer('Heartbeat', () => ({ currentTime: '2026-01-05T08:00:00Z' }));
      await world.boot();
      await world.clock.advance(hours(1));
      expect(await shownIn(world.central, 'MessageTimeout')).toBe('20');
    },
  );

  it('WebSocketPingInterval under which the link never stands is taken back', async () => {
    const world = await edit('WebSocketPingInterval', '3600');
    for (let broken = 0; broken < 4; broken++) {
      await world.clock.advance(seconds(74));
      world.central.close();
    }
    await world.clock.advance(seconds(10));
    expect(await shownIn(world.central, 'WebSocketPingInterval')).toBe('30');
  });

  it('has nothing to prove at the first start, and nothing to go back to before a link has stood', async () => {
    const { world } = await start({ keys: { MessageTimeout: '1' } });
    isSilent(world);
    await world.clock.advance(seconds(N / 2) - 200);
    await world.powerCut();
    world.edit({ keys: { MessageTimeout: '2' } });
    await world.boot();
    await world.clock.advance(hours(1));
    expect(await shownIn(world.central, 'MessageTimeout')).toBe('2');
    expect(world.central.received('Heartbeat')).toEqual([]);
  });

  it('is not compared with what the central system before a switch has set', async () => {
    const { world } = await start();
    await change(world.central, '2', 'MessageTimeout');
    await world.clock.advance(seconds(N));
    await world.powerCut();
    const ports: SwitchPorts = {
      store: world.disk.open(),
      log: silentLog,
      keep: async () => {},
      rename: async () => {},
    };
    const address = { url: OLD, identity: 'cp001' };
    await switchCentralSystem(ports, { from: address, to: address });
    await ports.store.close();
    isSilent(world);
    await world.boot();
    await world.clock.advance(hours(1));
    expect(await shownIn(world.central, 'MessageTimeout')).toBe('30');
  });
});

describe('whatever happens', () => {
  const url = fc.constantFrom(OLD, NEW, DEAD, 'ws://rude.example');
  const event = fc.oneof(
    fc.record({ type: fc.constant('change' as const), url }),
    fc.record({ type: fc.constant('edit' as const), url }),
    fc.record({ type: fc.constant('outage' as const), forS: fc.integer({ min: 1, max: 1200 }) }),
    fc.record({ type: fc.constant('powerCut' as const) }),
    fc.record({ type: fc.constant('wait' as const), forS: fc.integer({ min: 0, max: 700 }) }),
  );

  it('it ends connected to a central system that accepts it, and says nothing else to any other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 7 }), async (events) => {
        const { world, other } = await start();
        const rude = world.place('rude.example');
        rude.answer('BootNotification', boot('Rejected', 30));
        for (const happens of events) {
          if (happens.type === 'change') {
            const talking = [world.central, other].find(({ connected }) => connected);
            if (talking !== undefined) await change(talking, happens.url);
          } else if (happens.type === 'outage') {
            world.network.cut();
            rude.close();
            await world.clock.advance(seconds(happens.forS));
            world.network.restore();
          } else if (happens.type === 'wait') {
            await world.clock.advance(seconds(happens.forS));
          } else {
            await world.powerCut();
            if (happens.type === 'edit') world.edit({ centralSystem: { url: happens.url } });
            await world.boot();
          }
        }
        await world.clock.advance(seconds(3 * N));
        expect([world.central.connected, other.connected]).toContain(true);
        expect(world.agent.view().boot).toBe('Accepted');
        expect(new Set(actions(rude)).size).toBeLessThan(2);
      }),
      { numRuns: 25 },
    );
  });
});
