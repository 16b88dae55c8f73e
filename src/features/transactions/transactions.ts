/** Remote start and stop, and the delivery of what the journal holds (OCPP 1.6 sections 3.7, 4.8, 4.10, 5.11 and 5.12). */
import { ControlError } from '../../errors.ts';
import { outboxRanges } from '../../ocpp/outbox/fact.ts';
import { type Context, type ControlRequest, type Feature, isOnline, type Room } from '../feature.ts';
import { HISTORY_LENGTH, historyRange, sessionsIn } from './history.ts';
import { settleInterrupted } from './interruption.ts';
import { remoteStartTransaction } from './remote-start-transaction.ts';
import { remoteStopTransaction } from './remote-stop-transaction.ts';
import { RULE_KEYS, rulesFrom } from './rules.ts';
import * as keys from './transactions.keys.ts';

export const transactions: Feature = {
  name: 'transactions',
  profile: 'Core',
  keys: Object.values(keys),
  ofCentralSystem: [...outboxRanges, historyRange],
  start: (context): Room => {
    const { settings, station, config, clock, connection, registration } = context;
    const subscriptions = [
      settleInterrupted(context),
      settings.onChange((name) => {
        if (!RULE_KEYS.has(name)) return;
        station.dispatchAll({ type: 'rules', rules: rulesFrom(settings, config), at: clock.now() });
      }),
      connection.onOpen(() => goOn(context)),
      connection.onClose(() => context.transactions.outbox.pause()),
      registration.onChange(() => goOn(context)),
    ];
    // Errata 3.85: a cable that is fixed to the charge point is never unlocked.
    if (station.connectors.every(({ cable }) => cable === 'attached'))
      settings.fix(keys.unlockConnectorOnEVSideDisconnect, false);
    return {
      handlers: [remoteStartTransaction(context), remoteStopTransaction(context)],
      routes: [{ method: 'GET', path: '/sessions', handle: (request) => sessions(context, request) }],
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};

/** Queued facts go before anything else that a reconnect brings about. */
function goOn(context: Context): void {
  if (isOnline(context)) context.transactions.outbox.resume();
  else context.transactions.outbox.pause();
}

/** Those that run with the id that the central system has given. */
async function sessions({ store, transactions }: Context, { query }: ControlRequest) {
  const { last = '20' } = query;
  if (!/^\d{1,3}$/.test(last) || Number(last) < 1 || Number(last) > HISTORY_LENGTH)
    throw new ControlError(
      'badRequest',
      `last is ${JSON.stringify(last)}, expected a number from 1 to ${HISTORY_LENGTH}`,
    );
  const found = await sessionsIn(store, Number(last));
  return {
    sessions: found.map((session) => ({
      ...session,
      transactionId: session.transactionId ?? transactions.transactionId(session.id) ?? null,
    })),
  };
}
