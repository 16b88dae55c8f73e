/** OCPP 1.6 edition 2, sections 5.2, 6.7 and 6.8. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { AVAILABILITY_TYPES, connectorId } from '../types/connector.ts';

export const ChangeAvailability = operation('ChangeAvailability', 'CentralSystem', {
  req: object({ connectorId, type: oneOf(...AVAILABILITY_TYPES) }),
  conf: object({ status: oneOf('Accepted', 'Rejected', 'Scheduled') }),
});
