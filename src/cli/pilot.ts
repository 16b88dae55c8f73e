/** `chargepoint pilot`: what the control pilot says, and what an EV answers to a signal of our choice. The contactor stays open. */
import { PILOT_MEANS } from '../features/service/inputs.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import { json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';
import { type Technician, working } from './technician.ts';
import { followed, timeText } from './trial.ts';

export interface PilotOptions extends AgentOptions {
  readonly seconds: number;
  readonly json?: boolean;
}

/** Exit code 0; 70 if there is neither agent nor board, 78 for what is refused. */
export const pilot = (
  io: Io,
  connectorId: number,
  offer: number | 'x1' | 'F' | undefined,
  options: PilotOptions,
): Promise<ExitCode> =>
  working(io, options, (technician) =>
    offer === undefined
      ? showPilot(io, connectorId, technician, options)
      : tryPilot(io, { connectorId, offer }, technician, options),
  );

/** What `/inputs` says of one connector. Undefined after it has been said that there is none. */
export async function connectorInputs(
  io: Io,
  connectorId: number,
  { ask }: Technician,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const connectors = listOf(recordOf(await ask('GET', '/inputs'))['connectors']).map(recordOf);
  const found = connectors.find(({ id }) => id === connectorId);
  if (found === undefined) io.err(`There is no connector ${connectorId}.\n`);
  return found;
}

async function showPilot(
  io: Io,
  connectorId: number,
  technician: Technician,
  options: PilotOptions,
): Promise<ExitCode> {
  const connector = await connectorInputs(io, connectorId, technician);
  if (connector === undefined) return EXIT.config;
  const { pilot: state, pilotMeans } = connector as { pilot?: unknown; pilotMeans?: unknown };
  if (options.json === true) io.out(json({ connectorId, pilot: state, means: pilotMeans }));
  else io.out(`Connector ${connectorId}: pilot ${textOf(state)}, ${textOf(pilotMeans)}\n`);
  return EXIT.ok;
}

const meaning = (state: string): string => (PILOT_MEANS as Readonly<Record<string, string>>)[state] ?? '';

async function tryPilot(
  io: Io,
  { connectorId, offer }: { readonly connectorId: number; readonly offer: number | 'x1' | 'F' },
  technician: Technician,
  { seconds, json: asJson }: PilotOptions,
): Promise<ExitCode> {
  const say = (text: string): void => {
    if (asJson !== true) io.out(`${text}\n`);
  };
  const signal = typeof offer === 'number' ? `${offer} A` : offer;
  const seen = await followed(technician, { connectorId, what: 'pilot', offer }, seconds, {
    begun: () => {
      say(`Connector ${connectorId}: ${signal} for ${seconds} s, then x1. The contactor stays open.`);
      if (technician.access === undefined) say('For the central system it is Unavailable meanwhile.');
      say('Ctrl-C ends it.');
    },
    changed: (change) => say(`${timeText(change)}  ${change.pilot}  ${meaning(change.pilot)}`),
  });
  io.out(asJson === true ? json({ connectorId, offer, seen }) : `Connector ${connectorId}: x1 again.\n`);
  return EXIT.ok;
}
