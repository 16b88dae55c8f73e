/** The `FirmwareFile` port: the image in a directory of its own, readable for its owner only. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FirmwareFile } from '../ports.ts';
import { storeError } from './level-error.ts';

const NAME = 'image';
/** What hashing takes in one turn of the event loop. */
const CHUNK_BYTES = 64 * 1024;

export function firmwareFile(directory: string): FirmwareFile {
  const file = join(directory, NAME);
  return {
    place: () =>
      onDisk(async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await chmod(directory, 0o700);
        return file;
      }),
    exists: () => onDisk(async () => (await stat(file).catch(missing))?.isFile() === true),
    read: () => readFrom(file),
    remove: (what) =>
      onDisk(async () => {
        if (what === 'image') return rm(file, { force: true });
        for (const name of (await readdir(directory).catch(missing)) ?? [])
          await rm(join(directory, name), { force: true, recursive: true });
      }),
    digest: async () => {
      const hash = createHash('sha256');
      for await (const chunk of readFrom(file)) hash.update(chunk);
      return hash.digest('hex');
    },
  };
}

async function* readFrom(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) yield chunk as Uint8Array;
  } catch (cause) {
    throw storeError(cause);
  }
}

function missing(cause: unknown): undefined {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw cause;
}

async function onDisk<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw storeError(cause);
  }
}
