/** Waits for a device in Node's own event loop: no thread, and no queue behind files that are being written. */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Libc } from './libc.ts';

export interface Watched {
  /** By this number the device is known from now on; -1 once it is closed or lost, since the number may mean another file then. */
  readonly fd: number;
  /** Safe to call twice. */
  close(): void;
}

export interface Watcher {
  /** What was read: whole records of the device. */
  onRecords(records: Buffer): void;
  /** The device is gone; nothing more will come. */
  onLost(error?: Error): void;
}

/**
 * Takes the descriptor over, also if it throws. Node's loop polls nothing but sockets and pipes, and looks at what a number is only once,
 * so we show it a pipe and then let the number mean the device.
 */
export function watch(libc: Libc, device: number, watcher: Watcher): Watched {
  try {
    libc.neverBlock(device);
    const [fd, writeEnd] = libc.pipe();
    closeSync(writeEnd);
    const pipe = new Socket({ fd, readable: true, writable: false });
    // In the same turn: the loop has not looked at it yet, and never sees the pipe.
    libc.duplicate(device, fd);
    let open = true;
    const lost = (error?: Error) => {
      if (!open) return;
      open = false;
      watcher.onLost(error);
    };
    pipe.on('data', (records) => watcher.onRecords(records));
    pipe.on('error', lost);
    pipe.on('end', () => lost());
    return {
      get fd() {
        return open ? fd : -1;
      },
      close() {
        open = false;
        pipe.destroy();
      },
    };
  } finally {
    closeSync(device);
  }
}
