/** `chargepoint contactor`: what its mirror contact says, and a test of it. Closed only by the interlock; for an EV only where no agent runs. */
import type { Exercise } from '../../hal/contract.ts';
import { ControlError } from '../errors.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import type { BoardAccess } from './board-access.ts';
import { closedFor, type Outcome } from './close-contactor.ts';
import { json, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';
import { connectorInputs } from './pilot.ts';
import { type Technician, working } from './technician.ts';

export interface ContactorOptions extends AgentOptions {
  readonly amps: number;
  readonly seconds: number;
  readonly wait: number;
  readonly json?: boolean;
}

/** Exit code 0; 1 if the contactor did not do it, 70 if there is neither agent nor board, 78 for what is refused. */
export const contactor = (
  io: Io,
  connectorId: number,
  command: 'click' | 'close' | undefined,
  options: ContactorOptions,
): Promise<ExitCode> =>
  working(io, options, async (technician) => {
    if (command === undefined) return showContactor(io, connectorId, technician, options);
    if (command === 'click') return click(io, connectorId, technician, options);
    const { access } = technician;
    if (access === undefined)
      throw refused(`a running agent closes a contactor for an EV in a transaction only: ${STOP_IT}`);
    if (access.openTransaction)
      throw refused('a transaction is not over: start the agent, which goes on with it or ends it');
    return close(io, connectorId, access, options);
  });

const STOP_IT = 'stop it first, nobody must be charging (sudo systemctl stop chargepoint)';
const refused = (text: string): ControlError => new ControlError('badRequest', text);

async function showContactor(
  io: Io,
  connectorId: number,
  technician: Technician,
  options: ContactorOptions,
): Promise<ExitCode> {
  const connector = await connectorInputs(io, connectorId, technician);
  if (connector === undefined) return EXIT.config;
  const { contactor: state, operations } = connector as { contactor?: unknown; operations?: unknown };
  if (options.json === true) {
    io.out(json({ connectorId, contactor: state, operations: operations ?? null }));
    return EXIT.ok;
  }
  const { all, underLoad, life } = recordOf(operations) as { all?: unknown; underLoad?: unknown; life?: unknown };
  const made = life === undefined ? '' : `, made for ${textOf(life)}`;
  const wear = operations === undefined ? '' : `, opened ${textOf(all)} times, ${textOf(underLoad)} under load${made}`;
  io.out(`Connector ${connectorId}: contactor ${textOf(state)} by its mirror contact${wear}\n`);
  return EXIT.ok;
}

const hardwareOf = ({ board }: BoardAccess, connectorId: number) => {
  const hardware = board.connectors.find(({ id }) => id === connectorId);
  if (hardware === undefined) throw new ControlError('notFound', `there is no connector ${connectorId}`);
  return hardware;
};

async function click(
  io: Io,
  connectorId: number,
  { ask }: Technician,
  { json: asJson }: ContactorOptions,
): Promise<ExitCode> {
  const seen = (await ask('POST', '/service/click', { connectorId })) as Exercise;
  const isGood = seen.closedAfterMs !== undefined && seen.openedAfterMs !== undefined;
  io.out(asJson === true ? json({ connectorId, ...seen }) : clickText(connectorId, seen));
  return isGood ? EXIT.ok : EXIT.different;
}

function clickText(connectorId: number, { closedAfterMs, openedAfterMs, cutShort }: Exercise): string {
  const ms = (time: number | undefined, never: string): string =>
    time === undefined ? never : `after ${Math.round(time)} ms`;
  const short = cutShort ? 'It was opened before its time: an EV came, or a fault.\n' : '';
  return (
    `Connector ${connectorId}: mirror contact closed ${ms(closedAfterMs, 'NEVER: coil, its supply, or the mirror contact')}\n` +
    `Connector ${connectorId}: mirror contact open ${ms(openedAfterMs, 'NEVER: switch off the mains, it may be welded')}\n${short}`
  );
}

const OUTCOMES: { readonly [outcome in Outcome['how']]: string } = {
  noEv: 'No EV asked for power (pilot C) in time: nothing was closed.',
  stuck: 'The mirror contact did not follow: coil, its supply, a fault (chargepoint faults), or the mirror contact.',
  opened: 'It opened by itself before its time: the EV paused or left, or a fault.',
  done: 'Closed and opened again.',
  ended: 'Opened, because you ended it.',
  welded: 'IT IS STILL CLOSED: switch off the mains, the contactor may be welded.',
};

async function close(
  io: Io,
  connectorId: number,
  access: BoardAccess,
  { amps, seconds, wait, json: asJson }: ContactorOptions,
): Promise<ExitCode> {
  const { evse, maxA } = hardwareOf(access, connectorId);
  if (amps > maxA) throw refused(`connector ${connectorId} may carry ${maxA} A at most`);
  const say = (text: string): void => {
    if (asJson !== true) io.out(`${text}\n`);
  };
  say(`Connector ${connectorId}: ${amps} A offered. THE OUTLET GETS LIVE for ${seconds} s once the pilot says C.`);
  say(`Plug in a test adapter or an EV within ${wait} s. Ctrl-C opens at once.`);
  const outcome = await closedFor(evse, {
    amps,
    forMs: seconds * 1000,
    waitMs: wait * 1000,
    ...access,
    closed: () => say('Closed.'),
  });
  if (asJson === true) io.out(json({ connectorId, ...outcome }));
  else io.out(`${OUTCOMES[outcome.how]}\n`);
  return outcome.how === 'done' ? EXIT.ok : EXIT.different;
}
