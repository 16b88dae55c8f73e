/** Configuration files in, one checked AgentConfig out, or everything that is wrong with them at once. */
import { dirname, join, resolve } from 'node:path';
import { isOwnPilot } from '../../hal/board-description.ts';
import type { AgentConfig, ConfigFiles, ConfigProblem, LoadedConfig } from '../config.ts';
import { type BoardFile, readBoard } from './board.ts';
import { checkReaderPorts } from './board-readers.ts';
import { readCentralSystem, warnOfPitfalls } from './central-system.ts';
import { readConnectors } from './connectors.ts';
import { type ConfigDocument, type Path, parseConfig } from './document.ts';
import { examine, inOrder } from './examine.ts';
import { type Findings, meantName, namedFile, reason, relativeTo } from './findings.ts';
import { readFirmware } from './firmware.ts';
import { readInstallation } from './installation.ts';
import { readOptions } from './options.ts';
import { type KnownKey, readPresets, readSecrets } from './presets.ts';
import { readProtection } from './protection.ts';
import { type AgentFile, agentShape } from './shapes/agent.ts';

type Inputs = Readonly<Record<string, unknown>>;

/** What of the world there is for a bench to play. */
export interface BenchSite {
  readonly connectorIds: readonly string[];
  /** A grid meter. */
  readonly grid: boolean;
  /** A contact of the grid operator. */
  readonly dimming: boolean;
  /** An RCD that is tested. */
  readonly rcd: boolean;
}

/** What the bench says of the inputs in the file. */
export interface BenchKnowledge {
  /** Members that it does not know: reported, never fatal. */
  unknown(inputs: Inputs, site: BenchSite): readonly Path[];
  /** What is wrong with a value of those that it knows. */
  problem(inputs: Inputs, site: BenchSite): string | undefined;
}

export interface LoadSurroundings {
  readonly files: ConfigFiles;
  /** The configuration that ships with the agent; holds boards/ and meters/. */
  readonly shippedDirectory: string;
  /** The configuration keys of every room; undefined keeps all presets. */
  readonly knownKeys?: readonly KnownKey[];
  readonly bench?: BenchKnowledge;
}

/** Made by systemd (RuntimeDirectory=) for the service. */
const RUN_DIRECTORY = '/run/chargepoint';
/** sun_path holds 108 bytes with its final zero. */
const MAX_SOCKET_PATH = 107;
const DEFAULT_WAKE_UPS = 1;
const DEFAULT_FAULT_GRACE_S = 300;
const DEFAULT_BENCH_PORT = 9001;

/** Reads the file at `path` and those that it names. Never throws for what stands in them. */
export function loadConfig(path: string, surroundings: LoadSurroundings): LoadedConfig {
  const file = resolve(path);
  const findings: Findings = { ...surroundings, errors: [], warnings: [] };
  const config = readMain(file, findings, surroundings);
  const warnings = inOrder(findings.warnings);
  return config === undefined || findings.errors.length > 0
    ? { errors: inOrder(findings.errors), warnings }
    : { config, warnings };
}

function readMain(file: string, findings: Findings, surroundings: LoadSurroundings): AgentConfig | undefined {
  let text: string;
  try {
    text = findings.files.read(file);
  } catch (cause) {
    const problem = wholeFile(file, `cannot be read: ${reason(cause)}`);
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    findings.errors.push(
      isMissing ? { ...problem, hint: `to write one: chargepoint setup --config ${file}` } : problem,
    );
    return undefined;
  }
  const document = parseConfig(file, text);
  const examined = examine(document, agentShape);
  if ('problems' in examined) {
    findings.errors.push(...examined.problems);
    return undefined;
  }
  return assemble(document, examined.value, findings, surroundings);
}

function assemble(
  document: ConfigDocument,
  file: AgentFile,
  findings: Findings,
  { knownKeys, bench: knowledge }: LoadSurroundings,
): AgentConfig | undefined {
  const base = dirname(document.file);
  const keys = {
    ...readPresets(findings, document, file.keys ?? {}, knownKeys),
    ...readSecrets(findings, document, file.secretsFile && relativeTo(base, file.secretsFile)),
  };
  const options = readOptions(findings, document, file.options ?? {});
  const centralSystem = readCentralSystem(findings, document, file, base);
  warnOfPitfalls(findings, document, file, keys);
  const boardFile = file.board === 'mock' ? undefined : readBoardFile(findings, document, file.board, base);
  if (file.board !== 'mock' && boardFile === undefined) return undefined;
  const main = { document, base, file, board: boardFile?.board };
  const connectors = readConnectors(findings, main);
  const installation = readInstallation(findings, main, connectors);
  const protection = readProtection(findings, main, connectors);
  checkBoard(findings, document, file, boardFile);
  if (boardFile !== undefined) checkPorts(findings, document, boardFile, { connectors, installation });
  if (knowledge !== undefined) {
    checkInputs(findings, document, file.bench?.inputs ?? {}, knowledge, {
      connectorIds: connectors.map(({ id }) => String(id)),
      grid: installation.gridConnection !== undefined,
      dimming: installation.dimming !== undefined,
      rcd: protection?.rcdTest !== undefined,
    });
  }
  const stateDir = relativeTo(base, file.stateDir);
  if (findings.files.takenByFile(stateDir)) {
    const hint = `mv ${stateDir} ${stateDir}.old, or name another folder`;
    findings.errors.push(document.problem(['stateDir'], `${stateDir} is a file, expected a folder`, hint));
  }
  const socket = controlSocket(findings, document, file, base, stateDir);
  const { bench } = file;
  return {
    file: document.file,
    chargePoint: file.chargePoint,
    centralSystem,
    board: boardFile?.board ?? 'mock',
    connectors,
    installation,
    ...(protection === undefined ? {} : { protection }),
    keys,
    options,
    stateDir,
    ...(bench === undefined
      ? {}
      : { bench: { host: '127.0.0.1', port: bench.port ?? DEFAULT_BENCH_PORT, inputs: bench.inputs ?? {} } }),
    log: { level: file.log?.level ?? 'info' },
    control: socket === undefined ? {} : { socket },
    faultGraceS: file.faultGraceS ?? DEFAULT_FAULT_GRACE_S,
    wakeUps: file.wakeUps ?? DEFAULT_WAKE_UPS,
    resumeWithinS: file.resumeWithinS ?? 0,
    acknowledgeLabUse: file.acknowledgeLabUse ?? false,
    firmware: readFirmware(findings, document, file, base),
    ...(file.certificates?.keyType === undefined ? {} : { certificates: { keyType: file.certificates.keyType } }),
    ...(file.freeVend === undefined || file.freeVend === null ? {} : { freeVend: file.freeVend }),
  };
}

function readBoardFile(
  findings: Findings,
  document: ConfigDocument,
  name: string,
  base: string,
): BoardFile | undefined {
  const hint = meantName(findings, 'boards', name, ['mock']);
  const reference = { document, path: ['board'], what: 'board file', hint };
  return readBoard(findings, reference, namedFile(findings, 'boards', name, base));
}

function checkPorts(
  findings: Findings,
  document: ConfigDocument,
  { document: page, board }: BoardFile,
  { connectors, installation }: Pick<AgentConfig, 'connectors' | 'installation'>,
): void {
  const meters = [
    ...connectors.map(({ meter }, index) => ({ meter, path: ['connectors', index, 'meter'] })),
    { meter: installation.gridConnection?.meter, path: ['installation', 'gridConnection', 'meter'] },
  ].flatMap(({ meter, path }) => {
    if (meter === undefined) return [];
    const { file, line, path: member } = document.problem(path, '');
    return [{ port: meter.bus.port, where: `${member} (${file}:${line})` }];
  });
  const report = (path: Path, message: string, hint?: string) => {
    findings.errors.push(page.problem(path, message, hint));
  };
  checkReaderPorts(board, meters, report, (path) => findings.files.resolved(path));
}

function checkInputs(
  findings: Findings,
  document: ConfigDocument,
  inputs: Inputs,
  knowledge: BenchKnowledge,
  site: BenchSite,
): void {
  for (const path of knowledge.unknown(inputs, site)) {
    findings.warnings.push(document.problem(['bench', 'inputs', ...path], 'is no input of this bench and is ignored'));
  }
  const problem = knowledge.problem(inputs, site);
  if (problem !== undefined) findings.errors.push(document.problem(['bench', 'inputs'], problem));
}

/** The bench replaces the drivers: it never meets real ones, and a mock board without it has no EV. */
function checkBoard(
  findings: Findings,
  document: ConfigDocument,
  file: AgentFile,
  boardFile: BoardFile | undefined,
): void {
  if (boardFile === undefined) {
    if (file.bench === undefined) {
      findings.warnings.push(
        document.problem(['board'], 'is mock without a bench: nobody can plug in an EV', 'bench: {}'),
      );
    }
    return;
  }
  if (file.bench !== undefined) {
    findings.errors.push(
      document.problem(
        ['bench'],
        `is there beside the real board ${boardFile.board.name}, expected board: mock`,
        'remove one of the two',
      ),
    );
  }
  const ownPilot = boardFile.board.connectors.some(({ evse }) => isOwnPilot(evse));
  if (!ownPilot) return;
  if (file.acknowledgeLabUse === true) {
    // At every start, and not only once: whoever reads the log may not be who has acknowledged it.
    findings.warnings.push(
      document.problem(
        ['acknowledgeLabUse'],
        `${boardFile.board.name} drives the pilot and the contactor from a Linux process, which is no protective device: for laboratory use only`,
      ),
    );
  } else {
    findings.errors.push(
      document.problem(
        ['acknowledgeLabUse'],
        'is not true, but this board lets a Linux process drive the pilot and the contactor, which is no protective device',
        'read the safety notes in README.md, then set acknowledgeLabUse: true',
      ),
    );
  }
}

/** Given, else where systemd made room for it, else in the state directory: there, each agent of a bench has its own. */
function controlSocket(
  findings: Findings,
  document: ConfigDocument,
  file: AgentFile,
  base: string,
  stateDir: string,
): string | undefined {
  const path = ['control', 'socket'];
  const given = file.control?.socket;
  if (given !== undefined) {
    const socket = relativeTo(base, given);
    if (tooLong(socket)) {
      findings.errors.push(document.problem(path, `${socket} is too long, expected at most ${MAX_SOCKET_PATH} bytes`));
    }
    return socket;
  }
  const isService = file.bench === undefined && findings.files.writableDirectory(RUN_DIRECTORY);
  const socket = join(isService ? RUN_DIRECTORY : stateDir, 'control.sock');
  if (!tooLong(socket)) return socket;
  findings.warnings.push(
    document.problem(
      ['stateDir'],
      'is too long for a control socket in it: status and outbox will find no agent',
      'set control.socket',
    ),
  );
  return undefined;
}

const tooLong = (path: string): boolean => new TextEncoder().encode(path).length > MAX_SOCKET_PATH;

const wholeFile = (file: string, message: string): ConfigProblem => ({ file, line: 1, column: 1, path: '', message });
