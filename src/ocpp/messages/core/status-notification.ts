/** OCPP 1.6 edition 2, sections 4.9, 6.47 and 6.48. */
import { operation } from '../../operation.ts';
import { dateTime, object, oneOf, optional, text } from '../../vocabulary.ts';
import { CHARGE_POINT_ERROR_CODES, CHARGE_POINT_STATUSES, connectorId } from '../types/connector.ts';

export const StatusNotification = operation('StatusNotification', 'ChargePoint', {
  req: object({
    connectorId,
    errorCode: oneOf(...CHARGE_POINT_ERROR_CODES),
    info: optional(text(100)),
    status: oneOf(...CHARGE_POINT_STATUSES),
    timestamp: optional(dateTime),
    vendorId: optional(text(255)),
    vendorErrorCode: optional(text(50)),
  }),
  conf: object({}),
});
