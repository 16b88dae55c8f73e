/** The connectors: what the main file says of them, joined with what the board is built for. */
import { type ConnectorDescription, isOwnPilot } from '../../hal/board-description.ts';
import type { ConnectorConfig } from '../config.ts';
import type { Findings } from './findings.ts';
import { type MainFile, readMeter } from './meters.ts';
import type { AgentFile } from './shapes/agent.ts';

type ConnectorFile = NonNullable<AgentFile['connectors']>[number];

const MOCK_MAX_A = 32;

export function readConnectors(findings: Findings, main: MainFile): readonly ConnectorConfig[] {
  const { document, file } = main;
  const board = main.board?.connectors;
  const wanted = file.connectors ?? defaultConnectors(board);
  if (board !== undefined && wanted.length > board.length) {
    findings.errors.push(
      document.problem(['connectors'], `are ${wanted.length}, expected at most the ${board.length} of the board`),
    );
  }
  return wanted.map((connector, index) => readConnector(findings, main, connector, index));
}

const controllerPorts = (board: readonly ConnectorDescription[] = []): readonly string[] =>
  board.flatMap(({ evse }) => (isOwnPilot(evse) ? [] : [evse.bus.port]));

const defaultConnectors = (board: readonly ConnectorDescription[] | undefined): readonly ConnectorFile[] =>
  board === undefined
    ? [{ id: 1, cable: 'socket' }]
    : board.map(({ id, lock }) => ({ id, cable: lock === undefined ? 'attached' : 'socket' }));

function readConnector(findings: Findings, main: MainFile, connector: ConnectorFile, index: number): ConnectorConfig {
  const { document } = main;
  const hardware = main.board?.connectors[index];
  const error = (member: string, message: string, hint?: string) => {
    findings.errors.push(document.problem(['connectors', index, member], message, hint));
  };
  if (connector.id !== index + 1) {
    error('id', `is ${connector.id}, expected ${index + 1}: connectors count from 1 without gaps`);
  }
  if (hardware !== undefined) fitHardware(connector, hardware, error);
  const place = { path: ['connectors', index, 'meter'], what: 'the energy meter of this connector' };
  const meter = readMeter(findings, main, place, connector.meter);
  if (meter !== undefined && controllerPorts(main.board?.connectors).includes(meter.bus.port)) {
    findings.warnings.push(
      document.problem(
        place.path,
        `is on ${meter.bus.port}, the line of an EVSE controller: a meter that does not answer holds up the order to open`,
        'give the controller a port of its own',
      ),
    );
  }
  return {
    id: connector.id,
    cable: connector.cable,
    maxA: connector.maxA ?? hardware?.maxA ?? MOCK_MAX_A,
    phases: connector.phases ?? hardware?.phases ?? 3,
    ventilated: connector.ventilated ?? false,
    ...(meter === undefined ? {} : { meter }),
  };
}

type Report = (member: string, message: string, hint?: string) => void;

/** The file may promise less than the board carries, never more. */
function fitHardware(connector: ConnectorFile, hardware: ConnectorDescription, report: Report): void {
  if (connector.maxA !== undefined && connector.maxA > hardware.maxA) {
    report('maxA', `is ${connector.maxA}, expected at most the ${hardware.maxA} A of the board`);
  }
  if (connector.phases === 3 && hardware.phases === 1) {
    report('phases', 'is 3, but the contactor of the board connects 1');
  }
  const ownPilot = isOwnPilot(hardware.evse);
  if (connector.cable === 'socket' && ownPilot && (hardware.lock === undefined || hardware.proximity === undefined)) {
    report(
      'cable',
      'is socket, but the board has no lock and proximity pilot there',
      'cable: attached; or lock and proximity in the board file (comparators on GPIO lines: no converter reads a cable)',
    );
  }
}
