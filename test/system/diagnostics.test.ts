/** The built agent hands its diagnostics and its security log to servers that we did not write, and keeps its secrets to itself. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BenchAgent } from './support/bench-agent.ts';
import { CentralSystem } from './support/central-system.ts';
import { FtpServer, LOGIN, PASSWORD } from './support/ftp-server.ts';
import { CHARGEPOINT } from './support/site.ts';
import { WebServer } from './support/web-server.ts';

const KEY = 'CANARY-of-the-key-1234';

let central: CentralSystem;
let agent: BenchAgent;
let unpacked: string;

beforeAll(() => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
});
beforeEach(async () => {
  unpacked = mkdtempSync(join(tmpdir(), 'unpacked-'));
  central = await CentralSystem.start();
  agent = new BenchAgent({ program: CHARGEPOINT, centralPort: central.port, connectors: [1] });
});
afterEach(async () => {
  await agent.close();
  await central.stop();
  rmSync(unpacked, { recursive: true });
});

async function start(): Promise<void> {
  await agent.start();
  await agent.until('Accepted', ({ out }) => out.boot === 'Accepted');
}

const statuses = (action: string): readonly unknown[] =>
  central.calls.filter((call) => call.action === action).map(({ payload }) => payload['status']);
const ended = (action: string) => central.until(action, ({ status }) => status !== 'Uploading', { withinMs: 30_000 });

/** What tar makes of an archive: text by name, without the folder. */
function contentOf(archive: Buffer): Readonly<Record<string, string>> {
  const file = join(unpacked, 'archive.tar.gz');
  writeFileSync(file, archive);
  execFileSync('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1']);
  rmSync(file);
  return textsIn(unpacked);
}

const textsIn = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? [[path.slice(folder.length + 1), readFileSync(path, 'latin1')]] : [];
    }),
  );

const uploads = (): readonly string[] => {
  const folder = join(agent.folder, 'state', 'uploads');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe('GetDiagnostics', () => {
  it('puts one archive on an FTP server (vsftpd), in which no secret stands', async () => {
    const ftp = await FtpServer.start();
    try {
      ftp.makeDirectory('logs');
      await start();
      expect(await central.call('ChangeConfiguration', { key: 'AuthorizationKey', value: KEY })).toEqual({
        status: 'Accepted',
      });
      await delay(500);
      await central.untilConnected();
      const location = `ftp://${LOGIN}@${ftp.address}/logs/`;
      const { fileName } = await central.call('GetDiagnostics', { location });
      await ended('DiagnosticsStatusNotification');
      expect(statuses('DiagnosticsStatusNotification')).toEqual(['Uploading', 'Uploaded']);
      expect(fileName).toMatch(/^bench-\d{8}T\d{6}Z\.tar\.gz$/);
      const content = contentOf(ftp.read(join('logs', String(fileName))));
      expect(Object.keys(content).toSorted()).toEqual([
        'about.json',
        'configuration.json',
        'connectors.json',
        'hardware.json',
        'keys.json',
        'link.json',
        'log/000001.log',
        'recorder/now.jsonl',
        'store.json',
      ]);
      expect(content['recorder/now.jsonl']).toContain('BootNotification');
      expect(content['log/000001.log']).toContain('BootNotification');
      expect(content['log/000001.log']).toContain('GetDiagnostics');
      expect(JSON.parse(content['keys.json'] ?? '')).toContainEqual(
        expect.objectContaining({ name: 'AuthorizationKey', value: '***' }),
      );
      const written: Readonly<Record<string, string>> = {
        ...content,
        console: readFileSync(agent.logFile, 'utf8'),
        ...textsIn(join(agent.folder, 'state', 'log')),
      };
      for (const secret of [KEY, PASSWORD, LOGIN, encodeURIComponent(PASSWORD)])
        expect(Object.keys(written).filter((name) => written[name]?.includes(secret))).toEqual([]);
      expect(uploads()).toEqual([]);
    } finally {
      await ftp.stop();
    }
  });

  it('says UploadFailed where nobody listens, and goes on as always', async () => {
    await start();
    await central.call('GetDiagnostics', { location: 'http://127.0.0.1:9/', retries: 1, retryInterval: 1 });
    await ended('DiagnosticsStatusNotification');
    expect(statuses('DiagnosticsStatusNotification')).toEqual(['Uploading', 'Uploading', 'UploadFailed']);
    expect(uploads()).toEqual([]);
    await agent.patch({ connectors: { 1: { ev: { plugged: true } } } });
    await agent.tap('TAG1', 1);
    await agent.until('it charges', ({ connectors }) => connectors['1']?.out.status === 'Charging');
  });

  it('says UploadFailed where the disk is nearly full, and leaves nothing on it', async () => {
    const state = join(agent.folder, 'state');
    mkdirSync(state);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', state]);
    try {
      await start();
      await central.call('GetDiagnostics', { location: 'http://127.0.0.1:9/' });
      await ended('DiagnosticsStatusNotification');
      expect(statuses('DiagnosticsStatusNotification')).toEqual(['Uploading', 'UploadFailed']);
      expect(readFileSync(agent.logFile, 'utf8')).toContain('diskFull');
      expect(uploads()).toEqual([]);
      await agent.end();
    } finally {
      execFileSync('umount', ['-l', state]);
    }
  });

  it('is UploadFailed after a kill in the middle, told once, and the next process removes what was left', async () => {
    await start();
    // Nobody answers there: the file lies on the disk until then.
    await central.call('GetDiagnostics', { location: 'http://127.0.0.1:9/', retries: 5, retryInterval: 3600 });
    await central.until('DiagnosticsStatusNotification');
    for (const end = performance.now() + 5_000; uploads().length === 0 && performance.now() < end; ) await delay(20);
    expect(uploads()).toHaveLength(1);
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    await start();
    await ended('DiagnosticsStatusNotification');
    for (const end = performance.now() + 5_000; uploads().length > 0 && performance.now() < end; ) await delay(20);
    expect(uploads()).toEqual([]);
    await agent.end();
    await start();
    await delay(1_000);
    expect(statuses('DiagnosticsStatusNotification')).toEqual(['Uploading', 'UploadFailed']);
  });
});

describe('GetLog', () => {
  it('puts diagnostics and security log on a web server (nginx), each once', async () => {
    const web = await WebServer.start({});
    try {
      await start();
      const log = { remoteLocation: `http://${web.plain}/uploads/` };
      for (const [requestId, logType] of [
        [1, 'DiagnosticsLog'],
        [2, 'SecurityLog'],
      ] as const) {
        const { status, filename } = await central.call('GetLog', { logType, requestId, log });
        expect(status).toBe('Accepted');
        await central.until(
          'LogStatusNotification',
          (report) => report['requestId'] === requestId && report['status'] === 'Uploaded',
        );
        const uploaded = web.uploaded(String(filename));
        if (logType === 'DiagnosticsLog') expect(contentOf(uploaded)['about.json']).toContain('"version"');
        else for (const line of uploaded.toString().split('\n').filter(Boolean)) JSON.parse(line);
      }
      expect(statuses('LogStatusNotification')).toEqual(['Uploading', 'Uploaded', 'Uploading', 'Uploaded']);
      expect(uploads()).toEqual([]);
      expect(central.complaints).toEqual([]);
    } finally {
      await web.stop();
    }
  });

  it.each([
    ['/forbidden/x', 'PermissionDenied'],
    ['/static', 'NotSupportedOperation'],
  ])('says of %s what the server says: %s', async (path, status) => {
    const web = await WebServer.start({});
    try {
      web.put('static', Buffer.from('takes neither PUT nor POST'));
      await start();
      const log = { remoteLocation: `http://${web.plain}${path}` };
      await central.call('GetLog', { logType: 'SecurityLog', requestId: 3, log });
      await ended('LogStatusNotification');
      expect(statuses('LogStatusNotification')).toEqual(['Uploading', status]);
    } finally {
      await web.stop();
    }
  });
});
