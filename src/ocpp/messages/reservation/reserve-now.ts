/** OCPP 1.6 edition 2, sections 5.13, 6.37 and 6.38. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, oneOf, optional } from '../../vocabulary.ts';
import { idToken } from '../types/authorization.ts';
import { connectorId } from '../types/connector.ts';

export const ReserveNow = operation('ReserveNow', 'CentralSystem', {
  req: object({
    connectorId,
    expiryDate: dateTime,
    idTag: idToken,
    parentIdTag: optional(idToken),
    reservationId: integer,
  }),
  conf: object({ status: oneOf('Accepted', 'Faulted', 'Occupied', 'Rejected', 'Unavailable') }),
});
