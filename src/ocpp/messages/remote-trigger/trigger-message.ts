/** OCPP 1.6 edition 2, sections 5.17, 6.51 and 6.52. */
import { operation } from '../../operation.ts';
import { object, oneOf, optional } from '../../vocabulary.ts';
import { connectorId } from '../types/connector.ts';
import { MESSAGE_TRIGGERS } from '../types/trigger.ts';

export const TriggerMessage = operation('TriggerMessage', 'CentralSystem', {
  req: object({ requestedMessage: oneOf(...MESSAGE_TRIGGERS), connectorId: optional(connectorId) }),
  conf: object({ status: oneOf('Accepted', 'Rejected', 'NotImplemented') }),
  toUnknown: { requestedMessage: { status: 'NotImplemented' } },
});
