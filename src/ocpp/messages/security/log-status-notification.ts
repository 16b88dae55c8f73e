/** Security whitepaper edition 3, N01, sections 5.13 and 5.14. */
import { operation } from '../../operation.ts';
import { integer, object, oneOf, optional } from '../../vocabulary.ts';
import { UPLOAD_LOG_STATUSES } from '../types/firmware-status.ts';

export const LogStatusNotification = operation('LogStatusNotification', 'ChargePoint', {
  req: object({ status: oneOf(...UPLOAD_LOG_STATUSES), requestId: optional(integer) }),
  conf: object({}),
});
