/**
 * From three phases to one and back within a session (IEC 61851-1; OCPP 1.6 section 9.4.4): x1, contactor open, switch, rest, offer
 * again. Pure; used by `step` only.
 */
import { type Connector, isUntouched, type PhaseCount } from './state.ts';

/** An EV sees B1 for so long before it is offered a current on another number of phases: it takes less for a glitch. */
export const PHASE_REST_MS = 5000;

/** Nothing is offered meanwhile. */
export const isSwitching = ({ phases }: Connector): boolean =>
  phases.wanted !== phases.connected || phases.switchingTo !== undefined || phases.restUntil !== undefined;

export const onPhasesWanted = (state: Connector, wanted: PhaseCount): Connector => ({
  ...state,
  phases: { ...state.phases, wanted },
});

/** What the switch says when it has settled. One that does not move is not asked again before somebody else wants something else. */
export function onPhasesConnected(state: Connector, connected: PhaseCount, at: number): Connector {
  const { switchingTo, restUntil: before, wanted } = state.phases;
  const refused = switchingTo !== undefined && connected !== switchingTo;
  // Another transaction may have begun meanwhile, with the same EV: it is owed the rest of before.
  const restUntil = hasBeenOffered(state) ? at + PHASE_REST_MS : before;
  const rest = restUntil === undefined ? {} : { restUntil };
  return { ...state, phases: { connected, wanted: refused ? connected : wanted, ...rest } };
}

export function onRested(state: Connector, at: number): Connector {
  const { restUntil, ...phases } = state.phases;
  return restUntil === undefined || at < restUntil ? state : { ...state, phases };
}

/** Once the contactor is open. A wish that has changed meanwhile waits until the switch has settled. */
export function withSwitch(state: Connector): Connector {
  const { connected, wanted, switchingTo } = state.phases;
  if (wanted === connected || switchingTo !== undefined || state.contactor === 'closed') return state;
  return { ...state, phases: { ...state.phases, switchingTo: wanted } };
}

const hasBeenOffered = ({ phase }: Connector): boolean => phase.name === 'transaction' && !isUntouched(phase);
