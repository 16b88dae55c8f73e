/** The name of a file is durable only when its directory is. */
import { open } from 'node:fs/promises';

/** Rejects with the system's error. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
