/** One connector: an event in, the new state and the effects out. No clock, no promise. */
import type { ContactorState, Mains, PilotState } from '../../../hal/contract.ts';
import { onCable, onContactor, onFaults, onLocked, onMains, onPilot } from './hardware.ts';
import { type Effect, effectsBetween, offerOf, permitOf } from './outputs.ts';
import { isSwitching, onPhasesConnected, onPhasesWanted, onRested, withSwitch } from './phase-switching.ts';
import {
  onAuthorized,
  onAvailability,
  onBegun,
  onDeadline,
  onDeauthorized,
  onEnded,
  onGrouped,
  onInterrupted,
  onRefused,
  onRegister,
  onReleased,
  onReservationOver,
  onResumed,
  onShutdown,
  onStop,
} from './session.ts';
import {
  type Authorization,
  type Connector,
  type ConnectorFault,
  isBlocked,
  isPlugged,
  isSecured,
  isUntouched,
  type Phase,
  type PhaseCount,
  type Rules,
  type RunningTransaction,
  type Stop,
  type Transaction,
} from './state.ts';
import { reportOf } from './status.ts';
import { wakeSignalOf, withoutWakeUp } from './wake-up.ts';

/** What can happen to a connector. `at` is monotonic milliseconds. */
export type Event =
  | { readonly type: 'pilot'; readonly pilot: PilotState; readonly at: number }
  | { readonly type: 'contactor'; readonly contactor: ContactorState; readonly at: number }
  | { readonly type: 'cable'; readonly cableA: number | undefined; readonly at: number }
  | { readonly type: 'locked'; readonly locked: boolean; readonly at: number }
  | { readonly type: 'mains'; readonly mains: Mains; readonly at: number }
  /** All that are raised now, those of connector 0 included, oldest first. */
  | { readonly type: 'faults'; readonly faults: readonly ConnectorFault[]; readonly at: number }
  /** `reason`: what bounds it, in at most 50 characters. */
  | { readonly type: 'limit'; readonly limitA: number; readonly reason?: string; readonly at: number }
  /** Only where there is a switch. */
  | { readonly type: 'phasesWanted'; readonly phases: PhaseCount; readonly at: number }
  /** What the switch connects now that it has settled. */
  | { readonly type: 'phasesConnected'; readonly phases: PhaseCount; readonly at: number }
  | { readonly type: 'rules'; readonly rules: Rules; readonly at: number }
  | { readonly type: 'availability'; readonly operative: boolean; readonly at: number }
  /** Undefined: not reserved any longer. */
  | { readonly type: 'reserved'; readonly reservationId: number | undefined; readonly at: number }
  /** Cancelled, expired or used elsewhere: no transaction ends it any more. */
  | { readonly type: 'reservationOver'; readonly reservationId: number; readonly at: number }
  /** UnlockConnector, or the tag that may have the plug back. */
  | { readonly type: 'released'; readonly at: number }
  | { readonly type: 'authorized'; readonly authorization: Authorization; readonly at: number }
  | { readonly type: 'deauthorized'; readonly transaction: string; readonly at: number }
  | { readonly type: 'grouped'; readonly transaction: string; readonly parentIdTag: string; readonly at: number }
  /** The meter's register, while the transaction has an allowance. */
  | { readonly type: 'register'; readonly energyImportWh: number; readonly at: number }
  | { readonly type: 'stop'; readonly stop: Stop; readonly at: number }
  /** The process is about to end: what runs is stopped, and nothing begins any more. */
  | { readonly type: 'shutdown'; readonly stop: Stop; readonly at: number }
  | { readonly type: 'begun'; readonly transaction: Transaction; readonly at: number }
  | { readonly type: 'refused'; readonly at: number }
  /** The journal holds a transaction that was cut off by a loss of power; unless it is resumed before `until` it ends. */
  | { readonly type: 'interrupted'; readonly transaction: Transaction; readonly until: number; readonly at: number }
  /** Clock and register agree that it may go on. */
  | { readonly type: 'resumed'; readonly transaction: string; readonly at: number }
  | { readonly type: 'ended'; readonly at: number }
  /** The time of `deadlineOf` has come. */
  | { readonly type: 'deadline'; readonly at: number };

export interface Step {
  readonly state: Connector;
  readonly effects: readonly Effect[];
}

/** IEC 61851-1 gives an EV no time limit to answer an offer; after this we say that it is the EV who waits. */
export const EV_ANSWERS_WITHIN_MS = 30_000;

export function step(before: Connector, event: Event): Step {
  const state = withOutputs(before, react(before, event), event.at);
  return { state, effects: effectsBetween(before, state) };
}

function react(state: Connector, event: Event): Connector {
  switch (event.type) {
    case 'pilot':
      return onPilot(state, event.pilot, event.at);
    case 'contactor':
      return onContactor(state, event.contactor);
    case 'cable':
      return onCable(state, event.cableA);
    case 'locked':
      return onLocked(state, event.locked);
    case 'mains':
      return onMains(state, event.mains, event.at);
    case 'faults':
      return onFaults(state, event.faults, event.at);
    case 'limit': {
      const { limitReason: _, ...unbounded } = state;
      const reason = event.reason === undefined ? {} : { limitReason: event.reason };
      return { ...unbounded, limitA: event.limitA, ...reason };
    }
    case 'phasesWanted':
      return onPhasesWanted(state, event.phases);
    case 'phasesConnected':
      return onPhasesConnected(state, event.phases, event.at);
    case 'rules':
      return { ...state, rules: event.rules };
    case 'availability':
      return onAvailability(state, event.operative);
    case 'reserved': {
      const { reservationId: _, ...unreserved } = state;
      return event.reservationId === undefined ? unreserved : { ...state, reservationId: event.reservationId };
    }
    case 'reservationOver':
      return onReservationOver(state, event.reservationId);
    case 'released':
      return onReleased(state);
    case 'authorized':
      return onAuthorized(state, event.authorization, event.at);
    case 'deauthorized':
      return onDeauthorized(state, event.transaction, event.at);
    case 'grouped':
      return onGrouped(state, event.transaction, event.parentIdTag);
    case 'register':
      return onRegister(state, event.energyImportWh);
    case 'stop':
      return onStop(state, event.stop, event.at);
    case 'shutdown':
      return onShutdown(state, event.stop, event.at);
    case 'begun':
      return onBegun(state, event.transaction, event.at);
    case 'refused':
      return onRefused(state);
    case 'interrupted':
      return onInterrupted(state, event.transaction, event.until);
    case 'resumed':
      return onResumed(state, event.transaction, event.at);
    case 'ended':
      return onEnded(state);
    case 'deadline':
      return onDeadline(onRested(state, event.at), event.at);
  }
}

/** Offer first, because the permit rests on it; a fresh offer starts the time in which the EV may answer. */
function withOutputs(before: Connector, reacted: Connector, at: number): Connector {
  const settled = withSwitch(reacted);
  const offered = { ...settled, offer: offerOf(settled) };
  const state = { ...offered, permit: permitOf(offered) };
  const { phase } = state;
  if (phase.name !== 'transaction') return state;
  if (typeof state.offer !== 'number') {
    if (isBeingWoken(state)) return state;
    // A switch that was set before the first offer is part of the preparations.
    return isSwitching(state) && isUntouched(phase) ? state : { ...state, phase: suspendedIn(state, phase) };
  }
  // An EV that has just been plugged in again is waited for as one that paused.
  const isFresh =
    typeof before.offer !== 'number' &&
    !isBeingWoken(before) &&
    state.contactor === 'open' &&
    before.pilot !== 'A' &&
    isSecured(before);
  const answers = isFresh ? { evAnswersUntil: at + EV_ANSWERS_WITHIN_MS } : {};
  return { ...state, phase: { ...phase, offered: true, ...answers } };
}

/** Nothing is offered for a moment, and only for that. */
const isBeingWoken = (state: Connector): boolean =>
  isPlugged(state) || state.pilot === 'F' ? state.offer === wakeSignalOf(state) && !isBlocked(state) : false;

function suspendedIn(state: Connector, phase: RunningTransaction): RunningTransaction {
  const { suspendedInfo: _, ...rest } = withoutWakeUp(phase);
  const { info } = reportOf({ ...state, phase: rest });
  return { ...rest, suspended: true, ...(info === undefined ? {} : { suspendedInfo: info }) };
}

/** When the connector wants to hear `deadline`, in monotonic milliseconds; undefined if nothing is pending. */
export function deadlineOf({ phase, phases }: Connector): number | undefined {
  const times = [deadlineOfPhase(phase), phases.restUntil].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function deadlineOfPhase(phase: Phase): number | undefined {
  switch (phase.name) {
    case 'authorized':
    case 'occupied':
    case 'interrupted':
    case 'ending':
      return phase.until;
    case 'transaction': {
      const times = [phase.evAnswersUntil, phase.faultedUntil, phase.wakeUp?.until].filter(
        (time) => time !== undefined,
      );
      return times.length === 0 ? undefined : Math.min(...times);
    }
    default:
      return undefined;
  }
}
