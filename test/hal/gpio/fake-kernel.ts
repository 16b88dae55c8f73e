/** GPIO chips behind the ioctls of the character device, for drivers in the same process; the descriptors are real pipes. */
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Level } from '../../../hal/gpio/line.ts';
import type { Libc } from '../../../hal/linux/libc.ts';

export interface FakeDevice {
  readonly name: string;
  readonly label: string;
  readonly lines: number;
}

interface Taken {
  readonly activeLow: boolean;
  readonly writeEnd: number;
  readonly inode: number;
}

const failure = (code: string) => Object.assign(new Error(code), { code });
/** By this a file is known, whatever number it has. */
const identity = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

/** Levels are those of the pins. One set of lines is enough for all chips. */
export class FakeKernel implements Libc {
  readonly devRoot = mkdtempSync(join(tmpdir(), 'fake-dev-'));
  readonly levels = new Map<number, Level>();
  /** Asking for this line fails with this code. */
  readonly refusals = new Map<number, string>();
  /** Who has a line that is refused with EBUSY. */
  readonly holders = new Map<number, string>();
  /** Every ioctl fails with it. */
  down: string | undefined;
  /** Called once a line is granted, so that a test can short a pin. */
  onGranted: (line: number) => void = () => {};
  readonly #libc: Libc;
  readonly #devices = new Map<string, FakeDevice>();
  readonly #taken = new Map<number, Taken>();
  readonly #lines = new Map<string, number>();

  constructor(libc: Libc, devices: { readonly [file: string]: FakeDevice }) {
    this.#libc = libc;
    for (const [file, device] of Object.entries(devices)) {
      const path = join(this.devRoot, file);
      writeFileSync(path, '');
      this.#devices.set(identity(statSync(path)), device);
    }
  }

  addressOf(memory: Buffer): bigint {
    return this.#libc.addressOf(memory);
  }
  pipe(): readonly [number, number] {
    return this.#libc.pipe();
  }
  duplicate(fd: number, onto: number): void {
    this.#libc.duplicate(fd, onto);
  }
  neverBlock(fd: number): void {
    this.#libc.neverBlock(fd);
  }

  ioctl(fd: number, request: number, bytes: Buffer): void {
    if (fd < 0) throw failure('EBADF');
    if (this.down !== undefined) throw failure(this.down);
    const file = identity(fstatSync(fd));
    const device = this.#devices.get(file);
    const line = this.#lines.get(file);
    if (request === 0x8044b401 && device !== undefined) this.#chipInfo(device, bytes);
    else if (request === 0xc100b405 && device !== undefined) this.#lineInfo(bytes);
    else if (request === 0xc250b407 && device !== undefined) this.#grant(bytes);
    else if (request === 0xc010b40e && line !== undefined) bytes[0] = this.#turned(line, this.levels.get(line) ?? 0);
    else if (request === 0xc010b40f && line !== undefined)
      this.levels.set(line, this.#turned(line, bytes[0] === 1 ? 1 : 0));
    else throw failure('ENOTTY');
  }

  /** Moves a pin; the kernel counts its edges. */
  pull(line: number, level: Level, count: number): void {
    this.levels.set(line, level);
    const event = Buffer.alloc(48);
    event.writeUInt32LE(count, 20);
    writeSync(this.#of(line).writeEnd, event);
  }

  /** Its chip is unplugged. */
  remove(line: number): void {
    closeSync(this.#of(line).writeEnd);
    this.#taken.delete(line);
    this.down = 'ENODEV';
  }

  /** Somebody of this process has it. */
  isOpen(line: number): boolean {
    const own = `pipe:[${this.#of(line).inode}]`;
    const ends = readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === own;
      } catch {
        return false;
      }
    });
    return ends.length > 1;
  }

  end(): void {
    for (const { writeEnd } of this.#taken.values()) closeSync(writeEnd);
    rmSync(this.devRoot, { recursive: true });
  }

  #chipInfo({ name, label, lines }: FakeDevice, bytes: Buffer): void {
    bytes.write(name, 0);
    bytes.write(label, 32);
    bytes.writeUInt32LE(lines, 64);
  }

  #lineInfo(bytes: Buffer): void {
    const holder = this.holders.get(bytes.readUInt32LE(64));
    if (holder === undefined) return;
    bytes.write(holder, 32);
    bytes[72] = 1;
  }

  #grant(bytes: Buffer): void {
    const line = bytes.readUInt32LE(0);
    const refusal = this.refusals.get(line);
    if (refusal !== undefined) throw failure(refusal);
    const [readEnd, writeEnd] = this.#libc.pipe();
    const stats = fstatSync(readEnd);
    const flags = bytes.readUInt32LE(288);
    this.#taken.set(line, { activeLow: (flags & 2) !== 0, writeEnd, inode: stats.ino });
    this.#lines.set(identity(stats), line);
    bytes.writeInt32LE(readEnd, 588);
    if ((flags & 8) !== 0) this.levels.set(line, this.#turned(line, bytes[328] === 1 ? 1 : 0));
    this.onGranted(line);
  }

  #turned = (line: number, level: Level): Level => (this.#of(line).activeLow ? (level === 1 ? 0 : 1) : level);

  #of(line: number): Taken {
    const taken = this.#taken.get(line);
    if (taken === undefined) throw new Error(`nobody has line ${line}`);
    return taken;
  }
}
