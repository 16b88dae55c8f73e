/** Secrets never appear: one agent with a canary for each, driven through all that could make it sing, and everything it says searched. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askJson } from '../../src/bench/json-client.ts';
import { program } from '../../src/cli/program.ts';
import { AgentProcess } from './support/agent-process.ts';
import { Canaries } from './support/canaries.ts';
import { CentralSystem, type Payload } from './support/central-system.ts';
import { FtpServer, LOGIN, PASSWORD } from './support/ftp-server.ts';
import { OpensslCa } from './support/openssl-ca.ts';
import { freePorts } from './support/server-process.ts';
import { CHARGEPOINT } from './support/site.ts';
import { WebServer } from './support/web-server.ts';

const FIRST_KEY = 'CANARY-first"key\\1';
const NEXT_BYTES = Buffer.from('CANARY-next-key-\x01\xff', 'latin1');
const NEXT_KEY = NEXT_BYTES.toString('hex');
const WRONG_PASSWORD = 'CANARY-wrong/p@ss?w#rd';
const SIGNATURE = 'CANARY-signature-of-a-presigned-address';
const REFUSED_KEY = `CANARY-refused-${'x'.repeat(60)}`;
/** Too long for a key: nothing of it is taken. */
const BROKEN_KEY = 'CANARY-in-a-frame-that-is-broken-or-strange-somehow';
const NESTED_KEY = 'CANARY-inside-of-data';
const login = (password: string): string => `user:${encodeURIComponent(password)}`;

const canaries = new Canaries();
const transcripts = new Map<string, string>();
const scratch = mkdtempSync(join(tmpdir(), 'canaries-'));
const ca = new OpensslCa();
let central: CentralSystem;
let ftp: FtpServer;
let web: WebServer;
let agent: AgentProcess;
let benchPort = 0;

beforeAll(async () => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
  canaries.add('AuthorizationKey', FIRST_KEY, Buffer.from(`cp001:${FIRST_KEY}`));
  canaries.add(
    'new AuthorizationKey',
    NEXT_KEY,
    NEXT_KEY.toUpperCase(),
    NEXT_BYTES,
    Buffer.from(`cp001:${NEXT_BYTES.toString('latin1')}`, 'latin1'),
  );
  canaries.add('AuthorizationKey that was refused', REFUSED_KEY, REFUSED_KEY.slice(0, 40));
  canaries.add('AuthorizationKey in a broken frame', BROKEN_KEY);
  canaries.add('AuthorizationKey in data', NESTED_KEY);
  canaries.add('password', PASSWORD, LOGIN.split(':')[1] ?? '');
  canaries.add('wrong password', WRONG_PASSWORD);
  canaries.add('query', SIGNATURE);
  ca.root('root');
  const server = ca.issue('server', { by: 'root', extensions: ['subjectAltName=IP:127.0.0.1'] });
  [central, ftp, web, [benchPort = 0]] = await Promise.all([
    CentralSystem.start(),
    FtpServer.start(),
    WebServer.start({ server }),
    freePorts(1),
  ]);
  ftp.makeDirectory('logs');
  agent = new AgentProcess(
    {
      chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi', serialNumber: 'SN-0001' },
      centralSystem: { url: `ws://127.0.0.1:${central.port}`, securityProfile: 1 },
      board: 'mock',
      connectors: [{ id: 1, cable: 'socket' }],
      keys: { CpoName: 'Test CPO' },
      options: { RetryBackoffWaitMinimum: 0, RetryBackoffRandomRange: 0 },
      bench: { port: benchPort },
      log: { level: 'debug' },
    },
    { AuthorizationKey: FIRST_KEY },
  );
});
afterAll(async () => {
  await agent.close();
  await Promise.all([central.stop(), ftp.stop(), web.stop()]);
  ca.close();
  rmSync(scratch, { recursive: true });
});

const told = (name: string, text: string): void => {
  transcripts.set(`${transcripts.size} ${name}`, text);
};

/** Every file below, as bytes. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

async function control(path: string, method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: agent.controlSocket, path, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Everything that can be asked of a running agent without changing it. */
async function ask(): Promise<void> {
  // It dials before it listens.
  await expect.poll(() => control('/nothing').catch(() => ''), { timeout: 10_000 }).not.toBe('');
  const { error } = JSON.parse(await control('/nothing')) as { readonly error: string };
  const paths = [...error.matchAll(/\/[\w/-]+/g)].map(([path]) => path).filter((path) => path !== '/nothing');
  expect(paths).toContain('/keys');
  for (const path of paths) told(`GET ${path}`, await control(path));
  const { body } = await askJson(benchPort, 'GET', '/bench');
  told('GET /bench', JSON.stringify(body));
  told('GET /bench/events', JSON.stringify((await askJson(benchPort, 'GET', '/bench/events')).body));
}

const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['why'],
  ['limits', 'list'],
  ['outbox', 'list'],
  ['outbox', 'dead'],
  ['recordings', 'list'],
  ['config', 'show'],
  ['config', 'show', '--effective'],
];

/** Each command, as text and as JSON, whether an agent runs or not. */
async function callCommands(): Promise<void> {
  const call = async (args: readonly string[]): Promise<void> => {
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const surroundings = { script: CHARGEPOINT, environment: {}, isTerminal: false };
    await program({ out: say, err: say, ...surroundings }, args);
    told(`chargepoint ${args[0]} ${args[1]}`, said.join(''));
  };
  const config = ['--config', agent.config];
  for (const command of COMMANDS) {
    await call([...command, ...config]);
    await call([...command, ...config, '--json']);
  }
  await call(['check', agent.config]);
  await call(['central-system', 'switch', '--url', `ws://user:${WRONG_PASSWORD}@new.example`, ...config]);
  await call(['central-system', 'switch', '--url', `http://user:${WRONG_PASSWORD}@new.example`, ...config]);
}

/** One upload to its end. */
async function upload(action: 'GetDiagnostics' | 'GetLog', location: string, requestId = 0): Promise<Payload> {
  const from = central.calls.length;
  const isLog = action === 'GetLog';
  const asked = isLog
    ? {
        logType: requestId % 2 === 0 ? 'DiagnosticsLog' : 'SecurityLog',
        requestId,
        retries: 0,
        log: { remoteLocation: location },
      }
    : { location, retries: 0 };
  const answer = await central.call(action, asked);
  const report = isLog ? 'LogStatusNotification' : 'DiagnosticsStatusNotification';
  const ended = await central.until(report, ({ status }) => status !== 'Uploading', { from });
  return { ...answer, ended: ended.payload['status'] };
}

async function updateFrom(location: string): Promise<void> {
  const from = central.calls.length;
  await central.call('UpdateFirmware', { location, retrieveDate: new Date().toISOString(), retries: 0 });
  await central.until('FirmwareStatusNotification', ({ status }) => status === 'DownloadFailed', { from });
}

function unpack(name: string, archive: Buffer): void {
  const folder = mkdtempSync(join(scratch, 'archive-'));
  const file = join(folder, 'archive.tar.gz');
  writeFileSync(file, archive);
  execFileSync('tar', ['-xzf', file, '-C', folder]);
  rmSync(file);
  const files = filesIn(folder);
  expect(files.map((path) => path.split('/').at(-1))).toEqual(expect.arrayContaining(['keys.json', '000001.log']));
  for (const path of files) told(`${name}: ${path.slice(folder.length)}`, readFileSync(path, 'latin1'));
}

const change = (key: string, value: string) => central.call('ChangeConfiguration', { key, value });

/** What the central system changes, and what is refused. */
async function changeKeys(): Promise<void> {
  for (const value of [REFUSED_KEY, REFUSED_KEY.slice(0, 10)])
    expect(await change('AuthorizationKey', value)).toMatchObject({ status: 'Rejected' });
  await change(' authorizationKEY ', REFUSED_KEY);
  expect(await change('CpoName', 'Another CPO')).toMatchObject({ status: 'Accepted' });
  for (const text of [
    `[2,"b1","ChangeConfiguration",{"key":"AuthorizationKey","value":"${BROKEN_KEY}"`,
    `[2,"b2","ChangeConfiguration",{"key":"AuthorizationKey","value":{"is":"${BROKEN_KEY}"}}]`,
    `[2,"b3","ChangeConfiguration",{"key":"AuthorizationKey","value":["${BROKEN_KEY}"]}]`,
    `[2,"b4","ChangeConfiguration",{"key":"AuthorizationKey","value":"${BROKEN_KEY.repeat(30)}"}]`,
    `[2,"b5","ChangeConfiguration",{"KEY":"AuthorizationKey","VALUE":"${BROKEN_KEY}"}]`,
    `[2,"b6","ChangeConfiguration",{"key":"\\u0041uthorizationKey","value":"${BROKEN_KEY}"}]`,
    `[2,"b7","ChangeConfig",{"key":"AuthorizationKey","value":"${BROKEN_KEY}"}]`,
    `[2,"b8","ChangeConfiguration",{"value":"${BROKEN_KEY}","key":"AuthorizationKey","more":{}}]`,
    `[2,"b9","DataTransfer",${JSON.stringify({ vendorId: 'Acme', data: JSON.stringify({ key: 'AuthorizationKey', value: NESTED_KEY }) })}]`,
    `[2,"b10","ChangeConfiguration",{"key":"AuthorizationKey","value":"${BROKEN_KEY}","value":"short"}]`,
  ])
    central.sendRaw(text);
  told('GetConfiguration', JSON.stringify(await central.call('GetConfiguration', {})));
  told('GetConfiguration', JSON.stringify(await central.call('GetConfiguration', { key: ['AuthorizationKey'] })));
}

/** The first dial with the new key is refused with 401, the old one is taken once more. */
async function changeAuthorizationKey(): Promise<void> {
  central.admits = ({ password }) => password === FIRST_KEY;
  const visits = central.visits.length;
  expect(await change('AuthorizationKey', NEXT_KEY)).toMatchObject({ status: 'Accepted' });
  await agent.says(/the former AuthorizationKey is in use/);
  expect(central.visits.slice(visits).map(({ admitted }) => admitted)).toEqual([false, true]);
  central.admits = ({ password }) => password === NEXT_BYTES.toString('latin1');
  central.cut();
  await central.untilConnected();
  expect(central.visits.at(-1)).toMatchObject({ password: NEXT_BYTES.toString('latin1') });
}

/** Servers that take it, servers that refuse it, and addresses that lead nowhere. */
async function transfer(): Promise<void> {
  const wrong = login(WRONG_PASSWORD);
  const query = `?X-Amz-Signature=${SIGNATURE}#${SIGNATURE}`;
  const good = await upload('GetDiagnostics', `ftp://${LOGIN}@${ftp.address}/logs/`);
  expect(good['ended']).toBe('Uploaded');
  unpack('GetDiagnostics', ftp.read(join('logs', String(good['fileName']))));
  for (const location of [
    `ftp://${wrong}@${ftp.address}/logs/`,
    `ftp://${wrong}@127.0.0.1:9/`,
    `http://${wrong}@${web.plain}/uploads/private/x${query}`,
    `https://${wrong}@${web.secure['server']}/uploads/${query}`,
    `http://${web.plain}/forbidden/x${query}`,
    `sftp://${wrong}@127.0.0.1/x${query}`,
  ])
    expect((await upload('GetDiagnostics', location))['ended']).toBe('UploadFailed');
  // No URI at all: ocpp-rpc would not send it, and we do not take it.
  for (const location of [`ftp://user:${WRONG_PASSWORD}@${ftp.address}/logs/`, `${WRONG_PASSWORD}@nowhere no address`])
    central.sendRaw(JSON.stringify([2, 'no-uri', 'GetDiagnostics', { location, retries: 0 }]));
  for (const location of [
    `ftp://${wrong}@${ftp.address}/image`,
    `https://${wrong}@${web.secure['server']}/image${query}`,
    `http://${web.plain}/image${query}`,
  ])
    await updateFrom(location);
  const failed = await upload('GetLog', `https://${wrong}@${web.secure['server']}/uploads/${query}`, 1);
  expect(failed['ended']).toBe('UploadFailure');
  for (const requestId of [2, 3]) {
    const { filename, ended } = await upload('GetLog', `http://${web.plain}/uploads/${query}`, requestId);
    expect(ended).toBe('Uploaded');
    if (requestId % 2 === 0) unpack('GetLog', web.uploaded(String(filename)));
    else told('GetLog SecurityLog', web.uploaded(String(filename)).toString());
  }
}

/** A key pair of its own: each line of the private key is a canary. */
async function certify(): Promise<void> {
  await central.call('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await central.until('SignCertificate');
  const keys = filesIn(join(agent.stateDir, 'keys')).map((path) => readFileSync(path, 'utf8'));
  const lines = keys.flatMap((pem) => pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----')));
  expect(lines.length).toBeGreaterThan(1);
  // The end of a PKCS#8 key is the public one, which the request shows.
  canaries.add('private key', lines[0] ?? '', ...(lines.length > 2 ? [lines[1] ?? ''] : []));
}

/** Thrown where nobody catches it, with secrets in its words as no error of ours has them. */
const CRASH = `process.on('SIGUSR2', () => {
  const cause = new Error('[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":' + JSON.stringify(${JSON.stringify(FIRST_KEY)}) + '}]');
  throw Object.assign(new Error('no such file: ftp://${login(WRONG_PASSWORD)}@127.0.0.1/x', { cause }), { password: '${WRONG_PASSWORD}' });
});`;

/** Where the agent has to keep them itself: for nobody else to read. */
function isItsOwn(path: string): boolean {
  if (!/^\/(store|keys)\//.test(path.slice(agent.stateDir.length))) return false;
  return [path, dirname(path)].some((each) => (statSync(each).mode & 0o077) === 0);
}

it('no secret is ever told: not by log, wire log, archives, answers, errors, commands nor any file for others', async () => {
  const crash = join(scratch, 'crash.cjs');
  writeFileSync(crash, CRASH);
  agent.run({}, ['--require', crash]);
  await central.until('BootNotification');
  expect(central.visits[0]?.password).toBe(FIRST_KEY);
  // Nothing is sent on request before the BootNotification is answered.
  await central.until('StatusNotification');
  await certify();
  await changeKeys();
  await changeAuthorizationKey();
  await transfer();
  await ask();
  await callCommands();
  const bodies = central.frames.filter(({ from }) => from === 'chargePoint');
  told('the central system', JSON.stringify(bodies.map(({ message }) => message)));

  process.kill(agent.pid, 'SIGUSR2');
  await agent.says(/fatal: nobody caught this/);
  await agent.end();
  const position = agent.output.length;
  central.admits = () => false;
  agent.run();
  await agent.says(/HTTP 401/, position);
  for (const end = performance.now() + 5_000; !existsSync(agent.controlSocket) && performance.now() < end; )
    await delay(20);
  await ask();
  await agent.end();
  await callCommands();

  told('stdout and stderr', agent.output);
  const kept = filesIn(agent.stateDir);
  for (const path of kept) if (!isItsOwn(path)) told(path.slice(agent.stateDir.length), readFileSync(path, 'latin1'));
  expect(canaries.sightings(transcripts)).toEqual([]);

  // What was searched is what there is, and the search finds what it looks for.
  const everything = [...transcripts.values()].join('');
  for (const text of ['AuthorizationKey', '***', 'UpdateFirmware', 'HTTP 401', 'nobody caught this'])
    expect(everything).toContain(text);
  for (const [secret, coat] of [
    ['AuthorizationKey', `Basic ${btoa(`cp001:${FIRST_KEY}`)}`],
    ['new AuthorizationKey', JSON.stringify({ key: NEXT_KEY.toUpperCase() })],
    ['wrong password', `ftp://${login(WRONG_PASSWORD)}@host`],
  ] as const)
    expect(canaries.sightings(new Map([['planted', coat]]))).toMatchObject([{ secret }]);
});
