/** The connectors: what the main file says of the installation, joined with what the board is built for. */
import { basename } from 'node:path';
import type { ConnectorDescription } from '../../hal/board-description.ts';
import type { BusConfig, ConnectorConfig, MeterConfig } from '../config.ts';
import type { ConfigDocument } from './document.ts';
import { type Findings, namedFile, readShaped } from './findings.ts';
import { nearest } from './nearest.ts';
import type { AgentFile } from './shapes/agent.ts';
import { meterShape } from './shapes/meter.ts';

type ConnectorFile = NonNullable<AgentFile['connectors']>[number];
type MeterFile = NonNullable<ConnectorFile['meter']>;

export interface Installation {
  readonly document: ConfigDocument;
  /** Directory of the main file. */
  readonly base: string;
  readonly file: AgentFile;
  /** Undefined on the mock board. */
  readonly board: readonly ConnectorDescription[] | undefined;
}

const MOCK_MAX_A = 32;

export function readConnectors(findings: Findings, installation: Installation): readonly ConnectorConfig[] {
  const { document, file, board } = installation;
  const wanted = file.connectors ?? defaultConnectors(board);
  if (board !== undefined && wanted.length > board.length) {
    findings.errors.push(
      document.problem(['connectors'], `are ${wanted.length}, expected at most the ${board.length} of the board`),
    );
  }
  return wanted.map((connector, index) => readConnector(findings, installation, connector, index));
}

const defaultConnectors = (board: readonly ConnectorDescription[] | undefined): readonly ConnectorFile[] =>
  board === undefined
    ? [{ id: 1, cable: 'socket' }]
    : board.map(({ id, lock }) => ({ id, cable: lock === undefined ? 'attached' : 'socket' }));

function readConnector(
  findings: Findings,
  installation: Installation,
  connector: ConnectorFile,
  index: number,
): ConnectorConfig {
  const { document } = installation;
  const hardware = installation.board?.[index];
  const error = (member: string, message: string, hint?: string) => {
    findings.errors.push(document.problem(['connectors', index, member], message, hint));
  };
  if (connector.id !== index + 1) {
    error('id', `is ${connector.id}, expected ${index + 1}: connectors count from 1 without gaps`);
  }
  if (hardware !== undefined) fitHardware(connector, hardware, error);
  const meter = readMeter(findings, installation, connector, index);
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
  const ownPilot = hardware.evse.driver === 'comparatorPilot';
  if (connector.cable === 'socket' && ownPilot && (hardware.lock === undefined || hardware.proximity === undefined)) {
    report('cable', 'is socket, but the board has no lock and proximity pilot there', 'cable: attached');
  }
}

function readMeter(
  findings: Findings,
  installation: Installation,
  connector: ConnectorFile,
  index: number,
): MeterConfig | undefined {
  const { document, board, base } = installation;
  const path = ['connectors', index, 'meter'];
  const { meter } = connector;
  if (board === undefined) {
    if (meter !== undefined)
      findings.warnings.push(document.problem(path, 'is ignored: the mock board has a meter of its own'));
    return undefined;
  }
  if (meter === undefined) {
    const hint = 'meter: { model: eastron-sdm630, bus: { port: /dev/serial/by-id/... }, unit: 1 }';
    findings.errors.push(document.problem(path, 'is missing, expected the energy meter of this connector', hint));
    return undefined;
  }
  const bus = readBus(findings, installation, meter, index);
  const file = namedFile(findings, 'meters', meter.model, base);
  const reference = {
    document,
    path: [...path, 'model'],
    what: `register map of the meter ${basename(file, '.yaml')}`,
  };
  const map = readShaped(findings, reference, file, meterShape);
  if (map === undefined || bus === undefined) return undefined;
  return { model: meter.model, map: map.value, bus, unit: meter.unit };
}

function readBus(
  findings: Findings,
  { document, file }: Installation,
  meter: MeterFile,
  index: number,
): BusConfig | undefined {
  if (typeof meter.bus === 'object') return meter.bus;
  const buses = file.buses ?? {};
  const bus = Object.hasOwn(buses, meter.bus) ? buses[meter.bus] : undefined;
  if (bus === undefined) {
    const guess = nearest(meter.bus, Object.keys(buses));
    findings.errors.push(
      document.problem(
        ['connectors', index, 'meter', 'bus'],
        `is ${meter.bus}, expected the name of one of buses, or { port }`,
        guess === undefined ? undefined : `did you mean ${guess}?`,
      ),
    );
  }
  return bus;
}
