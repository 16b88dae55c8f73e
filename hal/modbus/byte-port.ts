/** Bytes in and out of one serial adapter: what the Modbus bus needs from the operating system. */
import type { SerialSettings } from './register-map.ts';

/** Called by an open port; `closed` at most once and never after `close()`. */
export interface BytePortEvents {
  received(bytes: Uint8Array): void;
  /** The adapter vanished or failed. */
  closed(cause: unknown): void;
}

/** An open port. A port that has closed is never opened again: a new one takes its place. */
export interface BytePort {
  write(bytes: Uint8Array): void;
  /** Throws away what the operating system holds in both directions. Never rejects. */
  flush(): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** Rejects with the operating system's error (ENOENT, EACCES, EBUSY, EIO). */
export type OpenBytePort = (events: BytePortEvents) => Promise<BytePort>;

/** Where the bus is plugged in. */
export interface SerialBus extends SerialSettings {
  /** Best one of /dev/serial/by-id, which stays when adapters are plugged in another order. */
  readonly path: string;
}
