/** A configuration in memory: good defaults, a map of files, and what came of loading it. */
import { dirname, resolve } from 'node:path';
import { expect } from 'vitest';
import { problemText } from '../../src/config/examine.ts';
import { type LoadSurroundings, loadConfig } from '../../src/config/load.ts';
import type { AgentConfig, ConfigFiles, ConfigProblem } from '../../src/config.ts';
import { nodeFiles } from '../../src/platform/files.ts';

export const SHIPPED = resolve(import.meta.dirname, '../../config');
export const MAIN = '/etc/chargepoint/chargepoint.yaml';

export interface MemoryFile {
  readonly text: string;
  readonly mode?: number;
}

/** The files of a test over those that ship with the agent. A text `-> PATH` is a link. */
function memoryFiles(files: Readonly<Record<string, string | MemoryFile>>): ConfigFiles {
  const get = (path: string): MemoryFile | undefined => {
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    return typeof file === 'string' ? { text: file } : file;
  };
  return {
    read: (path) => {
      const file = get(path);
      if (file !== undefined) return file.text;
      if (dirname(path).startsWith(SHIPPED)) return nodeFiles.read(path);
      throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
    },
    exists: (path) => get(path) !== undefined,
    takenByFile: (path) => get(path) !== undefined,
    list: (path) => (path.startsWith(SHIPPED) ? nodeFiles.list(path) : []),
    mode: (path) => get(path)?.mode ?? 0o644,
    writableDirectory: (path) => Object.hasOwn(files, `${path}/`),
    resolved: (path) => /^-> (.*)$/.exec(get(path)?.text ?? '')?.[1] ?? path,
  };
}

export const bench = {
  chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi' },
  centralSystem: { url: 'ws://127.0.0.1:9000' },
  board: 'mock',
  connectors: [{ id: 1, cable: 'socket' }],
  stateDir: '/var/lib/chargepoint',
  bench: { port: 9001 },
};

const { bench: _, ...withoutBench } = bench;
export const lab = {
  ...withoutBench,
  board: 'raspberry-pi-lab',
  connectors: [
    { id: 1, cable: 'attached', meter: { model: 'eastron-sdm630', bus: { port: '/dev/ttyUSB0' }, unit: 1 } },
  ],
  acknowledgeLabUse: true,
};

/** What is said about every board with a pilot of our own. */
export const LAB_USE = expect.stringContaining('for laboratory use only');

export interface Outcome {
  readonly config: AgentConfig | undefined;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const texts = (problems: readonly ConfigProblem[]): readonly string[] =>
  problems.map((problem) => problemText(problem).replaceAll('/etc/chargepoint/', ''));

/** Loads a text or an object as the main file. */
export function load(
  main: string | object,
  files: Readonly<Record<string, string | MemoryFile>> = {},
  surroundings: Partial<LoadSurroundings> = {},
): Outcome {
  const text = typeof main === 'string' ? main : JSON.stringify(main, undefined, 2);
  const loaded = loadConfig(MAIN, {
    files: memoryFiles({ [MAIN]: text, ...files }),
    shippedDirectory: SHIPPED,
    ...surroundings,
  });
  return {
    config: 'config' in loaded ? loaded.config : undefined,
    errors: 'errors' in loaded ? texts(loaded.errors) : [],
    warnings: texts(loaded.warnings),
  };
}
