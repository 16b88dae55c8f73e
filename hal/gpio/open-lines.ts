/** Which back end reaches the lines of a board: the character device where the kernel has one, sysfs by `onoff` where it has not. */
import { readdirSync } from 'node:fs';
import { chipLabels, type GpioDescription } from '../board-description.ts';
import type { DriverLog, Timebase } from '../contract.ts';
import type { LineBackend } from './line.ts';

export interface LinesOptions {
  readonly gpio: GpioDescription;
  readonly sysfsRoot: string;
  readonly clock: Timebase;
  readonly log: DriverLog;
  /** Default `/dev`. */
  readonly devRoot?: string;
}

const GPIO_CHIP = /^gpiochip\d+$/;

/** The names of the character devices; where the folder cannot be read there are none. */
export function chipDevices(devRoot: string): readonly string[] {
  try {
    return readdirSync(devRoot).filter((name) => GPIO_CHIP.test(name));
  } catch {
    return [];
  }
}

/** `auto` looks for the devices and not whether they may be opened: a missing permission is to be seen, not to be dodged. */
export function chosenBackend(
  { backend = 'auto' }: GpioDescription,
  devices: readonly string[],
): 'character-device' | 'sysfs' {
  if (backend === 'auto') return devices.length > 0 ? 'character-device' : 'sysfs';
  return backend === 'character-device' ? backend : 'sysfs';
}

/** Rejects with a HalError: driverMissing, noPermission, noSuchLine. No line is touched yet. */
export async function openLines({ gpio, sysfsRoot, clock, log, devRoot = '/dev' }: LinesOptions): Promise<LineBackend> {
  const labels = chipLabels(gpio);
  const devices = chipDevices(devRoot);
  const backend = chosenBackend(gpio, devices);
  log.info('GPIO lines are opened', { backend });
  if (backend === 'sysfs') {
    return (await import('./onoff-lines.ts')).onoffLines({ labels, sysfsRoot, clock });
  }
  const { loadLibc } = await import('../linux/libc.ts');
  const { gpiochipLines } = await import('./gpiochip-lines.ts');
  return gpiochipLines(await loadLibc(), { labels, devRoot, devices, sysfsRoot, clock, log });
}
