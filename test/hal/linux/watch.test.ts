/** Waiting for a descriptor that is neither socket nor pipe, with real ones of the kernel (an event counter stands in for a GPIO line). */
import { closeSync, fstatSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { load } from 'koffi';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Libc, loadLibc } from '../../../hal/linux/libc.ts';
import { type Watched, watch } from '../../../hal/linux/watch.ts';

let libc: Libc;
beforeAll(async () => {
  libc = await loadLibc();
});

const eventfd = (): number => load('libc.so.6').func('int eventfd(unsigned int count, int flags)')(0, 0);
const count = (number: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(number);
  return bytes;
};

const open: Watched[] = [];
afterEach(() => {
  for (const watched of open.splice(0)) watched.close();
});

function watching(device: number) {
  const seen: Buffer[] = [];
  let wake: () => void = () => {};
  let lost: (error?: Error) => void = () => {};
  const gone = new Promise<Error | undefined>((resolve) => {
    lost = resolve;
  });
  const watched = watch(libc, device, {
    onRecords(records) {
      seen.push(Buffer.from(records));
      wake();
    },
    onLost: lost,
  });
  open.push(watched);
  const next = async (): Promise<Buffer> => {
    while (seen.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return seen.shift() as Buffer;
  };
  return { watched, next, gone };
}

describe('a watched device', () => {
  it('tells what can be read, again and again, under its new number', async () => {
    const { watched, next } = watching(eventfd());
    for (const number of [1, 2, 3]) {
      writeSync(watched.fd, count(number));
      expect(await next()).toEqual(count(number));
    }
  });

  it('is taken over: the number that it had is free, and closing gives the other back in the same turn', () => {
    const device = eventfd();
    const { watched } = watching(device);
    expect(() => fstatSync(device)).toThrow('EBADF');
    expect(readlinkSync(`/proc/self/fd/${watched.fd}`)).toContain('[eventfd]');
    const { fd } = watched;
    watched.close();
    watched.close();
    expect(() => fstatSync(fd)).toThrow('EBADF');
    expect(watched.fd).toBe(-1);
  });

  it('never makes the event loop wait, and is not inherited by programs', () => {
    const { watched } = watching(eventfd());
    const flags = Number.parseInt(
      /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${watched.fd}`, 'utf8'))?.[1] ?? '',
      8,
    );
    expect(flags & 0o2004000).toBe(0o2004000);
  });

  it('that is gone says so once', async () => {
    const [readEnd, writeEnd] = libc.pipe();
    const { gone } = watching(readEnd);
    closeSync(writeEnd);
    expect(await gone).toBeUndefined();
  });

  it('is closed when it cannot be watched', () => {
    const device = eventfd();
    const broken: Libc = {
      ...libc,
      pipe() {
        throw new Error('EMFILE');
      },
    };
    expect(() => watch(broken, device, { onRecords() {}, onLost() {} })).toThrow('EMFILE');
    expect(() => fstatSync(device)).toThrow('EBADF');
  });
});

describe('a call of the C library', () => {
  it('that fails says which one, and why in the words of the kernel', () => {
    const file = openSync('/dev/null', 'r+');
    try {
      expect(() => libc.ioctl(file, 0x8044b401, Buffer.alloc(68))).toThrow(
        expect.objectContaining({ code: 'ENOTTY', syscall: 'ioctl' }),
      );
      expect(() => libc.duplicate(-1, file)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'dup3' }));
    } finally {
      closeSync(file);
    }
  });
});
