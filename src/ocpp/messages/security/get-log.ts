/** Security whitepaper edition 3, N01, sections 5.9 and 5.10. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, oneOf, optional, text } from '../../vocabulary.ts';

/** Section 6.14. */
const logParameters = object({
  remoteLocation: text(512),
  oldestTimestamp: optional(dateTime),
  latestTimestamp: optional(dateTime),
});

/** `retryInterval` in seconds. */
export const GetLog = operation('GetLog', 'CentralSystem', {
  req: object({
    log: logParameters,
    logType: oneOf('DiagnosticsLog', 'SecurityLog'),
    requestId: integer,
    retries: optional(integer),
    retryInterval: optional(integer),
  }),
  conf: object({ status: oneOf('Accepted', 'Rejected', 'AcceptedCanceled'), filename: optional(text(255)) }),
});
