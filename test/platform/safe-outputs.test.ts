/** The safe outputs of a board: which there are, and that applying them drives a (temporary) sysfs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoardDescription } from '../../hal/board-description.ts';
import { nodeFiles } from '../../src/platform/files.ts';
import {
  applySafeOutputs,
  applySafeOutputsFile,
  safeOutputs,
  safeOutputsPath,
  sayNotYetSafe,
  writeSafeOutputs,
} from '../../src/platform/safe-outputs.ts';

const line = (number: number, activeLow?: boolean) => ({
  line: number,
  ...(activeLow === undefined ? {} : { activeLow }),
});

const board = (inverted: boolean): BoardDescription => ({
  name: 'test',
  gpio: { backend: 'onoff', chip: 'pinctrl-bcm2711' },
  connectors: [
    {
      id: 1,
      maxA: 32,
      phases: 3,
      evse: {
        driver: 'comparatorPilot',
        pwm: { device: '*.pwm', channel: 0, inverted },
        comparators: { above10V5: line(1), above7V5: line(2), above4V5: line(3), above1V5: line(4) },
        contactor: { coil: line(17, inverted), mirror: line(27), releaseMs: 30 },
      },
      lock: { lock: line(20), unlock: line(21), locked: line(22) },
    },
  ],
});

let sys: string;
const file = (...path: string[]) => join(sys, 'class', ...path);
const read = (...path: string[]) => readFileSync(file(...path), 'utf8');

/** A line as the kernel shows it, but for the value, which is what the test says. */
function pin(number: number, value: string): void {
  mkdirSync(file('gpio', `gpio${number}`), { recursive: true });
  writeFileSync(file('gpio', `gpio${number}`, 'value'), value);
  writeFileSync(file('gpio', `gpio${number}`, 'active_low'), '0\n');
}

function chip(number: number, label: string): void {
  mkdirSync(file('gpio', `gpiochip${number}`), { recursive: true });
  writeFileSync(file('gpio', `gpiochip${number}`, 'label'), `${label}\n`);
  writeFileSync(file('gpio', `gpiochip${number}`, 'base'), `${number}\n`);
}

function pwm(number: number, device: string): void {
  mkdirSync(file('pwm', `pwmchip${number}`, 'pwm0'), { recursive: true });
  symlinkSync(`/devices/${device}`, file('pwm', `pwmchip${number}`, 'device'));
  writeFileSync(file('pwm', `pwmchip${number}`, 'pwm0', 'period'), '1000000\n');
  writeFileSync(file('pwm', `pwmchip${number}`, 'pwm0', 'duty_cycle'), '533333\n');
}

beforeEach(() => {
  sys = mkdtempSync(join(tmpdir(), 'safe-'));
  chip(512, 'pinctrl-bcm2711');
  chip(0, 'raspberrypi-exp-gpio');
  pwm(0, 'fe20c000.pwm');
});
afterEach(() => rmSync(sys, { recursive: true, force: true }));

describe('the safe outputs', () => {
  it('are coils off, pilots at x1 and lock motors off, the contactor first', () => {
    expect(safeOutputs(board(false))).toBe(
      'gpio pinctrl-bcm2711 17 0 0\npwm *.pwm 0 100\ngpio pinctrl-bcm2711 20 0 0\ngpio pinctrl-bcm2711 21 0 0\n',
    );
  });

  it('leave the dead man still, right after the coils', () => {
    const [coil, deadMan] = safeOutputs({ ...board(false), deadMan: { line: 16, activeLow: true } }).split('\n');
    expect([coil, deadMan]).toEqual(['gpio pinctrl-bcm2711 17 0 0', 'gpio pinctrl-bcm2711 16 1 1']);
  });

  it('let the test button of an RCD go', () => {
    const { connectors, ...rest } = board(false);
    const rcd = { tripped: line(30), test: line(31, true) };
    const text = safeOutputs({ ...rest, connectors: connectors.map((connector) => ({ ...connector, rcd })) });
    expect(text.split('\n').filter((entry) => entry.includes(' 3'))).toEqual(['gpio pinctrl-bcm2711 31 1 1']);
  });

  it('leave lamps and buzzers off, after everything that matters', () => {
    const indicators = [{ connector: 1, lines: { buzzer: { line: 12, activeLow: true }, green: { line: 13 } } }];
    const lines = safeOutputs({ ...board(false), indicators })
      .trim()
      .split('\n');
    expect(lines.slice(-3)).toEqual([
      'gpio pinctrl-bcm2711 21 0 0',
      'gpio pinctrl-bcm2711 13 0 0',
      'gpio pinctrl-bcm2711 12 1 1',
    ]);
  });

  it('take an active-low coil and an inverting pilot stage into account', () => {
    expect(safeOutputs(board(true))).toContain('gpio pinctrl-bcm2711 17 1 1\npwm *.pwm 0 0\n');
  });

  it('are driven and read back', () => {
    for (const number of [529, 532, 533]) pin(number, '0\n');
    expect(applySafeOutputs(safeOutputs(board(false)), sys)).toEqual([]);
    expect(read('gpio', 'gpio529', 'direction')).toBe('low');
    expect(read('pwm', 'pwmchip0', 'pwm0', 'duty_cycle')).toBe('1000000');
  });

  it('name every chip of a Raspberry Pi where the board does not say which; the one that is there is driven', () => {
    const anyPi = safeOutputs({ ...board(false), gpio: {} });
    expect(anyPi.split('\n')[0]).toBe('gpio pinctrl-bcm2835,pinctrl-bcm2711,pinctrl-rp1 17 0 0');
    for (const number of [529, 532, 533]) pin(number, '0\n');
    expect(applySafeOutputs(anyPi, sys)).toEqual([]);
    expect(read('gpio', 'gpio529', 'direction')).toBe('low');
  });

  it('are given back: a line that sysfs holds is busy for the character device', () => {
    for (const number of [532, 533]) pin(number, '0\n');
    // Nobody makes its folder here, so that driving it fails.
    writeFileSync(file('gpio', 'export'), '');
    expect(applySafeOutputs(safeOutputs(board(false)), sys)).toHaveLength(1);
    expect([read('gpio', 'export'), read('gpio', 'unexport')]).toEqual(['529', '529']);
  });

  it('that do not follow are reported, and the others driven all the same', () => {
    pin(529, '1\n');
    pin(532, '0\n');
    pin(533, '0\n');
    const failures = applySafeOutputs(safeOutputs(board(false)), sys);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('gpio pinctrl-bcm2711 17 0 0: reads back 1, expected 0');
    expect(read('gpio', 'gpio533', 'direction')).toBe('low');
    expect(read('pwm', 'pwmchip0', 'pwm0', 'duty_cycle')).toBe('1000000');
  });

  it('that sysfs does not let us drive before the board is opened are left to it, and nobody calls them unsafe', () => {
    for (const number of [532, 533]) pin(number, '0\n');
    const said: string[] = [];
    sayNotYetSafe(applySafeOutputs(safeOutputs(board(false)), sys), (text) => said.push(text));
    sayNotYetSafe([], (text) => said.push(text));
    expect(said).toEqual([
      expect.stringMatching(
        /^not made safe through sysfs, so left to the opening of the board:\n {2}gpio pinctrl-bcm2711 17 0 0: ENOENT[^\n]+\n$/,
      ),
    ]);
  });

  it('never touch a chip that is not certainly meant', () => {
    for (const number of [529, 532, 533]) pin(number, '0\n');
    pwm(1, '107d517a80.pwm');
    const failures = applySafeOutputs(safeOutputs(board(false)), sys);
    expect(failures.join()).toContain('more than one PWM chip *.pwm');
    expect(read('pwm', 'pwmchip1', 'pwm0', 'duty_cycle')).toBe('533333\n');
  });

  it('in a damaged file are reported line by line, never thrown', () => {
    const failures = applySafeOutputs('gpio\nhello world 1 2\npwm x y z\n\n../../etc 1 1 1\n', sys);
    expect(failures).toHaveLength(4);
  });

  it('are written as a whole and applied from the file; no file is no failure', () => {
    const path = join(sys, 'run', 'safe-outputs');
    expect(applySafeOutputsFile(path, sys)).toEqual([]);
    writeSafeOutputs(path, board(false));
    expect(readFileSync(path, 'utf8')).toBe(safeOutputs(board(false)));
    expect(applySafeOutputsFile(path, sys).length).toBeGreaterThan(0);
    expect(read('pwm', 'pwmchip0', 'pwm0', 'duty_cycle')).toBe('1000000');
  });

  it('are kept in the run directory of the service, else beside the state directory', () => {
    expect(safeOutputsPath('/var/lib/x/state', { ...nodeFiles, writableDirectory: () => true })).toBe(
      '/run/chargepoint/safe-outputs',
    );
    expect(safeOutputsPath('/var/lib/x/state', { ...nodeFiles, writableDirectory: () => false })).toBe(
      '/var/lib/x/safe-outputs',
    );
  });
});
