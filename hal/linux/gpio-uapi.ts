/** The structures of `linux/gpio.h`, version 2 of the interface (Linux 5.10), as bytes. Little endian, as every Raspberry Pi is. */

/** Requests of ioctl. Sizes and directions are part of the number; a system test compares them with the header. */
export const GPIO_GET_CHIPINFO = 0x8044b401;
export const GPIO_V2_GET_LINEINFO = 0xc100b405;
export const GPIO_V2_GET_LINE = 0xc250b407;
export const GPIO_V2_GET_VALUES = 0xc010b40e;
export const GPIO_V2_SET_VALUES = 0xc010b40f;

const USED = 1n << 0n;
const ACTIVE_LOW = 1n << 1n;
const INPUT = 1n << 2n;
const OUTPUT = 1n << 3n;
const BOTH_EDGES = (1n << 4n) | (1n << 5n);
const BIAS = { up: 1n << 8n, down: 1n << 9n, none: 1n << 10n } as const;

export type Bias = keyof typeof BIAS;

/** `id` of a gpio_v2_line_attribute. */
const OUTPUT_VALUES = 2;
const DEBOUNCE = 3;

/** Where the members stand; `size` is that of the whole structure. */
export const CHIP_INFO = { size: 68, name: 0, label: 32, lines: 64 } as const;
export const LINE_INFO = { size: 256, name: 0, consumer: 32, offset: 64, flags: 72 } as const;
export const LINE_REQUEST = { size: 592, offsets: 0, consumer: 256, config: 288, lines: 560, fd: 588 } as const;
export const LINE_CONFIG = { size: 272, flags: 0, attributes: 8, attribute: 32 } as const;
export const ATTRIBUTE = { size: 24, id: 0, value: 8, mask: 16 } as const;
export const LINE_VALUES = { size: 16, bits: 0, mask: 8 } as const;
export const LINE_EVENT = { size: 48, lineSequence: 20 } as const;
const NAME_BYTES = 32;

/** Levels are logical: 1 is low on a line that is active low. */
export interface OutputConfig {
  readonly initial: 0 | 1;
  readonly activeLow: boolean;
}

/** Edges of both directions are reported. */
export interface InputConfig {
  readonly activeLow: boolean;
  /** Absent: as it is. */
  readonly bias?: Bias;
  /** Shorter pulses are no edges. */
  readonly debounceUs?: number;
}

interface Attribute {
  readonly id: number;
  readonly value: bigint;
}

function request(line: number, consumer: string, flags: bigint, attribute?: Attribute): Buffer {
  const bytes = Buffer.alloc(LINE_REQUEST.size);
  bytes.writeUInt32LE(line, LINE_REQUEST.offsets);
  // The last byte stays 0: the kernel wants the end of a text.
  bytes.write(consumer, LINE_REQUEST.consumer, NAME_BYTES - 1, 'latin1');
  bytes.writeBigUInt64LE(flags, LINE_REQUEST.config + LINE_CONFIG.flags);
  bytes.writeUInt32LE(1, LINE_REQUEST.lines);
  if (attribute === undefined) return bytes;
  const at = LINE_REQUEST.config + LINE_CONFIG.attribute;
  bytes.writeUInt32LE(1, LINE_REQUEST.config + LINE_CONFIG.attributes);
  bytes.writeUInt32LE(attribute.id, at + ATTRIBUTE.id);
  bytes.writeBigUInt64LE(attribute.value, at + ATTRIBUTE.value);
  bytes.writeBigUInt64LE(1n, at + ATTRIBUTE.mask);
  return bytes;
}

/** Direction, polarity and first level in one: the pin has the level when it begins to drive. */
export const outputRequest = (line: number, consumer: string, { initial, activeLow }: OutputConfig): Buffer =>
  request(line, consumer, OUTPUT | (activeLow ? ACTIVE_LOW : 0n), { id: OUTPUT_VALUES, value: BigInt(initial) });

export const inputRequest = (
  line: number,
  consumer: string,
  { activeLow, bias, debounceUs = 0 }: InputConfig,
): Buffer =>
  request(
    line,
    consumer,
    INPUT | BOTH_EDGES | (activeLow ? ACTIVE_LOW : 0n) | (bias === undefined ? 0n : BIAS[bias]),
    debounceUs === 0 ? undefined : { id: DEBOUNCE, value: BigInt(debounceUs) },
  );

/** What the kernel has put into a request that it granted. */
export const lineDescriptor = (granted: Buffer): number => granted.readInt32LE(LINE_REQUEST.fd);

/** For GET and SET of a request with one line. */
export function lineValues(level: 0 | 1 = 0): Buffer {
  const bytes = Buffer.alloc(LINE_VALUES.size);
  bytes.writeBigUInt64LE(BigInt(level), LINE_VALUES.bits);
  bytes.writeBigUInt64LE(1n, LINE_VALUES.mask);
  return bytes;
}

export const levelIn = (values: Buffer): 0 | 1 => ((values[LINE_VALUES.bits] ?? 0) & 1 ? 1 : 0);

const nameAt = (bytes: Buffer, offset: number): string => {
  const field = bytes.subarray(offset, offset + NAME_BYTES);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? NAME_BYTES : end);
};

export interface ChipInfo {
  readonly name: string;
  readonly label: string;
  readonly lines: number;
}

export const chipInfo = (bytes: Buffer): ChipInfo => ({
  name: nameAt(bytes, CHIP_INFO.name),
  label: nameAt(bytes, CHIP_INFO.label),
  lines: bytes.readUInt32LE(CHIP_INFO.lines),
});

export function lineInfoRequest(line: number): Buffer {
  const bytes = Buffer.alloc(LINE_INFO.size);
  bytes.writeUInt32LE(line, LINE_INFO.offset);
  return bytes;
}

/** Who has the line; undefined while nobody has. */
export const consumerOf = (info: Buffer): string | undefined =>
  (info.readBigUInt64LE(LINE_INFO.flags) & USED) === 0n ? undefined : nameAt(info, LINE_INFO.consumer);

/** Edges of one line are counted from 1: a gap is what the kernel had to throw away. */
export function sequenceNumbers(events: Buffer): readonly number[] {
  const numbers: number[] = [];
  for (let at = 0; at + LINE_EVENT.size <= events.length; at += LINE_EVENT.size) {
    numbers.push(events.readUInt32LE(at + LINE_EVENT.lineSequence));
  }
  return numbers;
}
