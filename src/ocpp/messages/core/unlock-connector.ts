/** OCPP 1.6 edition 2, sections 5.18, 6.53 and 6.54. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { connectorId } from '../types/connector.ts';

export const UnlockConnector = operation('UnlockConnector', 'CentralSystem', {
  req: object({ connectorId }),
  conf: object({ status: oneOf('Unlocked', 'UnlockFailed', 'NotSupported') }),
});
