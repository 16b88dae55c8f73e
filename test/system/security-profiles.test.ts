/** Security profiles over real TLS, against servers of Node's own with certificates made by openssl (TC_073, TC_083, TC_086, TC_087). */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { WebSockets } from '../../src/platform/web-sockets.ts';
import type { DialRequest } from '../../src/ports.ts';
import { dialled } from '../platform/support/dialled.ts';
import { CHARGEPOINT } from './support/site.ts';

const folder = mkdtempSync(join(tmpdir(), 'chargepoint-profiles-'));
const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');
const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
};
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const RSA = ['-newkey', 'rsa:2048', '-nodes'];
const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];

/** An extension file without a line has `none`: a certificate of version 3 needs one. */
function issue(name: string, issuer: string, extensions: readonly string[], days = 10, key = EC): void {
  openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/O=Operator/CN=${name}`);
  writeFileSync(join(folder, `${name}.ext`), `${extensions.join('\n')}\n`);
  const signing =
    issuer === name
      ? ['-signkey', `${name}.key`]
      : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
  const files = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.pem`];
  openssl('x509', '-req', ...files, ...signing, '-days', String(days));
}

const HOST = ['subjectAltName=IP:127.0.0.1'];

beforeAll(() => {
  for (const root of ['root', 'stranger', 'clients']) issue(root, root, CA);
  issue('bare', 'bare', ['subjectKeyIdentifier=hash']);
  issue('intermediate', 'root', CA);
  issue('good', 'root', HOST);
  issue('rsa', 'root', HOST, 10, RSA);
  issue('below', 'intermediate', HOST);
  issue('below-bare', 'bare', HOST);
  issue('elsewhere', 'root', ['subjectAltName=DNS:central.example']);
  issue('expired', 'root', HOST, -1);
  issue('alone', 'alone', HOST);
  issue('cp001', 'clients', ['extendedKeyUsage=clientAuth']);
  issue('intruder', 'stranger', ['extendedKeyUsage=clientAuth']);
  issue('cp-rsa', 'clients', ['extendedKeyUsage=clientAuth'], 10, RSA);
});
afterAll(() => rmSync(folder, { recursive: true }));

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Seen {
  readonly authorization: string | undefined;
  readonly protocol: string | null;
  readonly cipher: string;
  readonly client: string | undefined;
}

async function serve(certificate: string, options: ServerOptions = {}) {
  const seen: Seen[] = [];
  const server = createServer({ cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`), ...options });
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'ocpp1.6' });
  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    socket.on('error', () => {});
    const tls = request.socket as TLSSocket;
    const { subject } = tls.getPeerCertificate();
    const client = options.requestCert === true ? String(subject?.CN) : undefined;
    const { authorization } = request.headers;
    seen.push({ authorization, protocol: tls.getProtocol(), cipher: tls.getCipher().standardName, client });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as { port: number };
  return { url: `wss://127.0.0.1:${port}/cp001`, seen };
}

const trusting = (...names: readonly string[]): Partial<DialRequest> => ({
  certificateAuthorities: names.map((name) => pem(`${name}.pem`)),
});
const own = (name: string): Partial<DialRequest> => ({
  clientCertificate: { chain: pem(`${name}.pem`), key: pem(`${name}.key`) },
});
/** What came of it: `opened`, or why not. The server must not have seen anything of us then. */
async function outcome(server: Awaited<ReturnType<typeof serve>>, request: Partial<DialRequest>) {
  const connection = dialled(new WebSockets(), { url: server.url, ...request });
  const first = await Promise.race([connection.next('opened').then(() => 'opened' as const), connection.closed]);
  connection.socket.terminate();
  return first;
}

describe('TC_086: the certificate of the server', () => {
  it.each(['good', 'rsa'])('that leads to a trusted root opens, with the password in it (%s)', async (certificate) => {
    const server = await serve(certificate);
    const password = new TextEncoder().encode('secret-of-16-bytes');
    expect(await outcome(server, { ...trusting('root'), basicAuth: { user: 'cp001', password } })).toBe('opened');
    expect(server.seen[0]?.authorization).toBe(`Basic ${btoa('cp001:secret-of-16-bytes')}`);
  });

  it.each([
    ['good', 'stranger', 'certificate', 'UNABLE_TO'],
    ['elsewhere', 'root', 'certificate', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', 'root', 'validity', 'our clock is wrong'],
    ['alone', 'root', 'certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['below-bare', 'bare', 'certificate', 'INVALID_PURPOSE: a root or an intermediate'],
  ])('%s, with %s as the root, is refused, and nothing of us is shown', async (certificate, root, tls, reason) => {
    const server = await serve(certificate);
    expect(await outcome(server, trusting(root))).toMatchObject({
      failure: 'tls',
      tls,
      reason: expect.stringContaining(reason),
    });
    expect(server.seen).toEqual([]);
  });

  it('may lead to an anchor that is not self-signed', async () => {
    expect(await outcome(await serve('below'), trusting('intermediate'))).toBe('opened');
    expect(await outcome(await serve('below'), trusting('stranger'))).toMatchObject({ tls: 'certificate' });
  });

  it('may be trusted itself', async () => {
    expect(await outcome(await serve('alone'), trusting('alone'))).toBe('opened');
  });
});

describe('TC_086: TLS', () => {
  it.each([
    ['good', 'TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    ['good', 'TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
    ['rsa', 'TLSv1.2', 'AES128-GCM-SHA256', 'TLS_RSA_WITH_AES_128_GCM_SHA256'],
    ['rsa', 'TLSv1.2', 'AES256-GCM-SHA384', 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
  ] as const)(
    'speaks with an %s certificate %s %s (A00.FR.317)',
    async (certificate, version, ciphers, standardName) => {
      const server = await serve(certificate, { maxVersion: version, ciphers });
      expect(await outcome(server, trusting('root'))).toBe('opened');
      expect(server.seen[0]).toMatchObject({ protocol: version, cipher: standardName });
    },
  );

  it('speaks 1.3 where the server does', async () => {
    const server = await serve('good');
    expect(await outcome(server, trusting('root'))).toBe('opened');
    expect(server.seen[0]?.protocol).toBe('TLSv1.3');
  });

  it('is never older than 1.2', async () => {
    const server = await serve('rsa', {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0',
    });
    expect(await outcome(server, trusting('root'))).toMatchObject({ failure: 'tls', tls: 'version' });
  });

  it('is never without authenticated encryption', async () => {
    const server = await serve('rsa', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA256:AES128-SHA' });
    expect(await outcome(server, trusting('root'))).toMatchObject({ failure: 'tls', tls: 'cipherSuite' });
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('TC_087: mutual %s', (maxVersion) => {
  const mutual = () =>
    serve('good', { requestCert: true, rejectUnauthorized: true, ca: pem('clients.pem'), maxVersion });

  it.each(['cp001', 'cp-rsa'])('shows the certificate of the charge point (%s)', async (name) => {
    const server = await mutual();
    expect(await outcome(server, { ...trusting('root'), ...own(name) })).toBe('opened');
    expect(server.seen).toEqual([expect.objectContaining({ client: name, authorization: undefined })]);
  });

  it.each([
    ['none', {}],
    ['one of another authority', 'intruder'],
  ])('with %s does not open', async (_which, name) => {
    const server = await mutual();
    const shown = typeof name === 'string' ? own(name) : {};
    expect(await outcome(server, { ...trusting('root'), ...shown })).toMatchObject({ failure: expect.any(String) });
    expect(server.seen).toEqual([]);
  });

  it('is verified on both sides', async () => {
    const server = await mutual();
    expect(await outcome(server, { ...trusting('stranger'), ...own('cp001') })).toMatchObject({ tls: 'certificate' });
  });
});

describe('TC_073 and TC_083: the program itself', () => {
  const KEY = 'canary-of-sixteen';
  const NEXT_KEY = '4F43415F4F4354545F61646D696E5F74657374';
  let output = '';
  let child: ChildProcess | undefined;
  let port = 0;
  let central: { server: Server; sockets: WebSocketServer } | undefined;
  /** `ws password` of each upgrade that was let in. */
  const visits: string[] = [];
  let admits: (password: string) => boolean = () => true;
  let answered: (payload: unknown) => void = () => {};

  const until = async (what: string, condition: () => boolean, withinMs = 20_000): Promise<void> => {
    for (
      const end = performance.now() + withinMs;
      !condition();
      await new Promise((resolve) => setTimeout(resolve, 10))
    )
      if (performance.now() > end)
        throw new Error(`not within ${withinMs} ms: ${what}\n${visits}\n${output.slice(-3000)}`);
  };

  async function open(scheme: 'ws' | 'wss'): Promise<void> {
    const server =
      scheme === 'ws' ? createPlainServer() : createServer({ cert: pem('good.pem'), key: pem('good.key') });
    const verifyClient = ({ req }: { req: IncomingMessage }): boolean => admits(passwordOf(req));
    const sockets = new WebSocketServer({ server, handleProtocols: () => 'ocpp1.6', verifyClient });
    sockets.on('connection', (socket, request) => {
      visits.push(`${scheme} ${passwordOf(request)}`);
      socket.on('error', () => {});
      socket.on('message', (data) => {
        const [type, id, action] = JSON.parse(String(data)) as [number, string, unknown];
        if (type !== 2) answered(action);
        else socket.send(JSON.stringify([3, id, confirmation(String(action))]));
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as { port: number }).port;
    central = { server, sockets };
  }

  async function shut(): Promise<void> {
    for (const client of central?.sockets.clients ?? []) client.terminate();
    central?.server.closeAllConnections();
    await new Promise<void>((resolve) => central?.server.close(() => resolve()) ?? resolve());
    central = undefined;
  }

  const passwordOf = ({ headers }: IncomingMessage): string => atob((headers.authorization ?? '').slice(6)).slice(6);
  const confirmation = (action: string): unknown =>
    action === 'BootNotification' || action === 'Heartbeat'
      ? { status: 'Accepted', currentTime: new Date().toISOString(), interval: 300 }
      : {};

  async function change(key: string, value: string): Promise<unknown> {
    const answer = new Promise((resolve) => {
      answered = resolve;
    });
    const [socket] = central?.sockets.clients ?? [];
    socket?.send(JSON.stringify([2, 'change', 'ChangeConfiguration', { key, value }]));
    return answer;
  }

  function run(): void {
    const config = join(folder, 'chargepoint.json');
    const stateDir = join(folder, 'state');
    writeFileSync(
      config,
      JSON.stringify({
        chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi' },
        centralSystem: { url: `ws://127.0.0.1:${port}`, securityProfile: 1, caFile: join(folder, 'root.pem') },
        board: 'mock',
        connectors: [{ id: 1, cable: 'attached' }],
        keys: { AuthorizationKey: KEY },
        options: {
          RetryBackoffWaitMinimum: '1',
          RetryBackoffRepeatTimes: '0',
          RetryBackoffRandomRange: '0',
          SwitchSecurityProfileConnectionTimeout: '3',
        },
        stateDir,
      }),
    );
    child = spawn(process.execPath, [CHARGEPOINT, 'run', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        output += String(chunk);
      });
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  afterAll(async () => {
    await kill();
    await shut();
  });

  it('changes its key, falls back from a profile that is not there, and never from one that was', async () => {
    await open('ws');
    run();
    await until('the first connection', () => visits.length === 1);
    admits = (password) => password === 'OCA_OCTT_admin_test';
    expect(await change('AuthorizationKey', NEXT_KEY)).toEqual({ status: 'Accepted' });
    await until('the new key', () => visits.length === 2);
    // Nobody speaks TLS there.
    expect(await change('SecurityProfile', '2')).toEqual({ status: 'Accepted' });
    await until('the old profile', () => visits.length === 3);
    expect(visits).toEqual([`ws ${KEY}`, 'ws OCA_OCTT_admin_test', 'ws OCA_OCTT_admin_test']);
    expect(await change('SecurityProfile', '2')).toEqual({ status: 'Accepted' });
    await shut();
    await open('wss');
    await until('the new profile', () => visits.length === 4);
    expect(visits.at(-1)).toBe('wss OCA_OCTT_admin_test');
    await until('its proof', () => output.includes('security profile 2 works'));
    await kill();
    await shut();
    await open('ws');
    run();
    // Longer than the time-out after which it would fall back, if it did.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(visits).toHaveLength(4);
    await shut();
    await open('wss');
    await until('the new profile again', () => visits.length === 5);
    expect(visits.at(-1)).toBe('wss OCA_OCTT_admin_test');
    expect(output).not.toMatch(/canary|OCA_OCTT|4F43415F/);
  });
});
