/** OCPP 1.6 edition 2, sections 5.12, 6.35 and 6.36. */
import { operation } from '../../operation.ts';
import { integer, object, oneOf } from '../../vocabulary.ts';

export const RemoteStopTransaction = operation('RemoteStopTransaction', 'CentralSystem', {
  req: object({ transactionId: integer }),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});
