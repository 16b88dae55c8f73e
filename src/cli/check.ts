/** `chargepoint check FILE`: everything that is wrong with a configuration, or what would be used. */
import { isOwnPilot, type Protection } from '../../hal/board-description.ts';
import { openingTimeMs } from '../config/board.ts';
import { effectiveProfile } from '../config/central-system.ts';
import { problemText } from '../config/examine.ts';
import type { AgentConfig, ConfigProblem, InstallationConfig, MeterConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { ControlError, StoreError } from '../errors.ts';
import { originOf } from '../features/configuration/precedence.ts';
import type { Effective } from '../features/feature.ts';
import { connectionUrl, spoken } from '../ocpp/connection-url.ts';
import { nodeFiles } from '../platform/files.ts';
import { safeOutputsPath } from '../platform/safe-outputs.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { loadFor, loadOver } from './configuration.ts';
import { columns, json, listOf, phasesText, printable, recordOf } from './format.ts';
import type { Io } from './io.ts';
import { machineWarnings } from './machine.ts';
import { notWritten } from './outputs.ts';
import { storedConnection, storedKeys } from './stored.ts';

export interface CheckOptions {
  readonly json?: boolean;
}

/** One of the file has its place. */
type Warning = ConfigProblem | Pick<ConfigProblem, 'message'>;
type Warn = (warning: Warning) => void;

/** Exit code 0 or 78. Writes the safe outputs of a real board, as `run` would, unless an agent runs. */
export async function check(io: Io, file: string, { json: asJson = false }: CheckOptions = {}): Promise<ExitCode> {
  const loaded = asJson ? loadOver(io, file, new Map()) : loadFor(io, file);
  if (loaded === undefined) return EXIT.config;
  if ('errors' in loaded) {
    io.out(json({ passed: false, file, ...loaded }));
    return EXIT.config;
  }
  const { config } = loaded;
  const warnings: Warning[] = [];
  const warn: Warn = (warning) => {
    warnings.push(warning);
    if (!asJson) io.err(`warning ${'file' in warning ? problemText(warning) : printable(warning.message)}\n`);
  };
  for (const warning of loaded.warnings) warn(warning);
  const dials = await connectionOf(io, config);
  if (dials.notice !== undefined) warn({ message: dials.notice });
  const used = summary(config, dials.url);
  const keys = keysOf(config, await origins(io, config, warn));
  // A path that is cut is of no use.
  if (!asJson) io.out(`PASS ${config.file}\n\n${columns(used, Number.POSITIVE_INFINITY)}\n${keysText(keys)}`);
  const written = writtenOutputs(config, dials, warn);
  if (!asJson && written !== undefined) io.out(`\nSafe outputs written to ${written}\n`);
  for (const message of machineWarnings(io, config)) warn({ message });
  if (asJson) {
    const report = { passed: true, file: config.file, warnings, used: Object.fromEntries(used) };
    io.out(json({ ...report, keys: Object.fromEntries(keys), safeOutputs: written ?? null }));
  }
  return EXIT.ok;
}

/**
 * The path of the file; undefined for the mock board, after a warning, and beside a running agent: should that one die, its own outputs have to
 * be switched off, whatever a file that was edited meanwhile says.
 */
function writtenOutputs({ board, stateDir }: AgentConfig, { isRunning }: Dialled, warn: Warn): string | undefined {
  if (board === 'mock' || isRunning === true) return undefined;
  const path = safeOutputsPath(stateDir, nodeFiles);
  const failure = notWritten(path, board);
  if (failure === undefined) return path;
  warn({ message: failure });
  return undefined;
}

interface Dialled {
  readonly url: string;
  readonly notice?: string | undefined;
  /** An agent runs with this configuration. */
  readonly isRunning?: boolean;
}

/** Whom the agent dials, or the next start will. */
async function connectionOf(io: Io, config: AgentConfig): Promise<Dialled> {
  const { centralSystem, control } = config;
  try {
    const agent = control.socket === undefined ? undefined : await connectionOfAgent(control.socket, centralSystem.url);
    return agent ?? (await storedConnection(io, config));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // Said where the keys are read.
    return { url: centralSystem.url };
  }
}

/** Undefined if no agent runs there. */
async function connectionOfAgent(socket: string, inFile: string): Promise<Dialled | undefined> {
  try {
    const status = recordOf(await callAgent(socket, { path: '/status' })) as Partial<Dialled> & { fileUrl?: string };
    const { url, fileUrl, notice } = status;
    if (url === undefined) return undefined;
    // It was edited since the agent has read it, and what is edited wins.
    return { ...(fileUrl === spoken(inFile) ? { url, notice } : { url: inFile }), isRunning: true };
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}

type Row = readonly [name: string, text: string];

function summary(config: AgentConfig, dialled: string): readonly Row[] {
  const { chargePoint, centralSystem, board, connectors, stateDir, control, bench, keys, firmware } = config;
  const profile = effectiveProfile(keys, centralSystem.securityProfile);
  const shownUrl = connectionUrl(spoken(dialled), chargePoint.identity, profile >= 2);
  return [
    ['Charge point', `${chargePoint.identity}: ${chargePoint.vendor} ${chargePoint.model}`],
    ['Dials', `${shownUrl}, security profile ${profile}`],
    ['Trusts', `the system and ${centralSystem.certificateAuthorities.length} certificates of caFile`],
    ...(firmware?.manufacturerRoots === undefined
      ? []
      : [['Firmware', `signed below one of ${firmware.manufacturerRoots.length} certificates of rootFile`] as const]),
    ['Board', board === 'mock' ? 'mock' : board.name],
    ...connectors.map((connector, index): Row => [`Connector ${connector.id}`, connectorText(config, index)]),
    ['Installation', installationText(config.installation)],
    ...(config.protection === undefined ? [] : [['Protection', protectionText(config.protection)] as const]),
    ['State', stateDir],
    ['Control socket', control.socket ?? 'none'],
    ...(bench === undefined ? [] : [['Bench', `http://${bench.host}:${bench.port}/bench`] as const]),
  ];
}

function connectorText({ connectors, board }: AgentConfig, index: number): string {
  const connector = connectors[index];
  if (connector === undefined) return '';
  const { cable, maxA, phases, ventilated, meter } = connector;
  const evse = board === 'mock' ? undefined : board.connectors[index]?.evse;
  return [
    `${cable}, ${maxA} A, ${phasesText(phases)}`,
    ...(ventilated ? ['ventilated'] : []),
    ...(meter === undefined ? [] : [meterText(meter)]),
    ...(evse !== undefined && isOwnPilot(evse) ? [`opens within ${openingTimeMs(evse)} ms`] : []),
  ].join(', ');
}

function installationText(installation: InstallationConfig): string {
  const { nominalV, phases, fuseA, safeA, randomDelayS, rampAPerMinute, asymmetryA } = installation;
  const { gridConnection, dimming } = installation;
  const meter = gridConnection?.meter;
  return [
    `${nominalV} V, ${phasesText(phases)}`,
    ...(fuseA === undefined ? [] : [`fuse ${fuseA} A`]),
    `safe current ${safeA} A`,
    ...(randomDelayS === 0 ? [] : [`random delay up to ${randomDelayS} s`]),
    ...(rampAPerMinute === undefined ? [] : [`ramp ${rampAPerMinute} A/min`]),
    ...(asymmetryA === undefined ? [] : [`phases may differ by ${asymmetryA} A`]),
    ...(gridConnection === undefined ? [] : [`house ${gridConnection.fuseA} A`]),
    ...(meter === undefined ? [] : [meterText(meter)]),
    ...(dimming === undefined ? [] : [`dimming ${dimming.limitW} W`]),
  ].join(', ');
}

function protectionText({
  overCurrent,
  voltage,
  rcdTest,
  rcdReclosesOnUnplug,
  meterSilent,
  contactorLife,
}: Protection): string {
  return [
    overCurrent === undefined ? 'no over-current' : `over-current within ${overCurrent.forS} s`,
    voltage === undefined ? 'no voltage' : `${voltage.leastV}..${voltage.mostV} V`,
    ...(rcdTest === undefined ? [] : [`RCD tested each ${rcdTest}`]),
    ...(rcdReclosesOnUnplug === true ? ['RCD forgotten at unplugging'] : []),
    ...(meterSilent === 'warn' ? ['charges without the meter'] : []),
    ...(contactorLife === undefined ? [] : [`contactor for ${contactorLife.operations} cycles`]),
  ].join(', ');
}

const meterText = ({ map, unit, bus }: MeterConfig): string => `${map.model} unit ${unit} on ${bus.port}`;

/** Where the value of each key comes from, as far as file, agent or store know. */
async function origins(io: Io, config: AgentConfig, warn: Warn): Promise<ReadonlyMap<string, string>> {
  const { control } = config;
  try {
    const keys = control.socket === undefined ? undefined : await keysOfAgent(control.socket);
    return keys ?? (await originsOfStore(io, config));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    warn({ message: `the store cannot be read: ${error.message}` });
    return new Map();
  }
}

/** Undefined if no agent runs there. */
async function keysOfAgent(socket: string): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const { keys } = recordOf(await callAgent(socket, { path: '/keys' })) as { keys?: unknown };
    return new Map(
      listOf(keys).flatMap((key) => {
        const { name, value, source, since, overrides } = recordOf(key) as Partial<Effective>;
        if (name === undefined || value === undefined || source !== 'centralSystem') return [];
        const origin = { value, source, overrides: overrides ?? [], ...(since === undefined ? {} : { since }) };
        return [[name, originOf(origin)]] as const;
      }),
    );
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}

async function originsOfStore(io: Io, config: AgentConfig): Promise<ReadonlyMap<string, string>> {
  const keys = await storedKeys(io, config);
  return new Map(
    keys.flatMap(({ effective: { name }, competition }) => (competition === undefined ? [] : [[name, competition]])),
  );
}

const SECRETS: ReadonlySet<string> = new Set(['AuthorizationKey']);

/** `HeartbeatInterval` and `file 300, central system set 60 on 2026-01-05T08:00:00Z (wins)`. */
function keysOf({ keys }: AgentConfig, known: ReadonlyMap<string, string>): readonly Row[] {
  const names = [...new Set([...Object.keys(keys), ...known.keys()])];
  return names.map((name) => [name, known.get(name) ?? `file ${SECRETS.has(name) ? '***' : keys[name]}`]);
}

const keysText = (keys: readonly Row[]): string =>
  keys.length === 0
    ? 'Keys: the built-in defaults\n'
    : `Keys\n${keys.map(([name, text]) => `  ${printable(`${name}: ${text}`)}\n`).join('')}`;
