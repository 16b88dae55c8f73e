/** What on this machine is wrong for the board of a configuration: the same for `check` and `doctor`. */
import type { AgentConfig } from '../config.ts';
import { exitChainWarnings } from '../platform/exit-chain.ts';
import type { Io } from './io.ts';

/** One sentence for each weak link of the exit chain, with its remedy. None for the mock board. */
export function machineWarnings({ environment }: Io, { board }: AgentConfig): readonly string[] {
  if (board === 'mock') return [];
  const { CHARGEPOINT_ROOT: root, PATH: path } = environment;
  return exitChainWarnings(board, { ...(root === undefined ? {} : { root }), ...(path === undefined ? {} : { path }) });
}
