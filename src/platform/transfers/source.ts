/** The file that an upload sends: as long as it was at the beginning, for a log goes on growing. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { TransferError } from '../../errors.ts';
import type { UploadOptions } from '../../ports.ts';
import type { Guard } from './guard.ts';

export class Source {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  readonly #onProgress: UploadOptions['onProgress'];

  private constructor({ fromFile, fileName, onProgress }: UploadOptions, size: number) {
    this.name = fileName;
    this.size = size;
    this.#path = fromFile;
    this.#onProgress = onProgress;
  }

  /** Throws the system's error if the file cannot be seen. */
  static async of(options: UploadOptions): Promise<Source> {
    const { size } = await stat(options.fromFile);
    return new Source(options, size);
  }

  /**
   * Writes all of it, from the beginning each time it is called, and ends the stream. Not `pipeline`: for that a peer that answers and closes
   * at once looks like one that was cut off.
   */
  async into(stream: Writable, guard: Guard): Promise<void> {
    for await (const chunk of this.#chunks(guard)) {
      if (stream.destroyed) throw cutOff();
      if (!stream.write(chunk)) await drained(stream);
    }
    stream.end();
  }

  /** A chunk that is asked for is movement: the one before has gone. */
  async *#chunks(guard: Guard): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    if (this.size > 0) {
      for await (const chunk of createReadStream(this.#path, { end: this.size - 1 })) {
        guard.touch();
        yield chunk as Uint8Array;
        bytes += (chunk as Uint8Array).length;
        this.#onProgress?.({ bytes, total: this.size });
      }
    }
    if (bytes !== this.size)
      throw new TransferError('failed', `${this.#path} shrank from ${this.size} to ${bytes} bytes while it was sent`);
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => (): void => {
      stream.off('drain', drain);
      stream.off('close', close);
      end();
    };
    const drain = settle(resolve);
    const close = settle(() => reject(cutOff()));
    stream.once('drain', drain);
    stream.once('close', close);
  });
}

const cutOff = (): Error => Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
