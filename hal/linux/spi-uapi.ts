/** The structures of `linux/spi/spidev.h` as bytes. Little endian, as every Raspberry Pi is. */

/** Where the members stand; `size` is that of the whole structure. */
export const SPI_TRANSFER = {
  size: 32,
  transmit: 0,
  receive: 8,
  length: 16,
  speedHz: 20,
  delayUs: 24,
  bitsPerWord: 26,
  deselect: 27,
} as const;

/** Requests of ioctl; a system test compares them with the header. */
export const SPI_WRITE_MODE = 0x40016b01;
/** The size of the argument is part of the number and has 14 bits. */
export const MOST_TRANSFERS = 511;
export const spiMessage = (transfers: number): number =>
  ((1 << 30) | ((transfers * SPI_TRANSFER.size) << 16) | (0x6b << 8)) >>> 0;

export interface Transfer {
  /** Addresses in our memory. */
  readonly transmit: bigint;
  readonly receive: bigint;
  /** In bytes, both ways. */
  readonly length: number;
  readonly speedHz: number;
  /** The chip is deselected before the next transfer. After the last one of a message it would mean: stay selected. */
  readonly deselect: boolean;
}

export function encodeTransfers(transfers: readonly Transfer[]): Buffer {
  const bytes = Buffer.alloc(transfers.length * SPI_TRANSFER.size);
  for (const [index, { transmit, receive, length, speedHz, deselect }] of transfers.entries()) {
    const at = index * SPI_TRANSFER.size;
    bytes.writeBigUInt64LE(transmit, at + SPI_TRANSFER.transmit);
    bytes.writeBigUInt64LE(receive, at + SPI_TRANSFER.receive);
    bytes.writeUInt32LE(length, at + SPI_TRANSFER.length);
    bytes.writeUInt32LE(speedHz, at + SPI_TRANSFER.speedHz);
    bytes.writeUInt8(8, at + SPI_TRANSFER.bitsPerWord);
    bytes.writeUInt8(deselect ? 1 : 0, at + SPI_TRANSFER.deselect);
  }
  return bytes;
}
