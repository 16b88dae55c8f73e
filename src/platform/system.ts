/** The process: exit codes, signals, and what nobody caught. */
import type { Unsubscribe } from '../ports.ts';

/** 1: what was compared differs, or a test sheet has a FAIL. The others as in sysexits.h: 70 EX_SOFTWARE, 78 EX_CONFIG (systemd does not restart on it). */
export const EXIT = { ok: 0, different: 1, internal: 70, config: 78 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One Ctrl-C reaches a child of npm twice: from the terminal and from npm. */
const ONE_SIGNAL_MS = 500;

/** Calls `first` on the first SIGINT or SIGTERM, `again` on each later one; the echo of the first within 500 ms is none. */
export function onEndSignals(first: (signal: string) => void, again: () => void): Unsubscribe {
  let firstAt: number | undefined;
  const heard = (signal: string) => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      first(signal);
    } else if (now - firstAt > ONE_SIGNAL_MS) again();
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return () => {
    process.off('SIGINT', heard);
    process.off('SIGTERM', heard);
  };
}

/** Calls the listener with whatever was thrown or rejected and not caught. */
export function onUncaught(listener: (cause: unknown) => void): Unsubscribe {
  process.on('uncaughtException', listener);
  process.on('unhandledRejection', listener);
  return () => {
    process.off('uncaughtException', listener);
    process.off('unhandledRejection', listener);
  };
}
