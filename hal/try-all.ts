/** For everything that makes safe: one part that fails must not keep the others from being switched off, nor be kept secret. */
import type { Timebase } from './contract.ts';

/** Runs every action, in order, whatever the others throw; then throws the first error. */
export function tryAll(actions: Iterable<() => void>): void {
  const errors: unknown[] = [];
  for (const action of actions) {
    try {
      action();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * As `tryAll`; the error is also thrown out of band, where it ends the process: a caller may take it for his own, as a rejected reading or a
 * call that failed, and live on.
 */
export function tryAllAloud(actions: Iterable<() => void>, clock: Pick<Timebase, 'after'>): void {
  try {
    tryAll(actions);
  } catch (error) {
    clock.after(0, () => {
      throw error;
    });
    throw error;
  }
}
