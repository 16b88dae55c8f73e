/** The key of Basic authentication (OCPP-J 1.6 section 6.2) and the security events of the start (security whitepaper). */
import type { Feature, Room } from '../feature.ts';
import { type KeyType, key } from '../keys.ts';
import { reportIncidents } from './incidents.ts';

/** 16 to 40 characters; 32 to 40 hexadecimal digits stand for bytes. Empty: no Basic authentication. */
const secret = (): KeyType<string> => ({
  expected: '16 to 40 characters',
  parse: (text) => (text === '' || (text.length >= 16 && text.length <= 40) ? text : undefined),
  format: (text) => text,
});

export const authorizationKey = key('AuthorizationKey', secret(), { default: '', access: 'W' });

/** The password bytes of an AuthorizationKey; undefined if there is none. */
export function passwordOf(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const isHex = /^[\da-f]{32,40}$/i.test(text) && text.length % 2 === 0;
  return isHex ? new Uint8Array(Buffer.from(text, 'hex')) : new TextEncoder().encode(text);
}

export const security: Feature = {
  name: 'security',
  profile: 'Security',
  keys: [authorizationKey],
  start: (context): Room => ({ stop: reportIncidents(context) }),
};
