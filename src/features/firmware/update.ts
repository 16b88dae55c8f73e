/** A firmware update as it is stored, and what follows from how far it has come. Pure. */
import type { FirmwareStatus, SignedFirmwareStatus } from '../../ocpp/messages/types/firmware-status.ts';
import type { FirmwareOrder, FirmwareStanding } from '../feature.ts';

/**
 * `accepted` and `scheduled`: the time to retrieve it has not come; `paused`: between two attempts to download it; `ready`: checked, to be installed; `waiting`: the same, and it has been
 * said that it waits; `rebooting`: the installer is done, and what it has installed runs after the restart; `trial`: it runs, but the version
 * before may still come back.
 */
export type Phase =
  | 'accepted'
  | 'scheduled'
  | 'downloading'
  | 'paused'
  | 'downloaded'
  | 'ready'
  | 'waiting'
  | 'installing'
  | 'rebooting'
  | 'trial';

export interface Update extends FirmwareOrder {
  readonly id: string;
  readonly phase: Phase;
  /** The download that is under way, from 1; 0 before the first. */
  readonly attempt: number;
  /** What ran before the installation, if that can be told. */
  readonly before?: string;
  /** Of the image that was downloaded, where nobody has signed it. */
  readonly digest?: string;
}

/** One notification. */
export type Saying =
  | { readonly signed: false; readonly status: FirmwareStatus }
  | { readonly signed: true; readonly status: SignedFirmwareStatus; readonly requestId: number };

export interface FirmwareState {
  readonly update?: Update;
  /** What the central system has not confirmed, oldest first. */
  readonly unsaid: readonly Saying[];
  readonly last?: Saying;
  /** An image, or a part of one, may lie on the disk. */
  readonly image?: true;
  /** Of the program, at the last start; absent if nobody has noted it, or if the next start may be the first of what was installed. */
  readonly version?: string;
}

export const AT_REST: FirmwareState = { unsaid: [] };

/** Which statuses only a signed update has. */
const PLAIN: ReadonlySet<SignedFirmwareStatus> = new Set<FirmwareStatus>([
  'Downloading',
  'Downloaded',
  'DownloadFailed',
  'Installing',
  'Installed',
  'InstallationFailed',
]);

const sayingOf = ({ signed }: Update, status: SignedFirmwareStatus): Saying | undefined => {
  if (signed !== undefined) return { signed: true, status, requestId: signed.requestId };
  return PLAIN.has(status) ? { signed: false, status: status as FirmwareStatus } : undefined;
};

const isSame = (a: Saying | undefined, b: Saying): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The same status twice in a row is worth a message only if the first has arrived. */
function saying(state: FirmwareState, update: Update, status: SignedFirmwareStatus | undefined): FirmwareState {
  const said = status && sayingOf(update, status);
  if (said === undefined) return state;
  return isSame(state.unsaid.at(-1), said) ? state : { ...state, unsaid: [...state.unsaid, said], last: said };
}

/** One step of this update; nothing happens to another one. */
export function moved(
  state: FirmwareState,
  id: string,
  changes: Partial<Pick<Update, 'phase' | 'attempt' | 'before' | 'digest'>>,
  status?: SignedFirmwareStatus,
): FirmwareState {
  if (state.update?.id !== id) return state;
  const update = { ...state.update, ...changes };
  return saying({ ...state, update }, update, status);
}

/** It is over. */
export function ended(state: FirmwareState, id: string, status: SignedFirmwareStatus): FirmwareState {
  const { update, ...rest } = state;
  return update?.id === id ? saying(rest, update, status) : state;
}

/** What was installed without a restart may run from the next start on: that is no second update. */
export const versionOpen = ({ version: _, ...rest }: FirmwareState): FirmwareState => rest;

/** Another version runs than at the last start, and no update of ours was under way: somebody has put it there. */
export const isByHand = ({ version: last, update }: FirmwareState, version: string): boolean =>
  last !== undefined && last !== version && !isInstalling(update);

/** From here on nothing can be taken back. */
export const isInstalling = (update: Update | undefined): boolean =>
  update?.phase === 'installing' || update?.phase === 'rebooting' || update?.phase === 'trial';

/** After a restart in the middle of it: a release that was put back, or one that never came, is no success. */
export function isInForce({ phase, before }: Update, running: string | undefined): boolean {
  if (running === undefined || before === undefined) return phase !== 'installing';
  return running !== before;
}

const STATUS: { readonly [phase in Phase]: FirmwareStatus } = {
  accepted: 'Idle',
  scheduled: 'Idle',
  downloading: 'Downloading',
  paused: 'Downloading',
  downloaded: 'Downloaded',
  ready: 'Downloaded',
  waiting: 'Downloaded',
  installing: 'Installing',
  rebooting: 'Installing',
  trial: 'Installing',
};

/** What the two notifications say on request (section 4.5; L01.FR.28 and L01.FR.29). */
export function standingOf({ update, last }: FirmwareState): FirmwareStanding {
  const plain = update === undefined ? 'Idle' : STATUS[update.phase];
  const isOfNow = update === undefined ? last?.status !== 'Installed' : last?.signed && isOf(update, last);
  if (last?.signed !== true || !isOfNow) return { plain, signed: { status: 'Idle' } };
  return { plain, signed: { status: last.status, requestId: last.requestId } };
}

const isOf = ({ signed }: Update, last: Saying): boolean => last.signed && signed?.requestId === last.requestId;
