/** The configuration keys of the authorization room (OCPP 1.6 section 9.1). */
import { boolean, key } from '../keys.ts';

export const allowOfflineTxForUnknownId = key('AllowOfflineTxForUnknownId', boolean(), { default: false });
export const authorizationCacheEnabled = key('AuthorizationCacheEnabled', boolean(), { default: true });
export const localAuthorizeOffline = key('LocalAuthorizeOffline', boolean(), { default: true });
export const localPreAuthorize = key('LocalPreAuthorize', boolean(), { default: false });
