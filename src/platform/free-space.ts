/** How much the disk still takes: of what the store, the logs and the downloads share. */
import { statfs } from 'node:fs/promises';

/** In bytes, for whoever is not root; undefined if nobody can tell. Never rejects. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
