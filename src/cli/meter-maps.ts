/** The register maps that ship with the agent, for tools that are told a name, or have to try them all. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../../hal/modbus/recognise.ts';
import type { RegisterMap } from '../../hal/modbus/register-map.ts';
import { problemText } from '../config/examine.ts';
import { loadMeterMap } from '../config/meter-map.ts';
import { nearest } from '../config/nearest.ts';
import { nodeFiles, shippedConfigDirectory } from '../platform/files.ts';
import { wrapped } from './format.ts';
import type { Io } from './io.ts';

const ENDING = '.yaml';

const namesOf = (io: Io): readonly string[] =>
  readdirSync(join(shippedConfigDirectory(io.script), 'meters'))
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();

const load = (io: Io, name: string) =>
  loadMeterMap(name, { files: nodeFiles, shippedDirectory: shippedConfigDirectory(io.script), base: '.' });

/** Those that cannot be read are left out: `check` and the tests say what is wrong with them. */
export const shippedModels = (io: Io): readonly Model[] =>
  namesOf(io).flatMap((name) => {
    const loaded = load(io, name);
    return 'map' in loaded ? [{ name, map: loaded.map }] : [];
  });

/** By its name in `config/meters`, or a path. Undefined after every error has been printed. */
export function mapNamed(io: Io, name: string): RegisterMap | undefined {
  const loaded = load(io, name);
  if ('map' in loaded) return loaded.map;
  const names = namesOf(io);
  const guess = nearest(name, names);
  if (/[/\\.]/.test(name) || names.includes(name)) {
    for (const error of loaded.errors) io.err(`error ${problemText(error)}\n`);
  } else {
    io.err(`There is no meter ${name}${guess === undefined ? '' : `, did you mean ${guess}?`}\n`);
    io.err(wrapped(`Known are ${names.join(', ')}; a path to a file of your own will do as well.`, 0));
  }
  return undefined;
}
