/** Builds and drives the fake /sys/class/{gpio,pwm} and /sys/bus/iio: see fuse-sysfs.c. Needs root, /dev/fuse, libfuse3-dev and a C compiler. */
import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HERE = import.meta.dirname;

/** Number in sysfs of a line of the fake chip. */
export const numberOf = (line: number): number => 512 + line;

/** Compiles a rig into the temporary folder, once per version of its source. Returns the path of the program. */
export function compiled(name: string, flags: readonly string[] = []): string {
  const source = join(HERE, `${name}.c`);
  const program = join(tmpdir(), `${name}-${Math.trunc(statSync(source).mtimeMs)}`);
  if (existsSync(program)) return program;
  const partial = `${program}.${process.pid}`;
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', partial, source, ...flags, '-pthread']);
  execFileSync('mv', [partial, program]);
  return program;
}

const buildFakeSysfs = (): string =>
  compiled(
    'fuse-sysfs',
    execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/),
  );

/** One thing that happened: a write to a file of sysfs, a new reading of its converter, `pull LINE`, or `adc CHANNEL`. */
export interface Happened {
  /** Monotonic. */
  readonly ns: bigint;
  readonly what: string;
  readonly value: string;
}

/** One fake machine. `pull`, `wire` and the others take offsets on the chip. */
export class FakeSysfs {
  readonly folder = mkdtempSync(join(tmpdir(), 'fake-sysfs-'));
  readonly #program = buildFakeSysfs();

  /** Starts a command that sees the fake; its pid is the command's own. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}) {
    return spawn(join(HERE, 'in-fake-sysfs.sh'), [this.#program, this.folder, command, ...args], options);
  }

  /** A FIFO that moves the lines. */
  get controlFile(): string {
    return join(this.folder, 'control');
  }

  /** Not before the command runs: nobody reads the control file earlier. */
  control(...commands: readonly string[]): void {
    appendFileSync(this.controlFile, `${commands.join('\n')}\n`);
  }

  pull(line: number, level: 0 | 1): void {
    this.control(`pull ${line} ${level}`);
  }

  get log(): readonly Happened[] {
    const lines = readFileSync(join(this.folder, 'log'), 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [, ns = '0', what = '', value = ''] = /^(\d+) ((?:pull|adc|dead|spi) \d+|\S+) (\S*)/.exec(line) ?? [];
      return { ns: BigInt(ns), what, value };
    });
  }

  /** After the command has ended. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
