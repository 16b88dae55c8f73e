/** The configuration keys of the transactions room (OCPP 1.6 section 9.1). */
import { boolean, integer, key, seconds } from '../keys.ts';

export const authorizeRemoteTxRequests = key('AuthorizeRemoteTxRequests', boolean(), { default: false });
export const connectionTimeOut = key('ConnectionTimeOut', seconds(1), { default: 120 });
/** In Wh. */
export const maxEnergyOnInvalidId = key('MaxEnergyOnInvalidId', integer(0, 1_000_000), { default: 0 });
export const stopTransactionOnEVSideDisconnect = key('StopTransactionOnEVSideDisconnect', boolean(), { default: true });
export const stopTransactionOnInvalidId = key('StopTransactionOnInvalidId', boolean(), { default: true });
export const unlockConnectorOnEVSideDisconnect = key('UnlockConnectorOnEVSideDisconnect', boolean(), { default: true });
export const transactionMessageAttempts = key('TransactionMessageAttempts', integer(0, 1000), { default: 3 });
export const transactionMessageRetryInterval = key('TransactionMessageRetryInterval', seconds(), { default: 60 });
