/** A meter that the main file names: its register map and the bus that it hangs on. */
import { basename } from 'node:path';
import type { BoardDescription } from '../../hal/board-description.ts';
import type { BusConfig, MeterConfig } from '../config.ts';
import type { ConfigDocument, Path } from './document.ts';
import { type Findings, meantName, namedFile } from './findings.ts';
import { readMeterMap } from './meter-map.ts';
import { nearest } from './nearest.ts';
import type { AgentFile, MeterFile } from './shapes/agent.ts';

/** The main file in its shape, and the board that it names. */
export interface MainFile {
  readonly document: ConfigDocument;
  /** Directory of the main file. */
  readonly base: string;
  readonly file: AgentFile;
  /** Undefined on the mock board. */
  readonly board: BoardDescription | undefined;
}

/** Where a meter stands in the file, and whose it is: `the energy meter of this connector`. */
export interface MeterPlace {
  readonly path: Path;
  readonly what: string;
}

/** A real board needs the meter, the mock board has its own. Undefined there, and after an error. */
export function readMeter(
  findings: Findings,
  main: MainFile,
  { path, what }: MeterPlace,
  meter: MeterFile | undefined,
): MeterConfig | undefined {
  const { document, board, base } = main;
  if (board === undefined) {
    if (meter !== undefined)
      findings.warnings.push(document.problem(path, 'is ignored: the mock board has a meter of its own'));
    return undefined;
  }
  if (meter === undefined) {
    const hint = 'meter: { model: eastron-sdm630, bus: { port: /dev/serial/by-id/... }, unit: 1 }';
    findings.errors.push(document.problem(path, `is missing, expected ${what}`, hint));
    return undefined;
  }
  const bus = readBus(findings, main, [...path, 'bus'], meter.bus);
  const file = namedFile(findings, 'meters', meter.model, base);
  const reference = {
    document,
    path: [...path, 'model'],
    what: `register map of the meter ${basename(file, '.yaml')}`,
    hint: meantName(findings, 'meters', meter.model),
  };
  const map = readMeterMap(findings, reference, file);
  if (map === undefined || bus === undefined) return undefined;
  return { model: meter.model, map, bus, unit: meter.unit };
}

function readBus(
  findings: Findings,
  { document, file }: MainFile,
  path: Path,
  named: MeterFile['bus'],
): BusConfig | undefined {
  if (typeof named === 'object') return named;
  const buses = file.buses ?? {};
  const bus = Object.hasOwn(buses, named) ? buses[named] : undefined;
  if (bus === undefined) {
    const guess = nearest(named, Object.keys(buses));
    findings.errors.push(
      document.problem(
        path,
        `is ${named}, expected the name of one of buses, or { port }`,
        guess === undefined ? undefined : `did you mean ${guess}?`,
      ),
    );
  }
  return bus;
}
