/** Certificates over months, restarts, failing disks and power cuts (security whitepaper, A02, A03 and M03 to M05). */
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/platform/x509/certificates.ts';
import type { CertificateHashAlgorithm } from '../../src/ports.ts';
import { certificateIn, fixture } from '../platform/support/x509-fixtures.ts';
import { Authority, requested } from '../sim/authority.ts';
import {
  asked,
  CENTRAL_SYSTEM,
  eventsOf,
  install,
  installed,
  MANUFACTURER,
  operated,
  request,
  requests,
  restart,
  signed,
  startWorld,
  trigger,
} from '../sim/certificates.ts';
import type { Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { asking } from '../sim/transcript.ts';
import { DEFAULT_WALL_START, hours, minutes, seconds } from '../sim/virtual-clock.ts';
import type { World, WorldOptions } from '../sim/world.ts';

const days = (n: number): number => hours(24 * n);
const QUIET = {
  HeartbeatInterval: '0',
  WebSocketPingInterval: '0',
  MeterValueSampleInterval: '0',
  ClockAlignedDataInterval: '0',
};

let cpo: Authority;
beforeAll(() => {
  cpo = Authority.root('CPO root');
});

const secured = (more: WorldOptions = {}): WorldOptions =>
  operated({
    centralSystem: { securityProfile: 3, certificateAuthorities: [cpo.pem] },
    ...more,
    keys: { ...QUIET, ...more.keys },
  });

const shownBy = ({ network }: World): string | undefined => network.dials.at(-1)?.request.clientCertificate?.chain;
const isSame = (a: string | undefined, b: string): boolean =>
  a !== undefined && new X509Certificate(a).fingerprint256 === new X509Certificate(b).fingerprint256;
const keyOf = (csr: string | undefined): string => String(csr && requestedKey(csr));
const requestedKey = (csr: string): string => (Authority.root('any').sign(csr).length > 0 ? publicKeyOf(csr) : '');
const publicKeyOf = (csr: string): string =>
  String(new X509Certificate(cpo.sign(csr)).publicKey.export({ type: 'spki', format: 'pem' }));

/** Asks for a certificate and installs it. */
async function equip(world: World, wishes: Parameters<Authority['sign']>[1] = {}): Promise<string> {
  const chain = cpo.sign(await request(world), wishes);
  expect(await signed(world, chain)).toBe('Accepted');
  await world.clock.advance(seconds(10));
  return chain;
}

describe('a signing request', () => {
  it('that is refused is sent again after 1, 2, 4 and 8 minutes and then given up, until somebody asks anew', async () => {
    const world = await startWorld(operated({ keys: QUIET }));
    world.central.answer('SignCertificate', () => ({ status: 'Rejected' }));
    const { t } = world.central.wire.at(-1) ?? { t: 0 };
    expect(await trigger(world)).toBe('Accepted');
    await world.clock.advance(days(2));
    const sent = world.central.calls().filter(({ frame }) => frame[2] === 'SignCertificate');
    expect(sent.map((entry) => Math.round((entry.t - t) / 60_000))).toEqual([0, 1, 3, 7, 15]);
    expect(new Set(requests(world).map(keyOf)).size).toBe(1);
    world.central.answer('SignCertificate', () => ({ status: 'Accepted' }));
    await request(world);
    expect(new Set(requests(world).map(keyOf)).size).toBe(2);
  });

  it('that is not answered is sent again with the same key, over a lost link as well', async () => {
    const world = await startWorld(operated({ keys: QUIET }));
    world.central.answer('SignCertificate', () => 'silence');
    await trigger(world);
    await world.clock.advance(minutes(1.6));
    expect(requests(world)).toHaveLength(2);
    world.network.cut();
    await world.clock.advance(hours(3));
    world.central.answer('SignCertificate', () => ({ status: 'Accepted' }));
    world.network.restore();
    await world.clock.advance(days(2));
    expect(requests(world)).toHaveLength(3);
    expect(new Set(requests(world).map(keyOf)).size).toBe(1);
  });

  it('that was accepted is not repeated, however long the authority takes', async () => {
    const world = await startWorld(secured());
    const csr = await request(world);
    await world.clock.advance(days(20));
    expect(requests(world)).toHaveLength(1);
    expect(await signed(world, cpo.sign(csr))).toBe('Accepted');
  });

  it('is sent for the RSA key of the configuration', async () => {
    const world = await startWorld(operated({ certificates: { keyType: 'rsa2048' } }));
    expect(requested(await request(world)).kind).toBe('rsa');
  });

  it('is sent while the registration is Pending, when the central system asks for it', async () => {
    const world = await startWorld(
      operated({
        keys: QUIET,
        prepare: (central) =>
          central.answer('BootNotification', () => ({
            status: 'Pending',
            interval: 300,
            currentTime: '2026-01-05T08:00:00Z',
          })),
      }),
    );
    await request(world);
    expect(requests(world)).toHaveLength(1);
  });

  it('has the certificate of an earlier one still accepted: an authority can be slow', async () => {
    const world = await startWorld(secured());
    const [first, second] = [await request(world), await request(world)];
    expect(keyOf(first)).not.toBe(keyOf(second));
    expect(await signed(world, cpo.sign(first))).toBe('Accepted');
    expect(await signed(world, cpo.sign(second))).toBe('Accepted');
    await world.clock.advance(seconds(10));
    expect(isSame(shownBy(world), cpo.sign(second))).toBe(false);
    expect(publicKeyOf(second)).toBe(
      String(new X509Certificate(shownBy(world) ?? '').publicKey.export({ type: 'spki', format: 'pem' })),
    );
  });

  it('may be answered by the certificate before its own confirmation', async () => {
    const world = await startWorld(secured());
    world.central.answer('SignCertificate', () => 'silence');
    await trigger(world);
    await world.clock.advance(seconds(1));
    expect(await signed(world, cpo.sign(requests(world)[0] ?? ''))).toBe('Accepted');
    await world.clock.advance(days(1));
    expect(requests(world)).toHaveLength(1);
  });
});

describe('the certificate of the charge point', () => {
  it('is accepted with its intermediate authority, in any order, and shown without the root', async () => {
    const below = cpo.authority('Intermediate');
    for (const order of ['leaf first', 'leaf last']) {
      const world = await startWorld(secured());
      const leaf = below.sign(await request(world));
      const chain = order === 'leaf first' ? [leaf, below.pem, cpo.pem] : [cpo.pem, below.pem, leaf];
      expect(await signed(world, chain.join(''))).toBe('Accepted');
      await world.clock.advance(seconds(10));
      const shown = shownBy(world) ?? '';
      expect(isSame(shown, leaf)).toBe(true);
      expect(shown.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    }
  });

  it('is accepted again when the central system did not hear the answer', async () => {
    const world = await startWorld(secured());
    const chain = await equip(world);
    const dials = world.network.dials.length;
    await restart('powerCut')(world);
    expect(isSame(shownBy(world), chain)).toBe(true);
    expect(await signed(world, chain)).toBe('Accepted');
    await world.clock.advance(seconds(10));
    expect(world.network.dials).toHaveLength(dials + 1);
    expect(eventsOf(world)).toEqual([]);
  });

  it('is Rejected when longer than CertificateSignedMaxChainSize', async () => {
    const world = await startWorld(secured({ keys: { CertificateSignedMaxChainSize: '100' } }));
    expect(await signed(world, cpo.sign(await request(world)))).toBe('Rejected');
  });

  it('is Rejected without a root that could vouch for it', async () => {
    const world = await startWorld(operated());
    const csr = await request(world);
    expect(await signed(world, cpo.sign(csr))).toBe('Rejected');
    await install(world, cpo.pem);
    expect(await signed(world, cpo.sign(csr))).toBe('Accepted');
  });

  it('that becomes valid later is accepted now and shown then (A02.FR.08)', async () => {
    const world = await startWorld(secured());
    const old = await equip(world);
    const notBefore = DEFAULT_WALL_START + days(3);
    const next = await equip(world, { notBefore });
    expect(isSame(shownBy(world), old)).toBe(true);
    await world.clock.advance(days(3) - minutes(5));
    expect(isSame(shownBy(world), old)).toBe(true);
    await world.clock.advance(minutes(5));
    expect(isSame(shownBy(world), next)).toBe(true);
  });

  it('that the server refuses gives way to the old one, and is tried again after it', async () => {
    const world = await startWorld(secured());
    const old = await equip(world);
    const csr = await request(world);
    const fresh = cpo.sign(csr);
    world.network.admit = ({ clientCertificate }) =>
      isSame(clientCertificate?.chain, fresh) ? { failure: 'tls', code: 1006, reason: 'unknown ca' } : undefined;
    expect(await signed(world, fresh)).toBe('Accepted');
    await world.clock.advance(minutes(2));
    expect(world.central.connected).toBe(true);
    expect(isSame(shownBy(world), old)).toBe(true);
    world.network.admit = () => undefined;
    world.central.close();
    await world.clock.advance(minutes(1));
    expect(isSame(shownBy(world), fresh)).toBe(true);
    expect((await world.keyStore.list()).length).toBe(2);
  });

  it('that it took the place of is deleted with its key a month after the new one has worked (A02.FR.10)', async () => {
    const world = await startWorld(secured());
    await equip(world);
    await equip(world);
    expect(await world.keyStore.list()).toHaveLength(2);
    await world.clock.advance(days(29));
    expect(await world.keyStore.list()).toHaveLength(2);
    await world.clock.advance(days(2));
    expect(await world.keyStore.list()).toHaveLength(1);
    await restart('powerCut')(world);
    expect(shownBy(world)).toBeDefined();
  });

  it('cannot be deleted with DeleteCertificate (M04.FR.05)', async () => {
    const world = await startWorld(secured());
    const leaf = await certificateIn(await equip(world));
    const certificateHashData = await certificates.hash('SHA384', leaf, await certificateIn(cpo.pem));
    expect(await asked(world, 'DeleteCertificate', { certificateHashData })).toBe('Failed');
    await restart('kill')(world);
    expect(shownBy(world)).toBeDefined();
  });

  it('is told from the others in no frame, log or store: the private key stays in the key store (A02.FR.05)', async () => {
    const world = await startWorld(secured());
    await equip(world);
    const rows = await world.disk.read<unknown>({ from: '', to: '~' });
    const told = JSON.stringify([world.wire, world.logged, rows]);
    expect(told).not.toMatch(/PRIVATE KEY/);
    for (const { id } of await world.keyStore.list()) {
      const body = (await world.keyStore.privateKey(id))?.split('\n')[2] ?? 'none';
      expect(told).not.toContain(body);
    }
  });
});

describe('a certificate that expires', () => {
  it('is renewed from a month before, with at most one request a day (A03)', async () => {
    const world = await startWorld(secured());
    await equip(world, { notAfter: DEFAULT_WALL_START + days(40) });
    await world.clock.advance(days(9.5));
    expect(requests(world)).toHaveLength(1);
    await world.clock.advance(days(0.6));
    expect(requests(world)).toHaveLength(2);
    await world.clock.advance(days(2));
    expect(requests(world)).toHaveLength(4);
    expect(await signed(world, cpo.sign(requests(world)[3] ?? ''))).toBe('Accepted');
    await world.clock.advance(days(60));
    expect(requests(world)).toHaveLength(4);
    expect((await world.keyStore.list()).length).toBeLessThanOrEqual(2);
  });

  it('is renewed after a restart in the middle of it, and not twice a day because of it', async () => {
    const world = await startWorld(secured());
    await equip(world, { notAfter: DEFAULT_WALL_START + days(40) });
    await world.clock.advance(days(10.1));
    expect(requests(world)).toHaveLength(2);
    for (let i = 0; i < 3; i++) await restart('powerCut')(world);
    expect(requests(world)).toHaveLength(2);
    expect(await signed(world, cpo.sign(requests(world)[1] ?? ''))).toBe('Accepted');
  });

  it('is not judged by a clock that nobody vouches for', async () => {
    const world = await startWorld(secured());
    await equip(world, { notAfter: DEFAULT_WALL_START + days(40) });
    await world.powerCut();
    world.network.cut();
    world.clock = world.clock.untrusted();
    world.central.clock = world.clock;
    await world.boot();
    await world.clock.advance(days(50));
    world.network.restore();
    await world.clock.advance(minutes(5));
    // The central system says that no day has passed.
    expect(world.clock.trusted).toBe(true);
    expect(shownBy(world)).toBeDefined();
    expect(requests(world)).toHaveLength(1);
  });
});

describe('a power cut', () => {
  it('before the key pair is made loses nothing: the answer was Accepted', async () => {
    const world = await startWorld(secured());
    const generate = world.keyStore.generate.bind(world.keyStore);
    world.keyStore.generate = () => new Promise(() => undefined);
    expect(await trigger(world)).toBe('Accepted');
    world.keyStore.generate = generate;
    await restart('powerCut')(world);
    expect(requests(world)).toHaveLength(1);
    expect(await signed(world, cpo.sign(requests(world)[0] ?? ''))).toBe('Accepted');
  });

  it('between the key pair and its note in the store leaves a key that the next request clears away', async () => {
    const world = await startWorld(secured());
    const generate = world.keyStore.generate.bind(world.keyStore);
    world.keyStore.generate = async (kind) => {
      await generate(kind);
      return new Promise(() => undefined);
    };
    await trigger(world);
    world.keyStore.generate = generate;
    await restart('powerCut')(world);
    expect(requests(world)).toHaveLength(1);
    expect(await world.keyStore.list()).toHaveLength(1);
  });

  it('before the answer to SignCertificate sends the request again, with the same key', async () => {
    const world = await startWorld(secured());
    world.central.answer('SignCertificate', () => 'silence');
    await trigger(world);
    await world.clock.advance(seconds(1));
    world.central.answer('SignCertificate', () => ({ status: 'Accepted' }));
    await restart('powerCut')(world);
    expect(new Set(requests(world).map(keyOf)).size).toBe(1);
    expect(await signed(world, cpo.sign(requests(world)[0] ?? ''))).toBe('Accepted');
  });

  it('after SignCertificate was Accepted: the certificate is taken by the next process', async () => {
    const world = await startWorld(secured());
    const csr = await request(world);
    await restart('powerCut')(world);
    expect(requests(world)).toHaveLength(1);
    expect(await signed(world, cpo.sign(csr))).toBe('Accepted');
    await restart('powerCut')(world);
    expect(isSame(shownBy(world), shownBy(world) ?? '')).toBe(true);
  });
});

describe('a disk that fails', () => {
  it('makes ExtendedTriggerMessage Rejected, CertificateSigned Rejected without blaming the certificate, and both go later', async () => {
    const world = await startWorld(secured());
    world.disk.failWrites(true);
    expect(await trigger(world)).toBe('Rejected');
    world.disk.failWrites(false);
    const csr = await request(world);
    world.disk.failWrites(true);
    expect(await signed(world, cpo.sign(csr))).toBe('Rejected');
    world.disk.failWrites(false);
    await world.clock.advance(seconds(5));
    expect(eventsOf(world)).toEqual([]);
    expect(await signed(world, cpo.sign(csr))).toBe('Accepted');
  });

  it('makes InstallCertificate and DeleteCertificate Failed, and changes nothing', async () => {
    const world = await startWorld();
    await install(world, cpo.pem);
    const before = await installed(world);
    world.disk.failWrites(true);
    expect(await install(world, fixture('root.pem'))).toBe('Failed');
    expect(await asked(world, 'DeleteCertificate', { certificateHashData: before[0] })).toBe('Failed');
    world.disk.failWrites(false);
    expect(await installed(world)).toEqual(before);
    await restart('powerCut')(world);
    expect(await installed(world)).toEqual(before);
  });

  it('while the key pair is noted asks again later', async () => {
    const world = await startWorld(secured());
    const generate = world.keyStore.generate.bind(world.keyStore);
    world.keyStore.generate = async (kind) => {
      world.disk.failWrites(true);
      return generate(kind);
    };
    await trigger(world);
    await world.clock.advance(seconds(1));
    expect(requests(world)).toEqual([]);
    world.keyStore.generate = generate;
    world.disk.failWrites(false);
    await world.clock.advance(minutes(2));
    expect(requests(world)).toHaveLength(1);
    expect(await world.keyStore.list()).toHaveLength(1);
  });
});

describe('roots', () => {
  it('of caFile are installed on the first start only: listed, deletable, and gone for good', async () => {
    const other = Authority.root('Other');
    const world = await startWorld(
      operated({ centralSystem: { certificateAuthorities: [cpo.pem, other.pem], securityProfile: 2 } }),
    );
    const [first, second] = await installed(world);
    expect(second).toBeDefined();
    expect(await asked(world, 'DeleteCertificate', { certificateHashData: first })).toBe('Accepted');
    await restart('powerCut')(world);
    expect(await installed(world)).toEqual([second]);
    expect(world.network.dials.at(-1)?.request.certificateAuthorities).toHaveLength(1);
  });

  it.each<CertificateHashAlgorithm>(['SHA256', 'SHA384', 'SHA512'])(
    'are found by their %s hashes without regard to case',
    async (hashAlgorithm) => {
      const world = await startWorld();
      await install(world, fixture('root.pem'), MANUFACTURER);
      const hash = await certificates.hash(hashAlgorithm, await certificateIn(fixture('root.pem')));
      const upper = {
        ...hash,
        issuerNameHash: hash.issuerNameHash.toUpperCase(),
        issuerKeyHash: hash.issuerKeyHash.toUpperCase(),
        serialNumber: hash.serialNumber.toLowerCase(),
      };
      const wrong = { ...upper, serialNumber: '1' };
      expect(await asked(world, 'DeleteCertificate', { certificateHashData: wrong })).toBe('NotFound');
      expect(await asked(world, 'DeleteCertificate', { certificateHashData: upper })).toBe('Accepted');
    },
  );

  it('are installed once, and for each use on their own', async () => {
    const world = await startWorld(operated({ keys: { CertificateStoreMaxLength: '2' } }));
    expect(await install(world, cpo.pem)).toBe('Accepted');
    expect(await install(world, cpo.pem)).toBe('Accepted');
    expect(await installed(world)).toHaveLength(1);
    expect(await install(world, cpo.pem, MANUFACTURER)).toBe('Accepted');
    // M05.FR.03, and no certificate is to blame.
    expect(await install(world, fixture('root.pem'))).toBe('Rejected');
    expect(await install(world, cpo.pem)).toBe('Accepted');
    await world.clock.advance(seconds(1));
    expect(eventsOf(world)).toEqual([]);
  });

  it('survive a power cut right after the answer', async () => {
    const world = await startWorld();
    await install(world, cpo.pem, MANUFACTURER);
    await restart('powerCut')(world);
    expect(await installed(world, MANUFACTURER)).toHaveLength(1);
    expect(await installed(world, CENTRAL_SYSTEM)).toEqual([]);
  });

  it('that the present connection rests on cannot be deleted (M04.FR.06)', async () => {
    const world = await startWorld(
      operated({ centralSystem: { certificateAuthorities: [cpo.pem], securityProfile: 2 } }),
    );
    const { fingerprint } = await certificateIn(cpo.pem);
    const [certificateHashData] = await installed(world);
    world.network.verified = ['server', fingerprint];
    world.central.close();
    await world.clock.advance(seconds(5));
    expect(await asked(world, 'DeleteCertificate', { certificateHashData })).toBe('Failed');
    world.network.verified = ['server', 'another root'];
    world.central.close();
    await world.clock.advance(seconds(5));
    expect(await asked(world, 'DeleteCertificate', { certificateHashData })).toBe('Accepted');
  });
});

describe('ReconfigurationOfSecurityParameters in the security log', () => {
  const reconfigured = ({ logged }: World) =>
    logged.flatMap(({ message, fields }) =>
      message === 'security event ReconfigurationOfSecurityParameters'
        ? [(fields as { techInfo: string }).techInfo]
        : [],
    );

  it('has each root that is installed and deleted, and nothing of what changes nothing', async () => {
    const world = await startWorld();
    await install(world, cpo.pem, MANUFACTURER);
    await install(world, cpo.pem, MANUFACTURER);
    const [certificateHashData] = await installed(world, MANUFACTURER);
    await asked(world, 'DeleteCertificate', { certificateHashData });
    await asked(world, 'DeleteCertificate', { certificateHashData });
    const { subject } = await certificateIn(cpo.pem);
    expect(reconfigured(world)).toEqual([
      `ManufacturerRootCertificate installed: ${subject}`,
      `ManufacturerRootCertificate deleted: ${subject}`,
    ]);
    expect(eventsOf(world)).toEqual([]);
  });

  it('has our own certificate', async () => {
    const world = await startWorld(secured());
    const before = reconfigured(world).length;
    const chain = await equip(world);
    const { subject } = await certificateIn(chain);
    expect(reconfigured(world).slice(before)).toEqual([`ChargePointCertificate installed: ${subject}`]);
  });

  it('has a root that comes into caFile, once; what goes from the file stays installed', async () => {
    const other = Authority.root('Other');
    const world = await startWorld(operated({ centralSystem: { certificateAuthorities: [cpo.pem] } }));
    const before = reconfigured(world).length;
    for (const certificateAuthorities of [[cpo.pem, other.pem], [other.pem], [cpo.pem, other.pem]]) {
      world.edit({ centralSystem: { certificateAuthorities } });
      await restart('powerCut')(world);
    }
    const { subject } = await certificateIn(other.pem);
    expect(reconfigured(world).slice(before)).toEqual([
      `CentralSystemRootCertificate installed from caFile: ${subject}`,
    ]);
  });
});

describe('AdditionalRootCertificateCheck', () => {
  const checked = (): WorldOptions =>
    operated({
      centralSystem: { certificateAuthorities: [cpo.pem], securityProfile: 2 },
      keys: { AdditionalRootCertificateCheck: 'true', CertificateStoreMaxLength: '1', ...QUIET },
    });
  const reconnect = async (world: World, ...roots: readonly Authority[]): Promise<void> => {
    world.network.verified = await Promise.all(roots.map(async ({ pem }) => (await certificateIn(pem)).fingerprint));
    world.central.close();
    await world.clock.advance(seconds(5));
  };

  it('refuses a root that the present one has not signed (M05.FR.10)', async () => {
    const world = await startWorld(checked());
    expect(await install(world, Authority.root('Stranger').pem)).toBe('Rejected');
    expect(await installed(world)).toHaveLength(1);
    // It is about the roots of the central system only, but the store has room for one.
    expect(await install(world, Authority.root('Maker').pem, MANUFACTURER)).toBe('Rejected');
  });

  it('keeps the old root until a connection has come about with the new one (M05.FR.11 to 13)', async () => {
    const world = await startWorld(checked());
    const next = cpo.authority('Next root');
    expect(await install(world, next.pem)).toBe('Accepted');
    expect(await installed(world)).toHaveLength(2);
    // The server still shows a chain of the old root: that is what the fallback is for.
    await reconnect(world, cpo);
    expect(world.network.dials.at(-1)?.request.certificateAuthorities).toHaveLength(2);
    await restart('powerCut')(world);
    expect(await installed(world)).toHaveLength(2);
    await reconnect(world, next, cpo);
    expect(await installed(world)).toHaveLength(1);
    await restart('powerCut')(world);
    expect(await installed(world)).toHaveLength(1);
    expect(world.network.dials.at(-1)?.request.certificateAuthorities).toEqual([(await certificateIn(next.pem)).pem]);
  });

  it('keeps the one that is known to work, whatever comes in between', async () => {
    const world = await startWorld(checked());
    const second = cpo.authority('Second');
    const third = second.authority('Third');
    expect(await install(world, second.pem)).toBe('Accepted');
    // The old root is no longer the one to be replaced.
    expect(await install(world, cpo.authority('Beside').pem)).toBe('Rejected');
    expect(await install(world, third.pem)).toBe('Accepted');
    expect(await installed(world)).toHaveLength(2);
    await reconnect(world, cpo);
    expect(world.central.connected).toBe(true);
    const trusted = world.network.dials.at(-1)?.request.certificateAuthorities;
    expect(trusted).toContain((await certificateIn(cpo.pem)).pem);
  });
});

describe('ExtendedTriggerMessage', () => {
  const TWO: WorldOptions = {
    connectors: [
      { id: 1, cable: 'attached' },
      { id: 2, cable: 'attached' },
    ],
    keys: { ...QUIET, SupportedFeatureProfiles: 'Core' },
  };
  const ask = (world: World, requestedMessage: string, more: Payload = {}) =>
    asking(world, 'ExtendedTriggerMessage', { requestedMessage, ...more });
  const accepted = '0 < ExtendedTriggerMessage = Accepted';

  it('is no part of a profile, and the answer goes before the message', async () => {
    const world = await startWorld(TWO);
    expect(await ask(world, 'Heartbeat')).toEqual([accepted, '0 > Heartbeat']);
    expect(await ask(world, 'BootNotification')).toEqual([accepted, '0 > BootNotification = Accepted']);
    expect(await ask(world, 'MeterValues', { connectorId: 2 })).toEqual([accepted, '0 > MeterValues']);
    expect(await ask(world, 'StatusNotification')).toEqual([
      accepted,
      ...[0, 1, 2].map((id) => `0 > StatusNotification ${id} Available`),
    ]);
    expect(await asking(world, 'TriggerMessage', { requestedMessage: 'Heartbeat' })).toEqual([
      '0 < TriggerMessage = CALLERROR NotSupported',
    ]);
  });

  it.each(['MeterValues', 'StatusNotification'])(
    'of %s is Rejected for a connector that is not there',
    async (message) => {
      const world = await startWorld(TWO);
      expect(await ask(world, message, { connectorId: 3 })).toEqual(['0 < ExtendedTriggerMessage = Rejected']);
    },
  );

  it('of a message that it does not know is NotImplemented (section 6.17)', async () => {
    const world = await startWorld(TWO);
    expect(await ask(world, 'DiagnosticsStatusNotification')).toEqual(['0 < ExtendedTriggerMessage = NotImplemented']);
  });
});

describe('keys', () => {
  it('are as section 7 has them', async () => {
    const world = await startWorld(operated());
    const answer = (await world.central.call('GetConfiguration', {
      key: ['AdditionalRootCertificateCheck', 'CertificateSignedMaxChainSize', 'CertificateStoreMaxLength', 'CpoName'],
    })) as Payload;
    expect(answer['configurationKey']).toEqual([
      { key: 'AdditionalRootCertificateCheck', readonly: true, value: 'false' },
      { key: 'CertificateSignedMaxChainSize', readonly: true, value: '10000' },
      { key: 'CertificateStoreMaxLength', readonly: true, value: '20' },
      { key: 'CpoName', readonly: false, value: 'Test CPO' },
    ]);
    await play.call('ChangeConfiguration', { key: 'CpoName', value: 'Müller & Söhne' })(world);
    expect(requested(await request(world)).subject).toEqual(['Müller & Söhne', 'SN-0001']);
  });
});
