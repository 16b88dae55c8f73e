/** OCPP 1.6 edition 2, sections 5.9, 6.25 and 6.26. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, optional, text, uri } from '../../vocabulary.ts';

/** `retryInterval` in seconds. */
export const GetDiagnostics = operation('GetDiagnostics', 'CentralSystem', {
  req: object({
    location: uri,
    retries: optional(integer),
    retryInterval: optional(integer),
    startTime: optional(dateTime),
    stopTime: optional(dateTime),
  }),
  conf: object({ fileName: optional(text(255)) }),
});
