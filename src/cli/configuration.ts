/** Loads the configuration for a command, and prints what is wrong with it. */
import { resolve } from 'node:path';
import { inputsAtPowerUp } from '../bench/inputs.ts';
import { knownInputs, patched, unknownInputs } from '../bench/merge-patch.ts';
import { problemText } from '../config/examine.ts';
import { type BenchKnowledge, loadConfig } from '../config/load.ts';
import type { AgentConfig, ConfigFiles, ConfigProblem, LoadedConfig } from '../config.ts';
import { FEATURES } from '../features/all.ts';
import { nodeFiles, shippedConfigDirectory } from '../platform/files.ts';
import { unoptimized } from '../platform/optimizer.ts';
import type { Io } from './io.ts';

const BENCH: BenchKnowledge = {
  unknown: (inputs, { connectorIds, ...site }) => unknownInputs(inputs, connectorIds, site),
  problem: (inputs, { connectorIds, ...site }) => {
    const atPowerUp = inputsAtPowerUp(connectorIds.map(Number), site);
    const result = patched(atPowerUp, knownInputs(inputs, connectorIds, site));
    return result.ok ? undefined : result.error;
  },
};

export interface Loaded {
  readonly config: AgentConfig;
  readonly warnings: readonly ConfigProblem[];
}

const load = (io: Io, path: string, files: ConfigFiles): LoadedConfig =>
  loadConfig(path, {
    files,
    shippedDirectory: shippedConfigDirectory(io.script),
    bench: BENCH,
    knownKeys: FEATURES.flatMap(({ keys }) => keys),
  });

/** What the file at `path` would be with this text in it. */
export const loadText = (io: Io, path: string, text: string): LoadedConfig =>
  load(io, path, { ...nodeFiles, read: (other) => (other === resolve(path) ? text : nodeFiles.read(other)) });

/** What the file at `path` would be if these files had these texts, and the mode of a secret. */
export const loadOver = (io: Io, path: string, texts: ReadonlyMap<string, string>): LoadedConfig =>
  load(io, path, {
    ...nodeFiles,
    read: (other) => texts.get(other) ?? nodeFiles.read(other),
    mode: (other) => (texts.has(other) ? 0o600 : nodeFiles.mode(other)),
  });

/** Undefined after every error has been printed to stderr. Warnings are the caller's to print. */
export function loadFor(io: Io, path: string): Loaded | undefined {
  const loaded = unoptimized(() => load(io, path, nodeFiles));
  if ('config' in loaded) return loaded;
  for (const warning of loaded.warnings) io.err(`warning ${problemText(warning)}\n`);
  for (const error of loaded.errors) io.err(`error ${problemText(error)}\n`);
  const count = loaded.errors.length;
  io.err(`\n${path}: ${count} ${count === 1 ? 'error' : 'errors'}; nothing was started.\n`);
  return undefined;
}
