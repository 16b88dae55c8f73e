/** The `Archives` port for Node. Everything behind it is loaded by the first archive. */
import { existsSync } from 'node:fs';
import type { Archives } from '../ports.ts';
import type { ArchiveOptions } from './archive/maker.ts';

export class FileArchives implements Archives {
  readonly #options: ArchiveOptions;
  #maker: Promise<Archives & { readonly ready: Promise<void> }> | undefined;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** Removes what a process before us has left. Never rejects. */
  async tidy(): Promise<void> {
    if (existsSync(this.#options.directory)) await (await this.#made()).ready;
  }

  async diagnostics(request: Parameters<Archives['diagnostics']>[0]): ReturnType<Archives['diagnostics']> {
    return (await this.#made()).diagnostics(request);
  }

  async text(lines: Iterable<string>): ReturnType<Archives['text']> {
    return (await this.#made()).text(lines);
  }

  #made(): Promise<Archives & { readonly ready: Promise<void> }> {
    this.#maker ??= import('./archive/maker.ts').then(({ ArchiveMaker }) => new ArchiveMaker(this.#options));
    return this.#maker;
  }
}
