/** `chargepoint config diff`: what runs, what the file says by now, and what would be without either. */
import type { AgentConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { dateText } from '../features/configuration/precedence.ts';
import { masked } from '../platform/mask.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { withAgentOrStore } from './agent-or-store.ts';
import type { AgentOptions } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import { keyPlaces } from './key-places.ts';

export interface DiffOptions extends AgentOptions {
  readonly json?: boolean;
}

export interface MemberDifference {
  /** As in `connectors[0].maxA`. */
  readonly member: string;
  readonly runs: string;
  readonly file: string;
}

export interface KeyDifference {
  readonly key: string;
  readonly runs: string;
  readonly source: string;
  readonly since?: number;
  /** Absent: the file does not name it. */
  readonly file?: string;
  readonly place?: string;
  readonly default: string;
}

/** Exit code 0 if what runs is what the file says, 1 if not; 70 if neither agent nor store can be read, 78 for the configuration. */
export const diffConfig = (io: Io, options: DiffOptions): Promise<ExitCode> =>
  withAgentOrStore(io, options, {
    agent: async (socket) => {
      const running = recordOf(await callAgent(socket, { path: '/config' }))['config'];
      const keys = listOf(recordOf(await callAgent(socket, { path: '/keys' }))['keys']);
      const { file } = recordOf(running) as { readonly file?: unknown };
      const path = typeof file === 'string' ? file : (options.config ?? DEFAULT_CONFIG);
      const { loadFor } = await import('./configuration.ts');
      const loaded = loadFor(io, path);
      if (loaded === undefined) return EXIT.config;
      const members = differencesOf(running, masked(loaded.config));
      return print(
        io,
        options,
        { members, keys: keyDifferences(keys, loaded.config) },
        'What runs is what the file says.',
      );
    },
    store: async (config) => {
      const { storedKeys } = await import('./stored.ts');
      const keys = (await storedKeys(io, config)).map(({ effective }) => effective);
      if (options.json !== true) io.out('No agent is running: compared with what its next start will find.\n\n');
      const same = 'The next start will find what the file says.';
      return print(io, options, { members: [], keys: keyDifferences(keys, config) }, same);
    },
  });

/** Leaves that differ, but for the keys, which have a table of their own. */
export function differencesOf(running: unknown, file: unknown): readonly MemberDifference[] {
  const [before, now] = [leavesOf(running, ''), leavesOf(file, '')];
  const names = [...new Set([...before.keys(), ...now.keys()])].filter((name) => !/^(keys\.|file$)/.test(name));
  return names.flatMap((member) => {
    const [runs = '-', wanted = '-'] = [before.get(member), now.get(member)];
    return runs === wanted ? [] : [{ member, runs, file: wanted }];
  });
}

function leavesOf(value: unknown, path: string): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, textOf(value)]]);
  const step = (name: string): string => {
    if (Array.isArray(value)) return `${path}[${name}]`;
    return path === '' ? name : `${path}.${name}`;
  };
  // What JSON leaves out, the agent has not said either.
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return new Map(members.flatMap(([name, member]) => [...leavesOf(member, step(name))]));
}

/** What runs is neither what the file says nor, where it says nothing, the default. */
function keyDifferences(keys: readonly unknown[], { file, keys: presets }: AgentConfig): readonly KeyDifference[] {
  const placeOf = keyPlaces(file);
  return keys.map(recordOf).flatMap((key) => {
    const { name, value, source, since, overrides } = key as {
      readonly [member in 'name' | 'value' | 'source' | 'since' | 'overrides']?: unknown;
    };
    const weaker = listOf(overrides).map(recordOf);
    const wanted = weaker.find((layer) => layer['source'] === 'file')?.['value'] ?? ownOf(source, value);
    const initial = weaker.find((layer) => layer['source'] === 'default')?.['value'] ?? value;
    const given = textOf(name) === 'AuthorizationKey' ? undefined : presets[textOf(name)];
    // The file as it is by now has the word, if it has one.
    const says = given ?? wanted;
    // What this charge point is built like says no file.
    if (says === undefined && source === 'adopted') return [];
    if (textOf(value) === textOf(says ?? initial)) return [];
    const place = placeOf(textOf(name));
    return [
      {
        key: textOf(name),
        runs: textOf(value),
        source: textOf(source),
        ...(typeof since === 'number' ? { since } : {}),
        ...(says === undefined ? {} : { file: textOf(says) }),
        ...(place === undefined ? {} : { place }),
        default: textOf(initial),
      },
    ];
  });
}

const ownOf = (source: unknown, value: unknown): unknown => (source === 'file' ? value : undefined);

interface Difference {
  readonly members: readonly MemberDifference[];
  readonly keys: readonly KeyDifference[];
}

/** `same` is what is said where nothing differs. */
function print(io: Io, options: DiffOptions, difference: Difference, same: string): ExitCode {
  const differs = difference.members.length + difference.keys.length > 0;
  if (options.json === true) io.out(json(difference));
  else io.out(differs ? diffText(difference) : `${same}\n`);
  return differs ? EXIT.different : EXIT.ok;
}

const SOURCES: Readonly<Record<string, string>> = { centralSystem: 'the central system' };

function diffText({ members, keys }: Difference): string {
  const wide = Number.POSITIVE_INFINITY;
  const edited = members.map(({ member, runs, file }) => [`  ${member}`, runs, file]);
  const top =
    members.length === 0
      ? ''
      : `The file was edited since the start; a restart takes it over:\n${columns([['  Member', 'Runs', 'File'], ...edited], wide)}`;
  const rows = keys.map(({ key, runs, source, since, file, place, default: initial }) => [
    `  ${key}`,
    runs,
    file === undefined ? '-' : `${file}${place === undefined ? '' : ` (${place})`}`,
    initial,
    `${SOURCES[source] ?? source}${since === undefined ? '' : `, ${dateText(since)}`}`,
  ]);
  const bottom =
    keys.length === 0
      ? ''
      : `Keys that are not what the file says:\n${columns([['  Key', 'Runs', 'File', 'Default', 'Set by'], ...rows], wide)}`;
  return [top, bottom].filter((text) => text !== '').join('\n');
}
