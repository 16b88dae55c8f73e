/** Makes the files for an upload: in pieces, compressed in the thread pool, gone after the upload or with the next process. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat, statfs } from 'node:fs/promises';
import { arch, release, uptime } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { StoreError } from '../../errors.ts';
import type { Archive, Archives, AttachedFile, DiagnosticsRequest, Log, TimeRange } from '../../ports.ts';
import { storeError } from '../level-error.ts';
import { masked, maskText } from '../mask.ts';
import { logLines } from './log-lines.ts';
import { Pauses } from './pauses.ts';
import { type TarFile, tar } from './tar.ts';

/** Of the disk: the store is on it as well. */
const KEEP_FREE_BYTES = 16 * 1024 * 1024;
const FOR_DOCUMENTS_BYTES = 1024 * 1024;

export interface ArchiveOptions {
  /** For nothing else. */
  readonly directory: string;
  /** The files of the log, oldest first. */
  readonly logFiles: () => Promise<readonly string[]>;
  /** What program this is. */
  readonly version: string;
  readonly log: Log;
}

export class ArchiveMaker implements Archives {
  readonly #options: ArchiveOptions;
  /** What others have left is gone. Never rejects. */
  readonly ready: Promise<void>;
  #made = 0;

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.ready = rm(options.directory, { recursive: true, force: true }).catch((cause: unknown) => {
      options.log.warn('what an upload has left could not be removed', { cause });
    });
  }

  async diagnostics({ fileName, range, documents, files: attached = [] }: DiagnosticsRequest): Promise<Archive> {
    return this.#make(async (file) => {
      const logFiles = await this.#options.logFiles();
      const attachedBytes = attached.reduce((sum, { bytes }) => sum + bytes, 0);
      await this.#needs(FOR_DOCUMENTS_BYTES + attachedBytes + (await sizeOf(logFiles)));
      const folder = fileName.replace(/\.tar\.gz$/, '');
      const about = { about: this.#about(), ...documents };
      const files = diagnosticsFiles(folder, about, logFiles, range);
      const all = inTurn(files, this.#attachedFiles(folder, attached));
      const blocks = Readable.from(tar(all, Date.now()), { objectMode: false });
      await pipeline(blocks, createGzip(), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    });
  }

  async text(lines: Iterable<string>): Promise<Archive> {
    return this.#make(async (file) => {
      await this.#needs(FOR_DOCUMENTS_BYTES);
      const chunks = Readable.from(chunksOf(lines), { objectMode: false });
      await pipeline(chunks, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    });
  }

  /** Rejects with StoreError; then nothing is left. */
  async #make(write: (file: string) => Promise<void>): Promise<Archive> {
    await this.ready;
    const { directory } = this.#options;
    const file = join(directory, String(++this.#made));
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await write(file);
      return { file, bytes: (await stat(file)).size, remove: () => this.#remove(file) };
    } catch (cause) {
      await this.#remove(file);
      throw storeError(cause);
    }
  }

  /** One that cannot be read is not worth the others. */
  async *#attachedFiles(folder: string, attached: readonly AttachedFile[]): AsyncGenerator<TarFile> {
    for (const file of attached) {
      const content = await file.read().catch((cause: unknown) => {
        this.#options.log.warn(`${file.name} is missing in the diagnostics`, { cause });
        return undefined;
      });
      if (content !== undefined) yield { name: `${folder}/${file.name}`, content };
    }
  }

  async #needs(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.directory);
    if (bavail * bsize < bytes + KEEP_FREE_BYTES) throw new StoreError('storeFull', 'no room on the disk for a file');
  }

  async #remove(file: string): Promise<void> {
    await rm(file, { force: true }).catch((cause: unknown) => {
      this.#options.log.warn('the file of an upload could not be removed', { cause });
    });
  }

  #about(): unknown {
    const { version } = this.#options;
    return {
      version,
      node: process.version,
      kernel: release(),
      machine: arch(),
      processUptimeS: Math.round(process.uptime()),
      machineUptimeS: Math.round(uptime()),
      memory: process.memoryUsage(),
      writtenAt: new Date().toISOString(),
    };
  }
}

async function* inTurn(...all: readonly AsyncGenerator<TarFile>[]): AsyncGenerator<TarFile> {
  for (const files of all) yield* files;
}

async function* diagnosticsFiles(
  folder: string,
  documents: Readonly<Record<string, unknown>>,
  logFiles: readonly string[],
  range: TimeRange,
): AsyncGenerator<TarFile> {
  const pauses = new Pauses();
  for (const [name, document] of Object.entries(documents)) {
    const content = Buffer.from(`${JSON.stringify(masked(document), undefined, 2)}\n`);
    yield { name: `${folder}/${name}.json`, content };
    await pauses.take();
  }
  for (const path of logFiles) {
    const content = await logLines(path, range, pauses);
    if (content.length > 0) yield { name: `${folder}/log/${basename(path)}`, content };
  }
}

const LINES_AT_ONCE = 16;

async function* chunksOf(lines: Iterable<string>): AsyncGenerator<string> {
  const pauses = new Pauses();
  let chunk: string[] = [];
  for (const line of lines) {
    if (chunk.push(`${maskText(line)}\n`) < LINES_AT_ONCE) continue;
    yield chunk.join('');
    chunk = [];
    await pauses.take();
  }
  yield chunk.join('');
}

async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
