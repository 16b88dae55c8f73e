/** How a board is closed: everything safe in the first turn, a wait for the contactors to say open, then the lines and buses. */
import type { Surroundings } from './contract.ts';
import { tryAll } from './try-all.ts';

/** How long `close` waits for the mirror contacts to say open, and for EVSE controllers to acknowledge the off. */
const OPEN_WITHIN_MS = 500;

export class BoardClosing {
  readonly #surroundings: Surroundings;
  readonly #makeSafe: (() => void)[] = [];
  readonly #off: (() => boolean)[] = [];
  readonly #closers: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Takes what `close` does before anything else, in its first turn. */
  makeSafe(action: () => void): void {
    this.#makeSafe.push(action);
  }

  /** Takes how an EVSE says that it is off: before that nothing is closed, unless the time is up. */
  awaitOff(off: () => boolean): void {
    this.#off.push(off);
  }

  /** Takes what has to be closed, in reverse order. */
  keep(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Contactors, pilots and motors first, all of them, whatever fails; then everything in reverse order. Rejects with the first failure. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    const failed = (error: unknown) => {
      errors.push(error);
      this.#surroundings.log.warn('closing the board went wrong', { error: String(error) });
    };
    try {
      tryAll(this.#makeSafe);
    } catch (error) {
      failed(error);
    }
    await this.#untilOff();
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failed(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  async #untilOff(): Promise<void> {
    const { clock } = this.#surroundings;
    const deadline = clock.now() + OPEN_WITHIN_MS;
    while (!this.#off.every(isOff) && clock.now() < deadline) {
      await new Promise<void>((resolve) => clock.after(10, resolve));
    }
  }
}

/** A mirror contact that cannot be read says nothing. */
function isOff(off: () => boolean): boolean {
  try {
    return off();
  } catch {
    return false;
  }
}
