/** A download under way: `<file>.part` and, beside it, what the bytes belong to, so that a later attempt goes on even after a power cut. */
import { type FileHandle, open, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TransferError } from '../../errors.ts';
import type { DownloadOptions, TransferProgress } from '../../ports.ts';
import { syncDirectory } from '../sync-directory.ts';

/**
 * After so many bytes they are written through and noted. Only noted bytes count after a power cut: a file may have got its length but not
 * its content. It also bounds how much the card has to take at once.
 */
const CHECKPOINT_BYTES = 2 * 1024 * 1024;
const KEEP_FREE_BYTES = 16 * 1024 * 1024;

/** What the server says of the file. */
export interface Remote {
  readonly total: number | undefined;
  /** Changes when the file does; undefined if the server has no such thing: then nothing is ever continued. */
  readonly validator: string | undefined;
}

interface Note {
  /** The URL without user, password and query: those may change between attempts. */
  readonly from: string;
  readonly total: number | undefined;
  readonly validator: string;
  readonly bytes: number;
}

type Options = Pick<DownloadOptions, 'toFile' | 'resume' | 'mostBytes' | 'keepFreeBytes' | 'onProgress'>;

export class PartialFile {
  readonly #options: Options;
  readonly #shown: string;
  readonly #from: string;
  readonly #part: string;
  readonly #notes: string;
  readonly #found: Note | undefined;
  #file: FileHandle | undefined;
  #remote: Remote = { total: undefined, validator: undefined };
  #begun = false;
  #bytes = 0;
  #noted = 0;

  private constructor(options: Options, shown: string, from: string, found: Note | undefined) {
    this.#options = options;
    this.#shown = shown;
    this.#from = from;
    this.#part = `${options.toFile}.part`;
    this.#notes = `${this.#part}.json`;
    this.#found = found;
  }

  /** Writes nothing yet. */
  static async of(options: Options, shown: string, from: string): Promise<PartialFile> {
    const found = options.resume === true ? await readNote(`${options.toFile}.part`, from) : undefined;
    return new PartialFile(options, shown, from, found);
  }

  /** What an earlier attempt has left and from where it goes on: before the end, so that the server always has something to send. */
  get resumable(): { readonly at: number; readonly total: number | undefined; readonly validator: string } | undefined {
    if (this.#found === undefined) return undefined;
    const { bytes, total, validator } = this.#found;
    const at = Math.min(bytes, (total ?? Number.POSITIVE_INFINITY) - 1);
    return at > 0 ? { at, total, validator } : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes from `at` on are about to come. Throws `tooLarge` or `diskFull` before anything is written. */
  async begin(at: number, remote: Remote): Promise<void> {
    this.#begun = true;
    this.#remote = remote;
    if (at === 0) await this.discard();
    this.#limit(remote.total ?? at);
    await this.#room((remote.total ?? at) - at);
    this.#file = await open(this.#part, at === 0 ? 'w' : 'r+', 0o600);
    if (at > 0) await this.#file.truncate(at);
    this.#bytes = at;
    this.#noted = at;
  }

  async append(chunk: Uint8Array): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new Error('nothing is to come any more');
    this.#limit(this.#bytes + chunk.length);
    for (let offset = 0; offset < chunk.length; ) {
      const { bytesWritten } = await file.write(chunk, offset, chunk.length - offset, this.#bytes);
      offset += bytesWritten;
      this.#bytes += bytesWritten;
    }
    this.#options.onProgress?.(this.#progress());
    if (this.#bytes - this.#noted < CHECKPOINT_BYTES) return;
    await this.#note();
    await this.#room(0);
  }

  /** All has come: checked, on the medium, and under its name. Throws `truncated`. */
  async finish(): Promise<void> {
    const { total } = this.#remote;
    if (total !== undefined && total !== this.#bytes)
      throw new TransferError('truncated', `${this.#shown}: ${this.#bytes} bytes came of ${total}`);
    await this.#file?.sync();
    await this.#close();
    await rename(this.#part, this.#options.toFile);
    await syncDirectory(dirname(this.#options.toFile));
    await rm(this.#notes, { force: true });
  }

  /** It came to nothing: what can be continued is kept, unless it is in the way. */
  async leave(why: TransferError): Promise<void> {
    if (!this.#begun) return;
    const inTheWay = why.code === 'diskFull' || why.code === 'tooLarge';
    if (inTheWay || this.#remote.validator === undefined || this.#bytes === 0) return this.discard();
    await this.#note().catch(() => {});
    await this.#close();
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#notes, { force: true });
    await rm(this.#part, { force: true });
  }

  #limit(bytes: number): void {
    const { mostBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (bytes > mostBytes)
      throw new TransferError('tooLarge', `${this.#shown}: ${bytes} bytes are more than the ${mostBytes} allowed`);
  }

  async #room(needed: number): Promise<void> {
    const { bavail, bsize } = await statfs(dirname(this.#part));
    const free = bavail * bsize - (this.#options.keepFreeBytes ?? KEEP_FREE_BYTES);
    if (needed > free)
      throw new TransferError('diskFull', `${this.#shown}: ${needed} bytes to come, room for ${Math.max(0, free)}`);
  }

  async #note(): Promise<void> {
    const bytes = this.#bytes;
    await this.#file?.datasync();
    this.#noted = bytes;
    const { total, validator } = this.#remote;
    if (validator === undefined) return;
    const note: Note = { from: this.#from, total, validator, bytes };
    const unfinished = await open(`${this.#notes}.new`, 'w', 0o600);
    try {
      await unfinished.writeFile(JSON.stringify(note));
      await unfinished.datasync();
    } finally {
      await unfinished.close();
    }
    await rename(`${this.#notes}.new`, this.#notes);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #progress(): TransferProgress {
    const { total } = this.#remote;
    return { bytes: this.#bytes, ...(total === undefined ? {} : { total }) };
  }
}

/** Undefined unless it is about this URL and so many bytes are there. */
async function readNote(part: string, from: string): Promise<Note | undefined> {
  try {
    const note = JSON.parse(await readFile(`${part}.json`, 'utf8')) as Partial<Note>;
    const { size } = await stat(part);
    const sound = typeof note.validator === 'string' && typeof note.bytes === 'number' && note.from === from;
    return sound && size >= note.bytes ? (note as Note) : undefined;
  } catch {
    // None, or half of one: the file is begun anew.
    return undefined;
  }
}
