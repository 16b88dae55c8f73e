/** What would end the process. */
import { settle } from './virtual-clock.ts';

/** Everything that was thrown and that nobody caught meanwhile; the test goes on, and its runner does not hear of it. */
export async function uncaught(during: () => Promise<unknown>): Promise<readonly unknown[]> {
  const heard: unknown[] = [];
  const hear = (error: unknown): void => void heard.push(error);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', hear);
  try {
    // A timer throws at whoever advances the virtual clock.
    await during().catch(hear);
    await settle();
  } finally {
    process.off('unhandledRejection', hear);
    for (const listener of others) process.on('unhandledRejection', listener);
  }
  return heard;
}
