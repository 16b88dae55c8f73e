/** The `Recordings` port for Node. Everything behind it is loaded by the first recording. */
import type { Recordings } from '../ports.ts';

export class FileRecordings implements Recordings {
  readonly #directory: string;
  #shelf: Promise<Recordings> | undefined;

  /** `directory` is for nothing else. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async save(title: string, content: readonly Uint8Array[]): ReturnType<Recordings['save']> {
    return (await this.#opened()).save(title, content);
  }

  async list(): ReturnType<Recordings['list']> {
    return (await this.#opened()).list();
  }

  async read(name: string): ReturnType<Recordings['read']> {
    return (await this.#opened()).read(name);
  }

  #opened(): Promise<Recordings> {
    this.#shelf ??= import('./recordings/shelf.ts').then(({ RecordingShelf }) => new RecordingShelf(this.#directory));
    return this.#shelf;
  }
}
