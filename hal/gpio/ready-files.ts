/** Waits for udev: a file that the kernel has just made belongs to root for a moment, for seconds while a small Pi boots. */
import { access, constants } from 'node:fs/promises';
import type { Timebase } from '../contract.ts';

const RETRY_MS = 10;
const GIVE_UP_MS = 10_000;

const sleep = (clock: Timebase, ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

/** Resolves to what `attempt` returns; rejects with its error at once if that is not a passing one, and after ten seconds in any case. */
export async function patiently<T>(
  attempt: () => T | Promise<T>,
  passes: (error: unknown) => boolean,
  clock: Timebase,
): Promise<T> {
  const deadline = clock.now() + GIVE_UP_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error) || clock.now() >= deadline) throw error;
      await sleep(clock, RETRY_MS);
    }
  }
}

/** Resolves once every file may be read and written, or as `mode` says; rejects with the system's own error after ten seconds. */
export async function ready(
  paths: readonly string[],
  clock: Timebase,
  mode = constants.R_OK | constants.W_OK,
): Promise<void> {
  for (const path of paths) {
    await patiently(
      () => access(path, mode),
      () => true,
      clock,
    );
  }
}

/** The kernel's name of an error (`EBUSY`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
