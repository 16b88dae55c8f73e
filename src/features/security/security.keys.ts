/** The configuration keys of the security profiles (security whitepaper, sections 7.2 and 7.6), and whom they are for. */
import type { AgentConfig, SecurityProfile } from '../../config.ts';
import { type KeyType, key } from '../keys.ts';

/** 16 to 40 characters; 32 to 40 hexadecimal digits stand for 16 to 20 bytes. Empty: no Basic authentication. */
const secret = (): KeyType<string> => ({
  expected: '16 to 40 characters',
  parse: (text) => (text === '' || (text.length >= 16 && text.length <= 40) ? text : undefined),
  format: (text) => text,
});

export const authorizationKey = key('AuthorizationKey', secret(), { default: '', access: 'W' });

const profile = (): KeyType<SecurityProfile> => ({
  expected: 'a whole number from 0 to 3',
  parse: (text) => (/^\s*[0-3]\s*$/.test(text) ? (Number(text) as SecurityProfile) : undefined),
  format: String,
});

export const securityProfile = key<SecurityProfile>('SecurityProfile', profile(), { default: 0 });

const LONGEST_URL = 2048;

/**
 * The endpoint without the identity, as `centralSystem.url` of the file. Empty: what the file says. URL would overlook line breaks and
 * keep or escape other control characters, and the text as it is reaches the terminal of a technician.
 */
const endpoint = (): KeyType<string> => ({
  expected: 'an address that begins with ws:// or wss://, without user, password and fragment',
  parse: (text) => {
    const trimmed = text.trim();
    if (trimmed.length > LONGEST_URL || /\p{Cc}/u.test(trimmed)) return undefined;
    if (!/^wss?:\/\/[^/]/i.test(trimmed) || !URL.canParse(trimmed)) return undefined;
    const { hostname, username, password, hash } = new URL(trimmed);
    return hostname !== '' && username === '' && password === '' && hash === '' ? trimmed : undefined;
  },
  format: (text) => text,
});

/** Ours: OCPP 1.6 has no key for it. */
export const centralSystemUrl = key('CentralSystemUrl', endpoint(), { default: '' });

/** Profiles 0 and 1 are ws, 2 and 3 are wss. */
export const goesWith = (url: string, securityProfile: SecurityProfile): boolean =>
  url.toLowerCase().startsWith(securityProfile >= 2 ? 'wss:' : 'ws:');

/** The presets of the file: `centralSystem.securityProfile` is one, unless the key itself is given, and `centralSystem.url`. */
export const presetsOf = ({ centralSystem, keys }: Pick<AgentConfig, 'centralSystem' | 'keys'>) => ({
  ...(centralSystem.securityProfile === 0 ? {} : { [securityProfile.name]: String(centralSystem.securityProfile) }),
  ...keys,
  [centralSystemUrl.name]: centralSystem.url,
});

/** The password bytes of an AuthorizationKey; undefined if there is none. */
export function passwordOf(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const isHex = /^[\da-f]{32,40}$/i.test(text) && text.length % 2 === 0;
  return isHex ? new Uint8Array(Buffer.from(text, 'hex')) : new TextEncoder().encode(text);
}
