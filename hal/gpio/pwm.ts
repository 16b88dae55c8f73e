/** The 1 kHz of the control pilot from a hardware PWM channel in sysfs. */
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { PwmDescription } from '../board-description.ts';
import type { Timebase } from '../contract.ts';
import { HalError, type HalErrorCode } from '../hal-error.ts';
import { ready, systemCode } from './ready-files.ts';

/** 1 kHz, IEC 61851-1 table A.2. */
export const PERIOD_NS = 1_000_000;

export interface Pwm {
  /** Duty cycle in percent, 0..100: the share of the period in which the pilot is high. Has been written when it returns. */
  duty(percent: number): void;
  /** Leaves the channel running at 100 % (x1): a disabled channel would be low, which is F on most circuits. */
  close(): void;
}

export interface PwmOptions {
  readonly sysfsRoot: string;
  readonly clock: Timebase;
}

const fits = (pattern: string, name: string): boolean => {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(name);
};

/** The folder of the one PWM chip whose device fits the pattern. Throws HalError noSuchPwm that lists what there is. */
export function pwmChip(sysfsRoot: string, device: string): string {
  const folder = join(sysfsRoot, 'class/pwm');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^pwmchip\d+$/.test(name)) : [];
  const chips = names.map((name) => ({
    path: join(folder, name),
    device: basename(readlinkSync(join(folder, name, 'device'))),
  }));
  const [chip, second] = chips.filter((candidate) => fits(device, candidate.device));
  if (chip !== undefined && second === undefined) return chip.path;
  const found = chips.length === 0 ? 'none' : chips.map((candidate) => candidate.device).join(', ');
  throw new HalError(
    'noSuchPwm',
    `${chip === undefined ? 'no' : 'more than one'} PWM chip fits ${device}; found: ${found}. Check dtoverlay=pwm in config.txt and pwm.device in the board file.`,
  );
}

const number = (path: string): number => Number(readFileSync(path, 'utf8'));

/** In nanoseconds; an inverting stage wants the pin low while the pilot is high. */
export function pulseOf(percent: number, inverted: boolean): number {
  const high = Math.round((percent * PERIOD_NS) / 100);
  return inverted ? PERIOD_NS - high : high;
}

const DENIED = ['noPermission', 'cannot be started. Add the user to the group gpio and check the udev rules.'] as const;

/** What the kernel says when a channel is exported or set, and what to do about it. */
const FAILURES: { readonly [code in string]?: readonly [HalErrorCode, string] } = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: ['noPermission', 'cannot be started: /sys is read-only here. Run outside the container or mount it writable.'],
  EBUSY: [
    'pwmBusy',
    'is held already. Analogue audio (dtparam=audio=off in config.txt), the overlay of a fan, a backlight or an infrared sender, or another program may have it: see /sys/kernel/debug/pwm, take that out of config.txt and reboot, or end the program.',
  ],
};

/** Of an error of the system. */
export function notStarted(error: unknown, { device, channel }: PwmDescription): HalError {
  const [code, what] = FAILURES[systemCode(error) ?? ''] ?? [
    'noSuchPwm' as const,
    `cannot be started: ${String(error)}. Check pwm.channel in the board file.`,
  ];
  return new HalError(code, `PWM channel ${channel} of ${device} ${what}`, { cause: error });
}

/**
 * Starts the channel at 100 % (x1). Rejects with HalError noSuchPwm, pwmBusy or noPermission. An already running channel, left by a process
 * that died, goes to x1 without a gap.
 */
export async function openPwm(description: PwmDescription, { sysfsRoot, clock }: PwmOptions): Promise<Pwm> {
  const chip = pwmChip(sysfsRoot, description.device);
  const channel = join(chip, `pwm${description.channel}`);
  const file = (name: string) => join(channel, name);
  const inverted = description.inverted ?? false;
  const x1 = String(pulseOf(100, inverted));
  try {
    if (!existsSync(channel)) {
      const exporting = join(chip, 'export');
      await ready([exporting], clock, constants.W_OK);
      writeFileSync(exporting, String(description.channel));
    }
    await ready(['period', 'duty_cycle', 'enable'].map(file), clock);
    // The kernel refuses a period shorter than the pulse, and a pulse longer than the period.
    if (number(file('duty_cycle')) > PERIOD_NS) writeFileSync(file('duty_cycle'), '0');
    if (number(file('period')) !== PERIOD_NS) writeFileSync(file('period'), String(PERIOD_NS));
    writeFileSync(file('duty_cycle'), x1);
    writeFileSync(file('enable'), '1');
  } catch (error) {
    throw notStarted(error, description);
  }
  const fd = openSync(file('duty_cycle'), 'w');
  let open = true;
  return {
    duty(percent) {
      writeSync(fd, String(pulseOf(percent, inverted)), 0);
    },
    close() {
      if (!open) return;
      open = false;
      try {
        writeSync(fd, x1, 0);
      } finally {
        closeSync(fd);
      }
    },
  };
}
