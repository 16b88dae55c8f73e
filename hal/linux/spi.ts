/** A device on SPI that is asked the same thing many times in one message of the kernel. */
import { closeSync, constants, openSync } from 'node:fs';
import type { Libc } from './libc.ts';
import { encodeTransfers, SPI_WRITE_MODE, spiMessage, type Transfer } from './spi-uapi.ts';

export interface BurstRequest {
  /** Sent each time; as many bytes come back. */
  readonly command: Uint8Array;
  /** 1..511. */
  readonly times: number;
  readonly speedHz: number;
}

export interface SpiBurst {
  /** All answers, one behind the other; the same memory each time. Has been read when it returns; throws the kernel's error. */
  run(): Buffer;
  /** Safe to call twice. */
  close(): void;
}

/** Mode 0, the chip deselected between two questions. Throws the kernel's error. */
export function openBurst(libc: Libc, device: string, { command, times, speedHz }: BurstRequest): SpiBurst {
  const fd = openSync(device, constants.O_RDWR);
  try {
    libc.ioctl(fd, SPI_WRITE_MODE, Buffer.of(0));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  // Larger than what V8 keeps, and moves, on its own heap.
  const transmit = Buffer.alloc(256);
  transmit.set(command);
  const { length } = command;
  const receive = Buffer.alloc(Math.max(256, times * length));
  const [from, to] = [libc.addressOf(transmit), libc.addressOf(receive)];
  const transfers = Array.from(
    { length: times },
    (_, index): Transfer => ({
      transmit: from,
      receive: to + BigInt(index * length),
      length,
      speedHz,
      deselect: index < times - 1,
    }),
  );
  const message = encodeTransfers(transfers);
  // `transmit` is named here so that it lives as long as the addresses in the message are used.
  const memory = { transmit, receive };
  let open = true;
  return {
    run() {
      libc.ioctl(fd, spiMessage(times), message);
      return memory.receive.subarray(0, times * length);
    },
    close() {
      if (!open) return;
      open = false;
      closeSync(fd);
    },
  };
}
