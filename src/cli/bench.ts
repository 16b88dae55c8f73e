/** `chargepoint bench`: agent, mock board and embedded central system, all on this machine (bench.md, section 6). */
import { join } from 'node:path';
import { shippedConfigDirectory } from '../platform/files.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Io } from './io.ts';

export interface BenchOptions {
  readonly config?: string;
}

/** Resolves when the bench has been ended by a signal, or to 78 if its configuration is refused. */
export async function bench(io: Io, { config }: BenchOptions): Promise<ExitCode> {
  const { superviseBench } = await import('../bench/supervisor.ts');
  const configPath = config ?? join(shippedConfigDirectory(io.script), 'chargepoint.yaml');
  return (await superviseBench({ configPath })) === EXIT.config ? EXIT.config : EXIT.ok;
}
