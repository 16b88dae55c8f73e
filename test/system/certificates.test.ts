/** The certificates of a charge point against the real openssl: requests that it signs, mutual TLS, a root that takes over from another. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TrustStore } from '../../src/features/certificates/trust-store.ts';
import { FileKeyStore } from '../../src/platform/key-store.ts';
import { type RunningServer, serveWebSockets } from '../../src/platform/web-socket-server.ts';
import { WebSockets } from '../../src/platform/web-sockets.ts';
import { nodeCertificates } from '../../src/platform/x509.ts';
import type { KeyKind } from '../../src/ports.ts';
import { dialled } from '../platform/support/dialled.ts';
import { openTrust, type TrustOptions } from '../sim/trust.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'chargepoint-certificates-'));
const file = (name: string): string => join(folder, name);
const pem = (name: string): string => readFileSync(file(`${name}.pem`), 'utf8');
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
const EC = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n';

const running: RunningServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function request(name: string): void {
  openssl('genpkey', '-out', `${name}.key`, ...EC);
  openssl('req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`, '-subj', `/O=Test CPO/CN=${name}`);
}

function makeRoot(name: string): void {
  request(name);
  writeFileSync(file(`${name}.ext`), CA);
  const signing = ['-in', `${name}.csr`, '-signkey', `${name}.key`, '-extfile', `${name}.ext`];
  openssl('x509', '-req', ...signing, '-days', '365', '-out', `${name}.pem`);
}

/** Of another one's authority, with these extensions. */
function makeSigned(name: string, by: string, extensions: string): void {
  request(name);
  writeFileSync(file(`${name}.ext`), extensions);
  const authority = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-days', '365', '-out', `${name}.pem`);
}

const SERVER = 'subjectAltName=IP:127.0.0.1\n';
beforeAll(() => {
  makeRoot('root');
  makeRoot('stranger');
  makeSigned('intermediate', 'root', CA);
  makeSigned('next', 'root', CA);
  makeSigned('server', 'root', SERVER);
  makeSigned('server-of-next', 'next', SERVER);
});

/** A minute later than openssl, whose certificates begin when it makes them; with private keys in files. */
const trustOf = (name: string, more: TrustOptions = {}): Promise<TrustStore> =>
  openTrust({
    caFile: [pem('root')],
    certificates: nodeCertificates,
    keyStore: new FileKeyStore(file(`keys-${name}`), silentLog),
    clock: new VirtualClock({ wallStart: Date.now() + 60_000 }),
    ...more,
  });

/** As `openssl ca` would: subject and extensions are those that the request asks for. */
function signedByOpenssl(csr: string, by: string): string {
  writeFileSync(file('charge-point.csr'), csr);
  const said = spawnSync('openssl', ['req', '-verify', '-in', 'charge-point.csr', '-noout', '-subject'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(said.stdout + said.stderr).toMatch(/verify OK/);
  expect(said.stdout.replaceAll(' = ', '=')).toContain('O=Test CPO, CN=SN-0001');
  const authority = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-copy_extensions', 'copy'];
  return openssl('x509', '-req', '-in', 'charge-point.csr', ...authority, '-days', '60');
}

/** What a link of security profile 3 dials with. */
async function dialTo(trust: TrustStore, server: string, clientsOf?: string) {
  const tls = {
    cert: pem(server) + (server === 'server' ? '' : pem('next')),
    key: readFileSync(file(`${server}.key`), 'utf8'),
    ...(clientsOf === undefined ? {} : { ca: pem(clientsOf) }),
  };
  const listening = await serveWebSockets({ host: '127.0.0.1', port: 0, tls, onConnection: () => {} });
  running.push(listening);
  const { own } = trust;
  return dialled(trust.watching(new WebSockets()), {
    url: `wss://127.0.0.1:${listening.port}/cp001`,
    certificateAuthorities: trust.roots('CentralSystemRootCertificate'),
    ...(own === undefined ? {} : { clientCertificate: own }),
  });
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

describe.each<KeyKind>(['ecP256', 'rsa2048'])('A charge point with a key of %s', (keyType) => {
  it.each(['root', 'intermediate'])('is known to the server by the certificate that the %s has signed', async (by) => {
    const trust = await trustOf(`${keyType}-${by}`, { keyType });
    const { ownCertificates } = trust;
    await ownCertificates.want('centralSystem');
    const leaf = signedByOpenssl(await ownCertificates.signingRequest(), by);
    expect(await ownCertificates.accept(by === 'root' ? leaf : leaf + pem('intermediate'))).toBeUndefined();
    writeFileSync(file('leaf.pem'), leaf);
    expect(openssl('verify', '-CAfile', 'root.pem', '-untrusted', 'intermediate.pem', 'leaf.pem')).toContain('OK');
    await (await dialTo(trust, 'server', 'root')).next('opened');
    // Somebody else's certificate would not have been enough.
    expect((await (await dialTo(trust, 'server', 'stranger')).closed).failure).toBeDefined();
  });

  it('does not take what another authority has signed', async () => {
    const trust = await trustOf(`${keyType}-stranger`, { keyType });
    await trust.ownCertificates.want('centralSystem');
    const leaf = signedByOpenssl(await trust.ownCertificates.signingRequest(), 'stranger');
    expect(await trust.ownCertificates.accept(leaf)).toMatchObject({ invalid: true });
    expect(trust.own).toBeUndefined();
  });
});

describe('A connection', () => {
  it('shows which root it rests on: that one cannot be deleted, another one can (M04.FR.06)', async () => {
    const trust = await trustOf('in-use', { caFile: [pem('root'), pem('stranger')] });
    const { socket, closed, next } = await dialTo(trust, 'server');
    await next('opened');
    await later();
    const results = [];
    for (const hash of trust.installed('CentralSystemRootCertificate')) results.push(await trust.remove(hash));
    expect(results.toSorted()).toEqual(['Accepted', 'Failed']);
    const [left] = trust.installed('CentralSystemRootCertificate');
    socket.terminate();
    await closed;
    if (left === undefined) throw new Error('the root in use was deleted');
    expect(await trust.remove(left)).toBe('Accepted');
  });
});

describe('A root that takes over (AdditionalRootCertificateCheck)', () => {
  const presets = { AdditionalRootCertificateCheck: 'true' };

  it('leaves the old one in force for a server that has not changed yet, and takes its place once it has', async () => {
    const trust = await trustOf('next', { presets });
    expect(await trust.install('CentralSystemRootCertificate', pem('stranger'))).toMatchObject({ status: 'Rejected' });
    expect(await trust.install('CentralSystemRootCertificate', pem('next'))).toEqual({ status: 'Accepted' });
    await (await dialTo(trust, 'server')).next('opened');
    await later();
    expect(trust.roots('CentralSystemRootCertificate')).toHaveLength(2);
    await (await dialTo(trust, 'server-of-next')).next('opened');
    await later();
    expect(trust.roots('CentralSystemRootCertificate')).toHaveLength(1);
    // The new root is not self-signed, and its issuer is trusted no more: it is an anchor all the same.
    await (await dialTo(trust, 'server-of-next')).next('opened');
    expect((await (await dialTo(trust, 'server')).closed).failure).toBe('tls');
  });
});
