/** Which installed profiles bound a connector, in their order, and their pieces side by side (OCPP 1.6 section 3.13). Pure. */
import type { InstalledProfile, ProfileBook, RunningTransaction } from './book.ts';
import { type Piece, prevailing } from './prevailing.ts';
import type { ChargingProfile, ChargingProfilePurpose } from './profile.ts';
import { type Track, toSeconds, trackOf } from './track.ts';

/** What the layers need to know of a connector. */
export interface LayeredConnector {
  readonly connectorId: number;
  readonly transaction?: RunningTransaction;
}

const ofPurpose = (book: ProfileBook, purpose: ChargingProfilePurpose): InstalledProfile[] =>
  book
    .filter(({ profile }) => profile.chargingProfilePurpose === purpose)
    .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel);

/** For the charge point as a whole the situation-specific start point (section 7.9) is the installation of the profile. */
function chargePointTracks(book: ProfileBook, fromS: number): Track[] {
  return ofPurpose(book, 'ChargePointMaxProfile').map(({ profile, installedAt }) =>
    trackOf(profile, Math.min(toSeconds(installedAt), fromS)),
  );
}

/** An id that one of the two does not know yet speaks against nothing: `endTransaction` has removed those of others. */
function isFor({ transactionId }: ChargingProfile, transaction: RunningTransaction | undefined): boolean {
  if (transaction === undefined) return false;
  return (
    transactionId === undefined ||
    transaction.transactionId === undefined ||
    transactionId === transaction.transactionId
  );
}

/**
 * The TxProfiles of the running transaction, then the TxDefaultProfiles: those step in only where no TxProfile has a period (section
 * 3.13.1, "overrule"; 5.16.4, "fall back"). A TxDefaultProfile of the connector replaces the one of connector 0 with the same
 * stackLevel for this connector, also while it is not valid itself (3.13.2, the note on gaps). Relative schedules begin with the transaction; without one, as if it began at `fromS`. A
 * transaction from the future is a clock that was set: it begins at `fromS` too, lest its limits be forgotten.
 */
function connectorTracks(book: ProfileBook, { connectorId, transaction }: LayeredConnector, fromS: number): Track[] {
  const tx = ofPurpose(book, 'TxProfile').filter(
    ({ connectorId: on, profile }) => on === connectorId && isFor(profile, transaction),
  );
  const defaults = ofPurpose(book, 'TxDefaultProfile');
  const own = new Set(
    defaults.flatMap(({ connectorId: on, profile }) => (on === connectorId ? profile.stackLevel : [])),
  );
  const visible = defaults.filter(
    ({ connectorId: on, profile }) => on === connectorId || (on === 0 && !own.has(profile.stackLevel)),
  );
  const startS = transaction === undefined ? fromS : Math.min(toSeconds(transaction.startedAt), fromS);
  return [...tx, ...visible].map(({ profile }) => trackOf(profile, startS));
}

/** A stretch of time in which nothing changes in any layer. */
export interface Step {
  readonly fromS: number;
  readonly untilS: number;
  /**
   * First that of the ChargePointMaxProfiles, then one for each connector, in their order. To be read before the next step is asked
   * for: it is the same list, as this runs up to 100,000 times in a row.
   */
  readonly pieces: readonly Piece[];
}

/** From `fromS` to `endS`, whole seconds since the epoch, in order and without gaps. */
export function* stepsOf(
  book: ProfileBook,
  connectors: readonly LayeredConnector[],
  fromS: number,
  endS: number,
): Generator<Step, undefined> {
  const stacks = [chargePointTracks(book, fromS), ...connectors.map((each) => connectorTracks(book, each, fromS))];
  const layers = stacks.map((tracks) => prevailing(tracks, fromS, endS));
  const nothing: Piece = { untilS: endS, profile: undefined, period: undefined };
  const pieces = layers.map((layer) => layer() ?? nothing);
  let atS = fromS;
  while (atS < endS) {
    let untilS = endS;
    for (let index = 0; index < layers.length; index += 1) {
      let piece = pieces[index] ?? nothing;
      if (piece.untilS <= atS) {
        piece = layers[index]?.() ?? nothing;
        pieces[index] = piece;
      }
      if (piece.untilS < untilS) untilS = piece.untilS;
    }
    yield { fromS: atS, untilS, pieces };
    atS = untilS;
  }
  return undefined;
}
