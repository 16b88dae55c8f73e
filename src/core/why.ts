/** One sentence per connector that says what it waits for. Pure. */
import { isSwitching } from './connector/phase-switching.ts';
import { type Connector, isBlocked, type Phase } from './connector/state.ts';
import { worstFault } from './connector/status.ts';
import { wakeSignalOf } from './connector/wake-up.ts';

const SENTENCES: { readonly [name in Exclude<Phase['name'], 'transaction'>]: string } = {
  idle: 'idle',
  authorized: 'authorised, waiting for the plug',
  occupied: 'plugged in, waiting for an authorisation',
  locking: 'authorised, locking the plug',
  beginning: 'authorised, writing the start of the transaction',
  interrupted: 'cut off by a loss of power, waiting to know whether it may go on',
  ending: 'stopping, waiting for the EV to let go',
  closing: 'stopping, writing the end of the transaction',
  finishing: 'the transaction is over, waiting for the plug to be pulled',
};

/** Why the connector offers what it offers; not for machines. */
export function whyOf(connector: Connector): string {
  const { phase, faults, offer, contactor, pilot, mains, limitA, limitReason, cableA = limitA } = connector;
  const fault = worstFault(faults);
  if (fault?.blocks === 'moment') return `waiting: ${fault.info ?? fault.errorCode}`;
  if (fault !== undefined && fault.blocks !== 'nothing') return `fault: ${fault.info ?? fault.errorCode}`;
  if (mains === 'failing') return 'the mains are failing';
  if (phase.name !== 'transaction') return SENTENCES[phase.name];
  if (phase.deauthorized) return 'the central system does not accept the idTag';
  if (pilot === 'A') return 'the EV was unplugged at its side';
  if (isSwitching(connector)) return `SuspendedEVSE: switching to ${connector.phases.wanted} of the phases`;
  if (offer === wakeSignalOf(connector)) return 'the EV has not asked for power, it is being woken up';
  if (typeof offer !== 'number')
    return isBlocked(connector) ? 'blocked' : `SuspendedEVSE: ${limitReason ?? `the limit is ${limitA} A, below 6 A`}`;
  const reason = limitA <= cableA ? limitReason : `the cable carries ${cableA} A`;
  const because = reason === undefined ? '' : `: ${reason}`;
  return contactor === 'closed'
    ? `charging with up to ${offer} A${because}`
    : `${offer} A offered, waiting for the EV${because}`;
}
