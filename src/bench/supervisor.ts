/** `npm start`: the embedded central system, and the agent on the mock board as a child that is kept running (bench.md, section 6). */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseConfig } from '../config/document.ts';
import { type PlatformClock, platformClock } from '../platform/clock.ts';
import { replaceFile } from '../platform/files.ts';
import { nodeRandom } from '../platform/random.ts';
import { onEndSignals } from '../platform/system.ts';
import { serveWebSockets } from '../platform/web-socket-server.ts';
import type { Log, Unsubscribe } from '../ports.ts';
import { type CentralSystem, startCentralSystem } from './central-system.ts';
import type { Told } from './central-system-logic.ts';
import { DEMO_SAMPLE_INTERVAL_S, describe, isFirstStatus, showFirstSession, toldWithin } from './demo.ts';
import { askJson } from './json-client.ts';
import { serveJson } from './json-http.ts';
import { type AgentProcess, keepRunning } from './keeper.ts';
import { isObject, type JsonObject } from './merge-patch.ts';

export interface SuperviseOptions {
  /** YAML or JSON; what the bench itself decides (addresses, state directory, mock board) is put over it. */
  readonly configPath: string;
  /** Default: one line on stdout. */
  readonly print?: (line: string) => void;
  /** False: no first session. */
  readonly demo?: boolean;
}

const CENTRAL_SYSTEM_PORT = 9000;
const BENCH_PORT = 9001;
const PORTS_TRIED = 50;
const BOOTS_WITHIN_MS = 15_000;
const LAST_WORDS = 12;

/** Runs until a signal, or until the agent refuses its configuration. Resolves with the exit status: 0, or 78. */
export async function superviseBench(options: SuperviseOptions): Promise<number> {
  const print = options.print ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const base = readBase(options.configPath);
  const clock = platformClock('bench');
  const centralSystem = await onFreePort(CENTRAL_SYSTEM_PORT, (port) =>
    startCentralSystem({
      port,
      clock,
      random: nodeRandom,
      log: troubleOnly(print),
      wireLog: { frame: () => {} },
      serve: serveWebSockets,
    }),
  );
  const benchPort = await onFreePort(BENCH_PORT, probe);
  const stateDir = stateDirectory(base, options.configPath, benchPort);
  const configFile = join(stateDir, 'bench-config.json');
  const config = effectiveConfig(base, options.configPath, {
    stateDir,
    centralSystemPort: centralSystem.port,
    benchPort,
  });
  replaceFile(configFile, `${JSON.stringify(config, undefined, 2)}\n`);
  const logFile = join(stateDir, 'agent.log');
  for (const line of welcome({ benchPort, centralSystem, configFile, logFile, identity: identityOf(base) }))
    print(line);

  const onTold = (listener: (told: Told) => void): Unsubscribe => centralSystem.logic.onTold(listener);
  onTold((told) => print(`    ${describe(told)}`));
  const booted = toldWithin(BOOTS_WITHIN_MS, isFirstStatus, { clock, onTold });
  const keeper = keepRunning({
    clock,
    print,
    spawn: () => spawnAgent(configFile, logFile),
    lastWords: () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LAST_WORDS),
  });
  const signalled = endSignal();
  if (options.demo !== false) void demonstrate(booted, { clock, centralSystem, benchPort, print });
  const status = await Promise.race([signalled, keeper.gaveUp]);
  await keeper.stop();
  await centralSystem.stop();
  clock.close();
  return status;
}

interface Surroundings {
  readonly clock: PlatformClock;
  readonly centralSystem: CentralSystem;
  readonly benchPort: number;
  readonly print: (line: string) => void;
}

async function demonstrate(booted: Promise<boolean>, surroundings: Surroundings): Promise<void> {
  const { clock, centralSystem, benchPort, print } = surroundings;
  if (!(await booted)) {
    print(`The agent has not connected within ${BOOTS_WITHIN_MS / 1000} s; see its log.`);
    return;
  }
  print('A first session (indented: what the central system is told):');
  const isComplete = await showFirstSession({
    clock,
    print,
    onTold: (listener) => centralSystem.logic.onTold(listener),
    patchBench: (patch) => askJson(benchPort, 'PATCH', '/bench', patch),
    tap: (idTag) => askJson(benchPort, 'POST', '/bench/tap', { idTag, connectors: [1] }),
  });
  print(
    isComplete
      ? 'That was it. Now it is your turn; Ctrl-C ends everything.'
      : 'The session is not complete; see the log of the agent.',
  );
}

function welcome(addresses: {
  readonly benchPort: number;
  readonly centralSystem: CentralSystem;
  readonly configFile: string;
  readonly logFile: string;
  readonly identity: string;
}): readonly string[] {
  const { benchPort, centralSystem, configFile, logFile, identity } = addresses;
  const bench = `http://127.0.0.1:${benchPort}/bench`;
  const central = `127.0.0.1:${centralSystem.port}`;
  const json = "-H 'content-type: application/json' -d";
  const call = `{"identity":"${identity}","action":"GetConfiguration"}`;
  return [
    '',
    `Bench (the hardware, played)        ${bench}`,
    `Central system (for the bench only) ws://${central}/${identity} and http://${central}/central-system`,
    `Configuration of the agent          ${configFile}`,
    `Log of the agent, every frame       ${logFile}`,
    '',
    'Try:',
    `  curl -s ${bench}`,
    `  curl -s -X PATCH ${bench} ${json} '{"connectors":{"1":{"ev":{"plugged":true}}}}'`,
    `  curl -s http://${central}/central-system/call ${json} '${call}'`,
    '',
  ];
}

/** A configuration that cannot be read at all is left to the agent to explain. */
function readBase(configPath: string): JsonObject {
  const { value } = parseConfig(configPath, readFileSync(configPath, 'utf8'));
  return isObject(value) ? value : {};
}

const identityOf = (base: JsonObject): string => {
  const identity = sectionOf(base, 'chargePoint')['identity'];
  return typeof identity === 'string' ? encodeURIComponent(identity) : 'cp001';
};

const sectionOf = (base: JsonObject, name: string): JsonObject => {
  const section = base[name];
  return isObject(section) ? section : {};
};

/** That of the file, another one beside a bench that runs already; a temporary one where that cannot be written. */
function stateDirectory(base: JsonObject, configPath: string, benchPort: number): string {
  const named = base['stateDir'];
  const ofTheFile = resolve(dirname(configPath), typeof named === 'string' ? named : 'state');
  const wanted = benchPort === BENCH_PORT ? ofTheFile : `${ofTheFile}-${benchPort}`;
  try {
    mkdirSync(wanted, { recursive: true });
    closeSync(openSync(join(wanted, 'agent.log'), 'w'));
    return wanted;
  } catch {
    const temporary = mkdtempSync(join(tmpdir(), 'chargepoint-bench-'));
    closeSync(openSync(join(temporary, 'agent.log'), 'w'));
    return temporary;
  }
}

export interface Decided {
  readonly stateDir: string;
  readonly centralSystemPort: number;
  readonly benchPort: number;
}

/** What is in the file, with the addresses of this bench. Paths become absolute, because the file moves. */
export function effectiveConfig(base: JsonObject, configPath: string, decided: Decided): JsonObject {
  const absolute = (entries: JsonObject, name: string): JsonObject =>
    typeof entries[name] === 'string' ? { [name]: resolve(dirname(configPath), entries[name]) } : {};
  const centralSystem = sectionOf(base, 'centralSystem');
  return {
    ...base,
    ...absolute(base, 'secretsFile'),
    centralSystem: {
      ...centralSystem,
      ...absolute(centralSystem, 'caFile'),
      url: `ws://127.0.0.1:${decided.centralSystemPort}`,
      securityProfile: 0,
    },
    ...(base['firmware'] === undefined
      ? {}
      : { firmware: { ...sectionOf(base, 'firmware'), ...absolute(sectionOf(base, 'firmware'), 'rootFile') } }),
    board: 'mock',
    // So often that the first session shows it.
    keys: { ...sectionOf(base, 'keys'), MeterValueSampleInterval: String(DEMO_SAMPLE_INTERVAL_S) },
    stateDir: decided.stateDir,
    bench: { ...sectionOf(base, 'bench'), host: '127.0.0.1', port: decided.benchPort },
  };
}

async function onFreePort<T>(first: number, listen: (port: number) => Promise<T>): Promise<T> {
  for (let port = first; ; port++) {
    try {
      return await listen(port);
    } catch (error) {
      const isBusy = isObject(error) && (error['code'] === 'EADDRINUSE' || error['code'] === 'EACCES');
      if (!isBusy || port >= first + PORTS_TRIED) throw error;
    }
  }
}

/** The agent will listen there itself, a moment later. */
async function probe(port: number): Promise<number> {
  const server = await serveJson(port, { routes: {}, log: troubleOnly(() => {}) });
  await server.close();
  return port;
}

/** In a process group of its own: a Ctrl-C reaches us only, and we end it in order. */
function spawnAgent(configFile: string, logFile: string): AgentProcess {
  const log = openSync(logFile, 'a');
  const arguments_ = [...process.execArgv, process.argv[1] ?? '', 'run', '--config', configFile];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const killWithUs = (): void => end(child, 'SIGKILL');
  process.once('exit', killWithUs);
  return {
    kill: (signal) => end(child, signal),
    onExit: (listener) => {
      child.once('exit', (code, signal) => {
        process.off('exit', killWithUs);
        listener({ code, signal });
      });
      child.once('error', () => listener({ code: null, signal: 'an error at its start' }));
    },
  };
}

function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

/** A closed terminal ends the bench as well; whoever cannot wait presses Ctrl-C again. */
function endSignal(): Promise<number> {
  return new Promise((resolve) => {
    onEndSignals(
      () => resolve(0),
      () => process.exit(1),
    );
    process.once('SIGHUP', () => resolve(0));
  });
}

function troubleOnly(print: (line: string) => void): Log {
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: (message) => print(`central system: ${message}`),
    error: (message) => print(`central system: ${message}`),
    child: () => log,
  };
  return log;
}
