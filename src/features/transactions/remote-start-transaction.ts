/** RemoteStartTransaction (OCPP 1.6 section 5.11). */
import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import type { Claimant } from '../../core/reservation.ts';
import { RemoteStartTransaction } from '../../ocpp/messages/core/remote-start-transaction.ts';
import type { ChargingProfile } from '../../ocpp/messages/types/charging-profile.ts';
import type { Handler } from '../../ocpp/operation.ts';
import { profileOf } from '../charging-profile.ts';
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
  return RemoteStartTransaction.answeredBy(({ idTag, connectorId, chargingProfile }, { inAnyCase }) => {
    const claimOn = ({ id }: Connector) => reservations.claim(id, { idTag });
    const isPossible = (connector: Connector): boolean =>
      canBegin(connector) && !pending.has(connector.id) && claimOn(connector).type !== 'refused';
    const connector = meant(context, connectorId, isPossible);
    if (connector === undefined || !isPossible(connector) || !registration.accepted || !transactions.canBegin) {
      return { status: 'Rejected' };
    }
    const start = (): { status: 'Accepted' } => {
      // The group of the idTag decides about a reservation, and only a verdict tells the group.
      const isAsked = settings.get(authorizeRemoteTxRequests) || claimOn(connector).type === 'askParent';
      inAnyCase((wasAnswered) => {
        // Nobody knows of it: its profile must not wait for a later transaction of this idTag.
        if (!wasAnswered) return context.chargingProfiles.forget(connector.id);
        const begin = (claimant: Claimant): void => {
          if (chargingProfile === undefined || isKept(context, connector.id, idTag))
            admit(context, connector.id, claimant);
        };
        if (!isAsked) return begin({ idTag });
        pending.add(connector.id);
        void authorizeFirst(context, connector.id, idTag, begin).finally(() => pending.delete(connector.id));
      });
      return { status: 'Accepted' };
    };
    if (chargingProfile === undefined) return start();
    pending.add(connector.id);
    return keepProfile(context, connector.id, idTag, chargingProfile).then((kept) => {
      pending.delete(connector.id);
      // Somebody may have been faster while the profile went to the disk.
      if (kept && isPossible(connector)) return start();
      if (kept) context.chargingProfiles.forget(connector.id);
      return { status: 'Rejected' };
    });
  });
}

/** As if the idTag had been presented at a reader. */
async function authorizeFirst(
  context: Context,
  connectorId: number,
  idTag: string,
  begin: (claimant: Claimant) => void,
): Promise<void> {
  const { authority, log } = context;
  const { accepted, parentIdTag, status } = await authority.verdict(idTag);
  if (accepted) begin({ idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) });
  else {
    log.info('a remote start was not authorised', { connectorId, status });
    context.chargingProfiles.forget(connectorId);
  }
}

/** Section 5.16.2: durable before the answer; where there is no smart charging it is ignored (section 5.11). False: it cannot be used. */
async function keepProfile(
  { chargingProfiles, log }: Context,
  connectorId: number,
  idTag: string,
  message: ChargingProfile,
): Promise<boolean> {
  if (!chargingProfiles.isOpen) return true;
  const profile = profileOf(message);
  const refusal = chargingProfiles.refusalOf(connectorId, profile);
  if (refusal === undefined) return chargingProfiles.await(connectorId, idTag, profile);
  log.warn(`a remote start was rejected: ${refusal}`, { connectorId });
  return false;
}

/** Somebody else's session in between has spent the profile: without it the transaction would have no bounds. */
function isKept({ chargingProfiles, log }: Context, connectorId: number, idTag: string): boolean {
  if (!chargingProfiles.isOpen || chargingProfiles.awaits(connectorId, idTag)) return true;
  log.warn('a remote start does not begin: its charging profile was given up meanwhile', { connectorId });
  return false;
}

function admit(context: Context, connectorId: number, claimant: Claimant): void {
  const { station, clock, log, reservations } = context;
  const claim = reservations.claim(connectorId, claimant);
  if (claim.type !== 'free' && claim.type !== 'reserved') {
    log.info('a remote start was for a connector that is reserved for somebody else', { connectorId });
    context.chargingProfiles.forget(connectorId);
    return;
  }
  const reservation = claim.type === 'reserved' ? { reservationId: claim.reservationId } : {};
  station.dispatch(connectorId, {
    type: 'authorized',
    authorization: { ...claimant, ...reservation },
    at: clock.now(),
  });
  const phase = station.connector(connectorId)?.phase;
  // A fault, ChangeAvailability or somebody else was faster: nothing will come of it.
  if (phase === undefined || !('authorization' in phase)) context.chargingProfiles.forget(connectorId);
}
