/** What there is to choose from: the boards and meters that ship with the agent, and those that a path names. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BoardDescription, isOwnPilot } from '../../../hal/board-description.ts';
import { readBoard } from '../../config/board.ts';
import { parseConfig } from '../../config/document.ts';
import { type Findings, namedFile } from '../../config/findings.ts';
import type { ConfigFiles } from '../../config.ts';
import { nodeFiles, shippedConfigDirectory } from '../../platform/files.ts';
import type { Io } from '../io.ts';

const ENDING = '.yaml';

export interface BoardChoice {
  readonly name: string;
  readonly description: string;
}

export interface Catalogue {
  readonly boards: readonly BoardChoice[];
  /** Undefined for `mock`, and for what cannot be read: `check` says why. */
  board(name: string): BoardDescription | undefined;
  /** Undefined for what is no meter of ours. */
  meterUnit(name: string): number | undefined;
  /** Names and models, in columns. */
  readonly meters: () => readonly (readonly [name: string, model: string])[];
  /** The port of the only USB serial adapter, by its lasting name. */
  readonly port: string | undefined;
}

const MOCK: BoardChoice = { name: 'mock', description: 'no hardware: a bench with an EV that is played over HTTP' };

const namesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();

/** `base` is the directory of the configuration that is written: paths are relative to it. */
export async function catalogueFor(io: Io, base: string): Promise<Catalogue> {
  const [{ shippedModels }, { adapters }] = await Promise.all([import('../meter-maps.ts'), import('../meter-port.ts')]);
  const shippedDirectory = shippedConfigDirectory(io.script);
  const read = new Map<string, BoardDescription | undefined>();
  const board = (name: string): BoardDescription | undefined => {
    if (name === MOCK.name || name === '') return undefined;
    if (!read.has(name)) read.set(name, boardNamed(name, { files: nodeFiles, shippedDirectory, base }));
    return read.get(name);
  };
  const names = namesIn(join(shippedDirectory, 'boards'));
  const [port, ...others] = adapters();
  let models: ReturnType<typeof shippedModels> | undefined;
  const maps = () => {
    models ??= shippedModels(io);
    return models;
  };
  return {
    boards: [MOCK, ...names.map((name) => ({ name, description: descriptionOf(board(name)) }))],
    board,
    meters: () => maps().map(({ name, map }) => [name, map.model]),
    meterUnit: (name) => maps().find((model) => model.name === name)?.map.serial.unit,
    port: others.length === 0 ? port : undefined,
  };
}

interface Place {
  readonly files: ConfigFiles;
  readonly shippedDirectory: string;
  readonly base: string;
}

function boardNamed(name: string, { files, shippedDirectory, base }: Place): BoardDescription | undefined {
  const findings: Findings = { files, shippedDirectory, errors: [], warnings: [] };
  const reference = { document: parseConfig(name, ''), path: [], what: 'board file' };
  const found = readBoard(findings, reference, namedFile(findings, 'boards', name, base));
  return findings.errors.length > 0 ? undefined : found?.board;
}

function descriptionOf(board: BoardDescription | undefined): string {
  if (board === undefined) return 'cannot be read: see chargepoint check';
  const currents = [...new Set(board.connectors.map(({ maxA }) => `${maxA} A`))].join(', ');
  const count = board.connectors.length;
  return `${board.name}, ${count === 1 ? '' : `${count} x `}${currents}${hasOwnPilot(board) ? ', lab only' : ''}`;
}

/** Linux drives the pilot and the coil of such a board. */
export const hasOwnPilot = (board: BoardDescription | undefined): boolean =>
  board?.connectors.some(({ evse }) => isOwnPilot(evse)) === true;
