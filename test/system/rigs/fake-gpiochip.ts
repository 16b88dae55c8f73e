/** The fake machine with a GPIO character device and an MCP3008 on spidev beside its sysfs: see fake-gpiochip.c. Needs root and Linux 5.14. */
import type { SpawnOptions } from 'node:child_process';
import { join } from 'node:path';
import { compiled, FakeSysfs } from './fake-sysfs.ts';

const HERE = import.meta.dirname;

/** Lines are those of the chip; the GPIO in sysfs is there and has lines of its own. */
export class FakeGpiochip extends FakeSysfs {
  readonly #chip = compiled('fake-gpiochip');

  override spawn(command: string, args: readonly string[], options: SpawnOptions = {}) {
    return super.spawn(join(HERE, 'in-fake-gpiochip.sh'), [this.#chip, this.folder, command, ...args], options);
  }

  override get controlFile(): string {
    return join(this.folder, 'chip-control');
  }
}
