/** Updates: the archive that a Pi gets, what root refuses, the way back from a release that is no good, and the power cut at every step. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CentralSystem } from './support/central-system.ts';
import { archiveOf, Machine, type Outcome, PROGRAMS, Supervisor } from './support/release-machine.ts';
import { descendants, kill } from './support/server-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NOBODY = 65534;
const ELF_AARCH64 = 183;

const folder = mkdtempSync(join(tmpdir(), 'release-test-'));
chmodSync(folder, 0o755);
let bare: Machine;
/** 1.0.0 is installed and runs. */
let installed: Machine;
let machine: Machine;

beforeAll(() => {
  bare = new Machine();
  installed = new Machine(bare);
  expect(installed.run('unpack-release', archiveOf(folder, { version: '1.0.0' }))).toMatchObject({ status: 0 });
});
beforeEach(() => {
  machine = new Machine(installed);
});
afterEach(() => machine.remove());
afterAll(() => {
  bare.remove();
  installed.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** With 1.1.0 switched to and on trial. */
function updated(program: string = PROGRAMS.runs): Machine {
  expect(machine.run('unpack-release', archiveOf(folder, { program }))).toMatchObject({ status: 0, stdout: '1.1.0\n' });
  return machine;
}

const starts = (): readonly string[] => (machine.read('started') ?? '').split('\n').filter((line) => line !== '');

describe('npm run release', () => {
  const made = (arch: string) => join(folder, `chargepoint-${VERSION}-linux-${arch}.tar.gz`);
  const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
  const release = (arch: string, out: string) =>
    execFileSync(process.execPath, ['scripts/release.mjs', '--arch', arch, '--out', out], {
      cwd: ROOT,
      encoding: 'utf8',
    });
  const unpacked = join(folder, 'unpacked');
  const program = join(unpacked, `chargepoint-${VERSION}/bin/chargepoint`);

  beforeAll(() => {
    release('x64', folder);
    mkdirSync(unpacked);
    execFileSync('tar', ['-xzf', made('x64'), '-C', unpacked]);
  });

  it('makes the same bytes of the same sources', () => {
    const again = join(folder, 'again');
    release('x64', again);
    const sum = (of: string) => readFileSync(join(of, `chargepoint-${VERSION}-linux-x64.tar.gz.sha256`), 'utf8');
    expect(sum(again)).toBe(sum(folder));
    execFileSync('sha256sum', ['-c', '--quiet', `${made('x64')}.sha256`], { cwd: folder });
  });

  it('runs from a clean folder with an empty HOME and no other Node', () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    const run = (...args: string[]) =>
      spawnSync(program, args, {
        cwd: home,
        env: { PATH: '/usr/bin:/bin', HOME: home },
        uid: NOBODY,
        encoding: 'utf8',
      });
    expect(run('version').stdout).toMatch(new RegExp(`^chargepoint ${VERSION}, Node v24\\.\\d+\\.\\d+, linux x64\n$`));
    const check = run('check', join(machine.root, 'etc/chargepoint/chargepoint.yaml'));
    expect(check, check.stdout + check.stderr).toMatchObject({ status: 0 });
    expect(readdirSync(home)).toEqual([]);
  });

  it('has the addons and the Node of the other machine in the archive for arm64', () => {
    expect(release('arm64', folder)).toMatch(/linux-arm64\.tar\.gz {2}\d+\.\d MB\n {2}unpacked \d+\.\d MB, \d+ files/);
    const arm = join(folder, 'arm64');
    mkdirSync(arm);
    execFileSync('tar', ['-xzf', made('arm64'), '-C', arm, '--strip-components=1']);
    execFileSync('sha256sum', ['-c', '--strict', '--quiet', 'SHA256SUMS'], { cwd: arm });
    const files = readdirSync(arm, { recursive: true, encoding: 'utf8' });
    const machineCode = files.filter((name) => name === 'bin/node' || name.endsWith('.node'));
    expect(machineCode.map((name) => basename(name)).sort()).toEqual([
      '@serialport+bindings-cpp.armv8.glibc.node',
      'classic-level.armv8.node',
      'koffi.node',
      'node',
    ]);
    for (const name of machineCode) expect([name, machineOf(join(arm, name))]).toEqual([name, ELF_AARCH64]);
    expect(readFileSync(join(arm, 'MANIFEST'), 'utf8')).toMatch(/^version .*\narch arm64\nnode v24\.\S+\n$/);
    expect(machine.run('unpack-release', made('arm64')).stderr).toBe('it is for arm64, this is x64\n');
  });

  it('confirms itself once the central system has accepted it, and stays', async () => {
    const central = await CentralSystem.start();
    const configuration = {
      chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi' },
      centralSystem: { url: `ws://127.0.0.1:${central.port}` },
      board: 'mock',
      connectors: [{ id: 1, cable: 'socket' }],
      stateDir: join(machine.root, 'var/lib/chargepoint'),
      control: { socket: join(machine.root, 'control.sock') },
      bench: { port: 0 },
    };
    const config = join(machine.root, 'config.yaml');
    writeFileSync(config, JSON.stringify(configuration));
    expect(machine.run('unpack-release', made('x64'))).toMatchObject({ status: 0, stdout: `${VERSION}\n` });
    const supervisor = new Supervisor({ machine, config, environment: { CHARGEPOINT_CONFIRM_AFTER_S: '1' } });
    try {
      supervisor.start();
      await supervisor.until('it is on trial', () => machine.pending === `${VERSION} 1.0.0 1`);
      await supervisor.until('it is confirmed', () => machine.pending === undefined);
      expect(supervisor.output).toContain(`release ${VERSION} is on trial: without a confirmation 1.0.0 returns`);
      expect([machine.current, machine.failed]).toEqual([VERSION, undefined]);
    } finally {
      await supervisor.stop();
      await central.stop();
    }
  });

  /** e_machine of an ELF header. */
  function machineOf(file: string): number {
    const header = Buffer.alloc(20);
    readSync(openSync(file, 'r'), header, 0, 20, 0);
    return header.readUInt16LE(18);
  }
});

describe('install-release', () => {
  it('hands an archive of the service to root, and says that it is accepted', async () => {
    const supervisor = new Supervisor({ machine });
    supervisor.start();
    try {
      await supervisor.until('1.0.0 runs', () => starts().length === 1);
      const client = spawn(machine.helper('install-release'), [archiveOf(folder)], {
        env: machine.environment,
        uid: NOBODY,
      });
      expect(await once(client, 'exit')).toEqual([0, null]);
      expect([machine.current, machine.pending]).toEqual(['1.1.0', '1.1.0 1.0.0 0']);
      // Until the agent ends for the update the old one runs on.
      expect(starts()).toEqual(['1.0.0']);
      supervisor.restart();
      await supervisor.until('1.1.0 runs', () => starts().length === 2);
      expect(starts()).toEqual(['1.0.0', '1.1.0']);
    } finally {
      await supervisor.stop();
    }
  });

  it('passes on why root refuses, and gives up when nobody answers', async () => {
    const supervisor = new Supervisor({ machine });
    supervisor.start();
    const ask = async (environment: NodeJS.ProcessEnv = {}) => {
      const env = { ...machine.environment, ...environment };
      const client = spawn(machine.helper('install-release'), [archiveOf(folder, { arch: 'riscv' })], {
        env,
        uid: NOBODY,
      });
      let said = '';
      client.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const [code] = await once(client, 'close');
      return [code, said];
    };
    try {
      expect(await ask()).toEqual([65, 'it is for riscv, this is x64\n']);
    } finally {
      await supervisor.stop();
    }
    expect(await ask({ CHARGEPOINT_TAKEN_WITHIN: '0' })).toEqual([
      75,
      expect.stringContaining('nobody takes the request'),
    ]);
    expect(machine.read('run/chargepoint-requests/install')).toBeUndefined();
  });

  it('--wait says whether a release waits for its first start, to whom does not know any more', () => {
    const wait = (): Outcome => machine.runAs(NOBODY, 'install-release', '--wait');
    const NONE = { status: 1, stderr: 'no release waits for its first start\n' };
    expect(wait()).toMatchObject(NONE);
    updated();
    expect(wait()).toMatchObject({ status: 0 });
    machine.run('boot-count', 'start');
    expect(wait()).toMatchObject(NONE);
    machine.run('boot-count', 'failed');
    expect(wait()).toMatchObject(NONE);
  });

  it.each(['a request that nobody has taken', 'root, who is at work'])(
    '--wait waits for %s, but not for ever',
    async (what) => {
      const request = join(machine.root, 'run/chargepoint-requests/install');
      const lock = join(machine.root, 'var/lib/chargepoint-boot/serving');
      const isRequest = what.startsWith('a request');
      if (isRequest) writeFileSync(request, '/nowhere\n');
      const root = isRequest ? undefined : spawn('flock', [lock, 'sh', '-c', 'echo; exec sleep 60']);
      if (root !== undefined) await once(root.stdout, 'data');
      const end = (): void => (isRequest ? rmSync(request) : kill(descendants(root?.pid ?? 0)[0] ?? 0));
      const client = (withinS: number) =>
        spawn(machine.helper('install-release'), ['--wait'], {
          env: { ...machine.environment, CHARGEPOINT_INSTALLED_WITHIN: String(withinS) },
          uid: NOBODY,
        });
      expect(await once(client(0), 'exit')).toEqual([75, null]);
      const patient = client(60);
      const ended = once(patient, 'exit');
      expect(await Promise.race([ended, delay(500)])).toBeUndefined();
      end();
      expect(await ended).toEqual([1, null]);
    },
  );

  it.each([
    ['a file that has changed', { after: 'echo x >>bin/chargepoint' }, /not what SHA256SUMS says/],
    ['a file that nobody vouches for', { after: 'echo x >more' }, /files that SHA256SUMS does not name/],
    ['a link', { before: 'ln -s /etc/passwd link' }, /entries that a release has not/],
    ['a device', { after: 'mknod device c 1 3' }, /entries that a release has not/],
    ['a set-uid program', { before: 'cp /bin/true bin/true; chmod 4755 bin/true' }, /entries that a release has not/],
    ['a name that leads out', { tar: ['--transform=s,MANIFEST,../../x,'] }, /entries that a release has not/],
    ['another version inside', { before: 'sed -i s/1.1.0/1.2.0/ MANIFEST' }, /MANIFEST says version 1\.2\.0/],
    ['no program', { before: 'rm bin/chargepoint' }, /no bin\/chargepoint/],
    [
      'another build of the version that runs',
      { version: '1.0.0', before: 'echo x >x' },
      /another build of 1\.0\.0 runs/,
    ],
  ])('refuses %s, and leaves nothing behind', (_, release, reason) => {
    const { status, stderr } = machine.run('unpack-release', archiveOf(folder, release));
    expect([status, stderr]).toEqual([
      reason.source.startsWith('another build') ? 1 : 65,
      expect.stringMatching(reason),
    ]);
    expect([machine.current, machine.pending]).toEqual(['1.0.0', undefined]);
    expect(readdirSync(join(machine.root, 'opt/chargepoint/releases'))).toEqual(['1.0.0']);
  });

  it('refuses half an archive and what is none', () => {
    const whole = readFileSync(archiveOf(folder));
    for (const bytes of [whole.subarray(0, whole.length / 2), Buffer.from('hello')]) {
      writeFileSync(join(folder, 'half'), bytes);
      expect(machine.run('unpack-release', join(folder, 'half')).stderr).toMatch(/no whole tar\.gz/);
    }
    expect(machine.run('unpack-release', join(folder, 'nowhere')).stderr).toMatch(/no file/);
  });

  it('refuses a 32-bit system on a 64-bit kernel, whose programs it could not start, and says what to install', () => {
    machine.stub('uname', 'echo aarch64');
    machine.stub('getconf', 'echo 32');
    expect(machine.run('unpack-release', archiveOf(folder, { arch: 'arm64' }))).toMatchObject({
      status: 65,
      stderr: 'it is for arm64, this is a 32-bit system: install the 64-bit Raspberry Pi OS\n',
    });
    machine.stub('getconf', 'echo 64');
    expect(machine.run('unpack-release', archiveOf(folder, { arch: 'arm64' }))).toMatchObject({ status: 0 });
  });

  it('refuses what would fill the disk', () => {
    const df = join(machine.root, 'stubs/df');
    writeFileSync(df, "#!/bin/sh\nprintf 'Filesystem 1024-blocks Used Available\\nx 1 1 65000\\n'\n", { mode: 0o755 });
    const { status, stderr } = machine.run('unpack-release', archiveOf(folder));
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^it needs \d+ bytes; 65000 kB are free\n$/)]);
    expect(readdirSync(join(machine.root, 'opt/chargepoint/releases'))).toEqual(['1.0.0']);
  });

  it('refuses another update while one is on trial; the same one again is there already', () => {
    const file = archiveOf(folder);
    expect(machine.run('unpack-release', file)).toMatchObject({ status: 0 });
    expect(machine.run('unpack-release', file)).toMatchObject({ status: 0, stdout: '1.1.0 is there already\n' });
    const { status, stderr } = machine.run('unpack-release', archiveOf(folder, { version: '1.2.0' }));
    expect([status, stderr]).toEqual([1, '1.1.0 has not confirmed itself yet\n']);
  });

  it('keeps the running release and the one before, and removes older ones', () => {
    for (const version of ['1.1.0', '1.2.0', '1.3.0']) {
      expect(machine.run('unpack-release', archiveOf(folder, { version }))).toMatchObject({ status: 0 });
      writeFileSync(join(machine.root, 'run/chargepoint-requests/confirm'), `${version}\n`);
      expect(machine.run('unpack-release')).toMatchObject({ status: 0 });
      expect(machine.pending).toBeUndefined();
    }
    expect(readdirSync(join(machine.root, 'opt/chargepoint/releases'))).toEqual(['1.2.0', '1.3.0']);
    expect(machine.run('boot-count', 'back')).toMatchObject({ status: 0 });
    expect([machine.current, machine.systemctl()]).toEqual(['1.2.0', ['restart chargepoint.service']]);
  });
});

describe('root, of whom the service asks what it should not,', () => {
  const SECRET = 'root:SECRET:19700';
  const inRequests = (name: string): string => join(machine.root, 'run/chargepoint-requests', name);
  /** Root's alone. */
  const secret = (text = SECRET): string => {
    const file = join(machine.root, 'shadow');
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  };
  /** What root says of the requests, wherever others can read it; they have been removed. */
  const answer = (): string => {
    const { stdout, stderr } = machine.run('unpack-release');
    expect(readdirSync(inRequests(''))).toEqual([]);
    return `${stdout}${stderr}${machine.read('var/lib/chargepoint-boot/result') ?? ''}`;
  };
  const asks = (text: string): void => {
    writeFileSync(inRequests('install'), text);
    chownSync(inRequests('install'), NOBODY, NOBODY);
  };

  it.each([
    ['a link', (request: string) => symlinkSync(secret(), request)],
    ['a pipe that nobody writes into', (request: string) => void execFileSync('mkfifo', [request])],
    ['a folder', (request: string) => void mkdirSync(request)],
  ])('takes %s for no request, and removes it', (_, make) => {
    for (const name of ['install', 'confirm', 'reboot']) make(inRequests(name));
    expect(answer()).not.toContain('SECRET');
    // It asks for nothing but what its name says.
    expect(machine.systemctl()).toEqual(['reboot']);
  });

  it('takes no confirmation from behind a link', () => {
    updated();
    symlinkSync(secret('1.1.0'), inRequests('confirm'));
    answer();
    expect(machine.pending).toBe('1.1.0 1.0.0 0');
  });

  it.each([
    ['a file that others may not read', () => secret()],
    [
      'a link to one',
      () => {
        symlinkSync(secret(), join(machine.root, 'link'));
        return join(machine.root, 'link');
      },
    ],
    ['one that is not there', () => join(machine.root, 'nowhere')],
    ['a folder', () => machine.root],
    ['words that mean something to a program', () => '-delete'],
  ])('does not touch %s as an archive, and says the same of all of them', (_, make) => {
    machine.stub('tar', `touch "$CHARGEPOINT_ROOT/touched"; exit 1`);
    const file = make();
    asks(`${file}\n`);
    expect(answer()).toContain(`status 1: no archive that whoever asks may read: ${file}`);
    expect(machine.read('touched')).toBeUndefined();
  });

  it('says nothing that moves the cursor of who reads it', () => {
    asks('/tmp/\u001b[2K\u009b1A\\033[2J\r\nSECRET');
    const said = answer();
    expect(said).toContain(String.raw`/tmp/?[2K??1A\033[2J?`);
    expect(said).not.toMatch(/(?!\n)\p{Cc}|SECRET/u);
    const named = archiveOf(folder, { before: String.raw`printf 'version \033[2J\\033[2J\n' >MANIFEST` });
    expect(machine.run('unpack-release', named)).toMatchObject({
      status: 65,
      stderr: 'MANIFEST says version ?[2J\\033[2J, the folder is chargepoint-1.1.0\n',
    });
  });

  it('keeps its copy of the archive, and what is in it, to itself while it is examined', () => {
    machine.stub(
      'tar',
      'cd "$CHARGEPOINT_ROOT/opt/chargepoint/releases" && stat -c %a .archive .listing >../modes; exit 1',
    );
    expect(machine.run('unpack-release', secret())).toMatchObject({ status: 65 });
    expect(machine.read('opt/chargepoint/modes')).toBe('600\n600');
  });
});

describe('restart-machine', () => {
  const request = (): string | undefined => machine.read('run/chargepoint-requests/reboot');

  it('has root restart the machine once, for a service that may not do so itself', async () => {
    const client = spawn(machine.helper('restart-machine'), { env: machine.environment, uid: NOBODY });
    const ended = once(client, 'exit');
    await vi.waitUntil(() => request() !== undefined);
    expect(machine.run('unpack-release')).toMatchObject({ status: 0 });
    expect([request(), machine.systemctl()]).toEqual([undefined, ['reboot']]);
    expect(await ended).toEqual([0, null]);
    expect(machine.run('unpack-release')).toMatchObject({ status: 0, stdout: '' });
    expect(machine.read('systemctl.log')).toBeUndefined();
  });

  it('gives up when nobody answers, and leaves no request behind', () => {
    const env = { ...machine.environment, CHARGEPOINT_TAKEN_WITHIN: '0' };
    const client = spawnSync(machine.helper('restart-machine'), { env, uid: NOBODY, encoding: 'utf8' });
    expect(client).toMatchObject({ status: 75, stderr: expect.stringContaining('nobody takes the request') });
    expect(request()).toBeUndefined();
  });
});

/** Not what ends the release: three starts of it are over long before. */
const AMPLE_MS = 60_000;

describe('boot-count', () => {
  it.each([
    ['throws at import', PROGRAMS.throws, AMPLE_MS, ['1.1.0', '1.1.0', '1.1.0', '1.0.0'], 'not confirmed in 3 starts'],
    [
      'exits 78',
      PROGRAMS.exits78,
      AMPLE_MS,
      ['1.1.0', '1.0.0'],
      'it has ended with an error that a restart does not cure',
    ],
    ['hangs', PROGRAMS.hangs, 600, ['1.1.0', '1.0.0'], 'not confirmed in time'],
    ['never connects', PROGRAMS.neverConnects, 600, ['1.1.0', '1.0.0'], 'not confirmed in time'],
  ])('goes back from a release that %s, and says so', async (_, program, deadlineMs, life, reason) => {
    updated(program);
    const supervisor = new Supervisor({ machine, deadlineMs });
    supervisor.start();
    try {
      await supervisor.until('the old one runs again', () => starts().at(-1) === '1.0.0');
      expect(starts()).toEqual(life);
      expect([machine.current, machine.pending]).toEqual(['1.0.0', undefined]);
      expect(machine.failed).toBe(`1.1.0 ${reason}`);
    } finally {
      await supervisor.stop();
    }
  });

  it('keeps a release that confirms itself, whatever happens to it later', async () => {
    updated(PROGRAMS.confirms);
    const supervisor = new Supervisor({ machine, deadlineMs: AMPLE_MS });
    supervisor.start();
    try {
      await supervisor.until('it is confirmed', () => machine.pending === undefined);
      machine.run('boot-count', 'expired');
      for (let start = 0; start < 5; start += 1) machine.run('boot-count', 'start');
      machine.run('boot-count', 'failed');
      expect([machine.current, machine.failed]).toEqual(['1.1.0', undefined]);
    } finally {
      await supervisor.stop();
    }
  });

  it.each([
    ['another version', '1.0.0\n'],
    ['nothing', ''],
    ['a great deal', 'x'.repeat(100_000)],
  ])('takes a request to confirm that says %s for none, and removes it', (_, text) => {
    updated();
    writeFileSync(join(machine.root, 'run/chargepoint-requests/confirm'), text);
    expect(machine.run('unpack-release')).toMatchObject({ status: 0 });
    expect(machine.pending).toBe('1.1.0 1.0.0 0');
    expect(readdirSync(join(machine.root, 'run/chargepoint-requests'))).toEqual([]);
  });

  it('does not blame the new release for an end of the old one that comes before its first start', () => {
    updated();
    expect(machine.run('boot-count', 'failed')).toMatchObject({ status: 0 });
    expect([machine.current, machine.pending]).toEqual(['1.1.0', '1.1.0 1.0.0 0']);
    expect(machine.systemctl()).toEqual(['restart chargepoint.service']);
  });

  it('stays with the new release where there is none to go back to', () => {
    updated();
    rmSync(join(machine.root, 'opt/chargepoint/releases/1.0.0'), { recursive: true });
    for (let start = 0; start < 5; start += 1) machine.run('boot-count', 'start');
    expect(machine.current).toBe('1.1.0');
  });
});

describe('a power cut', () => {
  /** Cuts at the first, second, ... change of the disk until the command comes to its end; each time on a fresh copy. */
  function atEachStep(from: Machine, name: string, args: readonly string[], judge: (at: number) => void): number {
    for (let at = 1; ; at += 1) {
      const copy = new Machine(from);
      const before = machine;
      machine = copy;
      try {
        const cut = copy.runUntilPowerCut(at, name, ...args);
        expect(copy.current, `nothing can be started after a cut at step ${at}`).toBeDefined();
        copy.clearRequests();
        judge(at);
        if (!cut) return at - 1;
      } finally {
        machine = before;
        copy.remove();
      }
    }
  }

  it('at any step of an installation leaves a release that boots, the new one never without a way back, and a second try works', () => {
    const file = archiveOf(folder);
    const steps = atEachStep(installed, 'unpack-release', [file], (at) => {
      machine.run('boot-count', 'start');
      expect(['1.0.0', '1.1.0'], `step ${at}`).toContain(machine.current);
      expect(machine.pending, `step ${at}`).toBe(machine.current === '1.1.0' ? '1.1.0 1.0.0 1' : undefined);
      expect(machine.run('unpack-release', file), `step ${at}`).toMatchObject({ status: 0 });
      machine.run('boot-count', 'start');
      expect(machine.pending, `step ${at}`).toMatch(/^1\.1\.0 1\.0\.0 [12]$/);
      machine.run('boot-count', 'failed');
      expect(machine.current, `step ${at}`).toBe('1.0.0');
      expect(machine.failed, `step ${at}`).toMatch(/^1\.1\.0 /);
    });
    expect(steps).toBeGreaterThan(20);
  });

  it.each([
    ['an installation', () => ['unpack-release', archiveOf(folder)]],
    ['the way back', () => ['boot-count', 'failed']],
  ])('finds on the medium whatever %s has renamed: contents before, the folder after', (what, command) => {
    if (what === 'the way back') {
      updated();
      machine.run('boot-count', 'start');
    }
    const [name = '', ...args] = command();
    expect(machine.runUntilPowerCut(0, name, ...args)).toBe(false);
    const steps = (machine.read('steps') ?? '').replaceAll(`${machine.root}/`, '/').split('\n');
    const moves = steps.flatMap((step, at) =>
      step.startsWith('mv ') ? [[at, ...step.split(' ').slice(-2)] as const] : [],
    );
    expect(moves.length).toBeGreaterThan(1);
    for (const [at, from = '', to = ''] of moves) {
      const isLink = steps.slice(0, at).some((step) => step.startsWith('ln ') && step.endsWith(` ${from}`));
      const isSynced = steps.slice(0, at).some((step) => step === `sync ${from}` || step === `sync -f ${from}`);
      expect(isLink || isSynced, `${from} before it became ${to}`).toBe(true);
      expect(steps[at + 1], `after ${from} became ${to}`).toBe(`sync ${dirname(to)}`);
    }
  });

  it('at any step of the first installation leaves nothing or all of it', () => {
    const file = archiveOf(folder);
    for (let at = 1, cut = true; cut; at += 1) {
      const copy = new Machine(bare);
      cut = copy.runUntilPowerCut(at, 'unpack-release', file);
      expect([undefined, '1.1.0']).toContain(copy.current);
      expect(copy.run('unpack-release', file), `step ${at}`).toMatchObject({ status: 0 });
      expect([copy.current, copy.pending]).toEqual(['1.1.0', undefined]);
      copy.remove();
    }
  });

  it('at any step of the way back leaves a release that boots, and the way back goes on', () => {
    updated(PROGRAMS.exits78);
    machine.run('boot-count', 'start');
    const steps = atEachStep(machine, 'boot-count', ['failed'], (at) => {
      machine.run('boot-count', 'start');
      if (machine.current === '1.1.0') machine.run('boot-count', 'failed');
      expect([machine.current, machine.pending], `step ${at}`).toEqual(['1.0.0', undefined]);
      expect(machine.failed, `step ${at}`).toBe('1.1.0 it has ended with an error that a restart does not cure');
    });
    expect(steps).toBeGreaterThan(6);
  });

  it('at any step of a start neither forgets to count nor goes back too early', () => {
    updated();
    machine.run('boot-count', 'start');
    atEachStep(machine, 'boot-count', ['start'], (at) => {
      machine.run('boot-count', 'start');
      expect(machine.current, `step ${at}`).toBe('1.1.0');
      expect(machine.pending, `step ${at}`).toMatch(/^1\.1\.0 1\.0\.0 [23]$/);
    });
  });

  it('at any step of a confirmation leaves the new release, confirmed or on trial', () => {
    updated();
    machine.run('boot-count', 'start');
    writeFileSync(join(machine.root, 'run/chargepoint-requests/confirm'), '1.1.0\n');
    atEachStep(machine, 'boot-count', ['confirm'], (at) => {
      machine.run('boot-count', 'start');
      expect(machine.current, `step ${at}`).toBe('1.1.0');
      expect([undefined, '1.1.0 1.0.0 2'], `step ${at}`).toContain(machine.pending);
    });
  });
});

describe('systemd/', () => {
  const units = readdirSync(join(ROOT, 'systemd')).filter((name) => /\.(service|path|timer)$/.test(name));
  const scripts = [
    'boot-count',
    'contactor-open',
    'functions',
    'install-release',
    'remove',
    'restart-machine',
    'set-up',
    'unpack-release',
  ];
  const maintainer = ['postinst', 'postrm', 'prerm'].map((name) => `scripts/release/debian/${name}`);

  it('has scripts that shellcheck takes for POSIX', () => {
    const paths = [...scripts.map((name) => `systemd/${name}`), 'scripts/release/chargepoint.sh', ...maintainer];
    const { status, stdout } = spawnSync('shellcheck', ['-x', '-s', 'sh', ...paths], { cwd: ROOT, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });

  it('has units that systemd understands', () => {
    // Below a root, where the helpers and the release that they name exist.
    const at = join(machine.root, 'usr/lib/systemd/system');
    for (const target of [
      'network',
      'network-online',
      'time-sync',
      'multi-user',
      'sysinit',
      'basic',
      'shutdown',
      'timers',
      'paths',
    ])
      writeFileSync(join(at, `${target}.target`), '[Unit]\nDescription=here for the check only\n');
    const args = ['verify', '--man=no', `--root=${machine.root}`, ...units];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  /** Every value that a unit has for the name. */
  const said = (unit: string, name: string): readonly string[] =>
    readFileSync(join(ROOT, 'systemd', unit), 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));
  const of = (name: string) => said('chargepoint.service', name);

  it('starts the agent again after every end, except for exit 78, which goes back to the previous release', () => {
    expect([of('Restart'), of('RestartPreventExitStatus'), of('StartLimitIntervalSec')].flat()).toEqual([
      'always',
      '78',
      '0',
    ]);
    expect(of('OnFailure')).toEqual(['chargepoint-rollback.service']);
    expect(said('chargepoint-rollback.service', 'ExecStart')).toEqual(['/usr/lib/chargepoint/boot-count failed']);
  });

  it('counts each start of the agent as root, whatever comes of the count, after the contactors are open', () => {
    expect(of('ExecStartPre')).toEqual([
      '-+/usr/lib/chargepoint/contactor-open',
      '-+/usr/lib/chargepoint/boot-count start',
    ]);
    expect(of('ExecStart')).toEqual([
      '/opt/chargepoint/current/bin/chargepoint run --config /etc/chargepoint/chargepoint.yaml',
    ]);
  });

  it('goes back when the time to confirm is over, which is longer than the agent needs to confirm itself', () => {
    expect(said('chargepoint-deadline.service', 'ExecStart')).toEqual(['/usr/lib/chargepoint/boot-count expired']);
    const [, minutes] = /^(\d+)min$/.exec(said('chargepoint-deadline.timer', 'OnActiveSec')[0] ?? '') ?? [];
    const [, seconds] = /^CHARGEPOINT_CONFIRM_AFTER_S=(\d+)$/.exec(of('Environment')[0] ?? '') ?? [];
    expect(Number(minutes) * 60).toBeGreaterThan(Number(seconds));
  });

  it('has root take each request of the service', () => {
    const requests = ['install', 'confirm', 'reboot'];
    expect(said('chargepoint-requests.path', 'PathExists')).toEqual(
      requests.map((name) => `/run/chargepoint-requests/${name}`),
    );
    expect(said('chargepoint-requests.service', 'ExecStart')).toEqual(['/usr/lib/chargepoint/unpack-release']);
  });

  it('leaves the service, which is not root, nothing of its own code to write', () => {
    expect([of('User'), of('ProtectSystem'), of('NoNewPrivileges'), of('CapabilityBoundingSet')].flat()).toEqual([
      'chargepoint',
      'strict',
      'yes',
      '',
    ]);
    // Nothing of /opt and /usr is excepted.
    expect(of('ReadWritePaths')).toEqual(['/run/chargepoint-requests']);
    const writable = ['opt/chargepoint', 'usr/lib/chargepoint', 'usr/lib/systemd', 'usr/bin'].flatMap((path) => {
      const options = { cwd: machine.root, uid: NOBODY, gid: NOBODY, encoding: 'utf8' } as const;
      const found = spawnSync('find', [path, '-writable', '!', '-type', 'l'], options);
      expect(found, found.stderr).toMatchObject({ status: 0, stderr: '' });
      return found.stdout.split('\n').filter((line) => line !== '');
    });
    expect(writable).toEqual([]);
  });

  it('opens the contactors before and after each life of the agent, and ends one that hangs at once', () => {
    expect(of('ExecStartPre')[0]).toBe('-+/usr/lib/chargepoint/contactor-open');
    expect(of('ExecStopPost')).toEqual(['-+/usr/lib/chargepoint/contactor-open']);
    // A stopped process takes no SIGABRT, and what is removed with the service cannot be applied after it.
    expect([of('Type'), of('WatchdogSec'), of('WatchdogSignal'), of('RuntimeDirectoryPreserve')].flat()).toEqual([
      'notify',
      '2',
      'SIGKILL',
      'yes',
    ]);
  });

  it('exposes little of the machine to the service', () => {
    const args = [
      'security',
      '--offline=yes',
      '--no-pager',
      '--threshold=20',
      join(ROOT, 'systemd/chargepoint.service'),
    ];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
  });
});
