/** What on this machine would keep a contactor closed after the agent has died: for `check`, which says what to do about it (docs/release.md). */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { BoardDescription } from '../../hal/board-description.ts';
import { safeOutputs } from './safe-outputs.ts';

/** Pin controllers of the Raspberry Pi kernels that can be told to let go of a line whose process is gone. */
const PIN_CONTROLLERS = ['pinctrl_bcm2835', 'pinctrl_rp1'];
const WATCHDOG_STATE = 'sys/class/watchdog/watchdog0/state';

export interface Surroundings {
  /** Another one in tests only. */
  readonly root?: string;
  /** Where programs are. */
  readonly path?: string;
}

/** One sentence for each weak link, with its remedy. Nothing for what this machine does not show. */
export function exitChainWarnings(
  board: BoardDescription,
  { root = '/', path = '' }: Surroundings = {},
): readonly string[] {
  const drivesLines = /^gpio /m.test(safeOutputs(board));
  return [...(drivesLines ? [...persistence(root), ...tools(root, path)] : []), ...hardwareWatchdog(root)];
}

function persistence(root: string): readonly string[] {
  const kept = PIN_CONTROLLERS.map((name) => [name, `sys/module/${name}/parameters/persist_gpio_outputs`] as const)
    .filter(([, file]) => textOf(root, file) === 'Y')
    .map(([name]) => `${name}.persist_gpio_outputs=Y`);
  if (kept.length === 0) return [];
  return [
    `the kernel keeps lines driven after a process has died (${kept.join(', ')}): add dtparam=strict_gpiod to /boot/firmware/config.txt, give each coil a resistor towards off, and reboot`,
  ];
}

function tools(root: string, path: string): readonly string[] {
  const hasTools = path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, 'gpioset')));
  if (hasTools || existsSync(join(root, 'sys/class/gpio'))) return [];
  return [
    'there is neither gpioset nor GPIO in sysfs, so that nobody could open the contactors after the agent has died: apt install gpiod',
  ];
}

function hardwareWatchdog(root: string): readonly string[] {
  if (textOf(root, WATCHDOG_STATE) !== 'inactive') return [];
  return [
    'the hardware watchdog is off, so that a kernel that hangs keeps its outputs: set RuntimeWatchdogSec=14 under [Manager] in /etc/systemd/system.conf.d/watchdog.conf',
  ];
}

function textOf(...path: string[]): string | undefined {
  try {
    return readFileSync(join(...path), 'utf8').trim();
  } catch {
    return undefined;
  }
}
