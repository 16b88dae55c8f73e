/** Frames of the PN532 on its serial line (user manual UM0701-02, section 6.2.1), as pure functions. */

/** What can come from the chip. `syntaxError`: it did not understand the last command. */
export type Frame =
  | { readonly type: 'ack' | 'nack' | 'syntaxError' }
  /** `code` is that of the command plus 1. */
  | { readonly type: 'response'; readonly code: number; readonly data: Uint8Array };

export interface Taken {
  readonly frames: readonly Frame[];
  /** The beginning of a frame of which more may come. */
  readonly rest: Uint8Array;
}

const TO_CHIP = 0xd4;
const FROM_CHIP = 0xd5;
const SYNTAX_ERROR = 0x7f;
/** Start code, length, its checksum; a data checksum ends what a frame has to have. */
const HEAD = 4;

/** From the host it ends the command under way. */
export const ACK: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0x00, 0xff, 0x00);

/** Wakes the chip, which sleeps after its supply has come; the zeros give it the time that it needs (2 ms at 115200 baud). */
export const WAKE_UP: Uint8Array = Uint8Array.of(0x55, 0x55, ...Array<number>(30).fill(0));

const checksum = (bytes: Iterable<number>): number => {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
};

/** At most 253 bytes of parameters. */
export function commandFrame(command: number, parameters: readonly number[] = []): Uint8Array {
  const data = [TO_CHIP, command, ...parameters];
  return Uint8Array.of(0x00, 0x00, 0xff, data.length, checksum([data.length]), ...data, checksum(data), 0x00);
}

/** Finds the frames among whatever else is on the line; what has a wrong checksum is no frame. */
export function takeFrames(bytes: Uint8Array): Taken {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = startCode(bytes, at);
    const found = start === undefined ? undefined : frameAt(bytes, start);
    if (start === undefined) return { frames, rest: bytes.subarray(bytes.at(-1) === 0x00 ? -1 : bytes.length) };
    if (found === 'unfinished') return { frames, rest: bytes.subarray(start) };
    // A start code that was none may hide the beginning of a true one in what follows it.
    at = found === undefined ? start + 1 : found.end;
    if (found?.frame !== undefined) frames.push(found.frame);
  }
  return { frames, rest: new Uint8Array(0) };
}

function startCode(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at + 1 < bytes.length; at += 1) if (bytes[at] === 0x00 && bytes[at + 1] === 0xff) return at;
  return undefined;
}

type Found = 'unfinished' | undefined | { readonly end: number; readonly frame: Frame | undefined };

function frameAt(bytes: Uint8Array, start: number): Found {
  const [length, lengthChecksum] = [bytes[start + 2], bytes[start + 3]];
  if (length === undefined || lengthChecksum === undefined) return 'unfinished';
  if (length === 0x00 && lengthChecksum === 0xff) return { end: start + HEAD, frame: { type: 'ack' } };
  if (length === 0xff && lengthChecksum === 0x00) return { end: start + HEAD, frame: { type: 'nack' } };
  if (length === 0 || checksum([length]) !== lengthChecksum) return undefined;
  const data = bytes.subarray(start + HEAD, start + HEAD + length);
  const dataChecksum = bytes[start + HEAD + length];
  if (dataChecksum === undefined) return 'unfinished';
  if (checksum(data) !== dataChecksum) return undefined;
  return { end: start + HEAD + length + 1, frame: frameOf(data) };
}

function frameOf(data: Uint8Array): Frame | undefined {
  const [from, code] = data;
  if (from === SYNTAX_ERROR && data.length === 1) return { type: 'syntaxError' };
  if (from !== FROM_CHIP || code === undefined) return undefined;
  return { type: 'response', code, data: data.slice(2) };
}

/** Of a card of ISO 14443-3 type A: its bytes as they come through the air, the first one first. */
const UID_LENGTHS: readonly number[] = [4, 7, 10];
/** NbTg, Tg, SENS_RES (2), SEL_RES, then the length of the UID. */
const UID_LENGTH_AT = 5;

/** From the response to InListPassiveTarget for one card at 106 kbit/s; undefined if none is there, or what is there is no UID. */
export function uidOf(data: Uint8Array): Uint8Array | undefined {
  const [cards, , , , , length = 0] = data;
  if (cards !== 1 || !UID_LENGTHS.includes(length)) return undefined;
  const uid = data.slice(UID_LENGTH_AT + 1, UID_LENGTH_AT + 1 + length);
  return uid.length === length ? uid : undefined;
}
