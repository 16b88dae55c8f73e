/** RemoteStartTransaction (OCPP 1.6 section 5.11). */
import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import type { Claimant } from '../../core/reservation.ts';
import { RemoteStartTransaction } from '../../ocpp/messages/core/remote-start-transaction.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';
import { authorizeRemoteTxRequests } from './transactions.keys.ts';

/** The connector that is meant: the named one, or without a name one with an EV before a free one. 0 is no connector. */
function meant(
  { station, config }: Context,
  connectorId: number | undefined,
  isPossible: (connector: Connector) => boolean,
): Connector | undefined {
  if (connectorId !== undefined) return station.connector(connectorId);
  if (config.options.rejectRemoteStartTransactionWithoutConnectorId) return undefined;
  const free = station.connectors.filter(isPossible);
  const withEv = free.filter(({ phase }) => phase.name === 'occupied');
  if (config.options.remoteStartTransactionWithoutConnectorIdFindFirst) return withEv[0] ?? free[0];
  // Two cars wait: nobody knows which one is meant.
  return withEv.length === 1 ? withEv[0] : free.length === 1 ? free[0] : undefined;
}

export function remoteStartTransaction(context: Context): Handler {
  const { registration, reservations, settings, transactions } = context;
  /** Connectors whose start waits for a verdict. */
  const pending = new Set<number>();
  return RemoteStartTransaction.answeredBy(({ idTag, connectorId }, { afterwards }) => {
    const claimOn = ({ id }: Connector) => reservations.claim(id, { idTag });
    const isPossible = (connector: Connector): boolean =>
      canBegin(connector) && !pending.has(connector.id) && claimOn(connector).type !== 'refused';
    const connector = meant(context, connectorId, isPossible);
    if (connector === undefined || !isPossible(connector) || !registration.accepted || !transactions.canBegin) {
      return { status: 'Rejected' };
    }
    // The group of the idTag decides about a reservation, and only a verdict tells the group.
    const isAsked = settings.get(authorizeRemoteTxRequests) || claimOn(connector).type === 'askParent';
    if (!isAsked) {
      afterwards(() => admit(context, connector.id, { idTag }));
      return { status: 'Accepted' };
    }
    afterwards(() => {
      pending.add(connector.id);
      void authorizeFirst(context, connector.id, idTag).finally(() => pending.delete(connector.id));
    });
    return { status: 'Accepted' };
  });
}

/** As if the idTag had been presented at a reader. */
async function authorizeFirst(context: Context, connectorId: number, idTag: string): Promise<void> {
  const { authority, log } = context;
  const { accepted, parentIdTag, status } = await authority.verdict(idTag);
  if (accepted) admit(context, connectorId, { idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) });
  else log.info('a remote start was not authorised', { connectorId, status });
}

function admit({ station, clock, log, reservations }: Context, connectorId: number, claimant: Claimant): void {
  const claim = reservations.claim(connectorId, claimant);
  if (claim.type !== 'free' && claim.type !== 'reserved') {
    log.info('a remote start was for a connector that is reserved for somebody else', { connectorId });
    return;
  }
  const reservation = claim.type === 'reserved' ? { reservationId: claim.reservationId } : {};
  station.dispatch(connectorId, {
    type: 'authorized',
    authorization: { ...claimant, ...reservation },
    at: clock.now(),
  });
}
