/**
 * `modbus-serial` on our own port. The library builds requests and parses answers; this port, an extension point of the library
 * (any object with open, close, write and 'data'), hands it nothing but the one valid answer to the request under way. The
 * library's own RTU ports accept any frame of the right length, which after a time-out is another register's value.
 */
import { EventEmitter } from 'node:events';
import type { BytePort } from './byte-port.ts';
import { type Expected, expectedAnswer, findAnswer } from './frame.ts';

/** More than any frame: older bytes are noise. */
const MAX_RECEIVED = 512;

/** Functions 1 (coils), 3 (holding registers) and 4 (input registers). */
export type ReadCode = 1 | 3 | 4;

/** One request to one unit. */
export type Request =
  | {
      readonly type: 'read';
      readonly function: ReadCode;
      readonly unit: number;
      readonly address: number;
      readonly count: number;
    }
  | {
      readonly type: 'write';
      /** Function 5, 6 or 16. Of a coil and of a register there is one value. */
      readonly as: 'coil' | 'register' | 'block';
      readonly unit: number;
      readonly address: number;
      readonly values: readonly number[];
    };

/** What came back: registers (none for a write), or the exception of Modbus Application Protocol V1.1b3 section 7. */
export type Answer =
  | { readonly type: 'registers'; readonly registers: readonly number[] }
  | { readonly type: 'exception'; readonly code: number; readonly text: string };

export interface RtuClient {
  /** Sends; `answered` is called at most once, with the valid answer. There is no time-out here: `abandon` is the caller's. */
  send(request: Request, answered: (answer: Answer) => void): void;
  /** From now on whatever arrives is nobody's. */
  abandon(): void;
  received(bytes: Uint8Array): void;
}

export async function rtuClient(port: BytePort): Promise<RtuClient> {
  const { default: library } = await import('modbus-serial');
  const frames = new FramePort(port);
  const client = new library.default(frames);
  await new Promise<void>((resolve) => client.open(() => resolve()));
  return {
    send: (request, answered) => {
      const next = (error: unknown, result?: object): void => {
        answered(error ? exceptionIn(error) : { type: 'registers', registers: registersIn(request, result) });
      };
      const { unit, address } = request;
      if (request.type === 'write') {
        const [value = 0] = request.values;
        if (request.as === 'coil') client.writeFC5(unit, address, value !== 0, next);
        else if (request.as === 'register') client.writeFC6(unit, address, value, next);
        else client.writeFC16(unit, address, [...request.values], next);
      } else if (request.function === 1) client.writeFC1(unit, address, request.count, next);
      else if (request.function === 3) client.writeFC3(unit, address, request.count, next);
      else client.writeFC4(unit, address, request.count, next);
    },
    abandon: () => frames.abandon(),
    received: (bytes) => frames.received(bytes),
  };
}

/** Coils come as many as fill a byte. */
const registersIn = (
  request: Request,
  { data = [] }: { readonly data?: readonly (number | boolean)[] } = {},
): readonly number[] => (request.type === 'write' ? [] : data.slice(0, request.count).map(Number));

/** The library throws away the code's type: an exception is an Error with `modbusCode`. */
function exceptionIn(error: unknown): Answer {
  const { modbusCode, message } = error as { readonly modbusCode?: number; readonly message?: string };
  return { type: 'exception', code: modbusCode ?? 0, text: message ?? String(error) };
}

class FramePort extends EventEmitter {
  readonly isOpen = true;
  readonly #port: BytePort;
  #expected: Expected | undefined;
  #received: Uint8Array = new Uint8Array(0);

  constructor(port: BytePort) {
    super();
    this.#port = port;
  }

  /** Part of the library's port; the bytes below are open already. */
  open(done: (error: null) => void): void {
    done(null);
  }

  /** Part of the library's port. */
  close(done: (error: null) => void): void {
    done(null);
  }

  /** Part of the library's port: sends one request. */
  write(request: Uint8Array): void {
    this.#expected = expectedAnswer(request);
    this.#received = new Uint8Array(0);
    this.#port.write(request);
  }

  abandon(): void {
    this.#expected = undefined;
  }

  received(bytes: Uint8Array): void {
    if (this.#expected === undefined) return;
    this.#received = Buffer.concat([this.#received, bytes]).subarray(-MAX_RECEIVED);
    const answer = findAnswer(this.#received, this.#expected);
    if (answer === undefined) return;
    this.#expected = undefined;
    this.emit('data', Buffer.from(answer));
  }
}
