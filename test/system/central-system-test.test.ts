/** `chargepoint central-system test` against real servers: what stands on the sheet for each way in which it can fail, and for none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { program } from '../../src/cli/program.ts';
import { REMEDIES } from '../../src/cli/remedies.ts';
import type { Line } from '../../src/cli/sheet.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { silentLog } from '../sim/world.ts';
import { CentralSystem } from './support/central-system.ts';
import type { Certificate } from './support/certificate-authority.ts';
import { OpensslCa } from './support/openssl-ca.ts';
import { RefusingServer } from './support/refusing-server.ts';
import { freePorts } from './support/server-process.ts';
import { TlsTerminator } from './support/tls-terminator.ts';

const KEY = 'a-key-of-20-letters.';
const STATUSES = [301, 400, 401, 403, 404, 418, 426, 429, 503] as const;

let directory: string;
const closers: (() => void | Promise<void>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'central-test-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

interface Options {
  readonly url: string;
  readonly profile?: 0 | 1 | 2 | 3;
  readonly caFile?: string;
  readonly key?: string;
  readonly argv?: readonly string[];
}

async function tested({ url, profile = 0, caFile, key, argv = [] }: Options) {
  const file = join(directory, 'chargepoint.yaml');
  const config = {
    chargePoint: { identity: 'cp/001', vendor: 'Acme', model: 'Pi' },
    centralSystem: { url, securityProfile: profile, ...(caFile === undefined ? {} : { caFile }) },
    board: 'mock',
    connectors: [{ id: 1, cable: 'attached' }],
    stateDir: 'state',
    control: { socket: 'control.sock' },
    ...(key === undefined ? {} : { keys: { AuthorizationKey: key } }),
    bench: {},
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const out: string[] = [];
  const err: string[] = [];
  const code = await program(
    {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      script: resolve(import.meta.dirname, '../../src/main.ts'),
      environment: {},
      isTerminal: false,
    },
    ['central-system', 'test', '--config', file, '--json', ...argv],
  );
  if (out.length === 0) throw new Error(err.join(''));
  const { lines, passed } = JSON.parse(out.join('')) as { lines: readonly Line[]; passed: boolean };
  expect(out.join('')).not.toContain(KEY);
  const line = (id: string): Line => {
    const found = lines.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no line ${id}`);
    return found;
  };
  return { code, passed, line, outcomes: Object.fromEntries(lines.map(({ id, outcome }) => [id, outcome])) };
}

async function central(): Promise<CentralSystem> {
  const started = await CentralSystem.start();
  closers.push(() => started.stop());
  return started;
}

describe('a central system that takes us', () => {
  it('leads to a sheet of PASS, with a BootNotification that it has seen, and a farewell', async () => {
    const { port, calls, complaints } = await central();
    const { code, line, outcomes } = await tested({ url: `ws://127.0.0.1:${port}/ocpp` });
    expect(outcomes).toEqual({
      config: 'PASS',
      clock: 'PASS',
      dns: 'PASS',
      tcp: 'PASS',
      tls: 'SKIP',
      upgrade: 'PASS',
      subprotocol: 'PASS',
      boot: 'PASS',
      offset: 'PASS',
    });
    expect(line('boot').detail).toMatch(/^Accepted, interval 300 s, \d+ ms$/);
    expect(calls.map(({ action, payload }) => [action, payload])).toEqual([
      ['BootNotification', { chargePointVendor: 'Acme', chargePointModel: 'Pi' }],
    ]);
    expect([code, complaints]).toEqual([0, []]);
  });

  it('is shown the key of the configuration, and says 401 to a wrong one', async () => {
    const system = await central();
    system.admits = ({ password }) => password === KEY;
    const url = `ws://127.0.0.1:${system.port}`;
    expect((await tested({ url, profile: 1, key: KEY })).line('boot').outcome).toBe('PASS');
    const { code, line } = await tested({ url, profile: 1, key: 'another-key-as-long.' });
    expect(line('upgrade').next).toBe(REMEDIES['http.401']?.next);
    expect(line('boot')).toMatchObject({ outcome: 'SKIP', because: 'WebSocket and login' });
    expect(code).toBe(1);
  });

  it('keeps its one link to a running agent, unless it is forced', async () => {
    const system = await central();
    const url = `ws://127.0.0.1:${system.port}`;
    const server: ControlServer = await serveControl({
      socket: socketFile(join(directory, 'control.sock')),
      log: silentLog,
      routes: [
        { method: 'GET', path: '/status', handle: () => ({ connected: true, boot: 'Pending', connectors: [] }) },
      ],
    });
    closers.push(() => server.close());
    const { line } = await tested({ url });
    expect(line('upgrade')).toMatchObject({ outcome: 'PASS', next: expect.stringContaining('--force') });
    expect(line('boot')).toMatchObject({ outcome: 'FAIL', next: REMEDIES['boot.Pending']?.next });
    expect(system.links).toBe(0);
    expect((await tested({ url, argv: ['--force'] })).line('boot').outcome).toBe('PASS');
    expect(system.links).toBe(1);
  });

  it('is dialled beside a running agent that has no link', async () => {
    const system = await central();
    const server: ControlServer = await serveControl({
      socket: socketFile(join(directory, 'control.sock')),
      log: silentLog,
      routes: [{ method: 'GET', path: '/status', handle: () => ({ connected: false, boot: null, connectors: [] }) }],
    });
    closers.push(() => server.close());
    expect((await tested({ url: `ws://127.0.0.1:${system.port}` })).line('boot').outcome).toBe('PASS');
    expect(system.links).toBe(1);
  });
});

describe('a way that does not lead there', () => {
  it('fails at a name that nobody knows', async () => {
    const { code, line } = await tested({ url: 'ws://central-system.invalid/ocpp' });
    expect(line('dns')).toMatchObject({ outcome: 'FAIL', detail: expect.stringMatching(/central-system\.invalid: E/) });
    expect(line('tcp')).toMatchObject({ outcome: 'SKIP', because: 'DNS' });
    expect(code).toBe(1);
  });

  it('fails at a port where nobody listens', async () => {
    const [port = 0] = await freePorts(1);
    const { line } = await tested({ url: `ws://127.0.0.1:${port}` });
    expect(line('tcp')).toMatchObject({ outcome: 'FAIL', next: REMEDIES['tcp.ECONNREFUSED']?.next });
    expect(line('upgrade')).toMatchObject({ outcome: 'SKIP', because: 'TCP' });
  });

  it('fails at a server that hangs up', async () => {
    const server: Server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closers.push(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { line } = await tested({ url: `ws://127.0.0.1:${port}` });
    expect(line('upgrade').outcome).toBe('FAIL');
    expect(line('upgrade').next).toBe(REMEDIES['dial']?.next);
  });
});

describe('nginx that upgrades nobody', () => {
  let nginx: RefusingServer;
  beforeAll(async () => {
    nginx = await RefusingServer.start(STATUSES);
  });
  afterAll(() => nginx.stop());

  it.each([
    [301, 'http.3xx'],
    [400, 'http.400'],
    [401, 'http.401.withoutKey'],
    [403, 'http.403'],
    [404, 'http.404'],
    [418, 'http'],
    [426, 'http.426'],
    [429, 'http.429'],
    [503, 'http.5xx'],
  ])('with %i is read as %s', async (status, code) => {
    const { line, outcomes } = await tested({ url: `ws://${nginx.address}/${status}` });
    const { cause, next } = REMEDIES[code] ?? { cause: '?', next: '?' };
    expect(line('upgrade')).toMatchObject({ outcome: 'FAIL', next });
    expect(line('upgrade').detail).toBe(`${cause} (HTTP ${status} from ws://${nginx.address}/${status}/cp%2F001)`);
    expect([outcomes['subprotocol'], outcomes['boot'], outcomes['offset']]).toEqual(['SKIP', 'SKIP', 'SKIP']);
  });
});

/** [what it shows, what the sheet says] */
const FRONTS = [
  ['expired', 'tls.CERT_HAS_EXPIRED'],
  ['early', 'tls.CERT_NOT_YET_VALID'],
  ['elsewhere', 'tls.ERR_TLS_CERT_ALTNAME_INVALID'],
  ['alone', 'tls.DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['strange', 'tls.certificate'],
  ['below', 'tls.certificate'],
] as const;

describe('TLS', () => {
  const ca = new OpensslCa();
  const certificates: Record<string, Certificate> = {};
  let system: CentralSystem;
  let nginx: TlsTerminator;
  let url: string;

  beforeAll(async () => {
    const extensions = ['subjectAltName=IP:127.0.0.1'];
    for (const root of ['root', 'stranger']) ca.root(root);
    ca.intermediate('intermediate', 'root');
    certificates['good'] = ca.issue('good', { by: 'root', extensions, until: 100 });
    certificates['brief'] = ca.issue('brief', { by: 'root', extensions, until: 3 });
    certificates['expired'] = ca.issue('expired', { by: 'root', extensions, from: -20, until: -1 });
    certificates['early'] = ca.issue('early', { by: 'root', extensions, from: 1, until: 20 });
    certificates['elsewhere'] = ca.issue('elsewhere', { by: 'root', extensions: ['subjectAltName=DNS:other.example'] });
    certificates['alone'] = ca.issue('alone', { extensions });
    certificates['strange'] = ca.issue('strange', { by: 'stranger', extensions });
    certificates['below'] = ca.issue('below', { by: 'intermediate', extensions });
    system = await CentralSystem.start();
    const [port = 0] = await freePorts(1);
    nginx = new TlsTerminator(port, system.port);
    url = `wss://127.0.0.1:${port}/ocpp`;
  });
  afterAll(async () => {
    await nginx.stop();
    await system.stop();
    ca.close();
  });

  const show = async (name: string): Promise<void> => {
    const server = certificates[name];
    if (server === undefined) throw new Error(`no certificate ${name}`);
    await nginx.show({ server });
  };
  const withKey = (caFile = ca.file('root.pem')): Options => ({ url, profile: 2, caFile, key: KEY });

  it('shows subject, issuer, expiry and whose root it is, then the rest of the way', async () => {
    await show('good');
    const { code, line } = await tested(withKey());
    expect(line('tls').detail).toMatch(
      /^TLSv1\.3: good by root until \d{4}-\d\d-\d\d; below root by itself until .*; root root \(caFile or installed\)$/,
    );
    expect(line('boot').outcome).toBe('PASS');
    expect(code).toBe(0);
  });

  it('warns before a certificate expires', async () => {
    await show('brief');
    const { line } = await tested(withKey());
    expect(line('tls')).toMatchObject({ outcome: 'PASS', next: expect.stringMatching(/expires in [23] days/) });
  });

  it.each(FRONTS)('of a server with the certificate %s fails as %s, and shows it', async (name, code) => {
    await show(name);
    const before = system.links;
    const { line, outcomes } = await tested(withKey());
    const { cause, next } = REMEDIES[code] ?? { cause: '?', next: '?' };
    expect(line('tls')).toMatchObject({ outcome: 'FAIL', next });
    expect(line('tls').detail).toContain(`${cause} (`);
    expect(line('tls').detail).toContain(`It shows ${name} by `);
    expect([outcomes['upgrade'], outcomes['boot']]).toEqual(['SKIP', 'SKIP']);
    expect(system.links).toBe(before);
  });

  it('with a server that has nothing better than TLS 1.1 is refused by version', async () => {
    const server = certificates['good'];
    if (server === undefined) throw new Error('no certificate');
    await nginx.show({ server, protocols: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
    expect((await tested(withKey())).line('tls').next).toBe(REMEDIES['tls.version']?.next);
  });

  it('at a port that does not speak it says so', async () => {
    const { line } = await tested({ ...withKey(), url: `wss://127.0.0.1:${system.port}` });
    expect(line('tls')).toMatchObject({ outcome: 'FAIL', next: REMEDIES['tls.plain']?.next });
  });
});

describe('a central system with a mind of its own', () => {
  const serve = async (
    answer: (socket: WebSocket, id: string) => void,
    chosen: string | false = 'ocpp1.6',
  ): Promise<string> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => chosen });
    server.on('connection', (socket) =>
      socket.on('message', (text) => answer(socket, (JSON.parse(String(text)) as [number, string])[1])),
    );
    await new Promise((done) => server.once('listening', done));
    closers.push(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    const address = server.address();
    return `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  };
  const says = (status: string, currentTime = new Date().toISOString()) =>
    serve((socket, id) => socket.send(JSON.stringify([3, id, { status, currentTime, interval: 60 }])));

  it.each(['Pending', 'Rejected'])('that answers %s has the charge point wait', async (status) => {
    const { code, line } = await tested({ url: await says(status) });
    expect(line('boot')).toMatchObject({ outcome: 'FAIL', next: REMEDIES[`boot.${status}`]?.next });
    expect(code).toBe(1);
  });

  it('whose clock is another one shows how far they are apart', async () => {
    const { line } = await tested({ url: await says('Accepted', new Date(Date.now() + 3_600_000).toISOString()) });
    expect(line('offset')).toMatchObject({
      outcome: 'FAIL',
      detail: expect.stringMatching(/^ours is 3(599|600) s behind$/),
    });
  });

  it('that chooses no subprotocol, or another one, does not speak OCPP 1.6J', async () => {
    const { line } = await tested({ url: await serve(() => {}, false) });
    expect(line('upgrade').outcome).toBe('PASS');
    expect(line('subprotocol')).toMatchObject({ outcome: 'FAIL', next: REMEDIES['subprotocol']?.next });
    // What it chooses may be what it has just been told: the sheet must not show it.
    const echo = await tested({ url: await serve(() => {}, KEY), profile: 1, key: KEY });
    expect(echo.line('subprotocol').detail).toContain('***');
  });

  it('that answers with an error, nonsense or a farewell is named so', async () => {
    const error = await serve((socket, id) => socket.send(JSON.stringify([4, id, 'InternalError', '', {}])));
    expect((await tested({ url: error })).line('boot').next).toBe(REMEDIES['boot.callError']?.next);
    const nonsense = await serve((socket, id) => socket.send(JSON.stringify([3, id, { status: 'Fine' }])));
    expect((await tested({ url: nonsense })).line('boot').next).toBe(REMEDIES['boot.badReply']?.next);
    const farewell = await serve((socket) => socket.close(1008, 'unknown'));
    expect((await tested({ url: farewell })).line('boot').next).toBe(REMEDIES['boot.disconnected']?.next);
  });

  it('that asks at once gets no answer: it will ask the agent', async () => {
    const heard: string[] = [];
    const url = await serve((socket, id) => {
      heard.push(id);
      socket.send(JSON.stringify([2, 'x1', 'GetConfiguration', {}]));
      socket.send(JSON.stringify([3, id, { status: 'Accepted', currentTime: new Date().toISOString(), interval: 60 }]));
    });
    expect((await tested({ url })).line('boot').outcome).toBe('PASS');
    expect(heard).not.toContain('x1');
    expect(heard).toHaveLength(1);
  });
});
