/** The few calls of the C library for which Node has no word. The one importer of koffi; loaded when a board wants it. */
import { HalError } from '../hal-error.ts';

export interface Libc {
  /** The kernel reads and writes `argument` in place. */
  ioctl(fd: number, request: number, argument: Buffer): void;
  /** For a structure that points to other memory; whoever asks keeps `memory` as long as the kernel may use it. */
  addressOf(memory: Buffer): bigint;
  /** Both ends are closed when a program is executed. */
  pipe(): readonly [readEnd: number, writeEnd: number];
  /** The number `onto` means from now on what `fd` means. */
  duplicate(fd: number, onto: number): void;
  /** Reading gives EAGAIN where it would have to wait. */
  neverBlock(fd: number): void;
}

const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_GETFL = 3;
const F_SETFL = 4;

async function loadKoffi() {
  try {
    const koffi = (await import('koffi')).default;
    return { koffi, library: koffi.load('libc.so.6') };
  } catch (error) {
    throw new HalError(
      'driverMissing',
      'the package koffi cannot be used here: its binary is for glibc on ARMv7, arm64 and x64. Run npm install without --omit=optional, or set gpio.backend: sysfs in the board file.',
      { cause: error },
    );
  }
}

/** Every call throws an error that has the kernel's name of it as its code (EBUSY). Rejects with HalError driverMissing. */
export async function loadLibc(): Promise<Libc> {
  const { koffi, library } = await loadKoffi();
  // Variadic in C; on the machines that koffi is built for the third argument travels as a fixed one does.
  const ioctl = library.func('int ioctl(int fd, unsigned long request, void *argument)');
  const fcntl = library.func('int fcntl(int fd, int command, int argument)');
  const pipe2 = library.func('int pipe2(void *fds, int flags)');
  const dup3 = library.func('int dup3(int from, int onto, int flags)');

  const done = (call: string, result: number): number => {
    if (result !== -1) return result;
    const errno = koffi.errno();
    const code = Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
    throw Object.assign(new Error(`${call}: ${code}`), { code, syscall: call });
  };
  return {
    ioctl(fd, request, argument) {
      done('ioctl', ioctl(fd, request, argument));
    },
    addressOf: (memory) => koffi.address(memory),
    pipe() {
      const fds = new Int32Array(2);
      done('pipe2', pipe2(fds, O_CLOEXEC));
      return [fds[0] ?? -1, fds[1] ?? -1];
    },
    duplicate(fd, onto) {
      done('dup3', dup3(fd, onto, O_CLOEXEC));
    },
    neverBlock(fd) {
      const flags = done('fcntl', fcntl(fd, F_GETFL, 0));
      done('fcntl', fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    },
  };
}
