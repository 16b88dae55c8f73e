/** Long work in short slices: whoever works asks in between, and waits for a turn once the slice is used up. */

const SLICE_NS = 2_000_000n;

export class Pauses {
  #begun = process.hrtime.bigint();

  /** A turn of the event loop if 2 ms have gone by since the last one. */
  async take(): Promise<void> {
    if (process.hrtime.bigint() - this.#begun < SLICE_NS) return;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    this.#begun = process.hrtime.bigint();
  }
}
