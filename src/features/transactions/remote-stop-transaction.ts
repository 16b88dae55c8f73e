/** RemoteStopTransaction (OCPP 1.6 section 5.12). */
import { RemoteStopTransaction } from '../../ocpp/messages/core/remote-stop-transaction.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';

export const remoteStopTransaction = ({ station, transactions, registration, clock }: Context): Handler =>
  RemoteStopTransaction.answeredBy(({ transactionId }, { afterwards }) => {
    const connector = station.connectors.find(
      ({ phase }) =>
        (phase.name === 'transaction' || phase.name === 'interrupted') &&
        transactions.transactionId(phase.transaction.id) === transactionId,
    );
    if (connector === undefined || !registration.accepted) return { status: 'Rejected' };
    afterwards(() =>
      station.dispatch(connector.id, { type: 'stop', stop: { reason: 'Remote', trip: false }, at: clock.now() }),
    );
    return { status: 'Accepted' };
  });
