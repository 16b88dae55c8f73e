/** Node entry: runs one command and ends with its exit code. */
import { processIo } from './cli/io.ts';
import { plainRun } from './cli/plain-run.ts';
import { EXIT, type ExitCode } from './platform/system.ts';

/** The agent starts without the command line's parser, which costs it 5 ms. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  const config = plainRun(argv);
  if (config !== undefined) return (await import('./cli/run.ts')).run(processIo(), config);
  return (await import('./cli/program.ts')).program(processIo(), argv);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (cause: unknown) => {
    process.stderr.write(
      `chargepoint failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`,
    );
    process.exit(EXIT.internal);
  },
);
