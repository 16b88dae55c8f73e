/** Modbus RTU frames: find the one valid answer to a request in whatever the line delivered. Pure. */

const EXCEPTION = 0x80;
const EXCEPTION_LENGTH = 5;
const ACKNOWLEDGE_LENGTH = 8;
const CRC_LENGTH = 2;
const READS: readonly number[] = [1, 3, 4];
const COILS = 1;

/** How the answer to one request begins, apart from its CRC. */
export interface Expected {
  /** Unit, function and, for a read, the byte count; for a write, the address and the count or the value that it echoes. */
  readonly head: readonly number[];
  /** Of the whole answer, in bytes. */
  readonly length: number;
}

/** Modbus over serial line V1.02, section 2.5.1.2. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

/** What the slave answers to this request of function 1, 3, 4, 5, 6 or 16 (the whole frame, CRC included). */
export function expectedAnswer(request: Uint8Array): Expected {
  const [unit = 0, code = 0, addressHigh = 0, addressLow = 0, countHigh = 0, countLow = 0] = request;
  if (!READS.includes(code)) {
    return { head: [unit, code, addressHigh, addressLow, countHigh, countLow], length: ACKNOWLEDGE_LENGTH };
  }
  const count = 256 * countHigh + countLow;
  const bytes = code === COILS ? Math.ceil(count / 8) : 2 * count;
  return { head: [unit, code, bytes], length: 3 + bytes + CRC_LENGTH };
}

/**
 * The answer (or the exception) among `received`, noise before and after it left out. Two answers are told apart by head, length
 * and CRC only: a Modbus answer does not say which registers it holds.
 */
export function findAnswer(received: Uint8Array, expected: Expected): Uint8Array | undefined {
  const [unit = 0, code = 0] = expected.head;
  for (let start = 0; start + EXCEPTION_LENGTH <= received.length; start += 1) {
    const answer = received.subarray(start, start + expected.length);
    if (answer.length === expected.length && beginsWith(answer, expected.head) && intact(answer)) return answer;
    const exception = received.subarray(start, start + EXCEPTION_LENGTH);
    if (beginsWith(exception, [unit, code | EXCEPTION]) && intact(exception)) return exception;
  }
  return undefined;
}

const beginsWith = (frame: Uint8Array, head: readonly number[]): boolean =>
  head.every((byte, index) => frame[index] === byte);

function intact(frame: Uint8Array): boolean {
  const end = frame.length - CRC_LENGTH;
  const sent = (frame[end] ?? 0) + 256 * (frame[end + 1] ?? 0);
  return sent === crc16(frame.subarray(0, end));
}
