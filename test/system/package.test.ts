/** The Debian package and the archive's own way on and off a machine: installed, upgraded and removed below a root, by dpkg itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { archiveOf } from './support/release-machine.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DATE = '1985-10-26T08:15:00Z';
const ARCH = process.arch === 'arm64' ? 'arm64' : 'x64';

const folder = mkdtempSync(join(tmpdir(), 'package-test-'));
chmodSync(folder, 0o755);
/** Around releases that are a few hundred bytes. */
const packages = new Map<string, string>();
let root: string;

function debOf(version: string, archive = archiveOf(folder, { version })): string {
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  const options = {
    archive,
    arch: ARCH,
    out: scratch,
    root: ROOT,
    scratch,
    version,
    date: DATE,
  };
  const script = `import { makeDeb } from ${JSON.stringify(join(ROOT, 'scripts/release/deb.mjs'))};
    console.log(makeDeb(${JSON.stringify(options)}));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim();
}

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), mode);
};
const read = (path: string): string => readFileSync(join(root, path), 'utf8').trim();
const there = (path: string): boolean => existsSync(join(root, path));

/** What the tools of systemd were asked for since the last time, with the state of the coil at that moment. */
function asked(): readonly string[] {
  const said = there('asked') ? read('asked').split('\n') : [];
  rmSync(join(root, 'asked'), { force: true });
  return said;
}

beforeAll(() => {
  for (const version of ['1.0.0', '1.1.0']) packages.set(version, debOf(version));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  root = mkdtempSync(join(folder, 'root-'));
  chmodSync(root, 0o755);
  for (const path of [
    'var/lib/dpkg/info',
    'var/lib/dpkg/updates',
    'run/systemd/system',
    'run/chargepoint-requests',
    'usr/bin',
  ])
    mkdirSync(join(root, path), { recursive: true });
  put('var/lib/dpkg/status', '');
  const note = 'echo "$(basename "$0") $*" >>"$CHARGEPOINT_ROOT/asked"\n';
  // Nothing runs here.
  put('tools/systemctl', `#!/bin/sh\n[ "$2" != is-active ] || exit 3\n${note}`, 0o755);
  for (const name of ['systemd-sysusers', 'systemd-tmpfiles', 'udevadm'])
    put(`tools/${name}`, `#!/bin/sh\n${note}`, 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function as(command: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { PATH: `${join(root, 'tools')}:/usr/sbin:/usr/bin:/sbin:/bin`, CHARGEPOINT_ROOT: root },
    encoding: 'utf8',
  });
  return { status, stdout, said: stdout + stderr };
}

/** dpkg is told that there is a libc: the root has none. */
const dpkg = (...args: readonly string[]) =>
  as('dpkg', `--root=${root}`, '--force-script-chrootless', '--force-depends', ...args);
const install = (version: string) => dpkg('-i', packages.get(version) ?? '');

/** A coil that the last process has left on; `reads` is what its pin says, whatever is written. */
function coil(reads: 0 | 1): void {
  put('run/chargepoint/safe-outputs', 'gpio pinctrl-test 17 0 0\n');
  put('sys/class/gpio/gpiochip512/label', 'pinctrl-test\n');
  put('sys/class/gpio/gpiochip512/base', '512\n');
  put('sys/class/gpio/gpio529/direction', 'high\n');
  put('sys/class/gpio/gpio529/value', `${reads}\n`);
}
const opened = () => read('sys/class/gpio/gpio529/direction') === 'low';

const current = (): string | undefined =>
  there('opt/chargepoint/current/MANIFEST')
    ? /^version (.*)$/m.exec(read('opt/chargepoint/current/MANIFEST'))?.[1]
    : undefined;

/** Below usr: path and mode of each file. */
const files = (of: string): readonly string[] =>
  readdirSync(join(of, 'usr'), { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(of, 'usr', path), { throwIfNoEntry: false })?.isFile())
    .map((path) => `${path} ${(statSync(join(of, 'usr', path)).mode & 0o777).toString(8)}`)
    .sort();

describe('the Debian package', () => {
  it('puts the same files into the system as set-up of the archive, and itself', () => {
    const unpacked = join(root, 'unpacked');
    execFileSync('dpkg-deb', ['-x', packages.get('1.0.0') ?? '', unpacked]);
    const bySetUp = join(root, 'by-set-up');
    mkdirSync(bySetUp);
    execFileSync(join(ROOT, 'systemd/set-up'), { env: { PATH: process.env['PATH'], CHARGEPOINT_ROOT: bySetUp } });
    const own = (path: string) => path.startsWith('share/') || path.startsWith('lib/chargepoint/set-up ');
    const packaged = files(unpacked);
    expect(packaged.filter((path) => !own(path))).toEqual(files(bySetUp));
    for (const entry of files(bySetUp)) {
      const path = join('usr', entry.slice(0, entry.lastIndexOf(' ')));
      expect(readFileSync(join(unpacked, path)).equals(readFileSync(join(bySetUp, path))), path).toBe(true);
    }
    execFileSync('md5sum', ['-c', '--quiet', join(root, 'sums')], {
      cwd: unpacked,
      input: execFileSync('sh', ['-c', `dpkg-deb -I "$1" md5sums >"${root}/sums"`, 'sh', packages.get('1.0.0') ?? '']),
    });
  });

  it('is the same bytes for the same release, named as Debian names machines', () => {
    const archive = archiveOf(folder, { version: '1.0.0-rc.1' });
    const [one, other] = [debOf('1.0.0-rc.1', archive), debOf('1.0.0-rc.1', archive)];
    expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
    expect(basename(one)).toBe(`chargepoint_1.0.0~rc.1_${ARCH === 'x64' ? 'amd64' : 'arm64'}.deb`);
    expect(spawnSync('dpkg', ['--compare-versions', '1.0.0~rc.1', 'lt', '1.0.0']).status).toBe(0);
  });

  it('installs the release and an example, enables the service and leaves it to a person to start it', () => {
    const { status, said } = install('1.0.0');
    expect([status, said]).toEqual([0, expect.stringContaining('systemctl start chargepoint')]);
    expect(current()).toBe('1.0.0');
    expect(read('etc/chargepoint/chargepoint.yaml')).toContain('stateDir: /var/lib/chargepoint');
    expect(asked()).toEqual([
      'systemd-sysusers chargepoint.conf',
      'systemd-tmpfiles --create chargepoint.conf',
      'udevadm control --reload',
      'udevadm trigger --subsystem-match=gpio --subsystem-match=pwm --subsystem-match=spidev',
      'systemctl daemon-reload',
      'systemctl enable --now chargepoint-requests.path',
      'systemctl enable chargepoint.service',
    ]);
  });

  it('upgrades as any update does: on trial, with a way back; what was edited stays', () => {
    install('1.0.0');
    put('etc/chargepoint/chargepoint.yaml', 'mine');
    put('var/lib/chargepoint/store/x', 'facts');
    asked();
    expect(install('1.1.0'), install('1.1.0').said).toMatchObject({ status: 0 });
    expect([current(), read('var/lib/chargepoint-boot/pending')]).toEqual(['1.1.0', '1.1.0 1.0.0 0']);
    expect(asked().filter((line) => line.includes('chargepoint.service'))).toEqual(
      Array(2).fill('systemctl try-restart chargepoint.service'),
    );
    expect([read('etc/chargepoint/chargepoint.yaml'), read('var/lib/chargepoint/store/x')]).toEqual(['mine', 'facts']);
  });

  it('is removed with the service stopped and the contactors open first; state and configuration go with a purge only', () => {
    install('1.0.0');
    put('var/lib/chargepoint/store/x', 'facts');
    coil(0);
    asked();
    const { status, said } = dpkg('-r', 'chargepoint');
    expect([status, opened()], said).toEqual([0, true]);
    expect(asked()).toEqual([
      'systemctl disable --now chargepoint-requests.path',
      'systemctl disable --now chargepoint-deadline.timer',
      'systemctl disable --now chargepoint.service',
      'systemctl daemon-reload',
    ]);
    expect(said).toContain('gpio pinctrl-test 17 is at 0');
    expect([there('opt/chargepoint'), there('usr/lib/chargepoint'), there('usr/bin/chargepoint')]).toEqual([
      false,
      false,
      false,
    ]);
    expect([there('etc/chargepoint/chargepoint.yaml'), there('var/lib/chargepoint/store/x')]).toEqual([true, true]);
    expect(dpkg('--purge', 'chargepoint')).toMatchObject({ status: 0 });
    expect([there('etc/chargepoint'), there('var/lib/chargepoint')]).toEqual([false, false]);
  });

  it('stays where a contactor cannot be read back as open: nobody could open it afterwards', () => {
    install('1.0.0');
    coil(1);
    const { status, said } = dpkg('-r', 'chargepoint');
    expect([status, said]).toEqual([1, expect.stringContaining('nothing has been removed')]);
    expect([current(), there('usr/lib/chargepoint/contactor-open')]).toEqual(['1.0.0', true]);
  });

  it('does nothing to a systemd that is not there, as in an image that is being built', () => {
    rmSync(join(root, 'run/systemd'), { recursive: true });
    expect(install('1.0.0')).toMatchObject({ status: 0 });
    expect([current(), asked()]).toEqual(['1.0.0', []]);
    expect(dpkg('-r', 'chargepoint')).toMatchObject({ status: 0 });
    expect(asked()).toEqual([]);
  });
});

describe('the archive', () => {
  const setUp = (...args: readonly string[]) => as(join(ROOT, 'systemd/set-up'), ...args);

  it('is set up and installed with one command', () => {
    const { status, said } = setUp(archiveOf(folder, { version: '1.0.0' }));
    expect([status, current()], said).toEqual([0, '1.0.0']);
    expect(asked().at(-1)).toBe('systemctl enable --now chargepoint-requests.path');
  });

  it('is removed as a package is, and leaves nothing but state and configuration', () => {
    setUp(archiveOf(folder, { version: '1.0.0' }));
    put('var/lib/chargepoint/store/x', 'facts');
    coil(0);
    const { status, said } = as(join(root, 'usr/lib/chargepoint/remove'));
    expect([status, opened()], said).toEqual([0, true]);
    expect(said).toContain('kept:');
    expect(files(root)).toEqual([]);
    expect(['opt/chargepoint', 'var/lib/chargepoint-boot', 'run/chargepoint'].filter(there)).toEqual([]);
    expect([there('etc/chargepoint/chargepoint.yaml'), there('var/lib/chargepoint/store/x')]).toEqual([true, true]);
  });

  it('is purged on request, and refuses what it does not know', () => {
    setUp(archiveOf(folder, { version: '1.0.0' }));
    expect(as(join(root, 'usr/lib/chargepoint/remove'), '--all')).toMatchObject({ status: 64 });
    expect(current()).toBe('1.0.0');
    expect(as(join(root, 'usr/lib/chargepoint/remove'), '--purge')).toMatchObject({ status: 0 });
    expect(['etc/chargepoint', 'var/lib/chargepoint', 'opt/chargepoint'].filter(there)).toEqual([]);
  });

  it('stays where the service still runs, or a contactor cannot be read back as open', () => {
    setUp(archiveOf(folder, { version: '1.0.0' }));
    coil(1);
    expect(as(join(root, 'usr/lib/chargepoint/remove'))).toMatchObject({ status: 1 });
    coil(0);
    put('tools/systemctl', '#!/bin/sh\nexit 0\n', 0o755);
    const { status, said } = as(join(root, 'usr/lib/chargepoint/remove'));
    expect([status, said]).toEqual([1, expect.stringContaining('still runs')]);
    expect([current(), opened()]).toEqual(['1.0.0', false]);
  });
});
