/** What the agent is bolted to: a real board, or the mock one. */
import type { Board } from '../../hal/contract.ts';
import type { Agent } from '../agent.ts';
import type { AgentConfig } from '../config.ts';
import type { PlatformClock } from '../platform/clock.ts';
import type { Ports } from '../ports.ts';

export interface Rig {
  readonly board: Board;
  /** Those of the machine, or those that the bench can break. */
  readonly ports: Ports;
  /** The agent runs: whoever plays the world may begin. */
  serve(agent: Agent): Promise<void>;
  /** Contactors open, pilots at x1, nobody plays any more. */
  close(): Promise<void>;
}

export interface RigOptions {
  readonly config: AgentConfig;
  readonly ports: Ports;
  readonly clock: PlatformClock;
}

/** Rejects with HalError if the hardware is not what the board file says. */
export async function openRig(options: RigOptions): Promise<Rig> {
  const { config, ports } = options;
  const board = await boardOf(options);
  if (config.bench !== undefined) ports.log.info('the mock board is in use', { bench: config.bench.port });
  return { board, ports, serve: async () => {}, close: () => board.close() };
}

async function boardOf({ config, ports }: RigOptions): Promise<Board> {
  const { board, connectors } = config;
  const { clock, log } = ports;
  if (board === 'mock') {
    const { createMockBoard } = await import('../../hal/mock/mock-board.ts');
    return createMockBoard({ connectors, clock, log });
  }
  const { openBoard } = await import('../../hal/open-board.ts');
  return openBoard(board, connectors, { clock, log });
}
