/** The board file: its shape, and what has to be true across its members before anything may be driven. */
import { basename, dirname } from 'node:path';
import {
  type BoardDescription,
  type CalibrationPoint,
  type ConnectorDescription,
  isOwnPilot,
  type LineDescription,
  lookingMs,
  type OwnPilotEvseDescription,
} from '../../hal/board-description.ts';
import { checkIndicators, checkReaders } from './board-readers.ts';
import { readControllerMap } from './controller-map.ts';
import type { ConfigDocument, Path } from './document.ts';
import { type Findings, meantName, namedFile, type Reference, readShaped } from './findings.ts';
import { type BoardPage, boardShape } from './shapes/board.ts';

/** CP leaves C -> contacts open (IEC 61851-1 table A.6, sequence 8.1). */
const OPENING_BUDGET_MS = 100;
const SAMPLING_MS = 10;
const WRITE_MS = 10;
/** The filter at its slowest: for levels that make no sense and after a change of duty it takes so long, whatever `filterMs` says. */
const FILTER_MS = 40;

/** Of `hal/thermal-watch.ts`, where the board says nothing. */
export const USUAL_STOP_C = 70;
export const USUAL_HOTTEST_STEP_C = 68;

/** Sampling, what the sensing adds, filter, write and release of the contactor added up, in ms. */
export const openingTimeMs = (evse: OwnPilotEvseDescription): number =>
  SAMPLING_MS + lookingMs(evse) + FILTER_MS + WRITE_MS + evse.contactor.releaseMs;

export interface BoardFile {
  readonly document: ConfigDocument;
  readonly board: BoardDescription;
}

export function readBoard(findings: Findings, reference: Reference, file: string): BoardFile | undefined {
  const read = readShaped(findings, reference, file, boardShape);
  if (read === undefined) return undefined;
  const { document } = read;
  const board = withControllers(findings, document, read.value);
  if (board === undefined) return undefined;
  const problem = (path: Path, message: string, hint?: string) => {
    findings.errors.push(document.problem(path, message, hint));
  };
  checkOpeningTimes(board, problem);
  checkCalibrations(board, problem);
  checkPhaseSwitches(board, problem);
  checkThermometers(board, problem);
  checkLines(board, problem);
  checkSysfs(board, problem);
  checkIds(board, problem);
  checkReaders(board, problem, (path) => findings.files.resolved(path));
  checkIndicators(board, problem);
  checkDiodes(board, (path, message, hint) => findings.warnings.push(document.problem(path, message, hint)));
  return { document, board };
}

/** The register map of each controller, looked up where the board file names it. Undefined after errors have been noted. */
function withControllers(findings: Findings, document: ConfigDocument, page: BoardPage): BoardDescription | undefined {
  const connectors: ConnectorDescription[] = [];
  for (const [index, connector] of page.connectors.entries()) {
    const { evse } = connector;
    if (isOwnPilot(evse)) {
      connectors.push({ ...connector, evse });
      continue;
    }
    const file = namedFile(findings, 'controllers', evse.model, dirname(document.file));
    const reference = {
      document,
      path: ['connectors', index, 'evse', 'model'],
      what: `register map of the controller ${basename(file, '.yaml')}`,
      hint: meantName(findings, 'controllers', evse.model),
    };
    const map = readControllerMap(findings, reference, file);
    if (map !== undefined) connectors.push({ ...connector, evse: { ...evse, map } });
  }
  return connectors.length === page.connectors.length ? { ...page, connectors } : undefined;
}

type Report = (path: Path, message: string, hint?: string) => void;

function checkOpeningTimes({ connectors }: BoardDescription, report: Report): void {
  for (const [index, { evse }] of connectors.entries()) {
    if (!isOwnPilot(evse)) continue;
    const total = openingTimeMs(evse);
    if (total <= OPENING_BUDGET_MS) continue;
    report(
      ['connectors', index, 'evse', 'contactor', 'releaseMs'],
      `opening takes sampling ${SAMPLING_MS}${looking(evse)} + filter ${FILTER_MS} + write ${WRITE_MS} + release ` +
        `${evse.contactor.releaseMs} = ${total} ms, expected at most ${OPENING_BUDGET_MS} ms`,
      'take a contactor that releases faster (no suppression diode across the coil)',
    );
  }
}

const looking = (evse: OwnPilotEvseDescription): string =>
  lookingMs(evse) === 0
    ? ''
    : ` + ${evse.driver === 'peakHoldPilot' ? 'peak detector and converter' : 'burst'} ${lookingMs(evse)}`;

/** Before the first close the diode has to be checked (facts/evse.md 2.1): a board that cannot closes without. */
function checkDiodes({ connectors }: BoardDescription, warn: Report): void {
  for (const [index, { evse }] of connectors.entries()) {
    const missing = diodeMember(evse);
    if (missing === undefined) continue;
    warn(
      ['connectors', index, 'evse'],
      'cannot see the negative half of the pilot: the contactor closes without a diode check',
      `add ${missing}`,
    );
  }
}

/** What it would take. */
function diodeMember(evse: ConnectorDescription['evse']): string | undefined {
  if (evse.driver === 'comparatorPilot' && evse.comparators.belowMinus10V5 === undefined)
    return 'a comparator at -10.5 V: comparators.belowMinus10V5';
  if (evse.driver === 'peakHoldPilot' && evse.negative === undefined)
    return 'a peak detector of the negative half: negative';
  return undefined;
}

/** Two volts of the pilot at one voltage of the converter would say nothing, and so would a line that turns back. */
function checkCalibrations({ connectors }: BoardDescription, report: Report): void {
  for (const [index, { evse }] of connectors.entries()) {
    const path = ['connectors', index, 'evse'];
    for (const [at, points] of calibrationsOf(evse)) {
      const sorted = points.toSorted((a, b) => a.adcV - b.adcV);
      const steps = sorted.slice(1).map((to, step) => {
        const from = sorted[step] ?? to;
        return (to.pilotV - from.pilotV) / (to.adcV - from.adcV);
      });
      if (steps.every((slope) => slope > 0 && Number.isFinite(slope))) continue;
      if (steps.every((slope) => slope < 0 && Number.isFinite(slope))) continue;
      report([...path, ...at], 'goes up and down, expected points that rise, or fall, from one to the next');
    }
  }
}

function calibrationsOf(evse: ConnectorDescription['evse']): readonly (readonly [Path, readonly CalibrationPoint[]])[] {
  if (evse.driver === 'burstPilot') return [[['calibration'], evse.calibration]];
  if (evse.driver !== 'peakHoldPilot') return [];
  const { positive, negative } = evse;
  return [
    [['positive', 'calibration'], positive.calibration],
    ...(negative === undefined ? [] : [[['negative', 'calibration'], negative.calibration] as const]),
  ];
}

/** An EVSE controller keeps its own contactor: nobody could hold it open meanwhile. */
function checkPhaseSwitches({ connectors }: BoardDescription, report: Report): void {
  for (const [index, { evse, phases, phaseSwitch }] of connectors.entries()) {
    if (phaseSwitch === undefined) continue;
    const path = ['connectors', index, 'phaseSwitch'];
    if (!isOwnPilot(evse)) {
      report(path, `is there beside the driver ${evse.driver}, expected a pilot of our own`, 'remove phaseSwitch');
    }
    if (phases !== 3) report(path, `is there on ${phases} phase, expected phases: 3`, 'remove phaseSwitch');
  }
}

function checkThermometers({ connectors }: BoardDescription, report: Report): void {
  for (const [index, { thermometer }] of connectors.entries()) {
    if (thermometer === undefined) continue;
    const { steps = [], stopC = USUAL_STOP_C } = thermometer;
    const path = ['connectors', index, 'thermometer'];
    for (const [at, { fromC, factor }] of steps.entries()) {
      const cooler = steps[at - 1];
      if (cooler === undefined || (fromC > cooler.fromC && factor <= cooler.factor)) continue;
      report(
        [...path, 'steps', at],
        'is no hotter, or leaves more, than the step before, expected less and less current',
      );
    }
    const hottestC = steps.at(-1)?.fromC ?? USUAL_HOTTEST_STEP_C;
    if (stopC > hottestC) continue;
    report([...path, 'stopC'], `is ${stopC}, expected more than the ${hottestC} C of the hottest step`);
  }
}

/** Two users of one line would undo each other's safe level. */
function checkLines(board: BoardDescription, report: Report): void {
  const users = new Map<number, string>();
  const lines = linesOf(board);
  for (const { path, line } of lines) {
    const other = users.get(line.line);
    if (other === undefined) users.set(line.line, path.join('.'));
    else report([...path, 'line'], `line ${line.line} is taken by ${other}, expected a line of its own`);
  }
  if (lines.length > 0 && board.gpio === undefined) {
    report([], 'lines are used but no chip is named, expected a member gpio', 'gpio: { backend: auto, chip: auto }');
  }
}

/** With `auto` it is seen when the board is opened. */
function checkSysfs(board: BoardDescription, report: Report): void {
  const backend = board.gpio?.backend;
  if (backend !== 'sysfs' && backend !== 'onoff') return;
  for (const { path, line } of linesOf(board)) {
    const wanted = ['pull', 'debounceMs'].find((member) => member in line);
    if (wanted === undefined) continue;
    report(
      [...path, wanted],
      `cannot be had with gpio.backend ${backend}, expected backend: character-device`,
      'a pull resistor can also be set in config.txt: gpio=LINE=pu',
    );
  }
}

function linesOf({
  connectors,
  inputs,
  mains,
  dimming,
  deadMan,
  indicators,
}: BoardDescription): readonly { path: Path; line: LineDescription }[] {
  return [
    ...connectors.flatMap((connector, index) =>
      connectorLines(connector).map(({ path, line }) => ({ path: ['connectors', index, ...path], line })),
    ),
    ...(inputs ?? []).map((line, index) => ({ path: ['inputs', index], line })),
    ...(mains === undefined ? [] : [{ path: ['mains'], line: mains }]),
    ...(dimming === undefined ? [] : [{ path: ['dimming'], line: dimming }]),
    ...(deadMan === undefined ? [] : [{ path: ['deadMan'], line: deadMan }]),
    ...(indicators ?? []).flatMap(({ lines }, index) =>
      Object.entries(lines).map(([name, line]) => ({ path: ['indicators', index, 'lines', name], line })),
    ),
  ];
}

function connectorLines({
  evse,
  lock,
  proximity,
  phaseSwitch,
  rcd,
}: ConnectorDescription): readonly { path: Path; line: LineDescription }[] {
  const groups: readonly (readonly [Path, object | undefined])[] = [
    [['evse', 'comparators'], evse.driver === 'comparatorPilot' ? evse.comparators : undefined],
    [['evse', 'contactor'], isOwnPilot(evse) ? evse.contactor : undefined],
    [['lock'], lock],
    [['proximity'], proximity],
    [['phaseSwitch'], phaseSwitch],
    [['rcd'], rcd],
  ];
  return groups.flatMap(([path, group]) =>
    Object.entries(group ?? {})
      .filter((entry): entry is [string, LineDescription] => typeof entry[1] === 'object')
      .map(([name, line]) => ({ path: [...path, name], line })),
  );
}

function checkIds({ connectors, inputs }: BoardDescription, report: Report): void {
  for (const [index, { id }] of connectors.entries()) {
    if (id !== index + 1)
      report(['connectors', index, 'id'], `is ${id}, expected ${index + 1}: connectors count from 1 without gaps`);
  }
  for (const [index, { connector }] of (inputs ?? []).entries()) {
    if (connector > connectors.length) {
      report(
        ['inputs', index, 'connector'],
        `is ${connector}, expected 0 (the whole charge point) to ${connectors.length}`,
      );
    }
  }
}
