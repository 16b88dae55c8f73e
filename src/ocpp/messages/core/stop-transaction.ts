/** OCPP 1.6 edition 2, sections 4.10, 6.49 and 6.50. */
import { operation } from '../../operation.ts';
import { dateTime, integer, list, object, oneOf, optional } from '../../vocabulary.ts';
import { idTagInfo, idToken } from '../types/authorization.ts';
import { meterValue } from '../types/meter-value.ts';
import { STOP_REASONS } from '../types/transaction.ts';

/** `meterStop` in Wh. A missing `reason` means Local. */
export const StopTransaction = operation('StopTransaction', 'ChargePoint', {
  req: object({
    idTag: optional(idToken),
    meterStop: integer,
    timestamp: dateTime,
    transactionId: integer,
    reason: optional(oneOf(...STOP_REASONS)),
    transactionData: optional(list(meterValue)),
  }),
  conf: object({ idTagInfo: optional(idTagInfo) }),
});
