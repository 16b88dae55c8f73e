/** The flight recordings of a virtual charge point. */
import { StoreError, type StoreErrorCode } from '../../src/errors.ts';
import type { Recordings, SavedRecording } from '../../src/ports.ts';

export class MemoryRecordings implements Recordings {
  /** Text by name, oldest first. */
  readonly files = new Map<string, string>();
  /** How saving one fails. */
  failure: StoreErrorCode | undefined;
  /** Saving one takes as long as this does. */
  onSave: () => void | Promise<void> = () => {};
  #saved = 0;

  async save(title: string, content: readonly Uint8Array[]): Promise<SavedRecording> {
    const text = content.map((piece) => new TextDecoder().decode(piece)).join('');
    await this.onSave();
    if (this.failure !== undefined) throw new StoreError(this.failure, `a virtual recording failed: ${this.failure}`);
    const name = `${String(++this.#saved).padStart(6, '0')}-${title}.jsonl`;
    this.files.set(name, text);
    return savedAs(name, text);
  }

  async list(): Promise<readonly SavedRecording[]> {
    return [...this.files].map(([name, text]) => savedAs(name, text));
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const text = this.files.get(name);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  }
}

const savedAs = (name: string, text: string): SavedRecording => ({
  name,
  file: `/virtual/state/recordings/${name}`,
  bytes: new TextEncoder().encode(text).length,
});
