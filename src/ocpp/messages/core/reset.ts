/** OCPP 1.6 edition 2, sections 5.14, 6.39 and 6.40. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';

export const Reset = operation('Reset', 'CentralSystem', {
  req: object({ type: oneOf('Hard', 'Soft') }),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});
