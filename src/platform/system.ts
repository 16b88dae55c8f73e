/** The process: exit codes, signals, and what nobody caught. */
import type { Unsubscribe } from '../ports.ts';

/**
 * 1: what was compared differs, or a test sheet has a FAIL. As in sysexits.h: 70 EX_SOFTWARE, 78 EX_CONFIG (systemd does not restart on it).
 * 141: nobody reads what we print, which a shell says of a program that SIGPIPE has ended.
 */
export const EXIT = { ok: 0, different: 1, internal: 70, config: 78, unread: 141 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One Ctrl-C reaches a child of npm twice: from the terminal and from npm. */
const ONE_SIGNAL_MS = 500;

/** Told to every listener while our output is seen to be unread. */
const UNREAD = 'chargepoint:unread';
interface Unread {
  outlived: boolean;
}
const events = (): NodeJS.EventEmitter => process;

/** A service goes on when nobody reads its output any more. Called before anything listens for an end. */
export function outliveReaders(): void {
  events().on(UNREAD, (unread: Unread) => {
    unread.outlived = true;
  });
}

/** Nobody reads what we print: as good as Ctrl-C, each time that it is seen. */
export function endUnread(): 'outlived' | 'ending' | 'nobody listens' {
  const unread: Unread = { outlived: false };
  const isHeard = events().emit(UNREAD, unread);
  if (unread.outlived) return 'outlived';
  return isHeard ? 'ending' : 'nobody listens';
}

/**
 * Calls `first` on the first SIGINT or SIGTERM, or when nobody reads our output any more, and `again` on each later signal; the echo of the
 * first within 500 ms is none.
 */
export function onEndSignals(first: (signal: string) => void, again: () => void): Unsubscribe {
  let firstAt: number | undefined;
  const heard = (signal: string) => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      first(signal);
    } else if (now - firstAt > ONE_SIGNAL_MS) again();
  };
  const unread = ({ outlived }: Unread) => {
    if (firstAt === undefined && !outlived) heard('a pipe that nobody reads');
  };
  events().on(UNREAD, unread);
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return () => {
    process.off('SIGINT', heard);
    process.off('SIGTERM', heard);
    events().off(UNREAD, unread);
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
