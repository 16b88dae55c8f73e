/** The configuration keys of the security profiles (security whitepaper, sections 7.2 and 7.6). */
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

/** The presets of the file: `centralSystem.securityProfile` is one, unless the key itself is given. */
export const presetsOf = ({ centralSystem, keys }: Pick<AgentConfig, 'centralSystem' | 'keys'>) =>
  centralSystem.securityProfile === 0
    ? keys
    : { [securityProfile.name]: String(centralSystem.securityProfile), ...keys };

/** The password bytes of an AuthorizationKey; undefined if there is none. */
export function passwordOf(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const isHex = /^[\da-f]{32,40}$/i.test(text) && text.length % 2 === 0;
  return isHex ? new Uint8Array(Buffer.from(text, 'hex')) : new TextEncoder().encode(text);
}
