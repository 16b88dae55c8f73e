/** What the hardware's news mean for the session. Pure; used by `step` only. */
import type { ContactorState, Mains, PilotState } from '../../../hal/contract.ts';
import { begin, ending, leave, occupy, without, withoutAuthorization } from './session.ts';
import { type Connector, type ConnectorFault, isFaulted, isPlugged } from './state.ts';

export function onPilot(before: Connector, pilot: PilotState, at: number): Connector {
  const state = { ...before, pilot };
  if (isPlugged(state)) return isPlugged(before) ? state : occupy(state, at);
  // At power-up every pilot is A until the hardware has looked: only an EV that was seen can leave.
  if (state.phase.name === 'interrupted' && !isPlugged(before)) return state;
  // E and F say nothing about the plug: the session waits, the outputs are withdrawn.
  return pilot === 'A' ? leave(state, at) : state;
}

export function onContactor(before: Connector, contactor: ContactorState): Connector {
  const state = { ...before, contactor };
  const { phase } = state;
  if (phase.name === 'transaction' && contactor === 'closed') {
    return { ...state, phase: { ...without(without(phase, 'evAnswersUntil'), 'wakeUp'), charged: true } };
  }
  if (phase.name === 'ending' && contactor === 'open') {
    return { ...state, phase: { name: 'closing', transaction: phase.transaction, stop: phase.stop } };
  }
  return state;
}

/** While an EV is there its cable does not become a thicker one: a contact has got worse, and the least that was seen counts. */
const ratingOf = ({ pilot, cableA: before }: Connector, cableA: number | undefined): number | undefined =>
  pilot === 'A' || cableA === undefined ? cableA : Math.min(cableA, before ?? cableA);

export function onCable(before: Connector, cableA: number | undefined): Connector {
  const state = { ...before, cableA: ratingOf(before, cableA) };
  const gone = state.phase.name === 'finishing' && cableA === undefined && !isPlugged(state);
  return gone ? { ...state, phase: { name: 'idle' } } : state;
}

export function onLocked(before: Connector, locked: boolean): Connector {
  const state = { ...before, locked };
  return state.phase.name === 'locking' && locked ? begin(state, state.phase.authorization) : state;
}

export function onMains(before: Connector, mains: Mains, at: number): Connector {
  const state = { ...before, mains };
  return mains === 'failing' ? ending(state, { reason: 'PowerLoss', trip: true }, at) : state;
}

export function onFaults(before: Connector, faults: readonly ConnectorFault[], at: number): Connector {
  const state = { ...before, faults };
  if (faults.some(({ code }) => code === 'emergencyStop')) {
    return ending(state, { reason: 'EmergencyStop', trip: true }, at);
  }
  const { phase } = state;
  switch (phase.name) {
    case 'authorized':
    case 'locking':
      return isFaulted(state) ? withoutAuthorization(state) : state;
    case 'transaction':
      if (!isFaulted(state)) return { ...state, phase: without(phase, 'faultedUntil') };
      return { ...state, phase: { ...phase, faultedUntil: phase.faultedUntil ?? at + state.rules.faultGraceMs } };
    default:
      return state;
  }
}
