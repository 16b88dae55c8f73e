/** A PN532 on a serial line: woken, configured, and asked for cards again and again; begun anew when it falls silent. */
import type { Timebase } from '../contract.ts';
import type { BytePort, OpenBytePort } from '../modbus/byte-port.ts';
import { ACK, commandFrame, type Frame, takeFrames, uidOf, WAKE_UP } from './frame.ts';
import { type Life, type LifeOptions, live, reasonOf } from './life.ts';
import { isRandom } from './normalise.ts';
import { type Presence, presence } from './presence.ts';

export interface Pn532Options extends LifeOptions {
  readonly openPort: OpenBytePort;
  /** Called once for a card that comes. */
  onCard(uid: Uint8Array): void;
}

/** Normal mode, no time-out, P70_IRQ (UM0701-02, section 7.2.10). */
const SAM_CONFIGURATION = { command: 0x14, parameters: [0x01, 0x00, 0x01] } as const;
/** Looks for a card twice and then says that there is none; else it would never answer (section 7.3.1, item 5). */
const FEW_RETRIES = { command: 0x32, parameters: [0x05, 0xff, 0x01, 0x02] } as const;
/** One card, 106 kbit/s, ISO 14443 type A (section 7.3.5). */
const LIST_CARDS = { command: 0x4a, parameters: [0x01, 0x00] } as const;

type Command = typeof SAM_CONFIGURATION | typeof FEW_RETRIES | typeof LIST_CARDS;

const OPEN_WITHIN_MS = 3000;
/** The chip acknowledges within 15 ms; the rest is for USB adapters. */
const ACK_WITHIN_MS = 100;
const ANSWER_WITHIN_MS = 1000;
const ATTEMPTS = 2;
const LOOK_EVERY_MS = 150;
/** So many looks may fail before the chip is woken and configured again: it may have lost its supply for a moment. */
const MOST_FAILURES = 3;
/** More than any frame: what is older is noise. */
const MOST_BYTES = 300;

/** Never throws; what is wrong is told by `onSilent`. */
export function startPn532(options: Pn532Options): { close(): Promise<void> } {
  const cards = presence();
  return live((life) => session(life, options, cards), options);
}

async function session(life: Life, { clock, openPort, onCard }: Pn532Options, cards: Presence): Promise<void> {
  const line = new ChipLine(clock);
  const port = await opened(life, openPort, line);
  // What is under way then is not waited for.
  const forget = life.onOver(() => line.lose('closed'));
  try {
    line.connect(port);
    port.write(WAKE_UP);
    for (const command of [SAM_CONFIGURATION, FEW_RETRIES]) {
      if ((await line.ask(command)) === undefined) throw new Error(line.lost ?? 'no answer to the first commands');
    }
    for (let failures = 0; !life.over; await life.pause(LOOK_EVERY_MS)) {
      const answer = await line.ask(LIST_CARDS);
      if (life.over) return;
      if (answer === undefined) {
        failures += 1;
        cards.blind();
        if (line.lost !== undefined || failures >= MOST_FAILURES) throw new Error(line.lost ?? 'no answer');
        continue;
      }
      failures = 0;
      life.heard();
      const uid = uidOf(answer);
      if (cards.look(uid === undefined ? undefined : nameOf(uid), clock.now()) && uid !== undefined) onCard(uid);
    }
  } finally {
    forget();
    await port.close();
  }
}

/** A card that makes up its number would be a new one at each look. */
const nameOf = (uid: Uint8Array): string => (isRandom(uid) ? 'random' : uid.join());

async function opened(life: Life, openPort: OpenBytePort, line: ChipLine): Promise<BytePort> {
  const opening = openPort({
    received: (bytes) => line.received(bytes),
    closed: (cause) => line.lose(cause),
  });
  const port = await Promise.race([opening, life.pause(OPEN_WITHIN_MS)]);
  if (port !== undefined) return port;
  opening.then((late) => late.close()).catch(() => undefined);
  throw new Error(`the port does not open within ${OPEN_WITHIN_MS / 1000} s`);
}

/** The line to the chip during one session: one command at a time. */
class ChipLine {
  /** Why there is no port any more. */
  lost: string | undefined;
  readonly #clock: Timebase;
  #port: BytePort | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #frames: Frame[] = [];
  #wake: () => void = () => {};

  constructor(clock: Timebase) {
    this.#clock = clock;
  }

  connect(port: BytePort): void {
    this.#port = port;
  }

  received(bytes: Uint8Array): void {
    const { frames, rest } = takeFrames(Buffer.concat([this.#bytes, bytes]).subarray(-MOST_BYTES));
    this.#bytes = rest;
    this.#frames.push(...frames);
    this.#wake();
  }

  lose(cause: unknown): void {
    this.lost = reasonOf(cause ?? 'the port has closed');
    this.#wake();
  }

  /** Undefined without a valid answer; then the chip has been told to give up. A lost ACK does not matter if the answer comes. */
  async ask({ command, parameters }: Command): Promise<Uint8Array | undefined> {
    const isAnswer = (frame: Frame) => frame.type === 'response' && frame.code === command + 1;
    const isFinal = (frame: Frame) => isAnswer(frame) || frame.type === 'syntaxError' || frame.type === 'nack';
    for (let attempt = 0; attempt < ATTEMPTS && this.lost === undefined; attempt += 1) {
      this.#bytes = new Uint8Array(0);
      this.#frames = [];
      this.#port?.write(commandFrame(command, parameters));
      const sign = await this.#next((frame) => isFinal(frame) || frame.type === 'ack', ACK_WITHIN_MS);
      if (sign === undefined) continue;
      const answer = isFinal(sign) ? sign : await this.#next(isFinal, ANSWER_WITHIN_MS);
      if (answer?.type === 'response') return answer.data;
    }
    if (this.lost === undefined) this.#port?.write(ACK);
    return undefined;
  }

  async #next(isSought: (frame: Frame) => boolean, withinMs: number): Promise<Frame | undefined> {
    const limit = this.#clock.now() + withinMs;
    for (;;) {
      const found = this.#frames.find(isSought);
      const leftMs = limit - this.#clock.now();
      if (found !== undefined || leftMs <= 0 || this.lost !== undefined) return found;
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(leftMs, () => this.#wake());
        this.#wake = () => {
          this.#wake = () => {};
          cancel();
          resolve();
        };
      });
    }
  }
}
