/** Node entry: runs one command and ends with its exit code. */
import { processIo } from './cli/io.ts';
import { program } from './cli/program.ts';
import { EXIT } from './platform/system.ts';

program(processIo(), process.argv.slice(2)).then(
  (code) => process.exit(code),
  (cause: unknown) => {
    process.stderr.write(
      `chargepoint failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`,
    );
    process.exit(EXIT.internal);
  },
);
