/** The built agent is updated: a real download over HTTP, a signature that openssl made, the real store; only the installer is the bench's. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BenchAgent } from './support/bench-agent.ts';
import { CentralSystem, type Payload } from './support/central-system.ts';
import { CHARGEPOINT } from './support/site.ts';

const folder = mkdtempSync(join(tmpdir(), 'firmware-'));
const file = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

const IMAGE = randomBytes(6_000_000);
const SIGNED = ['Downloading', 'Downloaded', 'SignatureVerified', 'Installing', 'InstallRebooting', 'Installed'];
const PAST = '2020-01-01T00:00:00Z';
const WITHIN = { withinMs: 30_000 };

/** How the server answers the next requests: all of it, or so many bytes and then nothing or the end of the connection. */
type Manner = 'whole' | 'tampered' | { readonly bytes: number; readonly after: 'break' | 'hang' };

let manners: Manner[];
let ranges: (string | undefined)[];
let server: Server;
let central: CentralSystem;
let agent: BenchAgent;

function serve(): Server {
  return createServer((request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const manner = manners.shift() ?? 'whole';
    const image = manner === 'tampered' ? Buffer.concat([IMAGE.subarray(1), IMAGE.subarray(0, 1)]) : IMAGE;
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const body = image.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length,
      etag: '"2.0"',
      ...(from > 0 ? { 'content-range': `bytes ${from}-${image.length - 1}/${image.length}` } : {}),
    });
    if (typeof manner === 'string') {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, manner.bytes), () => {
      if (manner.after === 'break') setTimeout(() => response.destroy(), 300);
    });
  });
}

function location(): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://user:CANARY1@127.0.0.1:${port}/image?token=CANARY2`;
}

const statuses = (): readonly unknown[] =>
  central.calls.filter(({ action }) => /FirmwareStatus/.test(action)).map(({ payload }) => payload['status']);

const untilStatus = (status: string) =>
  central.until('SignedFirmwareStatusNotification', (payload) => payload['status'] === status, WITHIN);

const ask = (more: Payload = {}): Promise<Payload> =>
  central.call('SignedUpdateFirmware', {
    requestId: 7,
    ...more,
    firmware: {
      location: location(),
      retrieveDateTime: PAST,
      signingCertificate: readFileSync(file('signer.pem'), 'utf8'),
      signature: readFileSync(file('signature'), 'latin1'),
    },
  });

const bootedAgain = async (): Promise<void> => {
  const from = central.calls.length;
  await agent.start();
  await central.until('BootNotification', undefined, { from, ...WITHIN });
};

const stored = (): readonly string[] => {
  const directory = join(agent.folder, 'state', 'firmware');
  return existsSync(directory) ? readdirSync(directory) : [];
};

beforeAll(() => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
  const subject = (name: string): string[] => ['-subj', `/O=Acme/CN=${name}`];
  const key = (name: string, algorithm: string, size: string): void =>
    openssl('genpkey', '-algorithm', algorithm, '-pkeyopt', size, '-out', `${name}.key`);
  key('root', 'EC', 'ec_paramgen_curve:prime256v1');
  const authority = ['-addext', 'keyUsage=critical,keyCertSign'];
  openssl('req', '-x509', '-key', 'root.key', '-out', 'root.pem', '-days', '30', ...subject('Maker'), ...authority);
  key('signer', 'RSA', 'rsa_keygen_bits:2048');
  openssl('req', '-new', '-key', 'signer.key', '-out', 'signer.csr', ...subject('Signer'));
  writeFileSync(file('signer.ext'), 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n');
  const issuer = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-days', '10', '-extfile', 'signer.ext'];
  openssl('x509', '-req', '-in', 'signer.csr', '-out', 'signer.pem', ...issuer);
  writeFileSync(file('image'), IMAGE);
  const padding = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
  openssl('dgst', '-sha256', '-sign', 'signer.key', ...padding, '-out', 'signature.bin', 'image');
  writeFileSync(file('signature'), readFileSync(file('signature.bin')).toString('base64'));
});
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  manners = [];
  ranges = [];
  server = serve().listen(0, '127.0.0.1');
  await once(server, 'listening');
  central = await CentralSystem.start();
  agent = new BenchAgent({ program: CHARGEPOINT, centralPort: central.port, connectors: [1] });
});

afterEach(async () => {
  const log = existsSync(agent.logFile) ? readFileSync(agent.logFile, 'utf8') : '';
  await agent.close();
  await central.stop();
  server.closeAllConnections();
  server.close();
  // Whatever the story was.
  expect(log.split('\n').filter((line) => line.includes('CANARY'))).toEqual([]);
});

async function begin(): Promise<void> {
  await agent.start();
  await central.until('StatusNotification', ({ connectorId }) => connectorId === 1, WITHIN);
  const root = { certificateType: 'ManufacturerRootCertificate', certificate: readFileSync(file('root.pem'), 'utf8') };
  expect(await central.call('InstallCertificate', root)).toEqual({ status: 'Accepted' });
}

describe('a signed update of the built agent', () => {
  it('is downloaded, verified and installed; it ends with status 0 and says Installed once after the restart', async () => {
    await begin();
    expect(await ask()).toEqual({ status: 'Accepted' });
    await untilStatus('Installing');
    expect(stored()).toEqual(['image']);
    expect(readFileSync(join(agent.folder, 'state', 'firmware', 'image')).equals(IMAGE)).toBe(true);
    expect(await agent.ended).toEqual({ code: 0, signal: null });
    await bootedAgain();
    await untilStatus('Installed');
    await central.until('SecurityEventNotification', ({ type }) => type === 'FirmwareUpdated', WITHIN);
    await agent.until('Available', ({ connectors }) => connectors['1']?.out.status === 'Available');
    expect(statuses()).toEqual(SIGNED);
    expect(await agent.end()).toEqual({ code: 0, signal: null });
    await bootedAgain();
    expect(statuses()).toEqual(SIGNED);
    expect(stored()).toEqual([]);
    expect(central.complaints).toEqual([]);
  });

  it('is refused if the image is not what was signed; the agent goes on', async () => {
    await begin();
    manners = ['tampered'];
    await ask();
    await untilStatus('InvalidSignature');
    await central.until('SecurityEventNotification', ({ type }) => type === 'InvalidFirmwareSignature', WITHIN);
    expect(statuses()).toEqual(['Downloading', 'Downloaded', 'InvalidSignature']);
    await expect.poll(stored).toEqual([]);
    expect((await agent.document()).connectors['1']?.out.status).toBe('Available');
    expect(agent.pid).toBeGreaterThan(0);
  });

  it('goes on with a truncated download where it broke', async () => {
    await begin();
    manners = [{ bytes: 3_000_000, after: 'break' }];
    await ask({ retries: 1, retryInterval: 0 });
    await untilStatus('InstallRebooting');
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d{7}-$/)]);
    expect(statuses()).toEqual(['Downloading', 'Downloading', ...SIGNED.slice(1, -1)]);
  });

  it('survives kill -9 in the middle of the download', async () => {
    await begin();
    manners = [{ bytes: 3_000_000, after: 'hang' }];
    await ask();
    await untilStatus('Downloading');
    await expect.poll(stored, { timeout: 10_000 }).toContain('image.part.json');
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    await bootedAgain();
    await untilStatus('InstallRebooting');
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d{7}-$/)]);
    await agent.ended;
    await bootedAgain();
    await untilStatus('Installed');
    expect(statuses()).toEqual(SIGNED);
  });

  it('survives kill -9 in the middle of the installation: the old version says InstallationFailed', async () => {
    await begin();
    await agent.patch({ firmware: { installMs: 60_000 } });
    await ask();
    await untilStatus('Installing');
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    await bootedAgain();
    await untilStatus('InstallationFailed');
    expect(statuses().filter((status, index, all) => status !== all[index - 1])).toEqual([
      ...SIGNED.slice(0, 4),
      'InstallationFailed',
    ]);
    await agent.until('Available', ({ connectors }) => connectors['1']?.out.status === 'Available');
  });

  it('fails where the disk is too small, before it is full', async () => {
    const state = join(agent.folder, 'state');
    mkdirSync(state);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', state]);
    try {
      await begin();
      await ask();
      await untilStatus('DownloadFailed');
      expect(statuses()).toEqual(['Downloading', 'DownloadFailed']);
      expect((await agent.document()).connectors['1']?.out.status).toBe('Available');
      await agent.end();
    } finally {
      execFileSync('umount', ['-l', state]);
    }
  });
});

describe('a disk that fails on the bench (storage: fail)', () => {
  it('breaks off a download: DownloadFailed', async () => {
    await begin();
    manners = [{ bytes: 3_000_000, after: 'hang' }];
    await ask();
    await untilStatus('Downloading');
    await expect.poll(stored, { timeout: 10_000 }).toContain('image.part');
    await agent.patch({ storage: 'fail' });
    await untilStatus('DownloadFailed');
    expect(statuses()).toEqual(['Downloading', 'DownloadFailed']);
    await agent.patch({ storage: 'ok' });
    await ask();
    await untilStatus('InstallRebooting');
  });

  it('lets no archive be made: UploadFailed', async () => {
    await begin();
    await agent.patch({ storage: 'fail' });
    await central.call('GetDiagnostics', { location: location() });
    await central.until('DiagnosticsStatusNotification', ({ status }) => status === 'UploadFailed', WITHIN);
    expect(ranges).toEqual([]);
  });
});

describe('UpdateFirmware of the built agent', () => {
  it('installs without a restart where the bench says so', async () => {
    await begin();
    await agent.patch({ firmware: { reboot: false, installMs: 100 } });
    expect(await central.call('UpdateFirmware', { location: location(), retrieveDate: PAST })).toEqual({});
    await central.until('FirmwareStatusNotification', ({ status }) => status === 'Installed', WITHIN);
    expect(statuses()).toEqual(['Downloading', 'Downloaded', 'Installing', 'Installed']);
    await agent.until('Available', ({ connectors }) => connectors['1']?.out.status === 'Available');
    expect(agent.pid).toBeGreaterThan(0);
  });
});
