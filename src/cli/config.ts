/** `chargepoint config`: what every key is and who says so; and how what the central system has set is forgotten. */
import type { AgentConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { dateText } from '../features/configuration/precedence.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { withAgentOrStore } from './agent-or-store.ts';
import type { AgentOptions } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';
import { type KeyPlaces, keyPlaces } from './key-places.ts';

export interface ShowOptions extends AgentOptions {
  readonly effective?: boolean;
  readonly json?: boolean;
}

/** Exit code 0; 70 if neither agent nor store can be read, 78 for the configuration. */
export const showConfig = (io: Io, options: ShowOptions): Promise<ExitCode> =>
  withAgentOrStore(io, options, {
    agent: async (socket) => {
      const keys = listOf(recordOf(await callAgent(socket, { path: '/keys' }))['keys']);
      const { config } = recordOf(await callAgent(socket, { path: '/status' }).catch(() => undefined)) as {
        readonly config?: unknown;
      };
      return print(io, options, keys, keyPlaces(typeof config === 'string' ? config : options.config));
    },
    store: async (config) => {
      const { storedKeys } = await import('./stored.ts');
      const keys = await storedKeys(io, config);
      if (options.json !== true) io.out('No agent is running: this is what its next start will find.\n\n');
      return print(
        io,
        options,
        keys.map(({ effective }) => effective),
        keyPlaces(config.file),
      );
    },
  });

function print(
  io: Io,
  { effective, json: asJson }: ShowOptions,
  keys: readonly unknown[],
  placeOf: KeyPlaces,
): ExitCode {
  const shown = keys
    .map(recordOf)
    .filter((key) => effective === true || key['source'] !== 'default')
    .map((key) => {
      const place = key['source'] === 'file' ? placeOf(textOf(key['name'])) : undefined;
      return place === undefined ? key : { ...key, place };
    });
  io.out(asJson === true ? json({ keys: shown }) : keysText(shown));
  return EXIT.ok;
}

const SOURCES: Readonly<Record<string, string>> = { centralSystem: 'central system' };
const sourceText = (source: unknown): string => SOURCES[textOf(source)] ?? textOf(source);

export function keysText(keys: readonly Readonly<Record<string, unknown>>[]): string {
  if (keys.length === 0) return 'Every key has its default: see --effective.\n';
  const rows = keys.map((key) => {
    const { name, value, source, since, overrides, place } = key as {
      readonly [member in 'name' | 'value' | 'source' | 'since' | 'overrides' | 'place']?: unknown;
    };
    const weaker = listOf(overrides)
      .map(recordOf)
      .map((other) => `${sourceText(other['source'])} ${textOf(other['value'])}`);
    const date = typeof since === 'number' ? dateText(since) : '';
    const overridden = weaker.length === 0 ? '' : ` (${weaker.join(', ')})`;
    return [
      textOf(name),
      place === undefined ? sourceText(source) : textOf(place),
      date,
      `${textOf(value)}${overridden}`,
    ];
  });
  // A value that is cut is of no use, and some are long lists.
  return columns([['Key', 'Source', 'Since', 'Value (and what it overrides)'], ...rows], Number.POSITIVE_INFINITY);
}

export interface ForgetOptions extends AgentOptions {
  readonly all?: boolean;
  readonly json?: boolean;
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
      return told(io, options, listOf(names).map(textOf), listOf(atNextStart).map(textOf));
    },
    store: (config) => forgetStored(io, config, key, options),
  });
}

async function forgetStored(
  io: Io,
  config: AgentConfig,
  key: string | undefined,
  options: ForgetOptions,
): Promise<ExitCode> {
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
  return told(io, options, names, names);
}

function told(
  io: Io,
  { json: asJson }: ForgetOptions,
  names: readonly string[],
  atNextStart: readonly string[],
): ExitCode {
  if (asJson === true) {
    io.out(json({ forgotten: names, atNextStart }));
    return EXIT.ok;
  }
  const lines = names.map(
    (name) => `Forgotten: ${name}${atNextStart.includes(name) ? ', from the next start on' : ''}\n`,
  );
  io.out(lines.length === 0 ? 'The central system has not set that.\n' : lines.join(''));
  return EXIT.ok;
}
