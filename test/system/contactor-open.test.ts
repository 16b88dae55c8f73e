/** systemd/contactor-open: both dialects of libgpiod, sysfs, and an exit code that believes only what has been read back. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoardDescription } from '../../hal/board-description.ts';
import { safeOutputs } from '../../src/platform/safe-outputs.ts';

const PROGRAM = resolve(import.meta.dirname, '../../systemd/contactor-open');
const LABEL = 'pinctrl-bcm2711';
const COIL = `gpio ${LABEL} 17 0 0\n`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'contactor-open-'));
  mkdirSync(join(root, 'levels'));
  mkdirSync(join(root, 'run/chargepoint'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), mode);
};
const read = (path: string): string => readFileSync(join(root, path), 'utf8').trim();
const tool = (name: string, body: string): void => put(`tools/${name}`, `#!/bin/sh\n${body}`, 0o755);

/** The tools of libgpiod as far as this goes: they log, keep levels in files, and refuse the other dialect. */
function libgpiod(
  dialect: 1 | 2,
  chips = [`gpiochip0 [${LABEL}] (58 lines)`, 'gpiochip1 [raspberrypi-exp-gpio] (8 lines)'],
) {
  const log = 'echo "$(basename "$0") $*" >>"$CHARGEPOINT_ROOT/calls"\n';
  const version = dialect === 1 ? 'v1.6.3' : 'v2.2.1';
  tool('gpiodetect', chips.map((chip) => `echo '${chip}'\n`).join(''));
  const set = dialect === 1 ? 'chip=$1 line=$2' : '[ "$1 $3 $4" = "-c -t 0" ] || exit 1\nchip=$2 line=$5';
  tool(
    'gpioset',
    `[ "$1" != --version ] || { echo "gpioset (libgpiod) ${version}"; exit; }\n${log}${set}
[ "$chip" = gpiochip0 ] || exit 1
echo "\${line#*=}" >"$CHARGEPOINT_ROOT/levels/\${line%=*}"\n`,
  );
  const get =
    dialect === 1
      ? 'case $1 in --bias=pull-*) ;; *) exit 1 ;; esac\nline=$3'
      : '[ "$1 $2 $3 $4" = "-c gpiochip0 --as-is --numeric" ] || exit 1\nline=$5';
  tool('gpioget', `${log}${get}\ncat "$CHARGEPOINT_ROOT/levels/$line"\n`);
}

/** One chip whose lines are already exported, or come with the first write to `export` if a tool makes them: plain files. */
function sysfs(exported: readonly number[], { label = LABEL, base = 512, activeLow = 0 } = {}): void {
  put(`sys/class/gpio/gpiochip${base}/label`, `${label}\n`);
  put(`sys/class/gpio/gpiochip${base}/base`, `${base}\n`);
  put('sys/class/gpio/export', '');
  put('sys/class/gpio/unexport', '');
  for (const line of exported) {
    put(`sys/class/gpio/gpio${base + line}/direction`, 'out\n');
    put(`sys/class/gpio/gpio${base + line}/active_low`, `${activeLow}\n`);
    // The test says what the pin reads.
    put(`sys/class/gpio/gpio${base + line}/value`, '0\n');
  }
}

function pwm(device = 'fe20c000.pwm', chip = 0): void {
  const at = `sys/class/pwm/pwmchip${chip}`;
  put(`${at}/pwm0/period`, '1000000\n');
  put(`${at}/pwm0/duty_cycle`, '533333\n');
  symlinkSync(`../../../devices/platform/${device}`, join(root, at, 'device'));
}

function run(text?: string, ...args: readonly string[]) {
  if (text !== undefined) put('run/chargepoint/safe-outputs', text);
  const { status, stdout, stderr } = spawnSync('/bin/sh', [PROGRAM, ...args], {
    env: { PATH: `${join(root, 'tools')}:/usr/bin:/bin`, CHARGEPOINT_ROOT: root },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const calls = (): readonly string[] => read('calls').split('\n');

describe('contactor-open', () => {
  it('drives and reads back with libgpiod 2 (trixie), without holding the line', () => {
    libgpiod(2);
    const { status, stdout, stderr } = run(COIL);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`contactor-open: gpio ${LABEL} 17 is at 0 (gpioset v2)\n`);
    expect(calls()).toEqual(['gpioset -c gpiochip0 -t 0 17=0', 'gpioget -c gpiochip0 --as-is --numeric 17']);
  });

  it('drives with libgpiod 1 (bookworm), whose read-back takes the drive away: towards the safe level, and driven again', () => {
    libgpiod(1);
    expect(run(`${COIL}gpio ${LABEL} 22 1 1\n`)).toMatchObject({ status: 0, stderr: '' });
    expect(calls()).toEqual([
      'gpioset gpiochip0 17=0',
      'gpioget --bias=pull-down gpiochip0 17',
      'gpioset gpiochip0 17=0',
      'gpioset gpiochip0 22=1',
      'gpioget --bias=pull-up gpiochip0 22',
      'gpioset gpiochip0 22=1',
    ]);
  });

  it('finds the chip by any of its labels, also one that is listed twice through a link', () => {
    libgpiod(2, ['gpiochip0 [pinctrl-rp1] (54 lines)', 'gpiochip0 [pinctrl-rp1] (54 lines)']);
    expect(run('gpio pinctrl-bcm2835,pinctrl-bcm2711,pinctrl-rp1 17 0 0\n')).toMatchObject({ status: 0 });
    expect(read('levels/17')).toBe('0');
  });

  it.each([1, 2] as const)(
    'fails in dialect %i if the line does not read back, and tries the others all the same',
    (dialect) => {
      libgpiod(dialect);
      tool('gpioget', 'echo 1');
      const { status, stderr } = run(`${COIL}gpio ${LABEL} 20 1 1\n`);
      expect([status, stderr]).toEqual([1, `contactor-open: gpio ${LABEL} 17 is NOT at 0: reads back 1, expected 0\n`]);
      expect(read('levels/20')).toBe('1');
    },
  );

  it('fails if the tool hangs, within seconds', () => {
    libgpiod(2);
    tool('gpioset', '[ "$1" != --version ] || { echo "gpioset (libgpiod) v2.2.1"; exit; }\nexec sleep 60\n');
    const started = performance.now();
    const { status, stderr } = run(COIL);
    expect([status, stderr]).toEqual([1, expect.stringContaining('gpioset cannot drive it')]);
    expect(performance.now() - started).toBeLessThan(9_000);
  });

  it('writes to sysfs what sysfs holds: the character device would find it busy', () => {
    libgpiod(2);
    sysfs([17]);
    expect(run(COIL)).toMatchObject({ status: 0, stdout: `contactor-open: gpio ${LABEL} 17 is at 0 (sysfs)\n` });
    expect(read('sys/class/gpio/gpio529/direction')).toBe('low');
    expect([existsSync(join(root, 'calls')), read('sys/class/gpio/unexport')]).toEqual([false, '']);
  });

  it('knows an inverted line of sysfs by what its pin does', () => {
    sysfs([17], { activeLow: 1 });
    expect(run(COIL)).toMatchObject({
      status: 1,
      stderr: `contactor-open: gpio ${LABEL} 17 is NOT at 0: reads back 0, expected 1\n`,
    });
    put('sys/class/gpio/gpio529/value', '1\n');
    expect(run(COIL)).toMatchObject({ status: 0 });
  });

  it('has sysfs where there is no libgpiod, and says what to install where there is neither', () => {
    sysfs([17]);
    expect(run(COIL)).toMatchObject({ status: 0 });
    rmSync(join(root, 'sys'), { recursive: true });
    expect(run(COIL)).toMatchObject({ status: 1, stderr: expect.stringContaining('apt install gpiod') });
  });

  it('never guesses between two chips, nor takes one of another name', () => {
    libgpiod(2, [`gpiochip0 [${LABEL}] (58 lines)`, `gpiochip1 [${LABEL}] (58 lines)`]);
    expect(run(COIL)).toMatchObject({ status: 1, stderr: expect.stringContaining('more than one GPIO chip') });
    libgpiod(2, ['gpiochip0 [gpio-mockup] (8 lines)']);
    expect(run(COIL)).toMatchObject({ status: 1, stderr: expect.stringContaining('no GPIO chip is labelled') });
    expect(existsSync(join(root, 'calls'))).toBe(false);
  });

  it('puts the pilot at x1 through its PWM channel, found by device', () => {
    pwm();
    pwm('1f00098000.pwm', 1);
    expect(run('pwm fe20c000.* 0 100\n')).toMatchObject({ status: 0 });
    expect(read('sys/class/pwm/pwmchip0/pwm0/duty_cycle')).toBe('1000000');
    expect(read('sys/class/pwm/pwmchip1/pwm0/duty_cycle')).toBe('533333');
    expect(run('pwm *.pwm 0 0\n')).toMatchObject({ status: 1, stderr: expect.stringContaining('more than one PWM') });
    expect(run('pwm fe20c000.pwm 1 0\n')).toMatchObject({ status: 0, stdout: expect.stringContaining('never driven') });
  });

  it('has nothing to do where no output has been driven since the boot', () => {
    expect(run()).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('no output has been driven'),
      stderr: '',
    });
    expect(run('')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['gpio $(touch$IFS/tmp/x) 17 0 0'],
    [`gpio ${LABEL} 17`],
    [`gpio ${LABEL} 017 0 0`],
    [`gpio ${LABEL} 17 2 0`],
    ['gpio * 17 0 0'],
    ['gpio ../x 17 0 0'],
    ['relay x 1 0'],
  ])('fails for %s, and still does the rest', (line) => {
    libgpiod(2);
    const { status, stderr } = run(`${line}\n${COIL.trim()}`);
    expect([status, stderr]).toEqual([1, 'contactor-open: line 1 makes no sense\n']);
    expect(read('levels/17')).toBe('0');
  });

  it('reads nothing but a plain file: the service may put a link there, and root would follow it', () => {
    put('secret', 'root:x:0\n');
    symlinkSync(join(root, 'secret'), join(root, 'run/chargepoint/safe-outputs'));
    expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('is no plain file') });
    expect(run(undefined, join(root, 'run'))).toMatchObject({ status: 1 });
  });

  it('understands what the agent writes', () => {
    libgpiod(2);
    pwm();
    const line = (number: number) => ({ line: number });
    const board: BoardDescription = {
      name: 'test',
      gpio: {},
      connectors: [
        {
          id: 1,
          maxA: 32,
          phases: 3,
          evse: {
            driver: 'comparatorPilot',
            pwm: { device: '*.pwm', channel: 0, inverted: true },
            comparators: { above10V5: line(1), above7V5: line(2), above4V5: line(3), above1V5: line(4) },
            contactor: { coil: { line: 17, activeLow: true }, mirror: line(27), releaseMs: 30 },
          },
          lock: { lock: line(20), unlock: line(21), locked: line(22) },
        },
      ],
      deadMan: line(16),
    };
    expect(run(safeOutputs(board))).toMatchObject({ status: 0, stderr: '' });
    expect([17, 16, 20, 21].map((number) => read(`levels/${number}`))).toEqual(['1', '0', '0', '0']);
    expect(read('sys/class/pwm/pwmchip0/pwm0/duty_cycle')).toBe('0');
  });
});
