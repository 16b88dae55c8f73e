/**
 * Transactions that a loss of power has cut off: each waits until the clock is trusted and the plug is known, then goes on or ends. One
 * whose time runs out before that ends with PowerLoss by itself (core).
 */
import { type Connector, isPlugged, isSecured } from '../../core/connector/state.ts';
import type { Unsubscribe } from '../../ports.ts';
import type { Context, Interrupted } from '../feature.ts';

/** Pilot filter, controller and lock have had their time by then: whoever is not plugged in has left. */
const HARDWARE_WITHIN_MS = 5000;

/** To be called before the station listens to the hardware, so that nothing else begins on these connectors. */
export function settleInterrupted(context: Context): Unsubscribe {
  const { station, clock, transactions, config } = context;
  const waiting = new Set(transactions.interrupted);
  const at = clock.now();
  for (const { connectorId, transaction } of waiting) {
    const until = at + config.resumeWithinS * 1000;
    station.dispatch(connectorId, { type: 'interrupted', transaction, until, at });
  }
  if (waiting.size === 0) return () => {};
  const look = (isTimeUp: boolean): void => {
    for (const interrupted of waiting) {
      const connector = station.connector(interrupted.connectorId);
      const isWaiting = connector?.phase.name === 'interrupted';
      const isReady = connector !== undefined && isPlugged(connector) && isSecured(connector);
      if (isWaiting && !(isReady ? clock.trusted : isTimeUp)) continue;
      waiting.delete(interrupted);
      if (isWaiting) void decide(context, interrupted, connector);
    }
  };
  const ends = [
    station.onChange(() => look(false)),
    clock.onTrusted(() => look(false)),
    clock.after(HARDWARE_WITHIN_MS, () => look(true)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

async function decide({ station, clock, transactions, log }: Context, interrupted: Interrupted, connector: Connector) {
  const { connectorId, transaction } = interrupted;
  const goesOn = isPlugged(connector) && isSecured(connector) && (await transactions.resume(transaction.id));
  log.warn(`a transaction was cut off by a loss of power and ${goesOn ? 'goes on' : 'ends'} now`, {
    connectorId,
    transaction: transaction.id,
  });
  station.dispatch(
    connectorId,
    goesOn
      ? { type: 'resumed', transaction: transaction.id, at: clock.now() }
      : { type: 'stop', stop: { reason: 'PowerLoss', trip: false }, at: clock.now() },
  );
}
