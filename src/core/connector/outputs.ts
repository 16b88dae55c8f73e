/** What the hardware should do follows from the state alone; the difference between two states is the list of effects. */
import type { Offer } from '../../../hal/contract.ts';
import { offerWithin } from '../current.ts';
import { isSwitching } from './phase-switching.ts';
import {
  type Authorization,
  asksForPower,
  type Connector,
  isBlocked,
  isOccupied,
  isPlugged,
  isSecured,
  type PhaseCount,
  type Stop,
  type Transaction,
} from './state.ts';
import { wakeSignalOf } from './wake-up.ts';

export type Effect =
  | { readonly type: 'offer'; readonly offer: Offer }
  | { readonly type: 'permit'; readonly given: boolean }
  | { readonly type: 'lock' }
  | { readonly type: 'unlock' }
  /** The contactor is open: switch, then say `phasesConnected`. */
  | { readonly type: 'switchPhases'; readonly phases: PhaseCount }
  /** Make the start durable, then say `begun` or `refused`. */
  | ({ readonly type: 'begin' } & Authorization)
  /** Read the register, make the stop durable, then say `ended`. */
  | { readonly type: 'end'; readonly transaction: Transaction; readonly stop: Stop };

/** The current that the pilot should signal. */
export function offerOf(connector: Connector): Offer {
  const { phase, limitA, cableA, cable } = connector;
  if (phase.name !== 'transaction' || phase.deauthorized || isBlocked(connector)) return 'x1';
  const waking = wakeSignalOf(connector);
  // Behind an F of our own the EV cannot be seen.
  if (!isPlugged(connector) && (waking === undefined || connector.pilot !== 'F')) return 'x1';
  if (!isSecured(connector) || isSwitching(connector)) return 'x1';
  if (cable === 'socket' && cableA === undefined) return 'x1';
  const offer = offerWithin(cable === 'attached' || cableA === undefined ? [limitA] : [limitA, cableA]);
  return typeof offer === 'number' && waking !== undefined ? waking : offer;
}

/** Whether the contactor may be closed. A stop keeps the permit until the EV has let go; the interlock bounds that to 6 s. */
export function permitOf(connector: Connector): boolean {
  const { phase, offer, permit, contactor } = connector;
  if (isBlocked(connector) || !asksForPower(connector) || !isSecured(connector)) return false;
  if (phase.name === 'transaction' && typeof offer === 'number') return true;
  const letsGo = phase.name === 'transaction' || (phase.name === 'ending' && !phase.stop.trip);
  return letsGo && permit && contactor === 'closed';
}

/** Whether the plug should be held. A plug is never released under a contactor that is not open. */
export function lockOf(connector: Connector): boolean {
  const { phase, pilot, rules, contactor, faults } = connector;
  if (connector.cable === 'attached') return false;
  if (contactor === 'closed' || faults.some(({ code }) => code === 'contactorWelded')) return true;
  switch (phase.name) {
    case 'idle':
    case 'authorized':
    case 'occupied':
      return false;
    case 'interrupted':
      return isOccupied(connector);
    case 'locking':
    case 'beginning':
    case 'ending':
    case 'closing':
      return true;
    case 'transaction':
      return pilot !== 'A' || !rules.unlockOnEvSideDisconnect;
    case 'finishing':
      return phase.held;
  }
}

/** A plug that was to be released and is not: the motor stuck, or nobody could say that the contactor is open. */
const isOwed = (connector: Connector): boolean =>
  connector.cable === 'socket' && connector.locked && !lockOf(connector);

/** Worth another try: an EVSE controller answers again, a fault is gone, the EV has moved. */
const hasNews = (before: Connector, after: Connector): boolean =>
  before.pilot !== after.pilot || after.faults.length < before.faults.length;

/** Effects in the order of safety: a trip opens before anything else, a permit comes after the offer it rests on. */
export function effectsBetween(before: Connector, after: Connector): readonly Effect[] {
  const effects: Effect[] = [];
  if (before.permit && !after.permit) effects.push({ type: 'permit', given: false });
  if (before.offer !== after.offer) effects.push({ type: 'offer', offer: after.offer });
  // The interlock may have opened by itself just when the offer came back: a permit that stands is given anew.
  const hasOpened = before.contactor === 'closed' && after.contactor === 'open';
  if (after.permit && (!before.permit || hasOpened)) effects.push({ type: 'permit', given: true });
  const { switchingTo } = after.phases;
  if (switchingTo !== undefined && switchingTo !== before.phases.switchingTo)
    effects.push({ type: 'switchPhases', phases: switchingTo });
  if (lockOf(before) !== lockOf(after)) effects.push({ type: lockOf(after) ? 'lock' : 'unlock' });
  else if (isOwed(after) && hasNews(before, after)) effects.push({ type: 'unlock' });
  if (before.phase.name !== after.phase.name) {
    const { phase } = after;
    if (phase.name === 'beginning') effects.push({ type: 'begin', ...phase.authorization });
    if (phase.name === 'closing') effects.push({ type: 'end', transaction: phase.transaction, stop: phase.stop });
  }
  return effects;
}
