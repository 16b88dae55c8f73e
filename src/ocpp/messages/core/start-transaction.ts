/** OCPP 1.6 edition 2, sections 4.8, 6.45 and 6.46. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, optional } from '../../vocabulary.ts';
import { idTagInfo, idToken } from '../types/authorization.ts';
import { connectorId } from '../types/connector.ts';

/** `meterStart` in Wh. */
export const StartTransaction = operation('StartTransaction', 'ChargePoint', {
  req: object({
    connectorId,
    idTag: idToken,
    meterStart: integer,
    reservationId: optional(integer),
    timestamp: dateTime,
  }),
  conf: object({ idTagInfo, transactionId: integer }),
});
