/** Lines through the character device of the kernel, one request for each; the default. */
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DriverLog, Timebase } from '../contract.ts';
import { HalError, type HalErrorCode } from '../hal-error.ts';
import {
  CHIP_INFO,
  type ChipInfo,
  chipInfo,
  consumerOf,
  GPIO_GET_CHIPINFO,
  GPIO_V2_GET_LINE,
  GPIO_V2_GET_LINEINFO,
  GPIO_V2_GET_VALUES,
  GPIO_V2_SET_VALUES,
  inputRequest,
  levelIn,
  lineDescriptor,
  lineInfoRequest,
  lineValues,
  outputRequest,
  sequenceNumbers,
} from '../linux/gpio-uapi.ts';
import type { Libc } from '../linux/libc.ts';
import { watch } from '../linux/watch.ts';
import { chipOf, lineOf } from './chips.ts';
import type { Level, LineBackend, RawInput, RawOutput } from './line.ts';
import { chipsOf, globalNumber } from './onoff-lines.ts';
import { patiently, systemCode } from './ready-files.ts';

export interface GpiochipOptions {
  /** One of these labels is there. */
  readonly labels: readonly string[];
  readonly devRoot: string;
  /** The names of the character devices in `devRoot`. */
  readonly devices: readonly string[];
  /** Only for a line that somebody has left exported there. */
  readonly sysfsRoot: string;
  readonly clock: Timebase;
  readonly log: DriverLog;
}

interface Chip extends ChipInfo {
  readonly path: string;
}

/** What `gpioinfo` shows beside our lines. */
const CONSUMER = 'chargepoint';
const CLOSED = -1;
/** What the kernel calls the holder of a line that was exported in sysfs; such a line is held by no process. */
const LEFT_IN_SYSFS = 'sysfs';

const GROUP = 'Add the user to the group gpio (log in again after it) and check the udev rules.';

const FAILURES: { readonly [code in string]?: readonly [HalErrorCode, string] } = {
  EACCES: ['noPermission', `may not be used. ${GROUP}`],
  EPERM: ['noPermission', `may not be used. ${GROUP}`],
  EINVAL: ['noSuchLine', 'is refused by the kernel. Correct the line number in the board file.'],
  ENODEV: ['noSuchLine', 'is gone: its chip was removed. Plug it in again, or correct gpio.chip in the board file.'],
  ENOTTY: [
    'driverMissing',
    'cannot be reached: this kernel is older than Linux 5.10. Set gpio.backend: sysfs in the board file.',
  ],
};

function explained(error: unknown, name: string): HalError {
  if (error instanceof HalError) return error;
  const [code, what] = FAILURES[systemCode(error) ?? ''] ?? ['lineBusy' as const, 'cannot be opened.'];
  return new HalError(code, `GPIO line ${name} ${what}`, { cause: error });
}

function withDevice<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, constants.O_RDWR);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** The chips by their own name: a link to one, as Raspberry Pi OS makes them, is no second chip. */
function findChips(libc: Libc, { devRoot, devices, labels }: GpiochipOptions): readonly Chip[] {
  const chips = new Map<string, Chip>();
  let denied: unknown;
  for (const path of devices.map((name) => join(devRoot, name))) {
    const bytes = Buffer.alloc(CHIP_INFO.size);
    try {
      withDevice(path, (fd) => libc.ioctl(fd, GPIO_GET_CHIPINFO, bytes));
    } catch (error) {
      if (systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM') denied ??= error;
      continue;
    }
    const info = chipInfo(bytes);
    chips.set(info.name, { ...info, path });
  }
  const found = [...chips.values()];
  if (denied !== undefined && !found.some(({ label }) => labels.includes(label))) {
    throw new HalError('noPermission', `the GPIO chips in ${devRoot} may not be opened. ${GROUP}`, { cause: denied });
  }
  return found;
}

/** Undefined also where the kernel does not say. */
function holderOf(libc: Libc, chip: Chip, line: number): string | undefined {
  const info = lineInfoRequest(line);
  try {
    withDevice(chip.path, (fd) => libc.ioctl(fd, GPIO_V2_GET_LINEINFO, info));
    return consumerOf(info);
  } catch {
    return undefined;
  }
}

const busy = (name: string, holder: string | undefined, cause: unknown): HalError =>
  new HalError(
    'lineBusy',
    holder === undefined || holder === ''
      ? `GPIO line ${name} is held by another driver or program. See gpioinfo and config.txt for who has it.`
      : `GPIO line ${name} is held by ${holder}. End that program, take the overlay that wants the line out of config.txt, or choose another line.`,
    { cause },
  );

/** Resolves without touching a line. Rejects with HalError noSuchLine or noPermission. */
export async function gpiochipLines(libc: Libc, options: GpiochipOptions): Promise<LineBackend> {
  const { labels, clock, log, sysfsRoot } = options;
  const denied = (error: unknown): boolean => error instanceof HalError && error.code === 'noPermission';
  const chip = chipOf(await patiently(() => findChips(libc, options), denied, clock), labels);
  const nameOf = (line: number) => `${chip.label}:${line}`;

  const granted = (request: Buffer): number => {
    withDevice(chip.path, (fd) => libc.ioctl(fd, GPIO_V2_GET_LINE, request));
    return lineDescriptor(request);
  };
  /** An agent that used sysfs and died has left its lines exported; nobody holds them. */
  const takeFromSysfs = (line: number): void => {
    log.warn('a GPIO line was left exported in sysfs and is taken from there', { line });
    const number = globalNumber(chipsOf(sysfsRoot), [chip.label], line);
    writeFileSync(join(sysfsRoot, 'class/gpio/unexport'), String(number));
  };
  const request = (line: number, encoded: (line: number) => Buffer): number => {
    const bytes = encoded(lineOf(chip, line));
    try {
      return granted(bytes);
    } catch (error) {
      if (systemCode(error) !== 'EBUSY') throw explained(error, nameOf(line));
      const holder = holderOf(libc, chip, line);
      if (holder !== LEFT_IN_SYSFS) throw busy(nameOf(line), holder, error);
    }
    try {
      takeFromSysfs(line);
      return granted(bytes);
    } catch (error) {
      throw busy(nameOf(line), LEFT_IN_SYSFS, error);
    }
  };

  /** The kernel turns levels of a line that is active low; ours are those of the pin. */
  const turned = (level: Level, activeLow: boolean): Level => (activeLow ? (level === 1 ? 0 : 1) : level);
  const readLevel = (fd: number, activeLow: boolean): Level => {
    const values = lineValues();
    libc.ioctl(fd, GPIO_V2_GET_VALUES, values);
    return turned(levelIn(values), activeLow);
  };

  return {
    async openOutput(line, initial, { activeLow = false }): Promise<RawOutput> {
      const first = { initial: turned(initial, activeLow), activeLow };
      // Once closed, its number may come to mean another line.
      let fd = request(line, (at) => outputRequest(at, CONSUMER, first));
      if (readLevel(fd, activeLow) !== initial) {
        closeSync(fd);
        throw new HalError(
          'badBoard',
          `GPIO line ${nameOf(line)} was set to ${initial} and reads ${initial === 1 ? 0 : 1}: something else drives the pin. Check the wiring.`,
        );
      }
      return {
        write: (level) => libc.ioctl(fd, GPIO_V2_SET_VALUES, lineValues(turned(level, activeLow))),
        close() {
          closeSync(fd);
          fd = CLOSED;
        },
      };
    },
    async openInput(line, { activeLow = false, pull, debounceMs = 0 }): Promise<RawInput> {
      const bias = pull === undefined ? {} : { bias: pull };
      const wanted = { activeLow, ...bias, debounceUs: Math.round(debounceMs * 1000) };
      const fd = request(line, (at) => inputRequest(at, CONSUMER, wanted));
      let listener: () => void = () => {};
      let lost: HalError | undefined;
      const count = lossCounter(() =>
        log.warn('a GPIO line changes faster than it can be followed', { line: nameOf(line) }),
      );
      const watched = watch(libc, fd, {
        onRecords(events) {
          count(events);
          listener();
        },
        onLost(cause) {
          lost = explained(Object.assign(new Error('ENODEV', { cause }), { code: 'ENODEV' }), nameOf(line));
          throw lost;
        },
      });
      return {
        read() {
          if (lost !== undefined) throw lost;
          return readLevel(watched.fd, activeLow);
        },
        onEdge(told) {
          listener = told;
        },
        close: watched.close,
      };
    },
  };
}

/** Says once that edges were lost. Nothing else needs them: the level is read after every batch, so that the last one is never missed. */
function lossCounter(onLoss: () => void): (events: Buffer) => void {
  let next = 1;
  let told = false;
  return (events) => {
    for (const number of sequenceNumbers(events)) {
      if (number !== next && !told) {
        told = true;
        onLoss();
      }
      next = (number + 1) >>> 0;
    }
  };
}
