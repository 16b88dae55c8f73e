/** Asks the running agent; where none runs, its store. */
import type { AgentConfig } from '../config.ts';
import { ControlError } from '../errors.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { type AgentOptions, socketFor } from './agent-socket.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';

export interface Ways {
  agent(socket: string): Promise<ExitCode>;
  store(config: AgentConfig): Promise<ExitCode>;
}

/** The running agent has the last word; where none runs, its store has. With --socket alone nobody says which store that would be. */
export async function withAgentOrStore(io: Io, options: AgentOptions, ways: Ways): Promise<ExitCode> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  try {
    return await ways.agent(socket);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const isAlone = error.code === 'noAgent' && (options.socket === undefined || options.config !== undefined);
    if (!isAlone) {
      io.err(`${error.message}.\n`);
      return error.code === 'notFound' || error.code === 'badRequest' ? EXIT.config : EXIT.internal;
    }
  }
  const [{ loadFor }, { storeTrouble }] = await Promise.all([import('./configuration.ts'), import('./stored.ts')]);
  const loaded = loadFor(io, options.config ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  return ways.store(loaded.config).catch((error: unknown) => storeTrouble(io, error));
}
