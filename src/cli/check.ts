/** `chargepoint check FILE`: everything that is wrong with a configuration, or what would be used. */
import { openingTimeMs } from '../config/board.ts';
import { effectiveProfile } from '../config/central-system.ts';
import { problemText } from '../config/examine.ts';
import type { AgentConfig, InstallationConfig, MeterConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { ControlError, StoreError } from '../errors.ts';
import { originOf } from '../features/configuration/precedence.ts';
import type { Effective } from '../features/feature.ts';
import { nodeFiles } from '../platform/files.ts';
import { safeOutputsPath, writeSafeOutputs } from '../platform/safe-outputs.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { loadFor } from './configuration.ts';
import { columns, listOf, phasesText, recordOf } from './format.ts';
import type { Io } from './io.ts';
import { storedKeys } from './stored.ts';

/** Exit code 0 or 78. Writes the safe outputs of a real board, as `run` would. */
export async function check(io: Io, file: string): Promise<ExitCode> {
  const loaded = loadFor(io, file);
  if (loaded === undefined) return EXIT.config;
  const { config, warnings } = loaded;
  for (const warning of warnings) io.err(`warning ${problemText(warning)}\n`);
  io.out(`PASS ${config.file}\n\n${summary(config)}\n${keysText(config, await origins(io, config))}`);
  if (config.board !== 'mock') {
    const path = safeOutputsPath(config.stateDir, nodeFiles);
    try {
      writeSafeOutputs(path, config.board);
      io.out(`\nSafe outputs written to ${path}\n`);
    } catch (cause) {
      io.err(
        `warning safe outputs not written to ${path}: ${cause instanceof Error ? cause.message : String(cause)}\n`,
      );
    }
  }
  return EXIT.ok;
}

function summary(config: AgentConfig): string {
  const { chargePoint, centralSystem, board, connectors, stateDir, control, bench, keys } = config;
  const profile = effectiveProfile(keys, centralSystem.securityProfile);
  const url = `${centralSystem.url.replace(/\/+$/, '')}/${encodeURIComponent(chargePoint.identity)}`;
  const shownUrl = url.replace(/^wss?:/i, profile >= 2 ? 'wss:' : 'ws:');
  const rows = [
    ['Charge point', `${chargePoint.identity}: ${chargePoint.vendor} ${chargePoint.model}`],
    ['Dials', `${shownUrl}, security profile ${profile}`],
    ['Trusts', `the system and ${centralSystem.certificateAuthorities.length} certificates of caFile`],
    ['Board', board === 'mock' ? 'mock' : board.name],
    ...connectors.map((connector, index) => [`Connector ${connector.id}`, connectorText(config, index)]),
    ['Installation', installationText(config.installation)],
    ['State', stateDir],
    ['Control socket', control.socket ?? 'none'],
    ...(bench === undefined ? [] : [['Bench', `http://${bench.host}:${bench.port}/bench`]]),
  ];
  // A path that is cut is of no use.
  return columns(rows, Number.POSITIVE_INFINITY);
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
    ...(evse?.driver === 'comparatorPilot' ? [`opens within ${openingTimeMs(evse)} ms`] : []),
  ].join(', ');
}

function installationText(installation: InstallationConfig): string {
  const { nominalV, phases, fuseA, safeA, randomDelayS, rampAPerMinute, gridConnection, dimming } = installation;
  const meter = gridConnection?.meter;
  return [
    `${nominalV} V, ${phasesText(phases)}`,
    ...(fuseA === undefined ? [] : [`fuse ${fuseA} A`]),
    `safe current ${safeA} A`,
    ...(randomDelayS === 0 ? [] : [`random delay up to ${randomDelayS} s`]),
    ...(rampAPerMinute === undefined ? [] : [`ramp ${rampAPerMinute} A/min`]),
    ...(gridConnection === undefined ? [] : [`house ${gridConnection.fuseA} A`]),
    ...(meter === undefined ? [] : [meterText(meter)]),
    ...(dimming === undefined ? [] : [`dimming ${dimming.limitW} W`]),
  ].join(', ');
}

const meterText = ({ map, unit, bus }: MeterConfig): string => `${map.model} unit ${unit} on ${bus.port}`;

/** Where the value of each key comes from, as far as file, agent or store know. */
async function origins(io: Io, config: AgentConfig): Promise<ReadonlyMap<string, string>> {
  const { control } = config;
  try {
    const keys = control.socket === undefined ? undefined : await keysOfAgent(control.socket);
    return keys ?? (await originsOfStore(io, config));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.err(`warning the store cannot be read: ${error.message}\n`);
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

/** `HeartbeatInterval: file 300, central system set 60 on 2026-01-05T08:00:00Z (wins)`. */
function keysText({ keys }: AgentConfig, known: ReadonlyMap<string, string>): string {
  const names = [...new Set([...Object.keys(keys), ...known.keys()])];
  const lines = names.map(
    (name) => `  ${name}: ${known.get(name) ?? `file ${SECRETS.has(name) ? '***' : keys[name]}`}\n`,
  );
  return lines.length === 0 ? 'Keys: the built-in defaults\n' : `Keys\n${lines.join('')}`;
}
