/** TLS of the client sockets against a real server; the certificates are made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, serveWebSockets } from '../../src/platform/web-socket-server.ts';
import { WebSockets } from '../../src/platform/web-sockets.ts';
import type { DialRequest } from '../../src/ports.ts';
import { dialled } from '../platform/support/dialled.ts';

const folder = mkdtempSync(join(tmpdir(), 'chargepoint-tls-'));
const file = (name: string): string => join(folder, name);
const pem = (name: string): string => readFileSync(file(name), 'utf8');
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
};

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A root `name`.pem with `name`.key. */
function makeRoot(name: string): void {
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
  );
}

/** A server certificate for the host, signed by the root. */
function makeLeaf(name: string, host: string, days = '10'): void {
  openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=${host}\n`);
  const signing = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', days, '-out', `${name}.pem`);
}

beforeAll(() => {
  makeRoot('root');
  makeRoot('stranger');
  makeLeaf('here', 'IP:127.0.0.1');
  makeLeaf('elsewhere', 'DNS:central.example');
  // Days may be negative: then it has expired.
  makeLeaf('expired', 'IP:127.0.0.1', '-1');
});

afterAll(() => rmSync(folder, { recursive: true }));

const running: RunningServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function dialTo(certificate: string, request: Partial<DialRequest> = {}, sockets = new WebSockets()) {
  const tls = { cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`) };
  const server = await serveWebSockets({ host: '127.0.0.1', port: 0, tls, onConnection: () => {} });
  running.push(server);
  return dialled(sockets, { url: `wss://127.0.0.1:${server.port}/cp001`, ...request });
}

const trusting = (...names: string[]) => ({ certificateAuthorities: names.map((name) => pem(`${name}.pem`)) });

describe('a client certificate (security profile 3)', () => {
  it('is shown to a server that asks for one, which refuses whoever has none', async () => {
    const tls = { cert: pem('here.pem'), key: pem('here.key'), ca: pem('root.pem') };
    const server = await serveWebSockets({ host: '127.0.0.1', port: 0, tls, onConnection: () => {} });
    running.push(server);
    const request = { url: `wss://127.0.0.1:${server.port}/cp001`, ...trusting('root') };
    const clientCertificate = { chain: pem('elsewhere.pem'), key: pem('elsewhere.key') };
    await dialled(new WebSockets(), { ...request, clientCertificate }).next('opened');
    expect((await dialled(new WebSockets(), request).closed).failure).toBe('tls');
  });
});

describe('a wss connection', () => {
  it('opens when the chain leads to a given root and the host name is right', async () => {
    const connection = await dialTo('here', trusting('stranger', 'root'));
    await connection.next('opened');
  });

  it('opens to another host name only if that is not to be verified', async () => {
    const strict = await dialTo('elsewhere', trusting('root'));
    expect(await strict.closed).toMatchObject({
      failure: 'tls',
      reason: 'ERR_TLS_CERT_ALTNAME_INVALID: the certificate is for another host name',
    });
    const lenient = await dialTo('elsewhere', { ...trusting('root'), verifyHostname: false });
    await lenient.next('opened');
  });

  it.each([true, false])('never opens to an untrusted chain (host name verified: %s)', async (verifyHostname) => {
    const connection = await dialTo('here', { ...trusting('stranger'), verifyHostname });
    expect(await connection.closed).toMatchObject({ failure: 'tls', code: 1006 });
    expect(connection.events).toEqual(['closed 1006']);
  });

  it('never opens to an unknown root when only those of the system are trusted', async () => {
    expect((await (await dialTo('here')).closed).failure).toBe('tls');
  });

  it('says when the certificate has expired', async () => {
    const { reason } = await (await dialTo('expired', trusting('root'))).closed;
    expect(reason).toBe('CERT_HAS_EXPIRED: the certificate has expired, or our clock is wrong');
  });

  it('forgets a root that is no longer given', async () => {
    const sockets = new WebSockets();
    await (await dialTo('here', trusting('root'), sockets)).next('opened');
    expect((await (await dialTo('here', trusting('stranger'), sockets)).closed).failure).toBe('tls');
  });

  it('names TLS when the server speaks none', async () => {
    const server = await serveWebSockets({ host: '127.0.0.1', port: 0, onConnection: () => {} });
    running.push(server);
    const connection = dialled(new WebSockets(), { url: `wss://127.0.0.1:${server.port}/cp001` });
    expect((await connection.closed).failure).toBe('tls');
  });
});
