/** A reader that comes and goes: sessions one after the other with growing pauses, and word of it when it stays away. */
import type { Timebase, Unsubscribe } from '../contract.ts';

export interface Life {
  readonly over: boolean;
  /** Called when the life is over; at once if it is. A session takes it back when it ends. */
  onOver(action: () => void): Unsubscribe;
  /** A sign of life. */
  heard(): void;
  /** Ends early when the life is over. */
  pause(ms: number): Promise<void>;
}

export interface LifeOptions {
  readonly clock: Timebase;
  /** Called when nothing has been heard for too long, and when something is heard again. */
  onSilent(silent: boolean, why?: string): void;
}

const SILENT_AFTER_MS = 10_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;

/** `session` opens, works, and rejects when it can go on no more. Returns how to end it all. */
export function live(
  session: (life: Life) => Promise<void>,
  { clock, onSilent }: LifeOptions,
): { close(): Promise<void> } {
  const enders = new Set<() => void>();
  let over = false;
  let isSilent = false;
  let heardAt = clock.now();
  let pauseMs = FIRST_PAUSE_MS;
  const onOver = (action: () => void): Unsubscribe => {
    if (over) action();
    else enders.add(action);
    return () => enders.delete(action);
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      let cancel = (): void => {};
      const forget = onOver(() => {
        cancel();
        resolve();
      });
      if (over) return;
      cancel = clock.after(ms, () => {
        forget();
        resolve();
      });
    });
  const life: Life = {
    get over() {
      return over;
    },
    onOver,
    heard() {
      heardAt = clock.now();
      pauseMs = FIRST_PAUSE_MS;
      if (!isSilent) return;
      isSilent = false;
      onSilent(false);
    },
    pause,
  };
  const run = async (): Promise<void> => {
    while (!over) {
      const why = await session(life).then(() => 'it has ended', reasonOf);
      if (over) return;
      if (!isSilent && clock.now() - heardAt >= SILENT_AFTER_MS) {
        isSilent = true;
        onSilent(true, why);
      }
      await pause(pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  };
  const running = run();
  return {
    close() {
      over = true;
      for (const end of [...enders]) end();
      return running;
    },
  };
}

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
