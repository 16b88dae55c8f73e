/** The end of the process: the exit code of its work. */
import { EXIT, type ExitCode } from '../platform/system.ts';

export function endWith(work: Promise<ExitCode>): void {
  work.then(
    (code) => process.exit(code),
    (cause: unknown) => {
      process.stderr.write(
        `chargepoint failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`,
      );
      process.exit(EXIT.internal);
    },
  );
}
