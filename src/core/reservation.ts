/** Who may use a reserved connector (OCPP 1.6 sections 3.11 and 5.13). Pure. */

export interface Reservation {
  readonly id: number;
  /** 0: no connector in particular. */
  readonly connectorId: number;
  readonly idTag: string;
  readonly parentIdTag?: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Somebody at a reader or behind a remote start; the group is unknown until somebody has told it. */
export interface Claimant {
  readonly idTag: string;
  readonly parentIdTag?: string;
}

/**
 * `free`: nobody else has a claim. `reserved`: it is kept for this very claimant. `askParent`: only if the groups turn out to be
 * the same. `refused`: kept for somebody else.
 */
export type Claim =
  | { readonly type: 'free' | 'askParent' | 'refused' }
  | { readonly type: 'reserved'; readonly reservationId: number };

/** OCPP 1.6 section 7.40. */
export type ReservationStatus = 'Accepted' | 'Faulted' | 'Occupied' | 'Rejected' | 'Unavailable';

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const FREE: Claim = { type: 'free' };

/** What one reservation means for a claimant. */
function against({ id, idTag, parentIdTag }: Reservation, claimant: Claimant): Claim {
  const isItsParent =
    parentIdTag !== undefined && claimant.parentIdTag !== undefined && isSame(parentIdTag, claimant.parentIdTag);
  if (isSame(idTag, claimant.idTag) || isItsParent) return { type: 'reserved', reservationId: id };
  return { type: parentIdTag !== undefined && claimant.parentIdTag === undefined ? 'askParent' : 'refused' };
}

/**
 * What a claimant may expect of a free connector. `freeConnectors` counts the ones that could begin a transaction and are not
 * reserved themselves: each reservation of connector 0 needs one of them.
 */
export function claimOn(
  connectorId: number,
  claimant: Claimant,
  reservations: readonly Reservation[],
  freeConnectors: number,
): Claim {
  const own = reservations.find((reservation) => reservation.connectorId === connectorId);
  if (own !== undefined) return against(own, claimant);
  const floating = reservations.filter((reservation) => reservation.connectorId === 0);
  const claims = floating.map((reservation) => against(reservation, claimant));
  const mine = claims.find(({ type }) => type === 'reserved');
  if (mine !== undefined) return mine;
  if (freeConnectors > floating.length) return FREE;
  return claims.find(({ type }) => type === 'askParent') ?? claims[0] ?? FREE;
}
