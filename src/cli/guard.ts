/** What SIGKILL cannot stop: a shell that waits for the end of this process, and then drives every output to its safe level. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installationDirectory } from '../platform/files.ts';
import type { Io } from './io.ts';

export interface Guard {
  /** The outputs are safe: nobody has to look after them any more. */
  dismiss(): void;
}

/** Its end of the pipe is closed by the kernel, however the process ends. */
const SCRIPT = 'cat >/dev/null; exec "$0" "$1"';

/** Where a package, and where a checkout or a release keeps it. */
const places = (io: Io): readonly string[] => [
  '/usr/lib/chargepoint/contactor-open',
  join(installationDirectory(io.script), 'systemd/contactor-open'),
];

/**
 * `file` names the outputs: before the service has run for the first time since the boot it is not where contactor-open looks by itself.
 * Undefined where there is no contactor-open.
 */
export function standGuard(
  io: Io,
  file: string,
  program = places(io).find((path) => existsSync(path)),
): Guard | undefined {
  if (program === undefined) return undefined;
  // A process group of its own: Ctrl-C at the terminal is not for it.
  const guard = spawn('/bin/sh', ['-c', SCRIPT, program, file], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', (cause) => io.err(`Nobody looks after the outputs if this is killed: ${cause.message}\n`));
  guard.stdin.on('error', () => {});
  guard.unref();
  return {
    dismiss: () => {
      guard.kill('SIGKILL');
    },
  };
}
