/** OCPP 1.6 edition 2, sections 5.19, 6.55 and 6.56. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, optional, uri } from '../../vocabulary.ts';

/** `retryInterval` in seconds. */
export const UpdateFirmware = operation('UpdateFirmware', 'CentralSystem', {
  req: object({ location: uri, retries: optional(integer), retrieveDate: dateTime, retryInterval: optional(integer) }),
  conf: object({}),
});
