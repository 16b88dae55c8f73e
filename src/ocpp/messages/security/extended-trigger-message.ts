/** Security whitepaper edition 3, A02 and L01, sections 5.5, 5.6 and 6.17. */
import { operation } from '../../operation.ts';
import { object, oneOf, optional } from '../../vocabulary.ts';
import { connectorId } from '../types/connector.ts';
import { EXTENDED_MESSAGE_TRIGGERS } from '../types/trigger.ts';

export const ExtendedTriggerMessage = operation('ExtendedTriggerMessage', 'CentralSystem', {
  req: object({ requestedMessage: oneOf(...EXTENDED_MESSAGE_TRIGGERS), connectorId: optional(connectorId) }),
  conf: object({ status: oneOf('Accepted', 'Rejected', 'NotImplemented') }),
  toUnknown: { requestedMessage: { status: 'NotImplemented' } },
});
