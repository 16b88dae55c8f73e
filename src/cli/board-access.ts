/**
 * The board for a technician's tool, opened from the configuration where no agent runs: an agent owns its lines. While it is held no agent
 * can start, and whatever ends the tool opens every contactor first. SIGKILL cannot be answered: whoever moves something also has `guard.ts`.
 */
import type { Board, Surroundings, Timebase } from '../../hal/contract.ts';
import { tryAll } from '../../hal/try-all.ts';
import type { AgentConfig } from '../config.ts';
import { StoreError } from '../errors.ts';
import { openRange } from '../features/transactions/facts.ts';
import { giveLike } from '../platform/files.ts';
import { isListening } from '../platform/socket-file.ts';
import { EXIT, onEndSignals, onUncaught } from '../platform/system.ts';
import type { Io } from './io.ts';
import { toolSurroundings } from './meter-source.ts';
import { driveOutputsSafe, makeOutputsSafe } from './outputs.ts';
import { storeDirectory } from './store-directory.ts';

export interface BoardAccess {
  readonly board: Board;
  readonly clock: Timebase;
  /** Ctrl-C, or SIGTERM: whoever works on the board stops. Another one ends the process at once, outputs safe. */
  readonly ended: AbortSignal;
  /** The last agent has left a transaction without a stop, for example in a power cut. */
  readonly openTransaction: boolean;
  /** Contactors open, then the board is given back. Never rejects: outputs are driven safe past whatever is broken. */
  close(): Promise<void>;
}

/** Why the board cannot be had, and what to do about it. */
export interface NoAccess {
  readonly refusal: string;
  readonly next: string;
}

const STOP_IT = 'Stop it first, nobody must be charging: sudo systemctl stop chargepoint';

/** Rejects with HalError if the hardware is not what the board file says: then nothing is held. */
export async function accessBoard(io: Io, config: AgentConfig): Promise<BoardAccess | NoAccess> {
  const { socket } = config.control;
  if (socket !== undefined && (await isListening(socket)))
    return { refusal: 'the running agent owns the board', next: STOP_IT };
  const held = await holdStore(config);
  if ('refusal' in held) return held;
  try {
    return await opened(io, config, held);
  } catch (error) {
    await held.close();
    throw error;
  }
}

interface HeldStore {
  readonly openTransaction: boolean;
  close(): Promise<void>;
}

/** The lock of the store keeps an agent away that nobody has seen on the socket, and one that would start meanwhile. */
async function holdStore({ stateDir }: AgentConfig): Promise<HeldStore | NoAccess> {
  const [{ openStore }, { platformLog }] = await Promise.all([
    import('../platform/store.ts'),
    import('../platform/log.ts'),
  ]);
  const log = platformLog({ level: 'error', style: 'plain', wall: () => 0, write: () => {} });
  try {
    const { store } = await openStore(storeDirectory(stateDir), log);
    const open = await store.list({ ...openRange, limit: 1 });
    return {
      openTransaction: open.length > 0,
      close: async () => {
        await store.close();
        giveLike(stateDir, storeDirectory(stateDir));
      },
    };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return error.code === 'storeLocked'
      ? { refusal: 'an agent is running on the store of this configuration', next: STOP_IT }
      : { refusal: `${stateDir} cannot be used: ${error.message}`, next: 'Use sudo, or look at the disk: df; dmesg' };
  }
}

async function opened(io: Io, config: AgentConfig, held: HeldStore): Promise<BoardAccess> {
  makeOutputsSafe(io, config);
  const surroundings = await toolSurroundings();
  const ended = new AbortController();
  let board: Board | undefined;
  /** Synchronous; never throws. */
  const abandon = (): void => {
    try {
      tryAll((board?.connectors ?? []).map((connector) => () => connector.evse.permit(false)));
    } catch {
      // Past the drivers, then.
    }
    driveOutputsSafe(io, config);
  };
  const die = (): void => {
    abandon();
    process.exit(EXIT.internal);
  };
  const forgets = [
    onEndSignals(() => ended.abort(), die),
    onUncaught((cause) => {
      abandon();
      io.err(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
      process.exit(EXIT.internal);
    }),
  ];
  process.once('exit', abandon);
  const forget = (): void => {
    for (const one of forgets) one();
    process.off('exit', abandon);
  };
  try {
    board = await boardOf(config, surroundings);
  } catch (error) {
    forget();
    throw error;
  }
  const there = board;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await there.close().catch((cause: unknown) => {
      io.err(`The board did not close well: ${String(cause)}\n`);
      driveOutputsSafe(io, config);
    });
    forget();
    await held.close();
  };
  return {
    board: there,
    clock: surroundings.clock,
    ended: ended.signal,
    openTransaction: held.openTransaction,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function boardOf(
  { board, connectors, installation: { gridConnection, dimming }, protection }: AgentConfig,
  surroundings: Surroundings,
): Promise<Board> {
  const watched = protection === undefined ? {} : { protection };
  if (board === 'mock') {
    const { createMockBoard } = await import('../../hal/mock/mock-board.ts');
    return createMockBoard({
      connectors,
      ...surroundings,
      ...watched,
      ...(gridConnection === undefined ? {} : { gridConnection: true }),
      ...(dimming === undefined ? {} : { dimming: true }),
    });
  }
  const { openBoard } = await import('../../hal/open-board.ts');
  const site = gridConnection === undefined ? {} : { gridConnection };
  return openBoard(board, connectors, surroundings, { ...site, ...watched });
}
