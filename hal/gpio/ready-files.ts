/** Waits for udev: a file that the kernel has just made belongs to root for a moment. */
import { access, constants } from 'node:fs/promises';
import type { Timebase } from '../contract.ts';

const RETRY_MS = 10;
const GIVE_UP_MS = 2000;

const sleep = (clock: Timebase, ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

/** Resolves once every file may be read and written; rejects with the system's own error after two seconds. */
export async function ready(paths: readonly string[], clock: Timebase): Promise<void> {
  const deadline = clock.now() + GIVE_UP_MS;
  for (const path of paths) {
    for (;;) {
      try {
        await access(path, constants.R_OK | constants.W_OK);
        break;
      } catch (error) {
        if (clock.now() >= deadline) throw error;
        await sleep(clock, RETRY_MS);
      }
    }
  }
}

/** The kernel's name of an error (`EBUSY`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
