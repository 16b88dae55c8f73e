/** Security profiles 2 and 3 of the whole agent behind nginx, with what `openssl ca` makes: whom it believes, and how it is known. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess } from './support/agent-process.ts';
import { CentralSystem, type Payload } from './support/central-system.ts';
import type { Certificate } from './support/certificate-authority.ts';
import { OpensslCa } from './support/openssl-ca.ts';
import { freePorts } from './support/server-process.ts';
import { CHARGEPOINT } from './support/site.ts';
import { TlsTerminator } from './support/tls-terminator.ts';

const KEY = 'a-key-behind-nginx';
const SERIAL_NUMBER = 'SN-0001';
const HOST = ['subjectAltName=IP:127.0.0.1'];

const ca = new OpensslCa();
const servers: Record<string, Certificate> = {};
let central: CentralSystem;
let nginx: TlsTerminator;
let agent: AgentProcess;

beforeAll(() => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
  for (const root of ['root', 'stranger', 'next']) ca.root(root);
  ca.intermediate('intermediate', 'root');
  ca.intermediate('of-ten', 'root', ['nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0']);
  ca.issue('weak-ca', { by: 'root', key: 'rsa1024', extensions: ['basicConstraints=critical,CA:TRUE'] });
  servers['good'] = ca.issue('good', { by: 'root', extensions: HOST });
  servers['rsa'] = ca.issue('rsa', { by: 'root', extensions: HOST, key: 'rsa2048' });
  servers['expired'] = ca.issue('expired', { by: 'root', extensions: HOST, from: -20, until: -1 });
  servers['not yet valid'] = ca.issue('early', { by: 'root', extensions: HOST, from: 1, until: 20 });
  servers['for another host'] = ca.issue('elsewhere', {
    by: 'root',
    extensions: ['subjectAltName=DNS:central.example'],
  });
  servers['of another authority'] = ca.issue('strange', { by: 'stranger', extensions: HOST });
  servers['with a key of RSA 1024'] = ca.issue('weak', { by: 'root', extensions: HOST, key: 'rsa1024' });
  servers['signed with SHA-1'] = ca.issue('sha1', { by: 'root', extensions: HOST, digest: 'sha1' });
  servers['self-signed'] = ca.issue('alone', { extensions: HOST });
  ca.issue('below', { by: 'intermediate', extensions: HOST });
  servers['without its intermediate'] = ca.chain('below');
  servers['with its intermediate'] = ca.chain('below', 'intermediate');
  ca.issue('below-weak', { by: 'weak-ca', extensions: HOST });
  servers['below a CA of RSA 1024'] = ca.chain('below-weak', 'weak-ca');
  ca.issue('outside', { by: 'of-ten', extensions: HOST });
  servers['outside of what its CA may vouch for'] = ca.chain('outside', 'of-ten');
  servers['for clients only'] = ca.issue('client', {
    by: 'root',
    extensions: [...HOST, 'extendedKeyUsage=clientAuth'],
  });
  servers['below one that is no CA'] = (() => {
    ca.issue('no-ca', { by: 'root', extensions: ['basicConstraints=critical,CA:FALSE'] });
    ca.issue('below-no-ca', { by: 'no-ca', extensions: HOST });
    return ca.chain('below-no-ca', 'no-ca');
  })();
});
afterAll(() => ca.close());

const server = (name: string): Certificate => {
  const certificate = servers[name];
  if (certificate === undefined) throw new Error(`no certificate ${name}`);
  return certificate;
};

async function open(): Promise<void> {
  central = await CentralSystem.start();
  const [port = 0] = await freePorts(1);
  nginx = new TlsTerminator(port, central.port);
  agent = new AgentProcess({
    chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi', serialNumber: SERIAL_NUMBER },
    centralSystem: { url: `wss://127.0.0.1:${port}`, securityProfile: 2, caFile: ca.file('root.pem') },
    board: 'mock',
    connectors: [{ id: 1, cable: 'attached' }],
    keys: { AuthorizationKey: KEY, CpoName: 'Test CPO' },
    options: {
      RetryBackoffWaitMinimum: 0,
      RetryBackoffRandomRange: 0,
      SwitchSecurityProfileConnectionTimeout: 2,
    },
  });
}

async function close(): Promise<void> {
  await agent.close();
  await nginx.stop();
  await central.stop();
}

async function until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
  for (const end = performance.now() + withinMs; !condition(); await delay(10))
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}\n${agent.output.slice(-4000)}`);
}

const told = (type: string, from = 0) =>
  central.until('SecurityEventNotification', (event) => event['type'] === type, { from });

describe('TC_086: the agent behind nginx', () => {
  beforeAll(async () => {
    await open();
    await nginx.show({ server: server('good') });
    agent.run();
    await central.until('BootNotification');
  });
  afterAll(close);

  /** Until the agent has refused it; nobody behind nginx may have seen it meanwhile. Then all is well again. */
  async function refused(show: () => Promise<void>, why: RegExp, event: string): Promise<Payload> {
    const calls = central.calls.length;
    central.visits.splice(0);
    await show();
    // Only now: what stands there may be of the front before, and each dial has a line of its own.
    await agent.says(why, agent.output.length);
    expect(central.visits).toEqual([]);
    await nginx.show({ server: server('good') });
    return (await told(event, calls)).payload;
  }

  it.each([
    ['expired', 'CERT_HAS_EXPIRED: the certificate has expired, or our clock is wrong'],
    ['not yet valid', 'CERT_NOT_YET_VALID: the certificate is not yet valid, or our clock is wrong'],
    ['for another host', 'ERR_TLS_CERT_ALTNAME_INVALID: the certificate is for another host name'],
    [
      'of another authority',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY: the issuer is not among the trusted ones, or an intermediate certificate is missing',
    ],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT: the certificate is self-signed and not among the trusted ones'],
    [
      'without its intermediate',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY: the issuer is not among the trusted ones, or an intermediate certificate is missing',
    ],
    ['with a key of RSA 1024', 'EE certificate key too weak'],
    ['below a CA of RSA 1024', 'CA certificate key too weak'],
    ['below one that is no CA', 'INVALID_PURPOSE: a root or an intermediate certificate does not say that it may sign'],
    ['signed with SHA-1', 'CA signature digest algorithm too weak'],
    ['outside of what its CA may vouch for', 'permitted subtree violation'],
    ['for clients only', 'INVALID_PURPOSE: a root or an intermediate certificate does not say that it may sign'],
  ])(
    'never comes to a server whose certificate is %s: the log says why, and the central system is told',
    async (name, why) => {
      const advice = 'TLS was refused: check the CA certificate, the host name in the URL and the clock';
      const log = new RegExp(`no connection: ${advice} \\(1006: [^\\n]*${why}`);
      const show = () => nginx.show({ server: server(name), ciphers: 'ALL:@SECLEVEL=0' });
      const { techInfo } = await refused(show, log, 'InvalidCentralSystemCertificate');
      expect(techInfo).toContain(why);
    },
  );

  it.each([
    [
      'CBC',
      { protocols: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA256:AES128-SHA' },
      /no connection: [^\n]*no cipher suite in common/,
      'InvalidTLSCipherSuite',
    ],
    [
      'TLS 1.1',
      { protocols: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
      /no connection: [^\n]*neither TLS 1\.2 nor 1\.3/,
      'InvalidTLSVersion',
    ],
    [
      'no encryption',
      { protocols: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' },
      /no connection: [^\n]*no cipher suite in common/,
      'InvalidTLSCipherSuite',
    ],
  ])('does not speak %s', async (_, front, why, event) => {
    await refused(() => nginx.show({ server: server('rsa'), ...front }), why, event);
  });

  it.each([
    ['good', 'TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['good', 'TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ['rsa', 'TLSv1.2', 'AES128-GCM-SHA256'],
    ['rsa', 'TLSv1.2', 'AES256-GCM-SHA384'],
    ['with its intermediate', 'TLSv1.3', undefined],
  ])(
    'speaks with a server with the certificate %s %s %s, and shows its key (A00.FR.317)',
    async (name, protocols, ciphers) => {
      const visits = central.visits.length;
      await nginx.show({ server: server(name), protocols, ...(ciphers === undefined ? {} : { ciphers }) });
      await until('a connection', () => central.visits.length > visits);
      const { password, headers } = central.visits.at(-1) ?? {};
      expect(password).toBe(KEY);
      expect(headers).toMatchObject({
        'x-protocol': protocols,
        ...(ciphers === undefined ? {} : { 'x-cipher': ciphers }),
      });
    },
  );
});

describe('TC_074, TC_083, TC_084, TC_087: the agent rises to security profile 3 behind nginx', () => {
  beforeEach(open);
  afterEach(close);

  const clients = (authority: string, verify: 'on' | 'optional', revoked?: string) => ({
    server: server('good'),
    clients: { authority: ca.file(`${authority}.pem`), verify, ...(revoked === undefined ? {} : { revoked }) },
  });
  const change = (key: string, value: string) => central.call('ChangeConfiguration', { key, value });
  const shown = () => central.visits.at(-1)?.headers ?? {};
  const passwords = () => central.visits.map(({ password }) => password);

  /** A new key, a request, and what `openssl ca` makes of it. */
  async function certify(name: string): Promise<string> {
    const from = central.calls.length;
    expect(await central.call('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' })).toEqual({
      status: 'Accepted',
    });
    const { payload } = await central.until('SignCertificate', undefined, { from });
    const chain = ca.sign(name, String(payload['csr']), 'root');
    expect(ca.subjectOfRequest(name)).toBe(`O=Test CPO,CN=${SERIAL_NUMBER}`);
    return chain;
  }
  const deliver = (certificateChain: string) => central.call('CertificateSigned', { certificateChain });

  it('asks for a certificate, is known by it, renews it, keeps it over a restart, and never goes down again', async () => {
    await nginx.show({ server: server('good') });
    agent.run();
    await central.until('BootNotification');
    expect(passwords()).toEqual([KEY]);
    expect(await change('SecurityProfile', '3')).toEqual({ status: 'Rejected' });
    expect(await deliver(await certify('first'))).toEqual({ status: 'Accepted' });

    // The server does not take it yet: back to profile 2 after the time-out.
    await nginx.show(clients('next', 'optional'));
    await until('a reconnect', () => central.connected && central.visits.length === 2);
    expect(await change('SecurityProfile', '3')).toEqual({ status: 'Accepted' });
    await agent.says(/security profile 3 has come to no connection: back to 2/);
    await until('the old profile', () => central.connected && central.visits.length === 3);
    expect(passwords()).toEqual([KEY, KEY, KEY]);
    expect(nginx.passages.filter(({ client }) => client.startsWith('FAILED')).length).toBeGreaterThan(0);

    // Now it does, and nobody comes in without one.
    expect(await change('SecurityProfile', '3')).toEqual({ status: 'Accepted' });
    await nginx.show(clients('root', 'on'));
    await agent.says(/security profile 3 works: 2 is refused from now on/);
    expect(shown()).toMatchObject({
      'x-client-subject': `CN=${SERIAL_NUMBER},O=Test CPO`,
      'x-client-serial': ca.serialOf('first'),
    });
    expect(passwords().at(-1)).toBeUndefined();
    expect(await change('SecurityProfile', '2')).toEqual({ status: 'Rejected' });

    expect(await deliver(await certify('second'))).toEqual({ status: 'Accepted' });
    await until('the second', () => shown()['x-client-serial'] === ca.serialOf('second'));

    await agent.end('SIGKILL');
    const [calls, visits] = [central.calls.length, central.visits.length];
    agent.run();
    await central.until('BootNotification', undefined, { from: calls });
    expect(shown()['x-client-serial']).toBe(ca.serialOf('second'));
    // Nothing is sent on request before the BootNotification is answered.
    await central.until('StatusNotification', undefined, { from: calls });

    // A certificate that is taken back before it was ever used is no dead end (A02.FR.10).
    await until('a connection', () => central.connected);
    const third = await certify('third');
    await nginx.show(clients('root', 'on', ca.revoke('third', 'root')));
    await until('a connection', () => central.connected);
    const position = agent.output.length;
    expect(await deliver(third)).toEqual({ status: 'Accepted' });
    await agent.says(/HTTP 400/, position);
    await until('the second again', () => central.connected && shown()['x-client-serial'] === ca.serialOf('second'));

    // Another authority took over: refused, and the old profile has gone for good.
    const refusals = nginx.passages.length;
    await nginx.show(clients('next', 'optional'));
    await until(
      'several refusals',
      () => nginx.passages.slice(refusals).filter(({ status }) => status === 400).length > 3,
    );
    // Longer than the time-out after which it would go down, if it did.
    await delay(2_500);
    expect(passwords().slice(visits)).toEqual(
      passwords()
        .slice(visits)
        .map(() => undefined),
    );
    expect(nginx.passages.slice(refusals).filter(({ client }) => client === 'NONE')).toEqual([]);
    await nginx.show(clients('root', 'on'));
    await until('a connection', () => central.connected);
    expect(central.complaints).toEqual([]);
    expect(agent.output).not.toContain(KEY);
  });
});

describe('A clock that is not trusted yet', () => {
  beforeEach(open);
  afterEach(close);

  const YEAR_S = 31_557_600;
  const now = Math.trunc(Date.now() / 1000);
  const sources = join(import.meta.dirname, 'rigs');

  it('of 1970 never means that a certificate is believed unseen, nor that the central system is blamed', async () => {
    const [library, file] = [ca.file('wrong-clock.so'), ca.file('offset')];
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, join(sources, 'wrong-clock.c'), '-ldl']);
    const clock = (epochS: number): void => writeFileSync(file, String(epochS - now));
    clock(0);
    await nginx.show({ server: server('good') });
    agent.run({ LD_PRELOAD: library, WRONG_CLOCK: file });
    await agent.says(/CERT_NOT_YET_VALID: the certificate is not yet valid, or our clock is wrong/);
    await nginx.show({ server: server('expired') });
    const position = agent.output.length;
    await agent.says(/CERT_NOT_YET_VALID/, position);
    // A battery that has died in between: one year ahead, the chain has expired.
    clock(now + YEAR_S);
    await agent.says(/CERT_HAS_EXPIRED: the certificate has expired, or our clock is wrong/, position);
    expect(central.visits).toEqual([]);

    clock(now);
    const right = agent.output.length;
    await agent.says(/CERT_HAS_EXPIRED/, right);
    expect(central.visits).toEqual([]);
    await nginx.show({ server: server('good') });
    await told('StartupOfTheDevice');
    await delay(500);
    const events = central.calls.filter(({ action }) => action === 'SecurityEventNotification');
    expect(events.map(({ payload }) => payload['type'])).not.toContain('InvalidCentralSystemCertificate');
  });
});
