/** The installation: what the electrician has connected around the box, and how the offer may move within it. */
import type { ConnectorConfig, GridConnectionConfig, InstallationConfig } from '../config.ts';
import type { Findings } from './findings.ts';
import { type MainFile, readMeter } from './meters.ts';
import { countryOf } from './protection.ts';
import type { AgentFile } from './shapes/agent.ts';

type InstallationFile = NonNullable<AgentFile['installation']>;

const LINES = ['L1', 'L2', 'L3'] as const;
const DEFAULTS = { nominalV: 230, safeA: 6, randomDelayS: 0, phaseSwitchEveryS: 60 };

export function readInstallation(
  findings: Findings,
  main: MainFile,
  connectors: readonly ConnectorConfig[],
): InstallationConfig {
  const { gridConnection, phases, ...given } = main.file.installation ?? {};
  checkPhases(findings, main, phases, connectors);
  checkDimming(findings, main, given.dimming);
  const { randomDelayS, rampAPerMinute, asymmetryA } = countryOf(main);
  const settings = {
    ...DEFAULTS,
    ...(randomDelayS === undefined ? {} : { randomDelayS }),
    ...(rampAPerMinute === undefined ? {} : { rampAPerMinute }),
    ...(asymmetryA === undefined ? {} : { asymmetryA }),
    ...given,
  };
  warnOfAsymmetry(findings, main, settings, connectors);
  return {
    ...settings,
    phases: phases ?? (connectors.some((connector) => connector.phases === 3) ? 3 : 1),
    ...(gridConnection === undefined ? {} : { gridConnection: readGridConnection(findings, main, gridConnection) }),
  };
}

function readGridConnection(
  findings: Findings,
  main: MainFile,
  { fuseA, meter: given }: NonNullable<InstallationFile['gridConnection']>,
): GridConnectionConfig {
  const place = { path: ['installation', 'gridConnection', 'meter'], what: 'the energy meter of the whole house' };
  const meter = readMeter(findings, main, place, given);
  return { fuseA, ...(meter === undefined ? {} : { meter }) };
}

/** On three phases only the meter can tell that an EV takes one of them. */
function warnOfAsymmetry(
  findings: Findings,
  { document }: MainFile,
  { asymmetryA }: Pick<InstallationConfig, 'asymmetryA'>,
  connectors: readonly ConnectorConfig[],
): void {
  for (const [index, { id, maxA, phases, meter }] of connectors.entries()) {
    if (asymmetryA === undefined || maxA <= asymmetryA || phases === 1 || meter === undefined) continue;
    const { current } = meter.map.quantities;
    if (LINES.every((line) => current?.[line] !== undefined)) continue;
    const message = `does not measure the current of each phase: an EV that takes one phase of connector ${id} is not held to ${asymmetryA} A`;
    findings.warnings.push(
      document.problem(['connectors', index, 'meter', 'model'], message, `connectors[${index}].maxA: ${asymmetryA}`),
    );
  }
}

/** Where only one phase arrives, nobody can charge on three. */
function checkPhases(
  findings: Findings,
  { document }: MainFile,
  phases: 1 | 3 | undefined,
  connectors: readonly ConnectorConfig[],
): void {
  const index = connectors.findIndex((connector) => connector.phases === 3);
  if (phases !== 1 || index === -1) return;
  findings.errors.push(
    document.problem(
      ['installation', 'phases'],
      `is 1, but connector ${index + 1} has 3`,
      `connectors[${index}].phases: 1`,
    ),
  );
}

/** The contact and what it means belong together; the mock board has the contact. */
function checkDimming(findings: Findings, { document, board }: MainFile, dimming: InstallationFile['dimming']): void {
  if (board === undefined) return;
  const path = ['installation', 'dimming'];
  if (dimming !== undefined && board.dimming === undefined) {
    const hint = 'add its line to the board file, or remove installation.dimming';
    findings.errors.push(document.problem(path, `is set, but the board ${board.name} has no dimming contact`, hint));
  }
  if (dimming === undefined && board.dimming !== undefined) {
    const hint = 'dimming: { limitW: 4200 }';
    findings.warnings.push(
      document.problem(path, `is missing: the dimming contact of the board ${board.name} changes nothing`, hint),
    );
  }
}
