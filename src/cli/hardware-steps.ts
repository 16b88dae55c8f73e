/** The board, step by step: lines, pilot, RCD, contactor, serial ports, meters. Nothing that gets live without being told so. */
import type { ConnectorDescription } from '../../hal/board-description.ts';
import type { ConnectorHardware, ContactorState, Exercise, ExerciseRefusal, PilotState } from '../../hal/contract.ts';
import { HalError } from '../../hal/hal-error.ts';
import { EXERCISE_MS } from '../../hal/interlock.ts';
import type { AgentConfig } from '../config.ts';
import { ControlError } from '../errors.ts';
import { type InputsView, inputsOf } from '../features/service/inputs.ts';
import type { AgentStanding } from './agent-standing.ts';
import type { BoardAccess, NoAccess } from './board-access.ts';
import { remedyFor } from './remedies.ts';
import { fail, pass, type Result, type Step, skip } from './sheet.ts';

export interface HardwareContext {
  readonly config: AgentConfig;
  /** Absent if no agent runs. */
  readonly agent?: AgentStanding;
  /** What the running agent reads. Rejects with ControlError. */
  readonly inputs: () => Promise<InputsView>;
  /** Has the running agent close a free contactor for a moment (`POST /service/click`). Rejects with ControlError. */
  readonly clickByAgent: (connectorId: number) => Promise<Exercise>;
  /** Opens the board, once. Rejects with HalError. */
  readonly board: () => Promise<BoardAccess | NoAccess>;
  /** Ctrl-C, or SIGTERM. */
  readonly signal: AbortSignal;
  /** The person agrees that outlets get live for a moment. Undefined: nobody could be asked. */
  readonly mayClick: () => Promise<boolean | undefined>;
  /** Tells the person to do something; resolves when he does not want to, never if nobody sits there. Absent: nobody does. */
  readonly askToSkip?: (request: string, signal: AbortSignal) => Promise<void>;
}

/** A pilot is sampled every 10 ms and believed after 40; inputs are debounced for less. */
const SETTLES_MS = 250;
const LOOKS = 5;
const BUTTON_WITHIN_MS = 60_000;
/** Of the description (hal/board-description.ts), and what a loaded Pi may be late. */
const RCD_TRIPS_MS = 1000;
const RCD_RECOVERS_MS = 3000;
const LATE_MS = 300;

const STOP_AGENT = 'Nobody must be charging. Then: sudo systemctl stop chargepoint, and once more this command.';

/** Whoever may not ask on the control socket cannot know whether an agent runs, nor what it does. */
export const notAllowed = (agent: AgentStanding | undefined): Result | undefined =>
  agent?.forbidden === true
    ? skip(agent.silent ?? '', 'Use sudo, or join the group: sudo usermod -aG chargepoint $USER, then log in again.')
    : undefined;

/** Only on a board that is ours. */
async function onBoard(
  { agent, board }: HardwareContext,
  work: (access: BoardAccess) => Result | Promise<Result>,
): Promise<Result> {
  const refusal = notAllowed(agent);
  if (refusal !== undefined) return refusal;
  if (agent !== undefined) {
    const [busy] = agent.busy;
    if (busy !== undefined) return skip(`connector ${busy} has a transaction`, 'Wait until it is over.');
    return skip('the running agent owns the board', STOP_AGENT);
  }
  const access = await board();
  return 'refusal' in access ? skip(access.refusal, access.next) : work(access);
}

const wait = ({ clock, ended }: BoardAccess, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const over = (): void => {
      cancel();
      ended.removeEventListener('abort', over);
      resolve();
    };
    const cancel = clock.after(ended.aborted ? 0 : ms, over);
    ended.addEventListener('abort', over);
  });

/** What is read, by the agent or by us: looking hinders nobody. */
async function looking(
  context: HardwareContext,
  verdict: (view: InputsView) => Result | Promise<Result>,
): Promise<Result> {
  const refusal = notAllowed(context.agent);
  if (refusal !== undefined) return refusal;
  if (context.agent === undefined) return onBoard(context, ({ board }) => verdict(inputsOf(board)));
  try {
    return await verdict(await context.inputs());
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return skip(`the running agent does not tell: ${error.message}`, STOP_AGENT);
  }
}

const gpio: Step<HardwareContext> = {
  id: 'gpio',
  title: 'Board',
  needs: ['config'],
  run: async (context) => {
    const { agent, board } = context;
    try {
      const access = agent === undefined ? await board() : undefined;
      const pause = access !== undefined && 'board' in access ? (ms: number) => wait(access, ms) : timer;
      if (access !== undefined) await pause(SETTLES_MS);
      let result = await looking(context, (view) => loopsOf(context, view));
      // One late turn of a busy machine is nothing that stays.
      for (let look = 1; look < LOOKS && result.outcome === 'FAIL'; look++) {
        await pause(SETTLES_MS);
        result = await looking(context, (view) => loopsOf(context, view));
      }
      return result;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      const { cause, next } = remedyFor(`hal.${error.code}`);
      return fail(`${cause}: ${error.message}`, next);
    }
  },
};

const timer = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

function loopsOf({ agent, config: { board } }: HardwareContext, { watched }: InputsView): Result {
  const name = board === 'mock' ? 'mock board' : board.name;
  const whose = agent === undefined ? 'every line and port is open' : 'held by the running agent';
  return watched
    ? pass(`${name}: ${whose}, its loops run`)
    : fail(`${name}: the lines are not read in time`, 'Is this machine overloaded? uptime; look for other programs.');
}

/** One result of all connectors: the worst counts. */
function worstOf(results: readonly (Result & { readonly id: number })[]): Result {
  const outcome = (['FAIL', 'SKIP'] as const).find((one) => results.some((result) => result.outcome === one)) ?? 'PASS';
  const detail = results.map((result) => `connector ${result.id}: ${result.detail}`).join('; ');
  const next = results.find((result) => result.outcome === outcome)?.next;
  return next === undefined ? { outcome, detail } : { outcome, detail, next };
}

const pilot: Step<HardwareContext> = {
  id: 'pilot',
  title: 'Control pilot',
  needs: ['gpio'],
  run: (context) =>
    looking(context, ({ connectors }) => worstOf(connectors.map(({ id, pilot: state }) => ({ id, ...PILOTS[state] })))),
};

const plugged = (state: PilotState): Result => pass(`reads ${state}: an EV or a test adapter is plugged in`);

const PILOTS: { readonly [state in PilotState]: Result } = {
  A: pass('+12 V reads back as A, no EV'),
  B: plugged('B'),
  C: plugged('C'),
  D: plugged('D'),
  E: fail(
    'reads E: no voltage that means anything',
    'Is CP shorted to PE, or the pilot supply (+12/-12 V) missing? Measure CP against PE without a plug: +12 V.',
  ),
  F: fail('reads F: -12 V', 'Is the driver stage inverted? pwm.inverted in the board file; measure CP against PE.'),
};

const faults: Step<HardwareContext> = {
  id: 'faults',
  title: 'Faults',
  needs: ['gpio'],
  run: (context) => looking(context, faultsIn),
};

function faultsIn({ faults: raised, mains }: InputsView): Result {
  const texts = raised.map(({ code, connectorId, info }) => {
    const where = connectorId === 0 ? '' : ` at connector ${connectorId}`;
    return `${code}${where}${info === undefined ? '' : ` (${info})`}`;
  });
  if (mains === 'failing') texts.push('the mains input says failing');
  if (texts.length === 0) return pass('none');
  return fail(
    texts.join(', '),
    'Look at the input behind it: emergency stop, RCD, wires, activeLow in the board file.',
  );
}

type RcdDescribed = Pick<ConnectorDescription, 'id' | 'rcd'>;

const rcdsOf = ({ board }: AgentConfig): readonly RcdDescribed[] => (board === 'mock' ? [] : board.connectors);

const rcdTest: Step<HardwareContext> = {
  id: 'rcd',
  title: 'RCD self-test',
  needs: ['gpio'],
  run: (context) => {
    const testable = rcdsOf(context.config).flatMap(({ id, rcd }) =>
      rcd?.test === undefined ? [] : [{ id, ...rcd.test }],
    );
    if (testable.length === 0) return skip('this board cannot test an RCD by itself');
    return onBoard(context, async (access) => {
      // The board tests it as it opens, and says so only if something is wrong with it.
      const within = testable.map(
        ({ tripsWithinMs = RCD_TRIPS_MS, recoversWithinMs = RCD_RECOVERS_MS }) => tripsWithinMs + recoversWithinMs,
      );
      await Promise.race([wait(access, Math.max(...within) + LATE_MS), untilRaised(access, 'rcdTestFailed')]);
      const bad = access.board.faults.find(({ code }) => code === 'rcdTestFailed' || code === 'groundFault');
      if (access.ended.aborted) return skip('ended before its result');
      if (bad !== undefined)
        return fail(
          bad.info ?? bad.code,
          'Is the RCD switched on and supplied? Press its own test button: if it does not trip, exchange it.',
        );
      const untested = testable.find(({ id }) => contactorOf(access, id) !== 'open');
      if (untested === undefined) return pass('it trips, and recovers');
      return fail(
        `not tested: the contactor of connector ${untested.id} is not open`,
        'Is it welded, or is activeLow of its mirror contact wrong? See `chargepoint inputs`.',
      );
    });
  },
};

const contactorOf = ({ board }: BoardAccess, id: number): ContactorState | undefined =>
  board.connectors.find((connector) => connector.id === id)?.evse.state.contactor;

/** Never, if it is raised already: whoever waits looks himself. */
const untilRaised = ({ board }: BoardAccess, code: string): Promise<void> =>
  new Promise((resolve) => {
    board.onFault(({ fault, raised }) => {
      if (raised && fault.code === code) resolve();
    });
  });

const contactor: Step<HardwareContext> = {
  id: 'contactor',
  title: 'Contactor',
  needs: ['pilot', 'faults', 'rcd'],
  run: async (context) =>
    context.agent !== undefined && context.agent.busy.length === 0
      ? looking(context, (view) => clickedByAgent(context, view))
      : onBoard(context, async (access) => {
          if (access.openTransaction)
            return skip('a transaction has no stop yet', 'Let the agent run until it has ended, then try again.');
          const clickable = access.board.connectors.filter(({ evse }) => evse.exercise !== undefined);
          const left = await leftOut(
            context,
            clickable.map(({ evse }) => evse.state.pilot),
          );
          if (left !== undefined) return left;
          if (access.ended.aborted) return NOT_WANTED;
          return each(clickable, access.ended, (connector) => clicked(access, connector));
        }),
};

const NOT_WANTED = skip('not wanted');

/** Why no contactor is clicked; undefined if they may be. The person is asked last. */
async function leftOut({ mayClick }: HardwareContext, pilots: readonly PilotState[]): Promise<Result | undefined> {
  if (pilots.length === 0)
    return skip('an EVSE controller closes by itself, with an EV only', 'Plug in an EV or a test adapter and charge.');
  if (pilots.some((pilot) => pilot !== 'A'))
    return skip('something is plugged in', 'Unplug the EV or the adapter, then try again.');
  const may = await mayClick();
  if (may === undefined) return skip('needs your word: the outlet gets live for a moment', 'Add --yes.');
  return may ? undefined : NOT_WANTED;
}

/** One connector after the other: one outlet gets live at a time, and none after Ctrl-C. */
async function each<Connector extends { readonly id: number }>(
  connectors: readonly Connector[],
  ended: AbortSignal,
  work: (connector: Connector) => Promise<Result>,
): Promise<Result> {
  const results: (Result & { readonly id: number })[] = [];
  for (const connector of connectors)
    results.push({ id: connector.id, ...(ended.aborted ? skip('ended before its turn') : await work(connector)) });
  return worstOf(results);
}

/** The agent decides whether a connector is free, and keeps everybody else from it meanwhile. */
async function clickedByAgent(context: HardwareContext, { connectors }: InputsView): Promise<Result> {
  const clickable = connectors.filter(({ externalController }) => !externalController);
  const left = await leftOut(
    context,
    clickable.map(({ pilot: state }) => state),
  );
  if (left !== undefined) return left;
  return each(clickable, context.signal, async ({ id, contactor: state }) => {
    if (state === 'closed') return REFUSED.closed;
    try {
      const seen = await context.clickByAgent(id);
      const { faults: raised } = await context.inputs();
      return verdictOn(seen, isStuck(raised, id));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      return skip(`the running agent does not click it: ${error.message}`, STOP_AGENT);
    }
  });
}

const isStuck = (raised: readonly { readonly connectorId: number; readonly code: string }[], id: number): boolean =>
  raised.some(({ connectorId, code }) => connectorId === id && code === 'contactorStuckOpen');

const REFUSED: { readonly [refusal in ExerciseRefusal]: Result } = {
  pilot: skip('something is plugged in', 'Unplug it, then try again.'),
  offer: skip('a current is offered', 'Try again.'),
  tripped: fail('the interlock is held by a fault', 'See the line Faults.'),
  closed: fail(
    'the mirror contact says closed although the coil is off: welded, or wired the wrong way',
    'Do not use it: switch the supply off. Then measure the contacts; if they are open, look at the mirror contact and activeLow.',
  ),
};

async function clicked({ board, ended }: BoardAccess, { id, evse }: ConnectorHardware): Promise<Result> {
  // Ctrl-C does not wait for the end of it.
  const open = (): void => evse.permit(false);
  ended.addEventListener('abort', open);
  const seen: Exercise = (await evse.exercise?.()) ?? {};
  ended.removeEventListener('abort', open);
  if (ended.aborted) return skip('ended before its result');
  if (seen.refused !== undefined) return REFUSED[seen.refused];
  return verdictOn(seen, isStuck(board.faults, id));
}

function verdictOn({ closedAfterMs, openedAfterMs, cutShort }: Exercise, stuck: boolean): Result {
  if (closedAfterMs === undefined && cutShort === true && !stuck)
    return fail(
      'opened before it could close: a fault, or something was plugged in',
      'See to it that nothing is plugged in, and try again.',
    );
  if (closedAfterMs === undefined)
    return fail(
      `does not close within ${EXERCISE_MS} ms, by its mirror contact`,
      'Did it click? If so: the mirror contact and its wire. If not: coil, its supply, the chain of emergency stop and RCD, the coil line.',
    );
  if (openedAfterMs === undefined)
    return fail(
      'closed, and did not open again: welded',
      'Do not use it: switch the supply off, and exchange the contactor.',
    );
  return pass(
    `closed after ${Math.round(closedAfterMs)} ms, open ${Math.round(openedAfterMs)} ms after the coil was off`,
  );
}

const rcdButton: Step<HardwareContext> = {
  id: 'rcdButton',
  title: 'RCD test button',
  needs: ['gpio'],
  run: (context) => {
    const { board } = context.config;
    const read = board !== 'mock' && (board.inputs ?? []).some(({ fault }) => fault === 'groundFault');
    if (!read && rcdsOf(context.config).every(({ rcd }) => rcd === undefined))
      return skip('the board reads no RCD', 'Press its test button yourself: the outlet has to be dead after it.');
    return onBoard(context, (access) => pressed(context, access));
  },
};

async function pressed({ askToSkip }: HardwareContext, access: BoardAccess): Promise<Result> {
  if (askToSkip === undefined) return skip('nobody at the terminal presses it', 'Run it on a terminal for this test.');
  const over = new AbortController();
  const seconds = BUTTON_WITHIN_MS / 1000;
  const request = `Press the test button of the RCD within ${seconds} s, or Enter to leave this test out: `;
  access.ended.addEventListener('abort', () => over.abort());
  try {
    const how = await Promise.race([
      untilRaised(access, 'groundFault').then(() => 'tripped' as const),
      askToSkip(request, over.signal).then(() => 'skipped' as const),
      wait(access, BUTTON_WITHIN_MS).then(() => 'late' as const),
    ]);
    if (access.ended.aborted || how === 'skipped') return skip('left out');
    return how === 'tripped'
      ? pass('its trip is seen', 'Switch the RCD on again.')
      : fail(
          `no trip was seen within ${seconds} s`,
          'If the RCD has tripped: look at its auxiliary contact, the wire, and activeLow.',
        );
  } finally {
    over.abort();
  }
}

export const HARDWARE_STEPS: readonly Step<HardwareContext>[] = [gpio, pilot, faults, rcdTest, contactor, rcdButton];
