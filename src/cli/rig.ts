/** What the agent is bolted to: a real board, or the mock one with the bench that plays the world around it. */
import type { Board } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import type { Agent } from '../agent.ts';
import type { AgentConfig, BenchConfig } from '../config.ts';
import type { PlatformClock } from '../platform/clock.ts';
import type { Ports } from '../ports.ts';

export interface Rig {
  readonly board: Board;
  /** Those of the machine, or those that the bench can break. */
  readonly ports: Ports;
  /** The agent runs: from now on the bench shows it. */
  attach(agent: Agent): void;
  /** Contactors open, pilots at x1, nobody plays any more. */
  close(): Promise<void>;
}

export interface RigOptions {
  readonly config: AgentConfig;
  readonly ports: Ports;
  readonly clock: PlatformClock;
}

/** Rejects with HalError if the hardware is not what the board file says, and with the system's error if the bench finds no port. */
export async function openRig(options: RigOptions): Promise<Rig> {
  const { config, ports } = options;
  const { board: description, connectors, bench, protection } = config;
  const watched = protection === undefined ? {} : { protection };
  const { gridConnection, dimming } = config.installation;
  const { clock, log } = ports;
  if (description === 'mock') {
    const { createMockBoard } = await import('../../hal/mock/mock-board.ts');
    const board = createMockBoard({
      connectors,
      clock,
      log,
      meterSerial: `MOCK-${clock.bootId.slice(0, 8)}`,
      ...(gridConnection === undefined ? {} : { gridConnection: true }),
      ...(dimming === undefined ? {} : { dimming: true }),
      ...watched,
    });
    return bench === undefined ? bare(board, ports) : benched(board, bench, options);
  }
  const { openBoard } = await import('../../hal/open-board.ts');
  const site = { ...(gridConnection === undefined ? {} : { gridConnection }), ...watched };
  return bare(await openBoard(description, connectors, { clock, log }, site), ports);
}

const bare = (board: Board, ports: Ports): Rig => ({ board, ports, attach: () => {}, close: () => board.close() });

/** The inputs of the configuration have taken effect when it resolves, so that the agent starts in the world that they describe. */
async function benched(board: MockBoard, config: BenchConfig, { ports, clock }: RigOptions): Promise<Rig> {
  const [{ startBench }, { failable }, { failableFiles }, { benchSockets }, { fakeInstaller }] = await Promise.all([
    import('../bench/server.ts'),
    import('../bench/failable-store.ts'),
    import('../bench/failable-files.ts'),
    import('../bench/bench-sockets.ts'),
    import('../bench/fake-installer.ts'),
  ]);
  const kept = failable(ports.store);
  const files = failableFiles(ports);
  const storage = {
    fail: (on: boolean): void => {
      kept.fail(on);
      files.fail(on);
    },
  };
  const link = benchSockets(ports.sockets);
  const bench = await startBench({ config, board, clock, storage, link, log: ports.log });
  const installer = fakeInstaller({ inputs: () => bench.firmware, clock, store: ports.store });
  return {
    board,
    ports: { ...ports, ...files.ports, store: kept.store, sockets: link.sockets, installer },
    attach: (agent) => bench.attach(agent),
    close: async () => {
      try {
        await board.close();
      } finally {
        await bench.stop();
      }
    },
  };
}
