/** OCPP 1.6 edition 2, sections 5.1, 6.5 and 6.6. */
import { operation } from '../../operation.ts';
import { integer, object, oneOf } from '../../vocabulary.ts';

export const CancelReservation = operation('CancelReservation', 'CentralSystem', {
  req: object({ reservationId: integer }),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});
