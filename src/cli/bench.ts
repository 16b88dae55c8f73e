/** `chargepoint bench`: agent, mock board and embedded central system, all on this machine (bench.md, section 6). */
import { join, resolve } from 'node:path';
import { parseConfig } from '../config/document.ts';
import { problemText } from '../config/examine.ts';
import type { ConfigProblem } from '../config.ts';
import { nodeFiles, shippedConfigDirectory } from '../platform/files.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { loadOver } from './configuration.ts';
import type { Io } from './io.ts';

export interface BenchOptions {
  readonly config?: string;
}

/** Resolves when the bench has been ended by a signal, or to 78 if its configuration is refused: then nothing was started. */
export async function bench(
  io: Io,
  { config }: BenchOptions,
  supervise?: typeof import('../bench/supervisor.ts').superviseBench,
): Promise<ExitCode> {
  const configPath = config ?? join(shippedConfigDirectory(io.script), 'chargepoint.yaml');
  const supervisor = await import('../bench/supervisor.ts');
  const errors = errorsOf(io, configPath, supervisor.effectiveConfig);
  if (errors.length > 0) {
    for (const error of errors) io.err(`error ${problemText(error)}\n`);
    const count = errors.length;
    io.err(`\n${configPath}: ${count} ${count === 1 ? 'error' : 'errors'}; nothing was started.\n`);
    return EXIT.config;
  }
  return (await (supervise ?? supervisor.superviseBench)({ configPath })) === EXIT.config ? EXIT.config : EXIT.ok;
}

type Effective = typeof import('../bench/supervisor.ts').effectiveConfig;

/** What the agent would refuse, at its place in the file that was given: much of that, as its board, the bench decides by itself. */
function errorsOf(io: Io, configPath: string, effectiveConfig: Effective): readonly ConfigProblem[] {
  const file = resolve(configPath);
  const given = loadOver(io, file, new Map());
  if ('config' in given) return [];
  const value = objectIn(file);
  if (value === undefined) return given.errors;
  // Any ports and any folder will do.
  const decided = { stateDir: '/run/bench', centralSystemPort: 9000, benchPort: 9001 };
  const text = JSON.stringify(effectiveConfig(value, file, decided));
  const bench = loadOver(io, file, new Map([[file, text]]));
  if ('config' in bench) return [];
  return bench.errors.map((error) => {
    const own = given.errors.find((other) => whatIsWrong(other) === whatIsWrong(error));
    return own ?? (error.file === file ? atTop(error) : error);
  });
}

const whatIsWrong = ({ path, message }: ConfigProblem): string => `${path}: ${message}`;
const atTop = (error: ConfigProblem): ConfigProblem => ({ ...error, line: 1, column: 1 });

/** Undefined for what is no object, or cannot be read. */
function objectIn(file: string): Record<string, unknown> | undefined {
  try {
    const { value } = parseConfig(file, nodeFiles.read(file));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
