/** The board file: its shape, and what has to be true across its members before anything may be driven. */
import type {
  BoardDescription,
  ComparatorPilotEvseDescription,
  ConnectorDescription,
  LineDescription,
} from '../../hal/board-description.ts';
import type { ConfigDocument, Path } from './document.ts';
import { type Findings, type Reference, readShaped } from './findings.ts';
import { boardShape } from './shapes/board.ts';

/** CP leaves C -> contacts open (IEC 61851-1 table A.6, sequence 8.1). */
export const OPENING_BUDGET_MS = 100;
const SAMPLING_MS = 10;
const WRITE_MS = 10;
/** The filter at its slowest: for levels that make no sense and after a change of duty it takes so long, whatever `filterMs` says. */
const FILTER_MS = 40;

/** Of `hal/thermal-watch.ts`, where the board says nothing. */
export const USUAL_STOP_C = 70;
export const USUAL_HOTTEST_STEP_C = 68;

/** Sampling, filter, write and release of the contactor added up, in ms. */
export const openingTimeMs = ({ contactor }: ComparatorPilotEvseDescription): number =>
  SAMPLING_MS + FILTER_MS + WRITE_MS + contactor.releaseMs;

export interface BoardFile {
  readonly document: ConfigDocument;
  readonly board: BoardDescription;
}

export function readBoard(findings: Findings, reference: Reference, file: string): BoardFile | undefined {
  const read = readShaped(findings, reference, file, boardShape);
  if (read === undefined) return undefined;
  const { document, value: board } = read;
  const problem = (path: Path, message: string, hint?: string) => {
    findings.errors.push(document.problem(path, message, hint));
  };
  checkOpeningTimes(board, problem);
  checkPhaseSwitches(board, problem);
  checkThermometers(board, problem);
  checkLines(board, problem);
  checkIds(board, problem);
  return { document, board };
}

type Report = (path: Path, message: string, hint?: string) => void;

function checkOpeningTimes({ connectors }: BoardDescription, report: Report): void {
  for (const [index, { evse }] of connectors.entries()) {
    if (evse.driver !== 'comparatorPilot') continue;
    const total = openingTimeMs(evse);
    if (total <= OPENING_BUDGET_MS) continue;
    report(
      ['connectors', index, 'evse', 'contactor', 'releaseMs'],
      `opening takes sampling ${SAMPLING_MS} + filter ${FILTER_MS} + write ${WRITE_MS} + release ` +
        `${evse.contactor.releaseMs} = ${total} ms, expected at most ${OPENING_BUDGET_MS} ms`,
      'take a contactor that releases faster (no suppression diode across the coil)',
    );
  }
}

/** An EVSE controller keeps its own contactor: nobody could hold it open meanwhile. */
function checkPhaseSwitches({ connectors }: BoardDescription, report: Report): void {
  for (const [index, { evse, phases, phaseSwitch }] of connectors.entries()) {
    if (phaseSwitch === undefined) continue;
    const path = ['connectors', index, 'phaseSwitch'];
    if (evse.driver !== 'comparatorPilot') {
      report(path, `is there beside the driver ${evse.driver}, expected comparatorPilot`, 'remove phaseSwitch');
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
    report(
      [],
      'lines are used but no chip is named, expected a member gpio',
      'gpio: { backend: onoff, chip: pinctrl-bcm2711 }',
    );
  }
}

function linesOf({
  connectors,
  inputs,
  mains,
  dimming,
}: BoardDescription): readonly { path: Path; line: LineDescription }[] {
  return [
    ...connectors.flatMap((connector, index) =>
      connectorLines(connector).map(({ path, line }) => ({ path: ['connectors', index, ...path], line })),
    ),
    ...(inputs ?? []).map((line, index) => ({ path: ['inputs', index], line })),
    ...(mains === undefined ? [] : [{ path: ['mains'], line: mains }]),
    ...(dimming === undefined ? [] : [{ path: ['dimming'], line: dimming }]),
  ];
}

function connectorLines({
  evse,
  lock,
  proximity,
  phaseSwitch,
}: ConnectorDescription): readonly { path: Path; line: LineDescription }[] {
  const groups: readonly (readonly [Path, object | undefined])[] = [
    [['evse', 'comparators'], evse.driver === 'comparatorPilot' ? evse.comparators : undefined],
    [['evse', 'contactor'], evse.driver === 'comparatorPilot' ? evse.contactor : undefined],
    [['lock'], lock],
    [['proximity'], proximity],
    [['phaseSwitch'], phaseSwitch],
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
