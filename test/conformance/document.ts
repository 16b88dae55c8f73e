/** Writes docs/conformance.md from what the code says of itself and from the names of the tests. */
import type { Feature } from '../../src/features/feature.ts';
import type { AnyKey } from '../../src/features/keys.ts';
import type { ProfiledOperation } from '../../src/ocpp/messages/all.ts';
import type { Initiator } from '../../src/ocpp/operation.ts';
import type { Case } from './cases.ts';
import type { FoundTest } from './scan.ts';

export interface Conformance {
  readonly features: readonly Feature[];
  readonly operations: readonly ProfiledOperation[];
  readonly cases: Readonly<Record<string, readonly Case[]>>;
  readonly tests: readonly FoundTest[];
  /** The source of each room, by its folder. */
  readonly rooms: ReadonlyMap<string, string>;
}

const NOT_YET = 'not yet';
/** So many tests of an action are named; its scenario files have the others. */
const NAMED = 6;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const DIRECTIONS: { readonly [initiator in Initiator]: string } = {
  CentralSystem: 'to the charge point',
  ChargePoint: 'to the central system',
  Both: 'both ways',
};

const namesOf = (tests: readonly FoundTest[]): string =>
  tests.map(({ file, name }) => `${name} (${file})`).join('<br>') || NOT_YET;

/** The rooms that answer an action, or send it: by a call of their own, or as a fact that the outbox delivers. */
function roomsOf({ rooms }: Conformance, action: string): readonly string[] {
  const patterns = [`\\b${action}\\.answeredBy\\(`, `\\bcall\\(\\s*${action}\\b`, `^  ${action}: \\(`];
  const speaks = new RegExp(patterns.join('|'), 'm');
  return [...rooms].filter(([, source]) => speaks.test(source)).map(([room]) => room);
}

/** Those whose name says the action, or else those that play it. */
function testsOfAction({ tests }: Conformance, action: string): readonly FoundTest[] {
  const word = new RegExp(`\\b${action}\\b`);
  const scenarios = tests.filter(({ file }) => file.startsWith('scenarios/'));
  const named = scenarios.filter(({ name }) => word.test(name));
  return (named.length > 0 ? named : scenarios.filter(({ source }) => word.test(source))).slice(0, NAMED);
}

const actionsTable = (conformance: Conformance): string =>
  table(
    ['Action', 'Direction', 'Profile', 'Room', 'Tests, among others'],
    conformance.operations.map(({ profile, operation: { action, initiator } }) => {
      const rooms = roomsOf(conformance, action);
      const tests = rooms.length === 0 ? NOT_YET : namesOf(testsOfAction(conformance, action));
      return [action, DIRECTIONS[initiator], profile, rooms.join(', ') || NOT_YET, tests];
    }),
  );

const defaultOf = ({ type, initial }: AnyKey): string => {
  const text = type.format(initial as never);
  return text === '' ? '(empty)' : text;
};

const keysTable = ({ features }: Conformance): string =>
  table(
    ['Key', 'Takes', 'Default', 'Access', 'Profile', 'Room'],
    features.flatMap(({ name: room, profile, keys }) =>
      keys.map((key) => [key.name, key.type.expected, defaultOf(key), key.access, profile, room]),
    ),
  );

const casesTables = ({ cases, tests }: Conformance): string =>
  Object.entries(cases)
    .map(([profile, rows]) => {
      const lines = rows.map(({ tc, title }) => {
        const number = new RegExp(`TC_${tc}(?![_\\d])`);
        return [`TC_${tc}`, title, namesOf(tests.filter(({ name, source }) => number.test(`${name}\n${source}`)))];
      });
      return `### ${profile}\n\n${table(['Case', 'About', 'Tests'], lines)}`;
    })
    .join('\n\n');

export const documentOf = (
  conformance: Conformance,
): string => `<!-- Generated from the code: \`npm run conformance\` writes it anew, a test checks that it is fresh. -->
# Conformance

What of OCPP 1.6 edition 2 and its security whitepaper is there, and which tests show it. Names of tests end with their file below \`test/\`.
A profile that \`keys.SupportedFeatureProfiles\` leaves out is off, with its keys; \`${NOT_YET}\` means what it says.

## Actions

A call whose action is unknown is answered NotImplemented, one whose room is not there yet NotSupported.

${actionsTable(conformance)}

## Configuration keys

The default is that of the code; the file may preset another one, and what the central system sets wins over both. Some keys say what the
charge point is built like: NumberOfConnectors, ConnectorPhaseRotation, SupportedMeasurands, SupportedFeatureProfiles and the lists of
measurands begin with what is there, and UnlockConnectorOnEVSideDisconnect is \`false\` and read-only where every cable is attached.

${keysTable(conformance)}

## Cases of the compliance test tool

${casesTables(conformance)}
`;
