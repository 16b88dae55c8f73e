/** `chargepoint config`: what every key is and who says so; and how what the central system has set is forgotten. */
import type { AgentConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { dateText } from '../features/configuration/precedence.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { type AgentOptions, socketFor } from './agent-socket.ts';
import { columns, listOf, recordOf, textOf } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';

export interface ShowOptions extends AgentOptions {
  readonly effective?: boolean;
  readonly json?: boolean;
}

/** Exit code 0; 70 if neither agent nor store can be read, 78 for the configuration. */
export const showConfig = (io: Io, options: ShowOptions): Promise<ExitCode> =>
  withAgentOrStore(io, options, {
    agent: async (socket) => print(io, options, listOf(recordOf(await callAgent(socket, { path: '/keys' }))['keys'])),
    store: async (config) => {
      const { storedKeys } = await import('./stored.ts');
      const keys = await storedKeys(io, config);
      if (options.json !== true) io.out('No agent is running: this is what its next start will find.\n\n');
      return print(
        io,
        options,
        keys.map(({ effective }) => effective),
      );
    },
  });

function print(io: Io, { effective, json }: ShowOptions, keys: readonly unknown[]): ExitCode {
  const shown = keys.map(recordOf).filter((key) => effective === true || key['source'] !== 'default');
  io.out(json === true ? `${JSON.stringify({ keys: shown }, undefined, 2)}\n` : keysText(shown));
  return EXIT.ok;
}

const SOURCES: Readonly<Record<string, string>> = { centralSystem: 'central system' };
const sourceText = (source: unknown): string => SOURCES[textOf(source)] ?? textOf(source);

export function keysText(keys: readonly Readonly<Record<string, unknown>>[]): string {
  if (keys.length === 0) return 'Every key has its default: see --effective.\n';
  const rows = keys.map((key) => {
    const { name, value, source, since, overrides } = key as {
      readonly [member in 'name' | 'value' | 'source' | 'since' | 'overrides']?: unknown;
    };
    const weaker = listOf(overrides)
      .map(recordOf)
      .map((other) => `${sourceText(other['source'])} ${textOf(other['value'])}`);
    const date = typeof since === 'number' ? dateText(since) : '';
    const overridden = weaker.length === 0 ? '' : ` (${weaker.join(', ')})`;
    return [textOf(name), sourceText(source), date, `${textOf(value)}${overridden}`];
  });
  // A value that is cut is of no use, and some are long lists.
  return columns([['Key', 'Source', 'Since', 'Value (and what it overrides)'], ...rows], Number.POSITIVE_INFINITY);
}

export interface ForgetOptions extends AgentOptions {
  readonly all?: boolean;
}

/** Exit code 0; 70 if it could not be stored, 78 for the configuration or an unknown key. */
export async function forgetConfig(io: Io, key: string | undefined, options: ForgetOptions): Promise<ExitCode> {
  if ((key === undefined) === (options.all !== true)) {
    io.err('Name one key, or give --all (add --help for what is possible).\n');
    return EXIT.config;
  }
  return withAgentOrStore(io, options, {
    agent: async (socket) => {
      const body = key === undefined ? { all: true } : { key };
      const { names, atNextStart } = recordOf(
        await callAgent(socket, { method: 'POST', path: '/keys/forget', body }),
      ) as { names?: unknown; atNextStart?: unknown };
      return told(io, listOf(names).map(textOf), listOf(atNextStart).map(textOf));
    },
    store: (config) => forgetStored(io, config, key),
  });
}

async function forgetStored(io: Io, config: AgentConfig, key: string | undefined): Promise<ExitCode> {
  const [{ changeStored }, { forgetting, setByCentralSystem }, { FEATURES }] = await Promise.all([
    import('./stored.ts'),
    import('../features/configuration/configuration.ts'),
    import('../features/all.ts'),
  ]);
  const names = await changeStored(io, config, async (store) => {
    const set = await setByCentralSystem(store, key);
    await store.batch(forgetting(set), 'durable');
    return set;
  });
  const known = FEATURES.flatMap(({ keys }) => keys).some(({ name }) => name.toLowerCase() === key?.toLowerCase());
  if (names.length === 0 && key !== undefined && !known) {
    io.err(`There is no key ${JSON.stringify(key)}.\n`);
    return EXIT.config;
  }
  return told(io, names, names);
}

function told(io: Io, names: readonly string[], atNextStart: readonly string[]): ExitCode {
  const lines = names.map(
    (name) => `Forgotten: ${name}${atNextStart.includes(name) ? ', from the next start on' : ''}\n`,
  );
  io.out(lines.length === 0 ? 'The central system has not set that.\n' : lines.join(''));
  return EXIT.ok;
}

interface Ways {
  agent(socket: string): Promise<ExitCode>;
  store(config: AgentConfig): Promise<ExitCode>;
}

/** The running agent has the last word; where none runs, its store has. With --socket alone nobody says which store that would be. */
async function withAgentOrStore(io: Io, options: AgentOptions, ways: Ways): Promise<ExitCode> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  try {
    return await ways.agent(socket);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const isAlone = error.code === 'noAgent' && (options.socket === undefined || options.config !== undefined);
    if (!isAlone) {
      io.err(`${error.message}.\n`);
      return error.code === 'notFound' || error.code === 'badRequest' ? EXIT.config : EXIT.internal;
    }
  }
  const [{ loadFor }, { storeTrouble }] = await Promise.all([import('./configuration.ts'), import('./stored.ts')]);
  const loaded = loadFor(io, options.config ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  return ways.store(loaded.config).catch((error: unknown) => storeTrouble(io, error));
}
