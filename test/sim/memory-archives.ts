/** The files that a virtual charge point makes for its uploads. */
import { StoreError, type StoreErrorCode } from '../../src/errors.ts';
import type { Archive, Archives, DiagnosticsRequest } from '../../src/ports.ts';

export class MemoryArchives implements Archives {
  /** What is on the disk: content by file, as JSON or as lines. */
  readonly files = new Map<string, string>();
  /** All that were ever asked for. */
  readonly requests: DiagnosticsRequest[] = [];
  /** How making one fails. */
  failure: StoreErrorCode | undefined;
  /** Making one takes as long as this does. */
  onMake: () => void | Promise<void> = () => {};
  #made = 0;

  async diagnostics(request: DiagnosticsRequest): Promise<Archive> {
    this.requests.push(request);
    await this.onMake();
    return this.#make(JSON.stringify(request));
  }

  async text(lines: Iterable<string>): Promise<Archive> {
    return this.#make([...lines].map((line) => `${line}\n`).join(''));
  }

  #make(content: string): Archive {
    if (this.failure !== undefined) throw new StoreError(this.failure, `a virtual archive failed: ${this.failure}`);
    const file = `/virtual/uploads/${++this.#made}`;
    this.files.set(file, content);
    return { file, bytes: content.length, remove: async () => void this.files.delete(file) };
  }
}
