/** `chargepoint lock`: whether the plug is held, and the motor that holds it. */
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import { json, recordOf } from './format.ts';
import type { Io } from './io.ts';
import { connectorInputs } from './pilot.ts';
import { type Technician, working } from './technician.ts';
import { followed, timeText } from './trial.ts';

export interface LockOptions extends AgentOptions {
  readonly seconds: number;
  readonly json?: boolean;
}

/** Exit code 0; 1 if the lock did not do it, 70 if there is neither agent nor board, 78 for what is refused. */
export const lock = (
  io: Io,
  connectorId: number,
  command: 'lock' | 'unlock' | undefined,
  options: LockOptions,
): Promise<ExitCode> =>
  working(io, options, (technician) => {
    if (command === undefined) return showLock(io, connectorId, technician, options);
    return command === 'lock'
      ? tryLock(io, connectorId, technician, options)
      : unlock(io, connectorId, technician, options);
  });

async function showLock(io: Io, connectorId: number, technician: Technician, options: LockOptions): Promise<ExitCode> {
  const connector = await connectorInputs(io, connectorId, technician);
  if (connector === undefined) return EXIT.config;
  const { locked } = connector as { locked?: unknown };
  if (options.json === true) io.out(json({ connectorId, locked: locked ?? null }));
  else io.out(`Connector ${connectorId}: ${lockText(locked)}\n`);
  return EXIT.ok;
}

function lockText(locked: unknown): string {
  if (typeof locked !== 'boolean') return 'no lock, its cable is attached';
  return locked ? 'locked' : 'not locked';
}

async function tryLock(
  io: Io,
  connectorId: number,
  technician: Technician,
  { seconds, json: asJson }: LockOptions,
): Promise<ExitCode> {
  const say = (text: string): void => {
    if (asJson !== true) io.out(`${text}\n`);
  };
  const seen = await followed(technician, { connectorId, what: 'lock' }, seconds, {
    begun: () => say(`Connector ${connectorId}: locked for ${seconds} s, then unlocked. Ctrl-C ends it.`),
    changed: (change) => say(`${timeText(change)}  ${lockText(change.locked)}`),
  });
  const held = seen.some(({ locked }) => locked === true);
  if (asJson === true) io.out(json({ connectorId, held, seen }));
  else io.out(held ? `Connector ${connectorId}: unlocked again.\n` : FAILED);
  return held ? EXIT.ok : EXIT.different;
}

const FAILED = 'The lock never said locked: look at its feedback, its motor and what blocks the bolt.\n';

async function unlock(
  io: Io,
  connectorId: number,
  { ask }: Technician,
  { json: asJson }: LockOptions,
): Promise<ExitCode> {
  const { unlocked } = recordOf(await ask('POST', '/service/unlock', { connectorId })) as { unlocked?: unknown };
  if (asJson === true) io.out(json({ connectorId, unlocked: unlocked === true }));
  else
    io.out(
      unlocked === true
        ? `Connector ${connectorId}: unlocked.\n`
        : 'The lock still says locked: look at its feedback and its motor.\n',
    );
  return unlocked === true ? EXIT.ok : EXIT.different;
}
