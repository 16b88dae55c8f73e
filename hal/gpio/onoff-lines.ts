/** Lines through the `onoff` package: GPIO by sysfs, for kernels that still have it. The only importer of onoff. */
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { BinaryValue, Gpio } from 'onoff';
import type { Timebase } from '../contract.ts';
import { HalError, type HalErrorCode } from '../hal-error.ts';
import { chipOf, lineOf } from './chips.ts';
import type { InputOptions, LineBackend, RawInput, RawOutput } from './line.ts';
import { ready, systemCode } from './ready-files.ts';

interface Chip {
  readonly label: string;
  readonly base: number;
  readonly lines: number;
}

export interface OnoffOptions {
  /** One of these labels is there. */
  readonly labels: readonly string[];
  /** Only for finding chips; onoff itself knows no other path than /sys/class/gpio. */
  readonly sysfsRoot: string;
  readonly clock: Timebase;
}

const ONE = '1'.charCodeAt(0);

const text = (path: string): string => readFileSync(path, 'utf8').trim();

/** The chips that sysfs shows. Rejects nothing: a folder that vanishes meanwhile is not there. */
export function chipsOf(sysfsRoot: string): readonly Chip[] {
  const folder = join(sysfsRoot, 'class/gpio');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^gpiochip\d+$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({
      label: text(join(path, 'label')),
      base: Number(text(join(path, 'base'))),
      lines: Number(text(join(path, 'ngpio'))),
    }));
}

/** The number that sysfs gives to a line: base of the chip with this label plus offset. Throws HalError noSuchLine. */
export function globalNumber(chips: readonly Chip[], labels: readonly string[], line: number): number {
  const chip = chipOf(chips, labels);
  return chip.base + lineOf(chip, line);
}

const FAILURES: { readonly [code in string]?: readonly [HalErrorCode, string] } = {
  EBUSY: [
    'lineBusy',
    'is held by another driver or program. See /sys/kernel/debug/gpio and config.txt for who has it.',
  ],
  EACCES: ['noPermission', 'may not be opened. Add the user to the group gpio and check the udev rules.'],
  EPERM: ['noPermission', 'may not be opened. Add the user to the group gpio and check the udev rules.'],
  EINVAL: ['noSuchLine', 'is refused by the kernel. Correct the line number in the board file.'],
  ENOENT: ['driverMissing', 'cannot be reached: this kernel has no GPIO in sysfs (CONFIG_GPIO_SYSFS).'],
  EROFS: ['noPermission', 'cannot be opened: /sys is read-only here. Run outside the container or mount it writable.'],
};

/** Of an error of the system, or of ours. */
export function explained(error: unknown, name: string): HalError {
  if (error instanceof HalError) return error;
  const [code, what] = FAILURES[systemCode(error) ?? ''] ?? ['lineBusy' as const, 'cannot be opened.'];
  return new HalError(code, `GPIO line ${name} ${what}`, { cause: error });
}

/** Rejects with HalError driverMissing. */
export async function loadOnoff(load = () => import('onoff')): Promise<typeof Gpio> {
  try {
    return (await load()).Gpio;
  } catch (error) {
    throw new HalError(
      'driverMissing',
      'the optional package onoff is not usable here: it compiles on installation. Install build-essential and python3, then run npm install onoff.',
      { cause: error },
    );
  }
}

const EXPORT = '/sys/class/gpio/export';

/** Exports by ourselves and waits with a timer: onoff would do the same in a loop that blocks the process. */
async function exported(number: number, files: readonly string[], clock: Timebase): Promise<void> {
  const folder = `/sys/class/gpio/gpio${number}`;
  if (existsSync(folder)) return ready(within(folder, files), clock);
  await ready([EXPORT], clock, constants.W_OK);
  writeFileSync(EXPORT, String(number));
  try {
    await ready(within(folder, files), clock);
  } catch (error) {
    writeFileSync('/sys/class/gpio/unexport', String(number));
    throw error;
  }
}

const within = (folder: string, files: readonly string[]) => files.map((file) => join(folder, file));

/** An emergency stop whose pull-up nobody sets would float. */
function refuseWhatSysfsCannot(line: number, { pull, debounceMs = 0 }: InputOptions): void {
  const what = pull !== undefined ? `pull: ${pull}` : debounceMs > 0 ? `debounceMs: ${debounceMs}` : undefined;
  if (what === undefined) return;
  throw new HalError(
    'badBoard',
    `GPIO line ${line} wants ${what}, which sysfs cannot do. Set gpio.backend: character-device, or take it out of the board file (a pull resistor can be set in config.txt: gpio=${line}=pu).`,
  );
}

/** Reading a descriptor that is polled takes its pending edge away (kernfs), so that onoff would never tell it: we read another one. */
function ownReader(number: number): { read(): BinaryValue; close(): void } {
  const fd = openSync(`/sys/class/gpio/gpio${number}/value`, 'r');
  const digit = Buffer.alloc(1);
  return {
    read() {
      readSync(fd, digit, 0, 1, 0);
      return digit[0] === ONE ? 1 : 0;
    },
    close: () => closeSync(fd),
  };
}

/** Opens the lines of one chip. Rejects with HalError driverMissing or noSuchLine before any line is touched. */
export async function onoffLines({ labels, sysfsRoot, clock }: OnoffOptions): Promise<LineBackend> {
  const GpioLine = await loadOnoff();
  const chips = chipsOf(sysfsRoot);
  if (chips.length === 0) {
    throw new HalError('driverMissing', `no GPIO chip in ${sysfsRoot}/class/gpio: this kernel has no GPIO in sysfs.`);
  }

  const open = async (
    line: number,
    files: readonly string[],
    make: (number: number) => Gpio,
    check: (gpio: Gpio) => boolean,
  ): Promise<Gpio> => {
    const number = globalNumber(chips, labels, line);
    const name = `${chipOf(chips, labels).label}:${line}`;
    try {
      await exported(number, files, clock);
      const gpio = make(number);
      // onoff says nothing if a line that was exported before could not be set up.
      if (check(gpio)) return gpio;
      gpio.unexport();
      throw new HalError('noPermission', `GPIO line ${name} did not take its direction or edge. Check the udev rules.`);
    } catch (error) {
      throw explained(error, name);
    }
  };

  return {
    async openOutput(line, initial): Promise<RawOutput> {
      // The words high and low set level and direction in one write; active_low off keeps them and `value` the same thing.
      const direction = initial === 1 ? 'high' : 'low';
      const gpio = await open(
        line,
        ['value', 'direction', 'active_low'],
        (number) => new GpioLine(number, direction, 'none', { activeLow: false }),
        (made) => made.direction() === 'out' && made.readSync() === initial,
      );
      return { write: (level: BinaryValue) => gpio.writeSync(level), close: () => gpio.unexport() };
    },
    async openInput(line, wanted): Promise<RawInput> {
      refuseWhatSysfsCannot(line, wanted);
      const gpio = await open(
        line,
        ['value', 'direction', 'active_low', 'edge'],
        (number) => new GpioLine(number, 'in', 'both', { activeLow: false }),
        (made) => made.direction() === 'in' && made.edge() === 'both',
      );
      const pin = ownReader(globalNumber(chips, labels, line));
      return {
        read: pin.read,
        onEdge(listener) {
          gpio.watch((error, level) => {
            if (error) throw error;
            listener(level);
          });
        },
        close() {
          pin.close();
          gpio.unexport();
        },
      };
    },
  };
}
