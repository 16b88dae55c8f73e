/** The certificate cases of the compliance test tool (octt.md, Security 074 to 078). */
import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../platform/support/x509-fixtures.ts';
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
  restart,
  signed,
  startWorld,
  trigger,
} from '../sim/certificates.ts';
import { asking } from '../sim/transcript.ts';
import { DEFAULT_WALL_START, hours, seconds } from '../sim/virtual-clock.ts';

let cpo: Authority;
let stranger: Authority;
beforeAll(() => {
  cpo = Authority.root('CPO root');
  stranger = Authority.root('Somebody else');
});

const secured = () => ({ centralSystem: { securityProfile: 3 as const, certificateAuthorities: [cpo.pem] } });
const inCapitals = (hash: object | undefined) =>
  Object.fromEntries(Object.entries(hash ?? {}).map(([name, value]) => [name, String(value).toUpperCase()]));
const fingerprint = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

describe('the certificate of the charge point', () => {
  it('TC_074: is requested with CN = serial number and O = CpoName, accepted, and shown on a new connection', async () => {
    const world = await startWorld(operated(secured()));
    const frames = await asking(world, 'ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
    expect(frames).toEqual(['0 < ExtendedTriggerMessage = Accepted', '0 > SignCertificate = Accepted']);
    const csr = String(world.central.received('SignCertificate')[0]?.['csr']);
    expect(requested(csr)).toEqual({ subject: ['Test CPO', 'SN-0001'], kind: 'ec' });
    const dials = world.network.dials.length;
    const chain = cpo.sign(csr);
    expect(await signed(world, chain)).toBe('Accepted');
    await world.clock.advance(seconds(10));
    const after = world.network.dials.slice(dials);
    expect(after).toHaveLength(1);
    const shown = after[0]?.request.clientCertificate;
    expect(fingerprint(shown?.chain ?? '')).toBe(fingerprint(chain));
    expect(
      new X509Certificate(chain).checkPrivateKey((await import('node:crypto')).createPrivateKey(shown?.key ?? '')),
    ).toBe(true);
    expect(world.central.connected).toBe(true);
    expect(eventsOf(world)).toEqual([]);
  });

  it('TC_087: is shown in profile 3 instead of a password, with CN = serial number and an EC key, and opens the link', async () => {
    const world = await startWorld(
      operated({
        keys: { AuthorizationKey: 'sixteen-and-more' },
        centralSystem: { securityProfile: 2, certificateAuthorities: [cpo.pem] },
      }),
    );
    expect(await signed(world, cpo.sign(await request(world)))).toBe('Accepted');
    world.network.admit = ({ clientCertificate }) =>
      clientCertificate !== undefined &&
      new X509Certificate(clientCertificate.chain).checkIssued(new X509Certificate(cpo.pem))
        ? undefined
        : { failure: 'tls', tls: 'refusedUs', code: 1006, reason: 'no certificate of the operator' };
    expect(await asked(world, 'ChangeConfiguration', { key: 'SecurityProfile', value: '3' })).toBe('Accepted');
    await world.clock.advance(seconds(5));
    for (let starts = 0; starts < 2; starts++) {
      expect(world.central.connected).toBe(true);
      const { url, basicAuth, clientCertificate } = world.network.dials.at(-1)?.request ?? {};
      const shown = new X509Certificate(clientCertificate?.chain ?? '');
      expect([url, basicAuth]).toEqual(['wss://central.example/cp001', undefined]);
      expect(shown.subject.split('\n')).toContain('CN=SN-0001');
      expect(shown.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
      await restart('powerCut')(world);
    }
  });

  it.each([
    ['of another authority', (csr: string) => stranger.sign(csr)],
    ['that has expired', (csr: string) => cpo.sign(csr, { notAfter: DEFAULT_WALL_START - hours(1) })],
    ['for another serial number', (csr: string) => cpo.sign(csr, { subject: [['2.5.4.3', 'SN-0002']] })],
    ['that is none', () => 'no certificate'],
    ['for another key', () => fixture('leaf.pem')],
  ])('TC_077: %s is Rejected, and the event tells so after the answer', async (_, make) => {
    const world = await startWorld(operated(secured()));
    const csr = await request(world);
    expect(await asking(world, 'CertificateSigned', { certificateChain: make(csr) })).toEqual([
      '0 < CertificateSigned = Rejected',
      '0 > SecurityEventNotification InvalidChargePointCertificate',
    ]);
    expect(eventsOf(world)).toEqual(['InvalidChargePointCertificate']);
    // The request is still open: the right one is taken.
    expect(await signed(world, cpo.sign(csr))).toBe('Accepted');
  });

  it('TC_077: without a request there is none to accept', async () => {
    const world = await startWorld(operated(secured()));
    expect(await signed(world, fixture('leaf.pem'))).toBe('Rejected');
    await world.clock.advance(seconds(1));
    expect(eventsOf(world)).toEqual(['InvalidChargePointCertificate']);
  });
});

describe('roots', () => {
  it.each([
    ['TC_075_1', MANUFACTURER, 'root.pem'],
    ['TC_075_2', CENTRAL_SYSTEM, 'root.pem'],
    ['TC_075_2', CENTRAL_SYSTEM, 'v1-root.pem'],
    ['TC_075_2', CENTRAL_SYSTEM, 'bare-root.pem'],
  ])('%s: a %s (%s) is installed and listed with its hash data', async (_, use, file) => {
    const world = await startWorld();
    expect(await asked(world, 'GetInstalledCertificateIds', { certificateType: use })).toBe('NotFound');
    expect(await install(world, fixture(file), use)).toBe('Accepted');
    const [hash, ...more] = await installed(world, use);
    expect(more).toEqual([]);
    const expected = JSON.parse(fixture('expected.json')).hashes.find(
      ({ certificate, hashAlgorithm }: { certificate: string; hashAlgorithm: string }) =>
        `${certificate}.pem` === file && hashAlgorithm === 'SHA256',
    );
    // What openssl has computed; there is nothing of it for the last one.
    expect(expected === undefined).toBe(file === 'bare-root.pem');
    const { certificate, issuer, ...hashData } = expected ?? {};
    if (expected !== undefined) expect(inCapitals(hash)).toEqual(hashData);
    expect(Object.keys(hash ?? {}).sort()).toEqual([
      'hashAlgorithm',
      'issuerKeyHash',
      'issuerNameHash',
      'serialNumber',
    ]);
    const other = use === MANUFACTURER ? CENTRAL_SYSTEM : MANUFACTURER;
    expect(await installed(world, other)).toEqual([]);
  });

  it('TC_076: is deleted, gone from the list, and then NotFound', async () => {
    const world = await startWorld();
    await install(world, cpo.pem, MANUFACTURER);
    const [certificateHashData] = await installed(world, MANUFACTURER);
    expect(await asked(world, 'DeleteCertificate', { certificateHashData })).toBe('Accepted');
    expect(await asked(world, 'GetInstalledCertificateIds', { certificateType: MANUFACTURER })).toBe('NotFound');
    expect(await asked(world, 'DeleteCertificate', { certificateHashData })).toBe('NotFound');
  });

  it.each([
    ['no certificate', () => 'no certificate'],
    ['an expired one', () => Authority.root('Old', { notAfter: DEFAULT_WALL_START - hours(1) }).pem],
    ['a weak one', () => fixture('rsa-1024-root.pem')],
    ['two at once', () => cpo.pem + stranger.pem],
  ])('TC_078: InstallCertificate with %s is Rejected, and the event tells so after the answer', async (_, make) => {
    const world = await startWorld();
    expect(await asking(world, 'InstallCertificate', { certificateType: CENTRAL_SYSTEM, certificate: make() })).toEqual(
      ['0 < InstallCertificate = Rejected', '0 > SecurityEventNotification InvalidCentralSystemCertificate'],
    );
    expect(eventsOf(world)).toEqual(['InvalidCentralSystemCertificate']);
    expect(await installed(world)).toEqual([]);
  });
});

describe('ExtendedTriggerMessage (security whitepaper, section 5.5)', () => {
  it('is Rejected for a certificate without CpoName', async () => {
    const world = await startWorld({ chargePoint: { serialNumber: 'SN-0001' } });
    expect(await trigger(world)).toBe('Rejected');
    await world.clock.advance(hours(1));
    expect(world.central.received('SignCertificate')).toEqual([]);
  });
});
