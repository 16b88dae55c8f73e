/** The installers that run a program: a real one, which writes down its arguments and fails on request. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstallerConfig } from '../../src/config.ts';
import { firmwareFile } from '../../src/platform/firmware-files.ts';
import { installerFor } from '../../src/platform/installers.ts';
import type { Log } from '../../src/ports.ts';

let folder: string;
let logged: string[];
let log: Log;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'installers-'));
  logged = [];
  const keep = (message: string): void => void logged.push(message);
  log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const noted = (name: string): readonly string[] =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trimEnd().split('\n') : [];

/** Writes down each argument on a line, then does this. */
function program(name: string, then: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@" >>'${join(folder, `${name}.args`)}'\n${then}\n`);
  chmodSync(path, 0o755);
  return path;
}

const IMAGE = '/var/lib/chargepoint/firmware/image';

function installer(config: Partial<InstallerConfig> & Pick<InstallerConfig, 'command'>, commandLine?: string) {
  return installerFor(
    { kind: 'command', reboot: true, timeoutS: 20, ...config },
    { installation: '/opt/chargepoint/1.0', log, ...(commandLine === undefined ? {} : { commandLine }) },
  );
}

describe('installer: command', () => {
  it('runs the executable with its arguments and the image, and logs what it says', async () => {
    const path = program('install', 'echo unpacking; echo "half way" >&2; exit 0');
    const result = await installer({ command: [path, '--slot', 'b b'] }).install({ file: IMAGE });
    expect(result).toEqual({ ok: true, reboot: true });
    expect(noted('install.args')).toEqual(['--slot', 'b b', IMAGE]);
    await expect.poll(() => logged).toEqual(expect.arrayContaining([`${path}: unpacking`, `${path}: half way`]));
  });

  it('needs no restart where the configuration says so', async () => {
    const path = program('install', 'exit 0');
    expect(await installer({ command: [path], reboot: false }).install({ file: IMAGE })).toEqual({
      ok: true,
      reboot: false,
    });
  });

  it('has failed with any other status; 65 says that the image is no good', async () => {
    const fails = program('fails', 'exit 3');
    expect(await installer({ command: [fails] }).install({ file: IMAGE })).toEqual({
      ok: false,
      reason: `${fails} ended with status 3`,
    });
    const refuses = program('refuses', 'exit 65');
    expect(await installer({ command: [refuses] }).install({ file: IMAGE })).toMatchObject({
      ok: false,
      refused: true,
    });
  });

  it('has failed if it is killed, cannot be run, or is not there', async () => {
    const killed = program('killed', 'kill -9 $$');
    expect(await installer({ command: [killed] }).install({ file: IMAGE })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('SIGKILL'),
    });
    writeFileSync(join(folder, 'plain'), '#!/bin/sh\n', { mode: 0o644 });
    for (const [name, code] of [
      ['plain', 'EACCES'],
      ['none', 'ENOENT'],
    ])
      expect(await installer({ command: [join(folder, `${name}`)] }).install({ file: IMAGE })).toMatchObject({
        ok: false,
        reason: expect.stringContaining(`${code}`),
      });
  });

  it('is ended with all that it has started when it takes too long', async () => {
    const path = program('slow', `(sleep 3; touch '${join(folder, 'late')}') & wait`);
    const begun = performance.now();
    const result = await installer({ command: [path], timeoutS: 1 }).install({ file: IMAGE });
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('longer than 1000 ms') });
    expect(performance.now() - begun).toBeLessThan(2800);
    await new Promise((resolve) => setTimeout(resolve, 3200 - (performance.now() - begun)));
    expect(existsSync(join(folder, 'late'))).toBe(false);
  });

  it('does not wait for what it leaves behind', async () => {
    const path = program('leaves', 'sleep 5 & exit 0');
    const begun = performance.now();
    expect(await installer({ command: [path] }).install({ file: IMAGE })).toMatchObject({ ok: true });
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('fills no log', async () => {
    const path = program('chatty', 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done');
    expect(await installer({ command: [path] }).install({ file: IMAGE })).toMatchObject({ ok: true });
    await expect.poll(() => logged).toContain(`${path} says more than is logged`);
    expect(logged.filter((line) => line.includes(': line ')).length).toBe(200);
  });

  it('cannot tell what runs', async () => {
    expect(await installer({ command: ['true'] }).running()).toBeUndefined();
  });
});

describe('installer: rauc', () => {
  const rauc = (path: string, commandLine?: string) =>
    installer({ kind: 'rauc', command: [path, 'install'], restart: [program('reboot', ''), 'now'] }, commandLine);

  it('runs rauc install FILE and restarts the machine', async () => {
    const driver = rauc(program('rauc', 'exit 0'));
    expect(await driver.install({ file: IMAGE })).toEqual({ ok: true, reboot: true });
    expect(noted('rauc.args')).toEqual(['install', IMAGE]);
    expect(noted('reboot.args')).toEqual([]);
    await driver.restart();
    expect(noted('reboot.args')).toEqual(['now']);
  });

  it('fails when rauc does', async () => {
    const path = program('rauc', 'echo "Failed to verify signature" >&2; exit 1');
    expect(await rauc(path).install({ file: IMAGE })).toEqual({ ok: false, reason: `${path} ended with status 1` });
    await expect.poll(() => logged).toContain(`${path}: Failed to verify signature`);
  });

  it('tells what runs by the slot that was booted', async () => {
    const commandLine = join(folder, 'cmdline');
    writeFileSync(commandLine, 'console=tty1 root=/dev/mmcblk0p3 rauc.slot=B quiet\n');
    expect(await rauc('rauc', commandLine).running()).toBe('B');
    writeFileSync(commandLine, 'console=tty1 quiet\n');
    expect(await rauc('rauc', commandLine).running()).toBeUndefined();
    expect(await rauc('rauc', join(folder, 'none')).running()).toBeUndefined();
  });
});

describe('installer: release', () => {
  it('hands the archive to the helper, and tells what runs by its folder', async () => {
    const driver = installer({ kind: 'release', command: [program('install-release', 'exit 0')] });
    expect(await driver.install({ file: IMAGE })).toEqual({ ok: true, reboot: true });
    expect(noted('install-release.args')).toEqual([IMAGE]);
    expect(await driver.running()).toBe('/opt/chargepoint/1.0');
    await driver.restart();
  });

  it('asks the helper, below the root that is given, what has become of an installation that was cut off', async () => {
    const config = { kind: 'release', command: ['/lib/helper'], reboot: true, timeoutS: 20 } as const;
    mkdirSync(join(folder, 'lib'));
    const driver = installerFor(config, { installation: '/opt/chargepoint/1.0', log, root: folder });
    program('lib/helper', 'exit 0');
    expect(await driver.resume?.()).toEqual({ ok: true, reboot: true });
    program('lib/helper', 'exit 1');
    expect(await driver.resume?.()).toMatchObject({ ok: false });
    expect(noted('lib/helper.args')).toEqual(['--wait', '--wait']);
  });

  it('is on trial until root has nothing pending any more', async () => {
    const config = { kind: 'release', command: ['true'], reboot: true, timeoutS: 1 } as const;
    const driver = installerFor(config, { installation: '/opt/chargepoint/1.0', log, root: folder });
    expect(await driver.onTrial()).toBe(false);
    mkdirSync(join(folder, 'var/lib/chargepoint-boot'), { recursive: true });
    writeFileSync(join(folder, 'var/lib/chargepoint-boot/pending'), '2.0 1.0 1\n');
    expect(await driver.onTrial()).toBe(true);
    rmSync(join(folder, 'var/lib/chargepoint-boot/pending'));
    expect(await driver.onTrial()).toBe(false);
  });
});

describe('an installation that was cut off', () => {
  it.each(['command', 'rauc'] as const)('has failed with installer: %s, which nobody else goes on with', (kind) => {
    expect(installer({ kind, command: ['true'] })).not.toHaveProperty('resume');
  });
});

describe('no installer', () => {
  it('is there without a configuration', async () => {
    const none = installerFor(undefined, { installation: '/', log });
    expect(none.available).toBe(false);
    expect(await none.install({ file: IMAGE })).toMatchObject({ ok: false });
  });
});

describe('the file of an image', () => {
  it('is in a directory that is made for it, for its owner only', async () => {
    const file = firmwareFile(join(folder, 'state', 'firmware'));
    expect(await file.exists()).toBe(false);
    await file.remove('all');
    const place = await file.place();
    expect(statSync(join(folder, 'state', 'firmware')).mode & 0o777).toBe(0o700);
    const content = Buffer.alloc(200_000, 'x');
    writeFileSync(place, content);
    writeFileSync(`${place}.part`, 'half');
    expect(await file.exists()).toBe(true);
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.read()) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
    expect(await file.digest()).toBe(createHash('sha256').update(content).digest('hex'));
    await file.remove('image');
    expect([await file.exists(), existsSync(`${place}.part`)]).toEqual([false, true]);
    await file.remove('all');
    expect(existsSync(`${place}.part`)).toBe(false);
  });

  it('says with a StoreError what the machine does not allow', async () => {
    writeFileSync(join(folder, 'file'), '');
    const file = firmwareFile(join(folder, 'file', 'below'));
    await expect(file.place()).rejects.toMatchObject({ name: 'StoreError' });
    await expect(file.digest()).rejects.toMatchObject({ name: 'StoreError' });
    await expect(file.read()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: 'StoreError' });
  });
});
