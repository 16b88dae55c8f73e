/** The installed charging profiles: what replaces, clears and ends them (OCPP 1.6 sections 3.13.1, 3.13.2, 5.5 and 5.16). Pure, plain JSON. */
import type { ChargingProfile, ChargingProfilePurpose } from './profile.ts';
import { DEFAULT_PROFILE_LIMITS, type ProfileLimits, problemOf } from './validation.ts';

export interface InstalledProfile {
  /** 0: the whole charge point (ChargePointMaxProfile) or every connector (TxDefaultProfile). */
  readonly connectorId: number;
  /** Epoch milliseconds. */
  readonly installedAt: number;
  readonly profile: ChargingProfile;
}

/** In order of installation; as it is, it goes into the store and back. */
export type ProfileBook = readonly InstalledProfile[];

export interface RunningTransaction {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Absent until StartTransaction.conf has told it. */
  readonly transactionId?: number;
}

export interface Refusal {
  readonly ok: false;
  /** One clause, for the log. */
  readonly reason: string;
}

export type Installation =
  | { readonly ok: true; readonly book: ProfileBook; readonly replaced: readonly InstalledProfile[] }
  | Refusal;

export interface Circumstances {
  /** Epoch milliseconds. */
  readonly now: number;
  /** The one that runs on the connector of the profile. */
  readonly transaction?: RunningTransaction;
  readonly limits?: ProfileLimits;
}

const refused = (reason: string): Refusal => ({ ok: false, reason });

/** Section 3.13.1: each purpose has its connectors, and a TxProfile its transaction. */
function misplacement(
  connectorId: number,
  { chargingProfilePurpose, transactionId }: ChargingProfile,
  transaction: RunningTransaction | undefined,
): string | undefined {
  if (chargingProfilePurpose === 'ChargePointMaxProfile' && connectorId !== 0)
    return 'a ChargePointMaxProfile belongs on connector 0';
  if (chargingProfilePurpose !== 'TxProfile') return undefined;
  if (connectorId === 0) return 'a TxProfile belongs on one connector';
  if (transaction === undefined) return `no transaction runs on connector ${connectorId}`;
  if (transactionId !== undefined && transactionId !== transaction.transactionId)
    return `transaction ${transactionId} does not run on connector ${connectorId}`;
  return undefined;
}

/**
 * Sections 3.13.2 and 5.16.3: the same id anywhere, or the same purpose and stackLevel on the same connector, is replaced. A
 * TxDefaultProfile of one connector does not replace the one of connector 0: it hides it there (section 3.13.1, see `layers.ts`).
 */
const isReplacedBy =
  (connectorId: number, { chargingProfileId, chargingProfilePurpose, stackLevel }: ChargingProfile) =>
  (old: InstalledProfile): boolean =>
    old.profile.chargingProfileId === chargingProfileId ||
    (old.connectorId === connectorId &&
      old.profile.chargingProfilePurpose === chargingProfilePurpose &&
      old.profile.stackLevel === stackLevel);

/**
 * SetChargingProfile (section 5.16). Whether the connector exists is for the caller to say (errata 3.39). What section 9.4.1 says
 * about the number of schedules per purpose follows from the replacement: one for each level from 0 to ChargeProfileMaxStackLevel.
 */
export function install(
  book: ProfileBook,
  connectorId: number,
  profile: ChargingProfile,
  { now, transaction, limits = DEFAULT_PROFILE_LIMITS }: Circumstances,
): Installation {
  const reason = problemOf(profile, limits) ?? misplacement(connectorId, profile, transaction);
  if (reason !== undefined) return refused(reason);
  const isReplaced = isReplacedBy(connectorId, profile);
  const kept = book.filter((old) => !isReplaced(old));
  if (kept.length >= limits.maxChargingProfilesInstalled) return refused('MaxChargingProfilesInstalled is reached');
  return { ok: true, book: [...kept, { connectorId, installedAt: now, profile }], replaced: book.filter(isReplaced) };
}

/**
 * The profile of a RemoteStartTransaction, to be installed when its transaction has begun (section 5.16.2). A transactionId SHALL
 * NOT be set; one that is set cannot mean anything yet and is left out.
 */
export function forRemoteStart(
  { transactionId: _, ...profile }: ChargingProfile,
  limits: ProfileLimits = DEFAULT_PROFILE_LIMITS,
): { readonly ok: true; readonly profile: ChargingProfile } | Refusal {
  if (profile.chargingProfilePurpose !== 'TxProfile')
    return refused('the profile of a remote start must be a TxProfile');
  const reason = problemOf(profile, limits);
  return reason === undefined ? { ok: true, profile } : refused(reason);
}

/** The members of ClearChargingProfile.req. */
export interface ClearCriteria {
  readonly id?: number;
  /** 0: those of connector 0 only. */
  readonly connectorId?: number;
  readonly chargingProfilePurpose?: ChargingProfilePurpose;
  readonly stackLevel?: number;
}

export interface Clearing {
  readonly book: ProfileBook;
  /** None: the answer is Unknown. */
  readonly cleared: readonly InstalledProfile[];
}

function parted(book: ProfileBook, isCleared: (installed: InstalledProfile) => boolean): Clearing {
  return { book: book.filter((installed) => !isCleared(installed)), cleared: book.filter(isCleared) };
}

/** Errata 3.25 and 3.26: an id counts alone; else all that match every criterion given; without any, all. */
export function clear(book: ProfileBook, criteria: ClearCriteria): Clearing {
  const { id, connectorId, chargingProfilePurpose, stackLevel } = criteria;
  if (id !== undefined) return parted(book, ({ profile }) => profile.chargingProfileId === id);
  return parted(
    book,
    (installed) =>
      (connectorId === undefined || installed.connectorId === connectorId) &&
      (chargingProfilePurpose === undefined || installed.profile.chargingProfilePurpose === chargingProfilePurpose) &&
      (stackLevel === undefined || installed.profile.stackLevel === stackLevel),
  );
}

/** Section 3.13.1: the TxProfiles of a connector go with its transaction; after a restart, also where none has been resumed. */
export const endTransaction = (book: ProfileBook, connectorId: number): Clearing =>
  clear(book, { connectorId, chargingProfilePurpose: 'TxProfile' });
