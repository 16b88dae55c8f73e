/** `chargepoint run`: outputs safe, configuration, agent, and an end that leaves every contactor open. */
import type { Board } from '../../hal/contract.ts';
import type { Agent, AgentOptions } from '../agent.ts';
import type { AgentConfig } from '../config.ts';
import type { ControlServer } from '../control/server.ts';
import type { PlatformClock } from '../platform/clock.ts';
import { installationDirectory } from '../platform/files.ts';
import { firmwareFile } from '../platform/firmware-files.ts';
import { freeBytes } from '../platform/free-space.ts';
import { installerFor } from '../platform/installers.ts';
import { switchOffLeftovers } from '../platform/leftover-outputs.ts';
import type { LineWriter } from '../platform/line-writer.ts';
import type { LogRing } from '../platform/log-ring.ts';
import type { Service } from '../platform/service.ts';
import { isListening } from '../platform/socket-file.ts';
import type { OpenedStore } from '../platform/store.ts';
import { EXIT, type ExitCode, onEndSignals, onUncaught, outliveReaders } from '../platform/system.ts';
import type { Log, Ports, Store, Unsubscribe } from '../ports.ts';
import type { Io } from './io.ts';
import { driveOutputsSafe, makeOutputsSafe, reportOutputs } from './outputs.ts';
import type { Rig } from './rig.ts';
import {
  firmwareDirectory,
  keyDirectory,
  logDirectory,
  recordingDirectory,
  uploadDirectory,
} from './store-directory.ts';

/** An orderly end takes at most 3 s, the exit itself included. */
const END_WITHIN_MS = 2_800;
/** The central system gets this long to answer the first dial before the control socket is opened all the same. */
const DIAL_MS = 50;
/** An EVSE controller on a serial line answers in less; `Board.close` bounds it as well. */
const ACKNOWLEDGED_WITHIN_MS = 600;
const STDOUT = 1;
/** So long a new release has to be well before it confirms itself, in seconds; CHARGEPOINT_CONFIRM_AFTER_S of the unit wins. */
const CONFIRM_AFTER_S = 120;
/** The last words of the log get this long to be read, within the 3 s. */
const LAST_WORDS_MS = 150;

/** What a kill test puts between the agent and its world; empty in production. */
export interface Tap {
  readonly reached?: AgentOptions['reached'];
  /** Called once the store is open, before the hardware is. */
  readonly ports?: (ports: Ports) => Ports;
  /** Called once the hardware is open. */
  readonly board?: (board: Board) => Board;
}

/** Resolves to the exit code once the agent has ended: 0 after a signal or a reboot, 70 if it could not start, 78 for the configuration. */
export async function run(io: Io, path: string, tap: Tap = {}): Promise<ExitCode> {
  outliveReaders();
  const { loadFor } = await import('./configuration.ts');
  const loaded = loadFor(io, path);
  if (loaded === undefined) {
    // The launcher has done this already where it understood the command line.
    reportOutputs(io, await switchOffLeftovers(path));
    return EXIT.config;
  }
  if (await isTaken(loaded.config)) {
    io.err(`An agent is already running: it listens on ${loaded.config.control.socket}.\n`);
    return EXIT.internal;
  }
  makeOutputsSafe(io, loaded.config);
  // The store first: its lock keeps a second agent away from the hardware. The rest is loaded while it opens.
  const [{ openStore }, { storeDirectory }] = await Promise.all([
    import('../platform/store.ts'),
    import('./store-directory.ts'),
  ]);
  const surroundings = platform(io, loaded.config);
  const opening = openStore(
    storeDirectory(loaded.config.stateDir),
    surroundings.then(({ log }) => log),
  );
  // Told when it is waited for.
  opening.catch(() => {});
  const { log, clock, lines, kept } = await surroundings;
  for (const { file, line, path: member, message } of loaded.warnings)
    log.warn(`${file}:${line} ${member}: ${message}`);
  const code = await new Process({ io, config: loaded.config, log, clock, kept, opening, tap }).run();
  await Promise.all([lines.flushed(LAST_WORDS_MS), within(LAST_WORDS_MS, kept.flush())]);
  return code;
}

/** What is not over then goes on by itself. */
const within = (ms: number, work: Promise<void>): Promise<void> =>
  Promise.race([work, new Promise<void>((resolve) => void setTimeout(resolve, ms).unref())]);

const same = <T>(thing: T): T => thing;

/** On real hardware asked before any output is touched; elsewhere the lock of the store is early enough. */
async function isTaken({ board, control }: AgentConfig): Promise<boolean> {
  if (board === 'mock' || control.socket === undefined) return false;
  return isListening(control.socket);
}

/** The store opens in several steps, each of which needs a turn of the event loop: nobody loads for long without giving it one. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Platform {
  readonly log: Log;
  readonly clock: PlatformClock;
  readonly lines: LineWriter;
  readonly kept: LogRing;
}

async function platform(io: Io, { board, log: { level }, stateDir }: AgentConfig): Promise<Platform> {
  await turn();
  const { platformLog, styleFor } = await import('../platform/log.ts');
  await turn();
  const [{ lineWriter }, { machineBootId, platformClock }, { nodeRandom }, { LogRing }] = await Promise.all([
    import('../platform/line-writer.ts'),
    import('../platform/clock.ts'),
    import('../platform/random.ts'),
    import('../platform/log-ring.ts'),
  ]);
  // A process that follows in the same boot may still learn when it was what this one has seen. The mock is a new machine each time: its meters
  // begin anew, and the bench bends its time.
  const bootId = board === 'mock' ? undefined : machineBootId();
  const clock = platformClock(bootId ?? nodeRandom.uuid());
  const style = styleFor(io.environment, io.isTerminal);
  const lines = lineWriter(STDOUT);
  const kept = new LogRing({
    directory: logDirectory(stateDir),
    after: (delayMs, action) => clock.after(delayMs, action),
  });
  const log = platformLog({
    level,
    style,
    wall: () => clock.wall(clock.now()),
    write: lines.write,
    keep: (line, severity) => kept.keep(line, severity),
  });
  return { log, clock, lines, kept };
}

/** Resolves once the first dial has succeeded, or soon: what is loaded next must not come between the two. */
async function connected(agent: Agent, clock: PlatformClock): Promise<void> {
  let stop: Unsubscribe | undefined;
  await new Promise<void>((resolve) => {
    const cancel = clock.afterReal(DIAL_MS, resolve);
    stop = agent.onChange(() => {
      if (!agent.view().connected) return;
      cancel();
      resolve();
    });
  });
  stop?.();
}

interface ProcessOptions {
  readonly io: Io;
  readonly config: AgentConfig;
  readonly log: Log;
  readonly clock: PlatformClock;
  readonly kept: LogRing;
  readonly opening: Promise<OpenedStore>;
  readonly tap: Tap;
}

/** One life of the agent in this process: what was opened, in the order in which it has to be closed. */
class Process {
  readonly #io: Io;
  readonly #config: AgentConfig;
  readonly #log: Log;
  readonly #clock: PlatformClock;
  readonly #kept: LogRing;
  readonly #opening: Promise<OpenedStore>;
  readonly #tap: Tap;
  #store: Store | undefined;
  #rig: Rig | undefined;
  #agent: Agent | undefined;
  #control: ControlServer | undefined;
  #service: Service | undefined;

  constructor({ io, config, log, clock, kept, opening, tap }: ProcessOptions) {
    this.#io = io;
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
    this.#kept = kept;
    this.#opening = opening;
    this.#tap = tap;
  }

  async run(): Promise<ExitCode> {
    const ended = new Promise<void>((resolve) => {
      onEndSignals(
        (signal) => {
          this.#log.info(`ending after ${signal}`);
          resolve();
        },
        () => {
          void this.#die();
        },
      );
      onUncaught((cause) => this.#crash(cause));
      this.#exit = resolve;
    });
    try {
      await this.#start();
    } catch (cause) {
      this.#log.error(`the agent cannot start: ${cause instanceof Error ? cause.message : String(cause)}`);
      this.#log.debug('the agent cannot start', { cause });
      await this.#end();
      return EXIT.internal;
    }
    await ended;
    await this.#end();
    return EXIT.ok;
  }

  #exit: () => void = () => {};
  #isDying = false;

  /** Contactors first; only then is there time for words. */
  #crash(cause: unknown): void {
    const death = this.#die();
    this.#log.error('fatal: nobody caught this', { cause });
    void death;
  }

  /** Outputs safe at once; a controller at the end of a serial line gets a moment to acknowledge its off. */
  async #die(): Promise<void> {
    if (this.#isDying) return;
    this.#isDying = true;
    this.#abandon();
    await this.#closeBoard(ACKNOWLEDGED_WITHIN_MS);
    await within(LAST_WORDS_MS, this.#agent?.lastWords() ?? Promise.resolve());
    process.exit(EXIT.internal);
  }

  #closeBoard(withinMs: number): Promise<void> {
    const closed = this.#step('board', () => this.#rig?.board.close());
    return Promise.race([closed, new Promise<void>((resolve) => void setTimeout(resolve, withinMs))]);
  }

  /** Contactors open, then every output at its safe level, past everything that may be broken. Synchronous; never throws. */
  #abandon(): void {
    const attempts = [
      () => this.#agent?.trip(),
      ...(this.#rig?.board.connectors ?? []).map((connector) => () => connector.evse.permit(false)),
      () => driveOutputsSafe(this.#io, this.#config),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (cause) {
        this.#log.error('not every output could be made safe', { cause });
      }
    }
  }

  async #start(): Promise<void> {
    const { chargePoint, centralSystem, control } = this.#config;
    const { versionOf } = await import('./version.ts');
    const version = versionOf(this.#io);
    this.#log.info(`chargepoint ${version} starts`, {
      config: this.#config.file,
      identity: chargePoint.identity,
      url: centralSystem.url,
    });
    await this.#joinSystemd();
    await turn();
    const [
      { WebSockets },
      { nodeCertificates },
      { FileKeyStore },
      { nodeTransfers },
      { FileArchives },
      { FileRecordings },
    ] = await Promise.all([
      import('../platform/web-sockets.ts'),
      import('../platform/x509.ts'),
      import('../platform/key-store.ts'),
      import('../platform/transfers.ts'),
      import('../platform/archives.ts'),
      import('../platform/recordings.ts'),
    ]);
    await turn();
    const [{ startAgent }, { openRig }, { nodeRandom }] = await Promise.all([
      import('../agent.ts'),
      import('./rig.ts'),
      import('../platform/random.ts'),
    ]);
    const { CHARGEPOINT_ROOT: root } = this.#io.environment;
    const { store, movedAside, reason } = await this.#opening;
    this.#store = store;
    const archives = new FileArchives({
      directory: uploadDirectory(this.#config.stateDir),
      logFiles: () => this.#kept.files(),
      version,
      log: this.#log,
    });
    const { ports: between = same, board: bolted = same, reached } = this.#tap;
    const ports = between({
      clock: this.#clock,
      log: this.#log,
      random: nodeRandom,
      store,
      sockets: new WebSockets(),
      system: {
        exit: (kind) => {
          this.#log.info(`ending for a ${kind}`);
          this.#exit();
        },
        freeBytes: () => freeBytes(this.#config.stateDir),
      },
      certificates: nodeCertificates,
      keyStore: new FileKeyStore(keyDirectory(this.#config.stateDir), this.#log),
      transfers: nodeTransfers,
      installer: installerFor(this.#config.firmware?.installer, {
        installation: installationDirectory(this.#io.script),
        log: this.#log,
        ...(root === undefined ? {} : { root }),
      }),
      firmwareFile: firmwareFile(firmwareDirectory(this.#config.stateDir)),
      archives,
      recordings: new FileRecordings(recordingDirectory(this.#config.stateDir)),
    });
    this.#rig = await openRig({ config: this.#config, ports, clock: this.#clock });
    const board = bolted(this.#rig.board);
    this.#agent = await startAgent({
      config: this.#config,
      ports: this.#rig.ports,
      board,
      version,
      ...(movedAside === undefined ? {} : { incidents: [lostStore(movedAside, reason)] }),
      ...(reached === undefined ? {} : { reached }),
    });
    this.#rig.attach(this.#agent);
    await connected(this.#agent, this.#clock);
    await this.#tellReady(this.#agent, board);
    this.#kept.open(this.#log);
    void archives.tidy();
    if (control.socket !== undefined) await this.#serveControl(this.#agent, this.#rig.ports, control.socket, version);
    await this.#confirmRelease(this.#agent, this.#rig.board, version);
  }

  async #joinSystemd(): Promise<void> {
    const { environment } = this.#io;
    if (environment['NOTIFY_SOCKET'] === undefined) return;
    const { serviceOf } = await import('../platform/service.ts');
    this.#service = serviceOf({ environment, pid: process.pid, clock: this.#clock, log: this.#log });
    this.#service?.starting();
  }

  async #tellReady(agent: Agent, board: Board): Promise<void> {
    if (this.#service === undefined) return;
    const { statusLine } = await import('./status-line.ts');
    await this.#service.ready({ watched: () => board.watched, status: () => statusLine(agent.view()) });
  }

  async #confirmRelease(agent: Agent, board: Board, version: string): Promise<void> {
    const [{ confirmRelease }, { isWell }] = await Promise.all([import('../platform/release.ts'), import('./well.ts')]);
    const { CHARGEPOINT_CONFIRM_AFTER_S: given, CHARGEPOINT_ROOT: root } = this.#io.environment;
    confirmRelease({
      version,
      isWell: () => isWell(agent.view(), board.faults),
      forMs: (Number(given) || CONFIRM_AFTER_S) * 1000,
      clock: this.#clock,
      log: this.#log,
      ...(root === undefined ? {} : { root }),
    });
  }

  async #serveControl(agent: Agent, ports: Ports, socket: string, version: string): Promise<void> {
    const [{ serveControl }, { agentRoutes }, { socketFile }, { switchRoute }, { meterRoutes }, { toolRoutes }] =
      await Promise.all([
        import('../control/server.ts'),
        import('../control/agent-routes.ts'),
        import('../platform/socket-file.ts'),
        import('./switch-route.ts'),
        import('./meter-route.ts'),
        import('./tool-routes.ts'),
      ]);
    const routes = [
      ...agentRoutes({ agent, config: this.#config, version }),
      ...agent.routes,
      ...(this.#rig === undefined ? [] : meterRoutes({ config: this.#config, board: this.#rig.board, ...ports })),
      switchRoute({ io: this.#io, agent, config: this.#config, ports }),
      ...toolRoutes({ config: this.#config, kept: this.#kept }),
    ];
    this.#control = await serveControl({ socket: socketFile(socket), routes, log: this.#log });
  }

  /** Contactors open at once; the rest is bounded, and one part that fails does not keep the others from their end. */
  async #end(): Promise<void> {
    const steps = async (): Promise<void> => {
      await this.#step('agent', () => {
        // The contactors are open before it returns.
        const stopped = this.#agent?.stop('Reboot');
        this.#service?.stopping();
        return stopped;
      });
      await this.#step('board', () => this.#rig?.close());
      await this.#step('control socket', () => this.#control?.close());
      await this.#step('store', () => this.#store?.close());
    };
    const deadline = new Promise<void>((resolve) => {
      setTimeout(() => {
        this.#abandon();
        this.#log.warn('not everything ended in time');
        void this.#closeBoard(LAST_WORDS_MS).then(resolve);
      }, END_WITHIN_MS);
    });
    await Promise.race([steps(), deadline]);
    this.#clock.close();
  }

  async #step(what: string, action: () => Promise<void> | undefined): Promise<void> {
    try {
      await action();
    } catch (cause) {
      this.#log.error(`the ${what} did not end well`, { cause });
    }
  }
}

/** Transactions may be missing until somebody has run `chargepoint outbox recover`. */
const lostStore = (movedAside: string, reason = 'it could not be opened') => ({
  type: 'StoreReplaced' as const,
  techInfo: `a fresh store was started: ${reason}; the old one is at ${movedAside}`,
});
