/** The course of a session: who may charge, when a transaction begins and how it ends. Pure; used by `step` only. */
import {
  type Authorization,
  type Connector,
  isBlocked,
  isFaulted,
  isOccupied,
  isPlugged,
  isSecured,
  type RunningTransaction,
  type Stop,
  type Transaction,
} from './state.ts';
import { onWakeUpDue, withWakeUp } from './wake-up.ts';

/** The EV has 6 s to let go (interlock); after one more the register is read although the mirror contact says closed. */
const STOP_WITHIN_MS = 7000;
/** A trip has opened the coil already: a mirror contact that does not say so soon is not waited for, the process may be ending. */
export const TRIP_WITHIN_MS = 1000;

export function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

/** The plug went in. */
export function occupy(state: Connector, at: number): Connector {
  const { phase, rules } = state;
  if (phase.name === 'idle') {
    const until = rules.plugTimesOut ? { until: at + rules.connectionTimeoutMs } : {};
    return { ...state, phase: { name: 'occupied', ...until } };
  }
  return phase.name === 'authorized' ? lockOrBegin(state, phase.authorization) : state;
}

/** The EV has left. */
export function leave(state: Connector, at: number): Connector {
  const { phase, rules } = state;
  switch (phase.name) {
    case 'occupied':
      return { ...state, phase: { name: 'idle' } };
    case 'locking':
      return awaitPlug(state, phase.authorization, at);
    case 'transaction':
      return rules.stopOnEvSideDisconnect ? ending(state, { reason: 'EVDisconnected', trip: false }, at) : state;
    case 'interrupted':
      return ending(state, POWER_LOSS, at);
    case 'finishing':
      return isOccupied(state) ? state : { ...state, phase: { name: 'idle' } };
    default:
      return state;
  }
}

export function onAuthorized(state: Connector, authorization: Authorization, at: number): Connector {
  if (isFaulted(state) || !state.operative || state.shutdown !== undefined) return state;
  switch (state.phase.name) {
    case 'idle':
    case 'occupied':
    case 'finishing':
      return isPlugged(state) ? lockOrBegin(state, authorization) : awaitPlug(state, authorization, at);
    default:
      return state;
  }
}

const awaitPlug = (state: Connector, authorization: Authorization, at: number): Connector => ({
  ...state,
  phase: { name: 'authorized', authorization, until: at + state.rules.connectionTimeoutMs },
});

function lockOrBegin(state: Connector, authorization: Authorization): Connector {
  return isSecured(state) ? begin(state, authorization) : { ...state, phase: { name: 'locking', authorization } };
}

/** Nothing begins under a fault or while the mains fail: the authorisation is spent. */
export const begin = (state: Connector, authorization: Authorization): Connector => ({
  ...state,
  phase: isFaulted(state) || state.mains === 'failing' ? { name: 'occupied' } : { name: 'beginning', authorization },
});

/** ChangeAvailability (OCPP 1.6 section 5.2): an authorisation without a transaction is spent, a transaction goes on to its end. */
export function onAvailability(before: Connector, operative: boolean): Connector {
  const state = { ...before, operative };
  return operative ? state : withoutAuthorization(state);
}

/** Back to what it was before somebody was authorised. */
export function withoutAuthorization(state: Connector): Connector {
  const { name } = state.phase;
  if (name !== 'authorized' && name !== 'locking') return state;
  return { ...state, phase: isPlugged(state) ? { name: 'occupied' } : { name: 'idle' } };
}

/** Whoever waits for the plug goes on waiting, but names no reservation that has gone (section 6.45). */
export function onReservationOver(state: Connector, reservationId: number): Connector {
  const { phase } = state;
  if (phase.name !== 'authorized' && phase.name !== 'locking') return state;
  if (phase.authorization.reservationId !== reservationId) return state;
  return { ...state, phase: { ...phase, authorization: without(phase.authorization, 'reservationId') } };
}

export function onBegun(state: Connector, transaction: Transaction, at: number): Connector {
  const { phase } = state;
  if (phase.name !== 'beginning') return state;
  const running: RunningTransaction = { name: 'transaction', transaction, charged: false, deauthorized: false };
  const begun: Connector = { ...state, phase: running };
  if (phase.stop !== undefined) return ending(begun, phase.stop, at);
  if (state.pilot === 'A') return leave(begun, at);
  return isFaulted(state) ? { ...begun, phase: { ...running, faultedUntil: at + state.rules.faultGraceMs } } : begun;
}

export function onRefused(state: Connector): Connector {
  if (state.phase.name !== 'beginning') return state;
  return { ...state, phase: isPlugged(state) ? { name: 'occupied' } : { name: 'idle' } };
}

const POWER_LOSS: Stop = { reason: 'PowerLoss', trip: false };

export const onInterrupted = (state: Connector, transaction: Transaction, until: number): Connector =>
  state.phase.name === 'idle' || state.phase.name === 'occupied'
    ? { ...state, phase: { name: 'interrupted', transaction, until } }
    : state;

/** The same transaction goes on, on the plug that it began with; the contactor closes only the way it always does. */
export function onResumed(state: Connector, transaction: string, at: number): Connector {
  const { phase, rules } = state;
  if (phase.name !== 'interrupted' || phase.transaction.id !== transaction) return state;
  if (!isPlugged(state) || !isSecured(state)) return ending(state, POWER_LOSS, at);
  const running: RunningTransaction = {
    name: 'transaction',
    transaction: phase.transaction,
    // Nobody goes back to Preparing, whether or not the contactor was closed before.
    charged: true,
    deauthorized: false,
  };
  return { ...state, phase: isFaulted(state) ? { ...running, faultedUntil: at + rules.faultGraceMs } : running };
}

/** The central system does not accept the idTag of a transaction that runs already (StartTransaction.conf). */
export function onDeauthorized(state: Connector, transaction: string, at: number): Connector {
  const { phase } = state;
  if (phase.name === 'interrupted' && phase.transaction.id === transaction)
    return ending(state, { reason: 'DeAuthorized', trip: false }, at);
  if (phase.name !== 'transaction' || phase.transaction.id !== transaction) return state;
  const { stopOnInvalidId, maxEnergyOnInvalidIdWh: wh } = state.rules;
  if (stopOnInvalidId) return ending(state, { reason: 'DeAuthorized', trip: false }, at);
  return { ...state, phase: wh > 0 ? { ...phase, allowance: { wh } } : { ...phase, deauthorized: true } };
}

/** The register of a transaction that lives on its allowance; one that runs backwards uses it up, too. */
export function onRegister(state: Connector, energyImportWh: number): Connector {
  const { phase } = state;
  if (phase.name !== 'transaction' || phase.allowance === undefined) return state;
  const { wh, fromWh = energyImportWh } = phase.allowance;
  const usedWh = energyImportWh - fromWh;
  if (usedWh >= 0 && usedWh < wh) return { ...state, phase: { ...phase, allowance: { wh, fromWh } } };
  return { ...state, phase: { ...without(phase, 'allowance'), deauthorized: true } };
}

/** The central system has told the group of the idTag (StartTransaction.conf): others of the group may stop (section 3.10). */
export function onGrouped(state: Connector, transaction: string, parentIdTag: string): Connector {
  const { phase } = state;
  if (!('transaction' in phase) || phase.transaction.id !== transaction) return state;
  return { ...state, phase: { ...phase, transaction: { ...phase.transaction, parentIdTag } } };
}

export function onStop(state: Connector, stop: Stop, at: number): Connector {
  const { phase } = state;
  switch (phase.name) {
    case 'authorized':
    case 'locking':
      return withoutAuthorization(state);
    default:
      return ending(state, stop, at);
  }
}

/** The process is about to end: whatever comes now, nothing begins any more. */
export const onShutdown = (state: Connector, stop: Stop, at: number): Connector =>
  ending(withoutAuthorization({ ...state, shutdown: stop }), stop, at);

/** Begins the end of the transaction, if there is one; the first reason stays, but a trip overtakes a stop. */
export function ending(state: Connector, stop: Stop, at: number): Connector {
  const { phase } = state;
  switch (phase.name) {
    case 'beginning':
      return {
        ...state,
        phase: { ...phase, stop: { ...(phase.stop ?? stop), trip: stop.trip || phase.stop?.trip === true } },
      };
    case 'interrupted':
    case 'transaction': {
      const { transaction } = phase;
      if (state.contactor === 'open') return { ...state, phase: { name: 'closing', transaction, stop } };
      return {
        ...state,
        phase: { name: 'ending', transaction, stop, until: at + (stop.trip ? TRIP_WITHIN_MS : STOP_WITHIN_MS) },
      };
    }
    case 'ending':
      if (!stop.trip) return state;
      return {
        ...state,
        phase: { ...phase, stop: { ...phase.stop, trip: true }, until: Math.min(phase.until, at + TRIP_WITHIN_MS) },
      };
    default:
      return state;
  }
}

/** The stop is durable: what the central system must learn cannot be lost any more. */
export function onEnded(state: Connector): Connector {
  const { phase } = state;
  if (phase.name !== 'closing') return state;
  // Behind an F of our own the EV cannot be seen: once it can, it is there or has left.
  if (!isOccupied(state) && state.pilot !== 'F') return { ...state, phase: { name: 'idle' } };
  const { idTag, parentIdTag } = phase.transaction;
  const last = { idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }), reason: phase.stop.reason };
  return { ...state, phase: { name: 'finishing', held: staysLocked(phase.stop, state), last } };
}

/** Somebody who may has asked for the plug: it is not held any longer. */
export function onReleased(state: Connector): Connector {
  const { phase } = state;
  return phase.name === 'finishing' ? { ...state, phase: { ...phase, held: false } } : withoutAuthorization(state);
}

const staysLocked = ({ reason }: Stop, { rules }: Connector): boolean =>
  reason === 'DeAuthorized' || (reason === 'EVDisconnected' && !rules.unlockOnEvSideDisconnect);

export function onDeadline(state: Connector, at: number): Connector {
  const { phase } = state;
  switch (phase.name) {
    case 'authorized':
      return at >= phase.until ? { ...state, phase: { name: 'idle' } } : state;
    case 'occupied':
      // Finishing, so that the next tag does not begin on a cable that it does not mean (errata 3.20).
      return phase.until !== undefined && at >= phase.until
        ? { ...state, phase: { name: 'finishing', held: false } }
        : state;
    case 'interrupted':
      return at >= phase.until ? ending(state, POWER_LOSS, at) : state;
    case 'ending':
      return at >= phase.until
        ? { ...state, phase: { name: 'closing', transaction: phase.transaction, stop: phase.stop } }
        : state;
    case 'transaction': {
      if (phase.faultedUntil !== undefined && at >= phase.faultedUntil) {
        return ending(state, { reason: 'Other', trip: true }, at);
      }
      // One that asks for power is awake, although its contactor is still about to close.
      const wakeUps = state.permit ? 0 : (state.rules.wakeUps ?? 0);
      const isDue = phase.evAnswersUntil !== undefined && at >= phase.evAnswersUntil;
      if (!isDue) return { ...state, phase: onWakeUpDue(phase, wakeUps, at) };
      return { ...state, phase: withWakeUp({ ...without(phase, 'evAnswersUntil'), suspended: true }, wakeUps, at) };
    }
    default:
      return state;
  }
}

/** Whether `authorized` would lead to a transaction here, now or once an EV is plugged in. */
export function canBegin(state: Connector): boolean {
  const { name } = state.phase;
  if (!state.operative || state.shutdown !== undefined) return false;
  // What is over in a moment is no reason to send anybody away.
  const isOut = isBlocked({ ...state, faults: state.faults.filter(({ blocks }) => blocks !== 'moment') });
  return (name === 'idle' || name === 'occupied' || name === 'finishing') && !isOut;
}
