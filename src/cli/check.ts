/** `chargepoint check FILE`: everything that is wrong with a configuration, or what would be used. */
import { openingTimeMs } from '../config/board.ts';
import { effectiveProfile } from '../config/central-system.ts';
import { problemText } from '../config/examine.ts';
import type { AgentConfig } from '../config.ts';
import { nodeFiles } from '../platform/files.ts';
import { safeOutputsPath, writeSafeOutputs } from '../platform/safe-outputs.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { loadFor } from './configuration.ts';
import { columns, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';

/** Exit code 0 or 78. Writes the safe outputs of a real board, as `run` would. */
export async function check(io: Io, file: string): Promise<ExitCode> {
  const loaded = loadFor(io, file);
  if (loaded === undefined) return EXIT.config;
  const { config, warnings } = loaded;
  for (const warning of warnings) io.err(`warning ${problemText(warning)}\n`);
  io.out(`PASS ${config.file}\n\n${summary(config)}\n${keysText(config, await runningKeys(config))}`);
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
    `${cable}, ${maxA} A, ${phases} ${phases === 1 ? 'phase' : 'phases'}`,
    ...(ventilated ? ['ventilated'] : []),
    ...(meter === undefined ? [] : [`${meter.map.model} unit ${meter.unit} on ${meter.bus.port}`]),
    ...(evse?.driver === 'comparatorPilot' ? [`opens within ${openingTimeMs(evse)} ms`] : []),
  ].join(', ');
}

/** Effective values, where an agent runs that knows what the central system has set. */
async function runningKeys({ control }: AgentConfig): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  if (control.socket === undefined) return new Map();
  const [{ callAgent }, { ControlError }] = await Promise.all([
    import('../control/client.ts'),
    import('../control/route.ts'),
  ]);
  try {
    const { keys } = recordOf(await callAgent(control.socket, { path: '/keys' })) as { keys?: unknown };
    return new Map(
      listOf(keys).map((key) => {
        const record = recordOf(key);
        return [textOf(record['name']), record];
      }),
    );
  } catch (error) {
    if (error instanceof ControlError) return new Map();
    throw error;
  }
}

const SECRETS: ReadonlySet<string> = new Set(['AuthorizationKey']);

/** `HeartbeatInterval  file 300, central system set 60 (wins)`. */
function keysText({ keys }: AgentConfig, running: ReadonlyMap<string, Readonly<Record<string, unknown>>>): string {
  const names = [...new Set([...Object.keys(keys), ...running.keys()])];
  const rows = names.flatMap((name) => {
    const preset = keys[name];
    const key = running.get(name);
    const byCentralSystem = key?.['source'] === 'centralSystem';
    if (preset === undefined && !byCentralSystem) return [];
    const shown = (value: unknown): string => (SECRETS.has(name) ? '***' : textOf(value));
    const sources = [
      ...(preset === undefined ? [] : [`file ${shown(preset)}`]),
      ...(byCentralSystem ? [`central system set ${shown(key?.['value'])} (wins)`] : []),
    ];
    return [[name, sources.join(', ')]];
  });
  const note = running.size === 0 ? 'No agent runs: what the central system has set before wins over these.\n' : '';
  return rows.length === 0 ? 'Keys: the built-in defaults\n' : `Keys\n${columns(rows)}${note}`;
}
