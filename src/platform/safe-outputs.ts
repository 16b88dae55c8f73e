/**
 * The outputs of a board at their safe level, as a file that a shell can apply without Node: one output a line, contactors first.
 * `gpio CHIP-LABEL[,CHIP-LABEL]... LINE LEVEL ACTIVE-LOW` (one of the labels is there; LEVEL is that of the pin) and
 * `pwm DEVICE CHANNEL DUTY-PERCENT`.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  type BoardDescription,
  chipLabels,
  isOwnPilot,
  type LineDescription,
  type PwmDescription,
} from '../../hal/board-description.ts';
import type { ConfigFiles } from '../config.ts';
import { replaceFile } from './files.ts';

export const RUN_DIRECTORY = '/run/chargepoint';

/** In the run directory of the service, which is empty after a reboot just as the pins are; else beside the state directory. */
export const safeOutputsPath = (stateDir: string, files: Pick<ConfigFiles, 'writableDirectory'>): string =>
  join(files.writableDirectory(RUN_DIRECTORY) ? RUN_DIRECTORY : dirname(stateDir), 'safe-outputs');

/** Coils off, the dead man still, pilots at x1, lock motors and the test buttons of RCDs off; last of all the lamps, which would say what is no longer so. */
export function safeOutputs({ gpio, connectors, deadMan, indicators = [] }: BoardDescription): string {
  const off = (lines: readonly (LineDescription | undefined)[]) =>
    lines.flatMap((line) =>
      gpio === undefined || line === undefined ? [] : [gpioLine(chipLabels(gpio).join(','), line)],
    );
  const own = connectors.flatMap(({ evse }) => (isOwnPilot(evse) ? [evse] : []));
  return [
    ...off([...own.map(({ contactor }) => contactor.coil), deadMan]),
    ...own.map(({ pwm }) => pwmLine(pwm)),
    ...off(connectors.flatMap(({ lock, rcd }) => [lock?.lock, lock?.unlock, rcd?.test])),
    ...off(indicators.flatMap(({ lines }) => [lines.red, lines.green, lines.blue, lines.buzzer])),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

const gpioLine = (chip: string, { line, activeLow = false }: LineDescription): string =>
  `gpio ${chip} ${line} ${activeLow ? 1 : 0} ${activeLow ? 1 : 0}`;

/** x1 is steady +12 V; behind an inverting stage the pin is low then. */
const pwmLine = ({ device, channel, inverted = false }: PwmDescription): string =>
  `pwm ${device} ${channel} ${inverted ? 0 : 100}`;

/** Throws the system's error. */
export const writeSafeOutputs = (path: string, board: BoardDescription): void => replaceFile(path, safeOutputs(board));

/**
 * Drives every output that the text names and reads it back. Never throws: whatever one output does, the next one is tried.
 * Returns what went wrong, one sentence each.
 */
export function applySafeOutputs(text: string, sysfs = '/sys'): readonly string[] {
  const failures: string[] = [];
  for (const line of text.split('\n').filter((entry) => entry.trim() !== '')) {
    try {
      apply(line.trim().split(/\s+/), sysfs);
    } catch (cause) {
      failures.push(`${line}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  return failures;
}

/**
 * Says of failures before a board is opened what they are: whatever drives it then (the character device needs no sysfs) brings each output to
 * its safe level first, or says why it cannot.
 */
export function sayNotYetSafe(failures: readonly string[], say: (text: string) => void): void {
  if (failures.length === 0) return;
  const list = failures.map((each) => `  ${each}\n`).join('');
  say(`not made safe through sysfs, so left to the opening of the board:\n${list}`);
}

/** Applies a file; one that is not there has nothing to say. */
export function applySafeOutputsFile(path: string, sysfs = '/sys'): readonly string[] {
  return existsSync(path) ? applySafeOutputs(readFileSync(path, 'utf8'), sysfs) : [];
}

function apply([kind, ...fields]: readonly string[], sysfs: string): void {
  const [name = '', number = '', level = ''] = fields;
  if (!/^\d+$/.test(number) || !/^\d+$/.test(level)) throw new Error('this line makes no sense');
  if (kind === 'gpio') applyGpio(join(sysfs, 'class/gpio'), name, Number(number), level === '1');
  else if (kind === 'pwm') applyPwm(join(sysfs, 'class/pwm'), name, number, Number(level));
  else throw new Error('this line makes no sense');
}

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8').trim();

/** Never a guess: another chip may drive the fan, or somebody else's relay. */
function only(found: readonly string[], what: string): string {
  const [one, second] = found;
  if (one === undefined || second !== undefined)
    throw new Error(`there is ${one === undefined ? 'no' : 'more than one'} ${what}`);
  return one;
}

function applyGpio(folder: string, labels: string, line: number, high: boolean): void {
  const chips = readdirSync(folder).filter((entry) => /^gpiochip\d+$/.test(entry));
  const chip = only(
    chips.filter((entry) => labels.split(',').includes(read(folder, entry, 'label'))),
    `GPIO chip labelled ${labels}`,
  );
  const number = Number(read(folder, chip, 'base')) + line;
  const pin = join(folder, `gpio${number}`);
  const exported = existsSync(pin);
  if (!exported) writeFileSync(join(folder, 'export'), String(number));
  try {
    drivePin(pin, high);
  } finally {
    // A line that sysfs holds is busy for the character device.
    if (!exported) writeFileSync(join(folder, 'unexport'), String(number));
  }
}

function drivePin(pin: string, high: boolean): void {
  // Direction and level in one write, of the pin itself whatever `active_low` says: no glitch in between.
  writeFileSync(join(pin, 'direction'), high ? 'high' : 'low');
  const inverted = existsSync(join(pin, 'active_low')) && read(pin, 'active_low') === '1';
  const wanted = high !== inverted ? '1' : '0';
  const value = read(pin, 'value');
  if (value !== wanted) throw new Error(`reads back ${value}, expected ${wanted}`);
}

function applyPwm(folder: string, device: string, channel: string, percent: number): void {
  const pattern = new RegExp(`^${device.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  const chips = readdirSync(folder).filter((entry) => /^pwmchip\d+$/.test(entry));
  const fitting = chips.filter((entry) => pattern.test(basename(readlinkSync(join(folder, entry, 'device')))));
  const chip = only(fitting, `PWM chip ${device}`);
  const path = join(folder, chip, `pwm${channel}`);
  // A channel that nobody has exported since the boot has never been driven.
  if (!existsSync(path)) return;
  const period = Number(read(path, 'period'));
  const duty = String(Math.round((period * percent) / 100));
  writeFileSync(join(path, 'duty_cycle'), duty);
  if (read(path, 'duty_cycle') !== duty) throw new Error(`reads back ${read(path, 'duty_cycle')}, expected ${duty}`);
}
