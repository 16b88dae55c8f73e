/** Flight recordings as files: numbered, bounded, each whole or not there; the lowest number is the oldest, whatever the clock says. */
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../errors.ts';
import type { Recordings, SavedRecording } from '../../ports.ts';
import { storeError } from '../level-error.ts';
import { syncDirectory } from '../sync-directory.ts';

export interface ShelfBounds {
  readonly mostFiles: number;
  readonly mostBytes: number;
}

const USUAL: ShelfBounds = { mostFiles: 20, mostBytes: 8 * 1024 * 1024 };
/** Of the disk: the store is on it as well. */
const KEEP_FREE_BYTES = 16 * 1024 * 1024;
/** One at a time, so one name is enough: what a kill has left is overwritten. */
const UNFINISHED = 'unfinished.part';
const NAME = /^(\d{6,9})-[\w-]{1,60}\.jsonl$/;
const DIGITS = 6;

interface Numbered extends SavedRecording {
  readonly number: number;
}

export class RecordingShelf implements Recordings {
  readonly #directory: string;
  readonly #bounds: ShelfBounds;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(directory: string, bounds: ShelfBounds = USUAL) {
    this.#directory = directory;
    this.#bounds = bounds;
  }

  save(title: string, content: readonly Uint8Array[]): Promise<SavedRecording> {
    const saved = this.#saving.then(() => this.#save(title, content));
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async list(): Promise<readonly SavedRecording[]> {
    return (await this.#numbered()).map(({ number: _, ...saved }) => saved);
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    if (!NAME.test(name)) return undefined;
    try {
      return await readFile(join(this.#directory, name));
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw storeError(cause);
    }
  }

  async #save(title: string, content: readonly Uint8Array[]): Promise<SavedRecording> {
    const unfinished = join(this.#directory, UNFINISHED);
    const bytes = content.reduce((sum, { length }) => sum + length, 0);
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const { bavail, bsize } = await statfs(this.#directory);
      if (bavail * bsize < bytes + KEEP_FREE_BYTES)
        throw new StoreError('storeFull', 'no room on the disk for a flight recording');
      await write(unfinished, content);
      const kept = await this.#makeRoom(bytes);
      const number = String((kept.at(-1)?.number ?? 0) + 1).padStart(DIGITS, '0');
      const name = `${number}-${title.replace(/[^\w-]/g, '_').slice(0, 60)}.jsonl`;
      const file = join(this.#directory, name);
      await rename(unfinished, file);
      await syncDirectory(this.#directory);
      return { name, file, bytes };
    } catch (cause) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw storeError(cause);
    }
  }

  /** What is kept besides the new one. The last number stays known: it is the last to go. */
  async #makeRoom(bytes: number): Promise<readonly Numbered[]> {
    const { mostFiles, mostBytes } = this.#bounds;
    const kept = [...(await this.#numbered())];
    let total = kept.reduce((sum, saved) => sum + saved.bytes, bytes);
    const last = kept.at(-1);
    while (kept.length >= mostFiles || total > mostBytes) {
      const oldest = kept.shift();
      if (oldest === undefined) break;
      total -= oldest.bytes;
      await rm(oldest.file, { force: true });
    }
    return kept.length === 0 && last !== undefined ? [last] : kept;
  }

  async #numbered(): Promise<readonly Numbered[]> {
    try {
      const names = await readdir(this.#directory);
      const found = names.flatMap((name) => ({ name, digits: NAME.exec(name)?.[1] }));
      const files = await Promise.all(
        found.map(async ({ name, digits }) => {
          const file = join(this.#directory, name);
          return digits === undefined ? [] : [{ name, file, number: Number(digits), bytes: await sizeOf(file) }];
        }),
      );
      return files.flat().sort((a, b) => a.number - b.number);
    } catch (cause) {
      if (isMissing(cause)) return [];
      throw storeError(cause);
    }
  }
}

const isMissing = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).code === 'ENOENT';

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** In pieces, each in the thread pool; on the medium when it resolves. */
async function write(file: string, content: readonly Uint8Array[]): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    for (const piece of content) await handle.writeFile(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
