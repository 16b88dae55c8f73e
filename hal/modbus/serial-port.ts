/** A byte port on `serialport`, loaded only when a bus is really opened. */
import type { BytePort, BytePortEvents, OpenBytePort, SerialBus } from './byte-port.ts';

/** Opens `path` with an exclusive lock, 8 data bits and no flow control. */
export const serialPort =
  ({ path, baudRate, parity, stopBits }: SerialBus): OpenBytePort =>
  async (events) => {
    const { SerialPort } = await import('serialport');
    const port = new SerialPort({ path, baudRate, parity, stopBits, dataBits: 8, lock: true, autoOpen: false });
    await new Promise<void>((resolve, reject) => {
      port.open((error) => (error === null ? resolve() : reject(error)));
    });
    return follow(port, events);
  };

type Port = InstanceType<typeof import('serialport').SerialPort>;

function follow(port: Port, events: BytePortEvents): BytePort {
  let gone = false;
  const lost = (cause: unknown): void => {
    if (gone) return;
    gone = true;
    // An adapter that fails without closing would keep the path locked for its successor.
    if (port.isOpen) port.close(() => undefined);
    events.closed(cause);
  };
  port.on('data', (bytes: Buffer) => {
    if (!gone) events.received(bytes);
  });
  port.on('error', lost);
  port.on('close', lost);
  port.on('end', () => lost(new Error('end of file')));
  return {
    write: (bytes) => {
      port.write(bytes);
    },
    flush: () => new Promise((resolve) => port.flush(() => resolve())),
    close: () => {
      gone = true;
      return new Promise((resolve) => port.close(() => resolve()));
    },
  };
}
