/** `run`, as a service starts it, needs no parser. */
import { DEFAULT_CONFIG } from './io.ts';

/** The configuration file of `run` and `run --config FILE`; undefined for anything else, which is the parser's to judge. */
export function plainRun(argv: readonly string[]): string | undefined {
  const [command, option, file, ...others] = argv;
  if (command !== 'run' || others.length > 0) return undefined;
  if (option === undefined) return DEFAULT_CONFIG;
  return option === '--config' && file !== undefined && !file.startsWith('-') ? file : undefined;
}
