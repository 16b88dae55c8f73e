/** OCPP 1.6 edition 2, sections 5.3, 6.9 and 6.10. */
import { operation } from '../../operation.ts';
import { object, oneOf, text } from '../../vocabulary.ts';

/** `value` is longer than the 500 characters of section 6.9, as in the official schemas: certificates and lists need it. */
export const ChangeConfiguration = operation('ChangeConfiguration', 'CentralSystem', {
  req: object({ key: text(50), value: text(2048) }),
  conf: object({ status: oneOf('Accepted', 'Rejected', 'RebootRequired', 'NotSupported') }),
});
