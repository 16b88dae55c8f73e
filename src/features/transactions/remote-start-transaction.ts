/** RemoteStartTransaction (OCPP 1.6 section 5.11). */
import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import { Authorize } from '../../ocpp/messages/core/authorize.ts';
import { RemoteStartTransaction } from '../../ocpp/messages/core/remote-start-transaction.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';
import { authorizeRemoteTxRequests } from './transactions.keys.ts';

/** The connector that is meant: the named one, or without a name one with an EV before a free one. 0 is no connector. */
function meant({ station, config }: Context, connectorId: number | undefined): Connector | undefined {
  if (connectorId !== undefined) return station.connector(connectorId);
  if (config.options.rejectRemoteStartTransactionWithoutConnectorId) return undefined;
  const free = station.connectors.filter(canBegin);
  const withEv = free.filter(({ phase }) => phase.name === 'occupied');
  if (config.options.remoteStartTransactionWithoutConnectorIdFindFirst) return withEv[0] ?? free[0];
  // Two cars wait: nobody knows which one is meant.
  return withEv.length === 1 ? withEv[0] : free.length === 1 ? free[0] : undefined;
}

export const remoteStartTransaction = (context: Context): Handler =>
  RemoteStartTransaction.answeredBy(({ idTag, connectorId }, { afterwards }) => {
    const { registration, settings, transactions } = context;
    const connector = meant(context, connectorId);
    const isPossible = connector !== undefined && canBegin(connector) && registration.accepted && transactions.canBegin;
    if (!isPossible) return { status: 'Rejected' };
    afterwards(() => {
      if (settings.get(authorizeRemoteTxRequests)) void authorizeFirst(context, connector.id, idTag);
      else admit(context, connector.id, { idTag });
    });
    return { status: 'Accepted' };
  });

async function authorizeFirst(context: Context, connectorId: number, idTag: string): Promise<void> {
  const { call, log } = context;
  try {
    const { idTagInfo } = await call(Authorize, { idTag });
    const { status, parentIdTag } = idTagInfo;
    if (status === 'Accepted')
      admit(context, connectorId, { idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) });
    else log.info('a remote start was not authorised', { connectorId, status });
  } catch (cause) {
    log.warn('a remote start could not be authorised', { connectorId, cause });
  }
}

function admit(
  { station, clock }: Context,
  connectorId: number,
  authorization: { idTag: string; parentIdTag?: string },
): void {
  station.dispatch(connectorId, { type: 'authorized', authorization, at: clock.now() });
}
