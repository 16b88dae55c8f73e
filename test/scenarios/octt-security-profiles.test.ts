/** OCTT rows 073, 078 and 083 to 088: how the charge point shows who it is, and whom it believes (security whitepaper, A01 and A05). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DialRequest, SocketClosed } from '../../src/ports.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const OLD_KEY = 'the-first-key-1234';
/** "OCA_OCTT_admin_test", the key of the test tool: 19 bytes. */
const TOOL_KEY = '4F43415F4F4354545F61646D696E5F74657374';
const ROOT = readFileSync(new URL('../platform/fixtures/x509/root.pem', import.meta.url), 'utf8');
const UNAUTHORIZED: SocketClosed = { failure: 'httpStatus', httpStatus: 401, code: 1006, reason: 'HTTP 401' };
const BAD_CERTIFICATE: SocketClosed = {
  failure: 'tls',
  tls: 'certificate',
  code: 1006,
  reason: 'SELF_SIGNED_CERT_IN_CHAIN: the root of the chain is not among the trusted ones',
};

const change = (world: World, key: string, value: string) => world.central.call('ChangeConfiguration', { key, value });
const passwords = (world: World) => world.network.dials.map(({ request }) => passwordIn(request));
const passwordIn = ({ basicAuth }: DialRequest) => basicAuth && Buffer.from(basicAuth.password).toString('latin1');
const schemes = (world: World) => world.network.dials.map(({ request }) => request.url.split(':')[0]);
const accepting =
  (password: string) =>
  (request: DialRequest): SocketClosed | undefined =>
    passwordIn(request) === password ? undefined : UNAUTHORIZED;
const profileOf = async (world: World) =>
  (
    (await world.central.call('GetConfiguration', { key: ['SecurityProfile'] })) as {
      configurationKey: readonly { value: string }[];
    }
  ).configurationKey[0]?.value;

const start = (securityProfile: 0 | 1 | 2, options: WorldOptions = {}) =>
  World.start({
    keys: { AuthorizationKey: OLD_KEY },
    ...options,
    centralSystem: { securityProfile, certificateAuthorities: [ROOT] },
  });

describe('TC_073: a new AuthorizationKey', () => {
  it('is Accepted and used at once, twice in a row', async () => {
    const world = await start(1);
    for (const [key, bytes] of [
      [TOOL_KEY, 'OCA_OCTT_admin_test'],
      ['0123456789abcdef0123456789ABCDEF', '\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef'],
    ] as const) {
      world.network.admit = accepting(bytes);
      expect(await change(world, 'AuthorizationKey', key)).toEqual({ status: 'Accepted' });
      await world.clock.advance(seconds(1));
      expect(world.central.connected).toBe(true);
      expect(passwords(world).at(-1)).toBe(bytes);
    }
    expect(passwords(world)).toHaveLength(3);
    expect(world.central.received('BootNotification')).toHaveLength(1);
  });

  it('survives a power cut right after Accepted', async () => {
    const world = await start(1);
    await change(world, 'AuthorizationKey', TOOL_KEY);
    await world.powerCut();
    world.network.admit = accepting('OCA_OCTT_admin_test');
    await world.boot();
    await world.clock.advance(100);
    expect(passwords(world).slice(1)).toEqual(['OCA_OCTT_admin_test']);
  });

  it.each(['restart', 'stay'])(
    'that the server does not take yet gives way to the old one, then is tried again (%s)',
    async (how) => {
      const world = await start(1);
      world.network.admit = accepting(OLD_KEY);
      await change(world, 'AuthorizationKey', TOOL_KEY);
      if (how === 'restart') {
        await world.powerCut();
        await world.boot();
      }
      await world.clock.advance(seconds(1));
      expect(world.central.connected).toBe(true);
      expect(passwords(world).slice(1)).toEqual(['OCA_OCTT_admin_test', OLD_KEY]);
      world.network.admit = accepting('OCA_OCTT_admin_test');
      world.central.close();
      await world.clock.advance(seconds(2));
      expect(passwords(world).slice(3)).toEqual(['OCA_OCTT_admin_test']);
      // From now on there is no way back.
      world.network.admit = accepting(OLD_KEY);
      world.central.close();
      await world.clock.advance(minutes(5));
      expect(new Set(passwords(world).slice(3))).toEqual(new Set(['OCA_OCTT_admin_test']));
    },
  );

  it('and the old one take turns while the server takes neither, and the server is not flooded', async () => {
    const world = await start(1);
    world.network.admit = () => UNAUTHORIZED;
    await change(world, 'AuthorizationKey', TOOL_KEY);
    await world.clock.advance(minutes(5));
    expect(passwords(world).slice(1, 5)).toEqual(['OCA_OCTT_admin_test', OLD_KEY, 'OCA_OCTT_admin_test', OLD_KEY]);
    expect(passwords(world).length).toBeLessThan(14);
    expect(world.central.securityEvents.map(({ type }) => type)).not.toContain('FailedToAuthenticateAtCentralSystem');
  });

  it.each(['too short', 'x'.repeat(41), ''])('%j is Rejected in profile 1, and nothing is dialled', async (key) => {
    const world = await start(1);
    expect(await change(world, 'AuthorizationKey', key)).toEqual({ status: 'Rejected' });
    await world.clock.advance(minutes(1));
    expect(passwords(world)).toEqual([OLD_KEY]);
  });
});

describe('TC_083: a higher security profile', () => {
  it.each([
    [0, 1, 'ws'],
    [0, 2, 'wss'],
    [1, 2, 'wss'],
  ] as const)(
    '%i -> %i: Accepted, then dialled so, and the old one is refused for good once it has worked',
    async (from, to, scheme) => {
      const world = await start(from);
      expect(await change(world, 'SecurityProfile', String(to))).toEqual({ status: 'Accepted' });
      await world.clock.advance(seconds(5));
      expect(world.central.connected).toBe(true);
      expect(schemes(world)).toEqual(['ws', scheme]);
      for (const restart of [false, true]) {
        world.network.admit = ({ url }) => (to === 2 && url.startsWith('wss') ? BAD_CERTIFICATE : UNAUTHORIZED);
        if (restart) {
          await world.powerCut();
          await world.boot();
        } else world.central.close();
        await world.clock.advance(minutes(30));
        expect(new Set(schemes(world).slice(1))).toEqual(new Set([scheme]));
        world.network.admit = () => undefined;
        await world.clock.advance(minutes(2));
        expect(await profileOf(world)).toBe(String(to));
      }
    },
  );

  it('holds over a Reset that follows Accepted at once', async () => {
    const world = await start(0);
    await change(world, 'SecurityProfile', '2');
    expect(await world.central.call('Reset', { type: 'Hard' })).toEqual({ status: 'Accepted' });
    await world.clock.advance(100);
    expect(world.exits).toEqual(['reset']);
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(1));
    expect(schemes(world)).toEqual(['ws', 'wss']);
    world.network.admit = ({ url }) => (url.startsWith('wss') ? BAD_CERTIFICATE : undefined);
    world.central.close();
    await world.clock.advance(minutes(10));
    expect(world.central.connected).toBe(false);
  });

  it('is dialled once where the link is lost right after Accepted', async () => {
    const world = await start(0);
    await change(world, 'SecurityProfile', '2');
    world.central.close();
    await world.clock.advance(seconds(30));
    expect(world.central.connected).toBe(true);
    expect(schemes(world)).toEqual(['ws', 'wss']);
  });

  it.each([false, true])(
    'that never connects is given up after the time-out (restarted meanwhile: %s)',
    async (restarted) => {
      const world = await start(0, { options: { switchSecurityProfileConnectionTimeoutS: 20 } });
      world.network.admit = ({ url }) => (url.startsWith('wss') ? BAD_CERTIFICATE : undefined);
      await change(world, 'SecurityProfile', '2');
      await world.clock.advance(seconds(10));
      if (restarted) {
        await world.powerCut();
        await world.boot();
      }
      await world.clock.advance(seconds(19));
      if (restarted) expect(world.central.connected).toBe(false);
      await world.clock.advance(seconds(3));
      expect(world.central.connected).toBe(true);
      expect(schemes(world).at(-1)).toBe('ws');
      expect(await profileOf(world)).toBe('0');
      // And it may be asked for again.
      world.network.admit = () => undefined;
      expect(await change(world, 'SecurityProfile', '2')).toEqual({ status: 'Accepted' });
      await world.clock.advance(seconds(5));
      expect(schemes(world).at(-1)).toBe('wss');
      await world.powerCut();
      await world.boot();
      await world.clock.advance(seconds(5));
      expect(await profileOf(world)).toBe('2');
    },
  );

  it('that connects, but where nobody answers, is given up too', async () => {
    const world = await start(0);
    await change(world, 'SecurityProfile', '2');
    for (const action of ['Heartbeat', 'BootNotification', 'StatusNotification'])
      world.central.answer(action, () => 'silence');
    await world.clock.advance(seconds(70));
    expect(schemes(world).slice(-2)).toEqual(['wss', 'ws']);
  });

  it.each([
    ['1', {}, [], 'no AuthorizationKey'],
    ['2', {}, [ROOT], 'no AuthorizationKey'],
    ['2', { AuthorizationKey: OLD_KEY }, [], 'no root'],
    ['3', { AuthorizationKey: OLD_KEY }, [], 'no root'],
    ['3', { AuthorizationKey: OLD_KEY }, [ROOT], 'no certificate of its own'],
    ['4', { AuthorizationKey: OLD_KEY }, [ROOT], 'there is none'],
  ] as const)(
    '%s is Rejected where something is missing: %j %j %s',
    async (profile, keys, certificateAuthorities, _why) => {
      const world = await World.start({ keys, centralSystem: { certificateAuthorities } });
      expect(await change(world, 'SecurityProfile', profile)).toEqual({ status: 'Rejected' });
      await world.clock.advance(minutes(2));
      expect(schemes(world)).toEqual(['ws']);
    },
  );
});

describe('TC_084: a lower security profile, or the same', () => {
  it.each([
    [1, '0'],
    [1, '1'],
    [2, '0'],
    [2, '1'],
    [2, '2'],
  ] as const)('%i -> %s is Rejected, and the link stays', async (from, to) => {
    const world = await start(from);
    expect(await change(world, 'SecurityProfile', to)).toEqual({ status: 'Rejected' });
    await world.clock.advance(minutes(2));
    expect(world.network.dials).toHaveLength(1);
    expect(await profileOf(world)).toBe(String(from));
  });
});

describe('TC_085: Basic authentication', () => {
  it.each([
    [0, OLD_KEY, OLD_KEY],
    [1, OLD_KEY, OLD_KEY],
    [2, TOOL_KEY, 'OCA_OCTT_admin_test'],
  ] as const)('profile %i shows the identity and the bytes of the key', async (profile, key, bytes) => {
    const world = await start(profile, { keys: { AuthorizationKey: key } });
    expect(world.network.dials[0]?.request.basicAuth?.user).toBe('cp001');
    expect(passwords(world)).toEqual([bytes]);
  });

  it('is not there without a key', async () => {
    const world = await World.start();
    expect(passwords(world)).toEqual([undefined]);
  });
});

describe('TC_086: the certificate of the server', () => {
  it('is verified in profile 2, against the installed roots, with the host name', async () => {
    const world = await start(2);
    const [dial] = world.network.dials;
    expect(dial?.request).toMatchObject({ url: 'wss://central.example/cp001', verifyHostname: true });
    expect(dial?.request.certificateAuthorities).toHaveLength(1);
  });
});

describe('TC_078: a server with an invalid certificate', () => {
  it('is told of once on the next good connection', async () => {
    const world = await start(2);
    world.network.admit = () => BAD_CERTIFICATE;
    world.central.close();
    await world.clock.advance(minutes(10));
    expect(world.central.received('SecurityEventNotification')).toEqual([]);
    world.network.admit = () => undefined;
    await world.clock.advance(minutes(2));
    expect(world.central.received('SecurityEventNotification')).toEqual([
      expect.objectContaining({ type: 'InvalidCentralSystemCertificate', techInfo: BAD_CERTIFICATE.reason }),
    ]);
    // And once more when it happens again.
    world.network.admit = () => BAD_CERTIFICATE;
    world.central.close();
    await world.clock.advance(minutes(5));
    world.network.admit = () => undefined;
    await world.clock.advance(minutes(2));
    expect(world.central.received('SecurityEventNotification')).toHaveLength(2);
  });
});

describe('TC_088: the subprotocol', () => {
  it('offered is ocpp1.6, and a server that chooses none is not used', async () => {
    const world = await start(1);
    expect(world.network.dials[0]?.request.subprotocol).toBe('ocpp1.6');
    world.network.admit = () => ({ failure: 'subprotocol', code: 1006, reason: 'the server chose no subprotocol' });
    world.central.close();
    await world.clock.advance(minutes(5));
    expect(world.central.connected).toBe(false);
  });
});

describe('a secret', () => {
  it('is nowhere to be seen: log, wire log, control answers, GetConfiguration', async () => {
    const world = await start(0);
    const seen: unknown[] = [];
    const look = async () => {
      seen.push(await world.control('GET', '/keys'), await world.central.call('GetConfiguration'));
      seen.push(await world.central.call('GetConfiguration', { key: ['AuthorizationKey'] }));
      seen.push(world.agent.wireLog.recent, world.logged, world.central.securityEvents);
    };
    await look();
    world.network.admit = accepting(OLD_KEY);
    await change(world, 'AuthorizationKey', 'canary-in-a-coal-mine-2');
    await world.clock.advance(seconds(5));
    await change(world, 'AuthorizationKey', `canary${'x'.repeat(60)}`);
    await change(world, 'SecurityProfile', '1');
    await world.clock.advance(seconds(5));
    await change(world, 'AuthorizationKey', '');
    world.disk.failWrites(true);
    expect(await change(world, 'AuthorizationKey', 'canary-in-a-coal-mine-3')).toEqual({ status: 'Rejected' });
    world.disk.failWrites(false);
    await look();
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    await look();
    const text = JSON.stringify(seen, (_name, value) =>
      value instanceof Error ? [value.message, value.cause] : value,
    );
    expect(text).not.toMatch(/canary|the-first-key/);
    expect(text).toContain('AuthorizationKey');
  });
});
