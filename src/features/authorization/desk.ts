/** A tag at a reader: where it begins, what it stops, which plug it sets free (OCPP 1.6 sections 3.5, 3.10, 3.11, 4.1 and 4.10). */
import { canonical, isSameGroup, isSameIdTag, isValid, type Verdict } from '../../core/authorization.ts';
import { canBegin } from '../../core/connector/session.ts';
import type { Authorization, Connector, Last, Transaction } from '../../core/connector/state.ts';
import type { Claim, Claimant } from '../../core/reservation.ts';
import type { Change } from '../../station/station.ts';
import type { Context } from '../feature.ts';

/** OCPP 1.6 section 7.28. */
const LONGEST_ID_TAG = 20;

interface Candidate {
  readonly connector: Connector;
  readonly claim: Claim;
}

export class Desk {
  readonly #context: Context;
  /** Canonical idTags about which a verdict is awaited: presenting one again changes nothing. */
  readonly #pending = new Set<string>();
  /** Connectors that wait for a plug which may go into any of these instead. */
  readonly #anyOf = new Map<number, readonly number[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  async present(idTag: string, connectorIds: readonly number[]): Promise<void> {
    const accepted = await this.#use(idTag, connectorIds);
    if (accepted !== undefined) this.#context.tagSignals.tell({ connectorIds, accepted });
  }

  /** A reader has read what cannot become an idTag. */
  refuse(connectorIds: readonly number[]): void {
    this.#context.tagSignals.tell({ connectorIds, accepted: false });
  }

  /** Undefined where it neither helps nor harms: it is being decided, or its session is on the way. */
  async #use(idTag: string, connectorIds: readonly number[]): Promise<boolean | undefined> {
    const { authority, log } = this.#context;
    if (idTag === '' || [...idTag].length > LONGEST_ID_TAG) {
      log.warn('a tag is no idTag of OCPP 1.6 and was ignored', { characters: idTag.length });
      return false;
    }
    if (this.#pending.has(canonical(idTag))) return undefined;
    const own = this.#useOwn(idTag, connectorIds);
    if (own !== undefined) return own === 'used' ? true : undefined;
    if (!this.#isWorthAsking(idTag, connectorIds)) {
      log.info('a tag was presented, but nothing can begin or stop here', { connectorIds });
      return false;
    }
    this.#pending.add(canonical(idTag));
    const verdict = await authority.verdict(idTag).finally(() => this.#pending.delete(canonical(idTag)));
    if (this.#useGroup(idTag, verdict, connectorIds)) return true;
    if (verdict.accepted) return this.#admit(idTag, verdict, connectorIds);
    log.info('the idTag was not accepted', { status: verdict.status, by: verdict.by });
    return false;
  }

  /** A reader serves several connectors: the plug goes where the driver has parked, not where we expected it. */
  follow({ before, after, at }: Change): void {
    if (after.phase.name !== 'authorized') this.#anyOf.delete(after.id);
    if (before.phase.name !== 'idle' || after.phase.name !== 'occupied' || !canBegin(after)) return;
    const waiting = [...this.#anyOf].find(([, connectorIds]) => connectorIds.includes(after.id))?.[0];
    const connector = waiting === undefined ? undefined : this.#context.station.connector(waiting);
    if (connector?.phase.name !== 'authorized') return;
    const { reservationId: _, ...claimant } = connector.phase.authorization;
    const authorization = authorizationFor(claimant, this.#claim(after, claimant));
    if (authorization === undefined) return;
    const { station } = this.#context;
    station.dispatch(connector.id, { type: 'stop', stop: { reason: 'Local', trip: false }, at });
    station.dispatch(after.id, { type: 'authorized', authorization, at });
  }

  /**
   * The tag of a session needs no verdict, online or not: it ends its transaction, takes back an authorisation that waits for the
   * plug, or gets a plug that was kept locked (errata 3.5). While the plug is being locked or a fact written it changes nothing.
   */
  #useOwn(idTag: string, connectorIds: readonly number[]): 'used' | 'underWay' | undefined {
    const connectors = this.#connectors(connectorIds);
    const own = (sought: (connector: Connector) => { readonly idTag: string } | undefined): Connector | undefined =>
      connectors.find((connector) => {
        const owner = sought(connector);
        return owner !== undefined && isSameIdTag(owner.idTag, idTag);
      });
    const stopped = own(runningOn) ?? own(waitingFor);
    if (stopped !== undefined) this.#stop(stopped, idTag);
    const released = stopped === undefined ? own(keptFrom) : undefined;
    if (released !== undefined) this.#release(released);
    if ((stopped ?? released) !== undefined) return 'used';
    return own(passingThrough) === undefined ? undefined : 'underWay';
  }

  /** Section 3.10: whoever is of the group may do the same; ConcurrentTx says that the idTag is valid, and charging. */
  #useGroup(idTag: string, { parentIdTag, status }: Verdict, connectorIds: readonly number[]): boolean {
    if (!isValid(status)) return false;
    const connectors = this.#connectors(connectorIds);
    const stopped = connectors.find((connector) => isSameGroup(runningOn(connector)?.parentIdTag, parentIdTag));
    if (stopped !== undefined) this.#stop(stopped, idTag);
    const released =
      stopped ?? connectors.find((connector) => isSameGroup(keptFrom(connector)?.parentIdTag, parentIdTag));
    if (stopped === undefined && released !== undefined) this.#release(released);
    return released !== undefined;
  }

  /** Where all connectors are taken, a verdict matters only to the group of a running transaction or of a plug that is kept. */
  #isWorthAsking(idTag: string, connectorIds: readonly number[]): boolean {
    const hasGroup = (connector: Connector): boolean =>
      (runningOn(connector) ?? keptFrom(connector))?.parentIdTag !== undefined;
    return this.#candidates({ idTag }, connectorIds).length > 0 || this.#connectors(connectorIds).some(hasGroup);
  }

  #admit(idTag: string, { parentIdTag }: Verdict, connectorIds: readonly number[]): boolean {
    const { station, clock, transactions, log } = this.#context;
    const claimant: Claimant = { idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) };
    const best = this.#candidates(claimant, connectorIds).find(({ claim }) => claim.type !== 'askParent');
    const authorization = best && authorizationFor(claimant, best.claim);
    if (best === undefined || authorization === undefined) return false;
    const { id } = best.connector;
    if (!transactions.canBegin) {
      log.error('the store is in trouble: no new transaction begins', { connectorId: id });
      return false;
    }
    station.dispatch(id, { type: 'authorized', authorization, at: clock.now() });
    if (station.connector(id)?.phase.name === 'authorized') this.#anyOf.set(id, connectorIds);
    return true;
  }

  /** The connectors where this tag might begin: one reserved for it first, then one with an EV, then a free one. */
  #candidates(claimant: Claimant, connectorIds: readonly number[]): readonly Candidate[] {
    const rank = ({ connector, claim }: Candidate): number =>
      claim.type === 'reserved' ? 0 : connector.phase.name === 'occupied' ? 1 : 2;
    return this.#connectors(connectorIds)
      .filter((connector) => canBegin(connector) && keptFrom(connector) === undefined)
      .map((connector) => ({ connector, claim: this.#claim(connector, claimant) }))
      .filter(({ claim }) => claim.type !== 'refused')
      .toSorted((a, b) => rank(a) - rank(b));
  }

  #claim({ id }: Connector, claimant: Claimant): Claim {
    return this.#context.reservations.claim(id, claimant);
  }

  #connectors(ids: readonly number[]): readonly Connector[] {
    return ids.flatMap((id) => this.#context.station.connector(id) ?? []);
  }

  #stop({ id }: Connector, idTag: string): void {
    const { station, clock } = this.#context;
    station.dispatch(id, { type: 'stop', stop: { reason: 'Local', idTag, trip: false }, at: clock.now() });
  }

  #release({ id }: Connector): void {
    const { station, clock } = this.#context;
    station.dispatch(id, { type: 'released', at: clock.now() });
  }
}

/** Undefined where the connector is kept for somebody else. */
function authorizationFor(claimant: Claimant, claim: Claim): Authorization | undefined {
  if (claim.type === 'reserved') return { ...claimant, reservationId: claim.reservationId };
  return claim.type === 'free' ? claimant : undefined;
}

/** Also of one that may go on after a loss of power: its driver need not wait for that. */
const runningOn = ({ phase }: Connector): Transaction | undefined =>
  phase.name === 'transaction' || phase.name === 'interrupted' ? phase.transaction : undefined;

const waitingFor = ({ phase }: Connector): { readonly idTag: string } | undefined =>
  phase.name === 'authorized' ? phase.authorization : undefined;

/** Who is on the way into a transaction, or out of it. */
function passingThrough({ phase }: Connector): { readonly idTag: string } | undefined {
  switch (phase.name) {
    case 'locking':
    case 'beginning':
      return phase.authorization;
    case 'ending':
    case 'closing':
      return phase.transaction;
    default:
      return undefined;
  }
}

/** Whose plug stays locked after the end of the transaction. An attached cable is nobody's. */
const keptFrom = ({ cable, phase }: Connector): Last | undefined =>
  cable === 'socket' && phase.name === 'finishing' && phase.held ? phase.last : undefined;
