/** Who may charge, as a decision over what is known about an idTag (OCPP 1.6 sections 3.5, 3.9 and 3.10). Pure. */

/** OCPP 1.6 section 7.2. */
export type IdTagStatus = 'Accepted' | 'Blocked' | 'ConcurrentTx' | 'Expired' | 'Invalid';

/** What the local list or the authorization cache holds about one idTag. */
export interface IdTagEntry {
  readonly status: IdTagStatus;
  readonly parentIdTag?: string;
  /** Epoch milliseconds; absent: no end date. */
  readonly expiresAt?: number;
}

export interface AuthorizationRules {
  /** LocalPreAuthorize */
  readonly localPreAuthorize: boolean;
  /** LocalAuthorizeOffline */
  readonly localAuthorizeOffline: boolean;
  /** AllowOfflineTxForUnknownId */
  readonly allowOfflineTxForUnknownId: boolean;
}

/** Who has spoken: `nobody` when an idTag is let through, or not, because there was nobody to ask. */
export type Authorizer = 'localList' | 'cache' | 'centralSystem' | 'nobody';

export interface Verdict {
  readonly accepted: boolean;
  readonly status: IdTagStatus;
  readonly parentIdTag?: string;
  readonly by: Authorizer;
}

export interface Known {
  /** Undefined also while the local list is disabled. */
  readonly listed: IdTagEntry | undefined;
  /** Undefined also while the cache is disabled. */
  readonly cached: IdTagEntry | undefined;
}

/** Section 7.28: idTags are compared without regard to case. */
export const canonical = (idTag: string): string => idTag.toLowerCase();

export const isSameIdTag = (a: string, b: string): boolean => canonical(a) === canonical(b);

/** Section 3.10: two idTags are of one group if their parents match; a parent is never compared with an idTag. */
export const isSameGroup = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && isSameIdTag(a, b);

/** The status at a wall time in epoch milliseconds: what was valid is Expired when its time has passed. */
export const statusAt = ({ status, expiresAt }: IdTagEntry, wall: number): IdTagStatus =>
  status === 'Accepted' && expiresAt !== undefined && wall >= expiresAt ? 'Expired' : status;

/** Section 3.5.2: Accepted and ConcurrentTx are both valid identifiers. */
export const isValid = (status: IdTagStatus): boolean => status === 'Accepted' || status === 'ConcurrentTx';

/** What we hold ourselves; the local list goes before the cache (section 3.5.3). */
function held({ listed, cached }: Known, wall: number): Omit<Verdict, 'accepted'> | undefined {
  const entry = listed ?? cached;
  if (entry === undefined) return undefined;
  const { parentIdTag } = entry;
  return {
    status: statusAt(entry, wall),
    ...(parentIdTag === undefined ? {} : { parentIdTag }),
    by: listed === undefined ? 'cache' : 'localList',
  };
}

/**
 * Online, before anybody is asked: the verdict if LocalPreAuthorize makes asking needless, else undefined. An entry that is not
 * Accepted never decides while the central system can: it may know better (section 3.5.1).
 */
export function preAuthorized(known: Known, rules: AuthorizationRules, wall: number): Verdict | undefined {
  const own = held(known, wall);
  return rules.localPreAuthorize && own?.status === 'Accepted' ? { accepted: true, ...own } : undefined;
}

/**
 * The central system cannot be asked (sections 3.5.1 to 3.5.4). An entry that is not Accepted, or is no longer, refuses whatever
 * the keys say; one that is Accepted counts with LocalAuthorizeOffline; all others are unknown identifiers.
 */
export function offlineVerdict(known: Known, rules: AuthorizationRules, wall: number): Verdict {
  const own = held(known, wall);
  if (own !== undefined && own.status !== 'Accepted') return { accepted: false, ...own };
  if (own !== undefined && rules.localAuthorizeOffline) return { accepted: true, ...own };
  const accepted = rules.allowOfflineTxForUnknownId;
  return { accepted, status: accepted ? 'Accepted' : 'Invalid', by: 'nobody' };
}
