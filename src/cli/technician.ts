/** Whom the technician's tools talk to: the running agent, or without one the board itself, by the same routes. */
import { HalError } from '../../hal/hal-error.ts';
import type { AgentConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import type { Route } from '../control/route.ts';
import { ControlError } from '../errors.ts';
import { serviceRoutes } from '../features/service/service-routes.ts';
import { Trials } from '../features/service/trials.ts';
import { nodeFiles } from '../platform/files.ts';
import { safeOutputsPath } from '../platform/safe-outputs.ts';
import { isListening } from '../platform/socket-file.ts';
import { EXIT, type ExitCode, onEndSignals } from '../platform/system.ts';
import { type AgentOptions, socketFor } from './agent-socket.ts';
import { accessBoard, type BoardAccess, type NoAccess } from './board-access.ts';
import { standGuard } from './guard.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';

export interface Technician {
  /** Resolves to the JSON of the answer. Rejects with ControlError. */
  ask(method: Route['method'], path: string, body?: unknown): Promise<unknown>;
  /** The board, where no agent runs. */
  readonly access?: BoardAccess;
  /** Ctrl-C, or SIGTERM. */
  readonly ended: AbortSignal;
  /** Outputs safe, the board given back; the agent is told nothing. Never rejects. */
  close(): Promise<void>;
}

/** The exit code after it has been said why there is nobody to talk to. */
async function technician(io: Io, options: AgentOptions): Promise<Technician | ExitCode> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  if (await isListening(socket)) return besideAgent(socket);
  if (options.socket !== undefined && options.config === undefined) {
    io.err(`No agent is running: nobody listens on ${socket}.\n`);
    return EXIT.internal;
  }
  const { loadFor } = await import('./configuration.ts');
  const loaded = loadFor(io, options.config ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  const access = await openedBoard(io, loaded.config);
  if (access === undefined) return EXIT.internal;
  if ('refusal' in access) {
    io.err(`The board cannot be had: ${access.refusal}.\n${access.next}\n`);
    return EXIT.internal;
  }
  const { board, stateDir } = loaded.config;
  return onBoard(access, board === 'mock' ? undefined : standGuard(io, safeOutputsPath(stateDir, nodeFiles)));
}

/** Undefined after it has been said what is wrong with the hardware. */
async function openedBoard(io: Io, config: AgentConfig): Promise<BoardAccess | NoAccess | undefined> {
  try {
    return await accessBoard(io, config);
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    const { remedyFor } = await import('./remedies.ts');
    io.err(`${error.message}.\n${remedyFor(`hal.${error.code}`).next}\n`);
    return undefined;
  }
}

/** Asks once and shows the answer; what is refused is said in one sentence, with exit code 78, and 70 if nobody can be asked. */
export async function working(
  io: Io,
  options: AgentOptions,
  work: (with_: Technician) => Promise<ExitCode>,
): Promise<ExitCode> {
  const found = await technician(io, options);
  if (typeof found === 'number') return found;
  try {
    return await work(found);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    io.err(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.\n`);
    return error.code === 'badRequest' || error.code === 'notFound' ? EXIT.config : EXIT.internal;
  } finally {
    await found.close();
  }
}

function besideAgent(socket: string): Technician {
  const ended = new AbortController();
  const forget = onEndSignals(
    () => ended.abort(),
    () => process.exit(EXIT.internal),
  );
  return {
    ask: (method, path, body) => callAgent(socket, { method, path, ...(body === undefined ? {} : { body }) }),
    ended: ended.signal,
    close: async () => forget(),
  };
}

function onBoard(access: BoardAccess, guard: ReturnType<typeof standGuard>): Technician {
  const { board, clock, openTransaction, ended } = access;
  const hardware = (id: number) => board.connectors.find((connector) => connector.id === id);
  const site = {
    board,
    log: { info: () => {}, warn: () => {} },
    after: (delayMs: number, action: () => void) => clock.after(delayMs, action),
    mustBeFree: (connectorId: number) => {
      if (openTransaction)
        throw new ControlError(
          'badRequest',
          'a transaction is not over: start the agent, which goes on with it or ends it',
        );
      if (hardware(connectorId)?.evse.state.contactor !== 'open')
        throw new ControlError('badRequest', `connector ${connectorId} is live: its contactor is not open`);
    },
    // The store is held: no agent can start meanwhile.
    take: () => () => {},
    unlock: async (connectorId: number) => hardware(connectorId)?.lock?.unlock(),
  };
  const trials = new Trials(site);
  const routes = serviceRoutes(site, trials);
  return {
    ask: async (method, path, body) =>
      routes.find((route) => route.method === method && route.path === path)?.handle({ query: {}, body }),
    access,
    ended,
    close: async () => {
      trials.stop();
      await access.close();
      guard?.dismiss();
    },
  };
}

/** Resolves after the time, or at once when whoever works is to stop. */
export const pause = (ms: number, ended: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (ended.aborted) {
      resolve();
      return;
    }
    const over = (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    ended.addEventListener('abort', over);
  });
