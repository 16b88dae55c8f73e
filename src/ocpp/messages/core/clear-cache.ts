/** OCPP 1.6 edition 2, sections 5.4, 6.11 and 6.12. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';

export const ClearCache = operation('ClearCache', 'CentralSystem', {
  req: object({}),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});
