/** Where a command finds the running agent, and how it says that there is none. */
import { join } from 'node:path';
import { type ControlCall, callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { RUN_DIRECTORY } from '../platform/safe-outputs.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Io } from './io.ts';

export interface AgentOptions {
  readonly socket?: string;
  readonly config?: string;
}

/** `--socket`, else that of the configuration, else that of the service. Undefined after an error has been printed. */
export async function socketFor(io: Io, { socket, config }: AgentOptions): Promise<string | undefined> {
  if (socket !== undefined) return socket;
  if (config === undefined) return join(RUN_DIRECTORY, 'control.sock');
  const { loadFor } = await import('./configuration.ts');
  const loaded = loadFor(io, config);
  if (loaded === undefined) return undefined;
  if (loaded.config.control.socket === undefined)
    io.err('This configuration has no control socket: set control.socket.\n');
  return loaded.config.control.socket;
}

/**
 * Asks the agent and hands its answer to `show`. With one clear sentence exit code 70 if there is none or it fails, 78 for the
 * configuration and for what it refuses.
 */
export async function askAgent(
  io: Io,
  options: AgentOptions,
  call: ControlCall,
  show: (answer: unknown) => void,
): Promise<ExitCode> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  try {
    show(await callAgent(socket, call));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const hint = error.code === 'noAgent' ? 'Start one with `chargepoint run`, or name its file with --config.\n' : '';
    io.err(`${error.message}.\n${hint}`);
    return error.code === 'badRequest' || error.code === 'notFound' ? EXIT.config : EXIT.internal;
  }
}
