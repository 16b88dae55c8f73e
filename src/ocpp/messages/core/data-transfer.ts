/** OCPP 1.6 edition 2, sections 4.3, 5.6, 6.15 and 6.16. */
import { operation } from '../../operation.ts';
import { anyText, object, oneOf, optional, text } from '../../vocabulary.ts';

export const DataTransfer = operation('DataTransfer', 'Both', {
  req: object({ vendorId: text(255), messageId: optional(text(50)), data: optional(anyText) }),
  conf: object({
    status: oneOf('Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'),
    data: optional(anyText),
  }),
});
