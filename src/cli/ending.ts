/** The end of the process: the exit code of its work. */
import { EXIT, type ExitCode, endUnread } from '../platform/system.ts';

/** The reader has gone, a socket's with something unread, or the terminal has hung up. */
const UNREAD: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET', 'EIO']);

export function endWith(work: Promise<ExitCode>): void {
  let lost: ExitCode | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (cause: NodeJS.ErrnoException) => {
      const then = endUnread();
      if (then === 'outlived') return;
      const isFirst = lost === undefined;
      lost ??= UNREAD.has(cause.code) ? EXIT.unread : EXIT.internal;
      if (isFirst && lost === EXIT.internal) process.stderr.write(`The output cannot be written: ${cause.message}\n`);
      if (then === 'nobody listens') process.exit(lost);
    });
  }
  work.then(
    // The last words may not have found a reader either: that is told in the next tick.
    (code) => process.nextTick(() => process.exit(lost ?? code)),
    (cause: unknown) => {
      process.stderr.write(
        `chargepoint failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`,
      );
      process.exit(EXIT.internal);
    },
  );
}
