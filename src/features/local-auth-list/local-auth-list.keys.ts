/** The configuration keys of the local authorization list (OCPP 1.6 section 9.2). */
import { boolean, integer, key } from '../keys.ts';

export const localAuthListEnabled = key('LocalAuthListEnabled', boolean(), { default: true });
export const localAuthListMaxLength = key('LocalAuthListMaxLength', integer(0, 100_000), {
  default: 10_000,
  access: 'R',
});
export const sendLocalListMaxLength = key('SendLocalListMaxLength', integer(1, 10_000), { default: 500, access: 'R' });
