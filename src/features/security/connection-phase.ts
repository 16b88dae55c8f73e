/** Which connection is in force: the one that is wanted, or the last one that was confirmed (docs/security.md, ADR 6). Pure. */
import type { AgentConfig, SecurityProfile } from '../../config.ts';
import { spoken } from '../../ocpp/connection-url.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Effective } from '../feature.ts';
import { authorizationKey, centralSystemUrl, securityProfile } from './security.keys.ts';

/** Whom a dial reaches, and how it shows who we are. Holds a secret. */
export interface Endpoint {
  readonly url: string;
  readonly identity: string;
  readonly verifyHostname: boolean;
  readonly securityProfile: SecurityProfile;
  readonly authorizationKey: string;
}

/** A connection that somebody wants, and that nobody has accepted yet. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** `file`: a technician. */
  readonly by: 'file' | 'centralSystem';
}

/** `again`: the confirmed one was not accepted either, and the candidate has another minute. */
export type Phase =
  | { readonly phase: 'settled'; readonly endpoint: Endpoint }
  | {
      readonly phase: 'trial' | 'returned' | 'again';
      readonly candidate: Candidate;
      readonly confirmed: Endpoint;
    };

export type PhaseEvent =
  /** Without `confirmed` there is nothing to go back to. */
  | { readonly type: 'wanted'; readonly candidate: Candidate; readonly confirmed: Endpoint | undefined }
  | { readonly type: 'accepted'; readonly as: Endpoint }
  /** `answers`: the central system is there and says Pending. */
  | { readonly type: 'expired'; readonly answers: boolean };

type Member = keyof Endpoint;

/** What `credentials.ts` does not heal by itself. */
const PLACE: readonly Member[] = ['url', 'identity', 'verifyHostname'];
const ALL: readonly Member[] = [...PLACE, 'securityProfile', 'authorizationKey'];

const differences = (a: Endpoint, b: Endpoint, members: readonly Member[] = ALL): readonly Member[] =>
  members.filter((member) => a[member] !== b[member]);

export const isSame = (a: Endpoint, b: Endpoint | undefined): boolean =>
  b !== undefined && differences(a, b).length === 0;

export const inForce = (phase: Phase): Endpoint => {
  if (phase.phase === 'settled') return phase.endpoint;
  return phase.phase === 'returned' ? phase.confirmed : phase.candidate.endpoint;
};

/** What file and keys ask for. Profile and password that the central system has set are on the trial of `credentials.ts`: not on ours, too. */
export interface Wanted {
  readonly candidate: Candidate;
  readonly counts: readonly Member[];
}

/** `find`: the value of a key, not disclosed, with where it comes from. */
export function wantedOf(
  { chargePoint, centralSystem }: Pick<AgentConfig, 'chargePoint' | 'centralSystem'>,
  find: (key: { readonly name: string }) => Pick<Effective, 'value' | 'source'> | undefined,
): Wanted {
  const [url, profile, password] = [find(centralSystemUrl), find(securityProfile), find(authorizationKey)];
  const isOfCentralSystem = (found: typeof url): boolean => found?.source === 'centralSystem';
  return {
    candidate: {
      endpoint: {
        url: url === undefined || url.value === '' ? centralSystem.url : url.value,
        identity: chargePoint.identity,
        verifyHostname: centralSystem.verifyHostname,
        securityProfile: securityProfile.type.parse(profile?.value ?? '') ?? centralSystem.securityProfile,
        authorizationKey: password?.value ?? '',
      },
      by: isOfCentralSystem(url) ? 'centralSystem' : 'file',
    },
    counts: [
      ...PLACE,
      ...(isOfCentralSystem(profile) ? [] : (['securityProfile'] as const)),
      ...(isOfCentralSystem(password) ? [] : (['authorizationKey'] as const)),
    ],
  };
}

/** What is remembered: the last connection that was Accepted, and the one that we have gone back from. */
export interface Remembered {
  readonly confirmed: Endpoint | undefined;
  readonly returned: Returned | undefined;
}

export interface Returned {
  readonly candidate: Candidate;
  /** Epoch milliseconds, for a person. */
  readonly since: number;
}

/** A start. The first one ever has nothing to go back to; a trial that a restart has cut off begins anew. */
export function begin({ candidate, counts }: Wanted, { confirmed, returned }: Remembered): Phase {
  const { endpoint } = candidate;
  if (confirmed === undefined) return { phase: 'settled', endpoint };
  if (differences(endpoint, confirmed, counts).length === 0)
    return returned?.candidate.by === 'centralSystem'
      ? { phase: 'returned', candidate: returned.candidate, confirmed }
      : { phase: 'settled', endpoint };
  const isKnown = returned !== undefined && differences(returned.candidate.endpoint, endpoint, counts).length === 0;
  return { phase: isKnown ? 'returned' : 'trial', candidate, confirmed };
}

export function step(phase: Phase, event: PhaseEvent): Phase {
  switch (event.type) {
    case 'wanted': {
      const { candidate, confirmed } = event;
      return confirmed === undefined || isSame(candidate.endpoint, confirmed)
        ? { phase: 'settled', endpoint: candidate.endpoint }
        : { phase: 'trial', candidate, confirmed };
    }
    case 'accepted':
      // The file still says otherwise; what the central system wanted it can say again.
      return phase.phase === 'returned' && phase.candidate.by === 'file'
        ? { ...phase, confirmed: event.as }
        : { phase: 'settled', endpoint: event.as };
    case 'expired':
      if (phase.phase === 'settled' || event.answers) return phase;
      return { ...phase, phase: phase.phase === 'returned' ? 'again' : 'returned' };
  }
}

/** So long another try of the candidate lasts: a dial, a BootNotification and its time-out. */
const AGAIN_S = 60;

/** How long this may go on without Accepted, in seconds; undefined: for ever. */
export function patienceS({ phase }: Phase, withinS: number): number | undefined {
  if (phase === 'settled') return undefined;
  return phase === 'again' ? Math.min(AGAIN_S, withinS) : withinS;
}

/** Keeps the password to itself. */
const SAID: { readonly [member in Member]: (endpoint: Endpoint, by: Candidate['by']) => string } = {
  url: ({ url }, by) => `${by === 'file' ? 'centralSystem.url' : 'CentralSystemUrl'} ${spoken(url)}`,
  identity: ({ identity }) => `chargePoint.identity ${identity}`,
  verifyHostname: ({ verifyHostname }) => `centralSystem.verifyHostname ${verifyHostname}`,
  securityProfile: (endpoint) => `SecurityProfile ${endpoint.securityProfile}`,
  authorizationKey: () => 'a new AuthorizationKey',
};

/** What a technician has changed in the file since the last connection that was Accepted: `centralSystem.url ws://new`; undefined: nothing. */
export function editOf({ candidate: { endpoint, by }, counts }: Wanted, confirmed: Endpoint): string | undefined {
  const ofFile = counts.filter((member) => by === 'file' || member !== 'url');
  const edited = differences(endpoint, confirmed, ofFile).map((member) => SAID[member](endpoint, 'file'));
  return edited.length === 0 ? undefined : edited.join(', ');
}

type Undecided = Exclude<Phase, { readonly phase: 'settled' }>;

/** `centralSystem.url ws://new has not led to a BootNotification Accepted within 300 s: back to ws://old`; `since` is when. */
export function noticeOf({ candidate, confirmed }: Undecided, withinS: number, since?: number): string {
  const { endpoint, by } = candidate;
  const what = differences(endpoint, confirmed).map((member) => SAID[member](endpoint, by));
  const when = since === undefined ? '' : ` since ${formatTimestamp(since)}`;
  const remedy = by === 'file' ? '; edit the file to try again' : '';
  return `${what.join(', ')} has not led to a BootNotification Accepted within ${withinS} s: back to ${spoken(confirmed.url)}${when}${remedy}`;
}

/** What a person is told; undefined while what is wanted is in force, or on trial for the first time. */
export const noticeText = (phase: Phase, returned: Returned | undefined, withinS: number): string | undefined =>
  phase.phase === 'returned' || phase.phase === 'again' ? noticeOf(phase, withinS, returned?.since) : undefined;
