/** The last lines in a bounded number of bytes. It forgets whole stretches, each of which begins with a line of its own. */

export interface RingSize {
  readonly stretchBytes: number;
  readonly mostStretches: number;
}

/** 512 kB; a process that notes little never touches most of it. */
const USUAL: RingSize = { stretchBytes: 64 * 1024, mostStretches: 8 };
const LINE_FEED = 0x0a;

interface Stretch {
  readonly bytes: Uint8Array;
  used: number;
}

const ENCODER = new TextEncoder();

export class Ring {
  readonly #size: RingSize;
  readonly #stretches: Stretch[] = [];

  constructor(size: RingSize = USUAL) {
    this.#size = size;
  }

  /** False if the line does not fit any more: then a new stretch has to begin. */
  add(line: string): boolean {
    const last = this.#stretches.at(-1);
    return last !== undefined && write(last, line);
  }

  /** What is the oldest goes, if there are enough. A first line that is very long makes its stretch larger. */
  begin(line: string): void {
    const { stretchBytes, mostStretches } = this.#size;
    const bytes = new Uint8Array(Math.max(stretchBytes, 4 * line.length));
    const stretch = { bytes, used: 0 };
    write(stretch, line);
    this.#stretches.push(stretch);
    if (this.#stretches.length > mostStretches) this.#stretches.shift();
  }

  /** All lines so far, oldest first. No copy: lines are only ever added behind it. */
  get content(): readonly Uint8Array[] {
    return this.#stretches.map(({ bytes, used }) => bytes.subarray(0, used));
  }
}

/** Nothing of a line that does not fit counts. */
function write(stretch: Stretch, line: string): boolean {
  const { bytes, used } = stretch;
  const { read, written } = ENCODER.encodeInto(line, bytes.subarray(used));
  const end = used + written;
  if (read < line.length || end === bytes.length) return false;
  bytes[end] = LINE_FEED;
  stretch.used = end + 1;
  return true;
}
