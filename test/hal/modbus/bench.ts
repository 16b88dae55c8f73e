/** Virtual time and a scripted slave at the far end of a byte port. */
// Loaded beforehand, so that the drivers' lazy import does not outlast a turn of virtual time.
import 'modbus-serial';
import type { Cancel, Surroundings, Timebase } from '../../../hal/contract.ts';
import type { BytePort, BytePortEvents, OpenBytePort, SerialBus } from '../../../hal/modbus/byte-port.ts';
import { crc16 } from '../../../hal/modbus/frame.ts';

/** Lets everything that is ready run, dynamic imports included. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export class VirtualTime implements Timebase {
  #now = 0;
  #timers: { at: number; action: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, delayMs), action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settle();
    }
    this.#now = end;
  }

  /** Advances until `work` is settled; fails after an hour of virtual time. */
  async until<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const limit = this.#now + 3_600_000;
    const done = (): void => {
      settled = true;
    };
    work.then(done, done);
    await settle();
    while (!settled) {
      const next = this.#due(Number.POSITIVE_INFINITY);
      if (next === undefined || next.at > limit) throw new Error('this will never be settled');
      await this.advance(next.at - this.#now);
    }
    return work;
  }

  #due(end: number): { at: number; action: () => void } | undefined {
    const due = this.#timers.filter(({ at }) => at <= end);
    return due.reduce<(typeof due)[number] | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    );
  }
}

export const surroundings = (clock: Timebase): Surroundings => ({
  clock,
  log: { info: () => undefined, warn: () => undefined },
});

export const SERIAL: SerialBus = { path: '/dev/rs485', baudRate: 9600, parity: 'none', stopBits: 1 };

export const framed = (...bytes: number[]): Uint8Array => {
  const crc = crc16(Uint8Array.from(bytes));
  return Uint8Array.from([...bytes, crc & 0xff, crc >> 8]);
};

/** What a well-behaved slave answers to a read: every register holds its own address, XORed with the unit. */
export const registerAt = (unit: number, address: number): number => (address ^ (unit << 12)) & 0xffff;

export function politeAnswer(request: Uint8Array, register = registerAt): Uint8Array {
  const view = Buffer.from(request);
  const [unit = 0, code = 0] = request;
  const address = view.readUInt16BE(2);
  if (code === 16) return framed(...request.subarray(0, 6));
  if (code === 5 || code === 6) return request;
  if (code === 1) return framed(unit, code, 1, 0b101);
  const words = Array.from({ length: view.readUInt16BE(4) }, (_, index) => register(unit, address + index));
  return framed(unit, code, 2 * words.length, ...words.flatMap((word) => [word >> 8, word & 0xff]));
}

export interface Answered {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

/** A pluggable adapter with slaves behind it; `script` decides what they answer to each request. */
export class FakeLine {
  plugged = true;
  opened = 0;
  readonly requests: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly #time: VirtualTime;
  #events: BytePortEvents | undefined;
  #busyUntil = 0;
  script: (request: Uint8Array, index: number) => readonly Answered[];

  constructor(
    time: VirtualTime,
    script: FakeLine['script'] = (request) => [{ afterMs: 20, bytes: politeAnswer(request) }],
  ) {
    this.#time = time;
    this.script = script;
  }

  readonly open: OpenBytePort = async (events) => {
    if (!this.plugged) throw new Error('ENOENT');
    this.opened += 1;
    this.#events = events;
    const port: BytePort = {
      write: (bytes) => this.#written(Uint8Array.from(bytes)),
      flush: async () => undefined,
      close: async () => {
        this.#events = undefined;
      },
    };
    return port;
  };

  unplug(): void {
    this.plugged = false;
    const events = this.#events;
    this.#events = undefined;
    events?.closed(new Error('EIO'));
  }

  say(bytes: Uint8Array): void {
    this.#events?.received(bytes);
  }

  #written(request: Uint8Array): void {
    this.requests.push({ at: this.#time.now(), bytes: request });
    // A slave answers in the order in which it is asked.
    const start = Math.max(this.#time.now(), this.#busyUntil);
    for (const { afterMs, bytes } of this.script(request, this.requests.length - 1)) {
      this.#busyUntil = Math.max(this.#busyUntil, start + afterMs);
      this.#time.after(start + afterMs - this.#time.now(), () => this.say(bytes));
    }
  }
}
