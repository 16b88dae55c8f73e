/** What the end of a dial tells about who is there: which security events it is (security whitepaper, section 8). Pure. */
import type { SocketClosed } from '../../ports.ts';
import type { SecurityEventType } from '../security-event.ts';

export const UNAUTHORIZED = 401;

/** While nobody vouches for our clock, a certificate out of its time says nothing about the central system. */
export function eventsOf(
  { httpStatus, tls, reason: techInfo }: SocketClosed,
  isClockTrusted: boolean,
): readonly { readonly type: SecurityEventType; readonly techInfo: string }[] {
  const event = (...types: readonly SecurityEventType[]) => types.map((type) => ({ type, techInfo }));
  if (httpStatus === UNAUTHORIZED || httpStatus === 403) return event('FailedToAuthenticateAtCentralSystem');
  switch (tls) {
    case 'validity':
      return isClockTrusted ? event('InvalidCentralSystemCertificate', 'CentralSystemFailedToAuthenticate') : [];
    case 'certificate':
      return event('InvalidCentralSystemCertificate', 'CentralSystemFailedToAuthenticate');
    case 'version':
      return event('InvalidTLSVersion');
    case 'cipherSuite':
      return event('InvalidTLSCipherSuite');
    case 'refusedUs':
      return event('FailedToAuthenticateAtCentralSystem');
    default:
      return [];
  }
}
