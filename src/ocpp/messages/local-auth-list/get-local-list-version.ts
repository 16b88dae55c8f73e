/** OCPP 1.6 edition 2, sections 5.10, 6.27 and 6.28. */
import { operation } from '../../operation.ts';
import { integer, object } from '../../vocabulary.ts';

/** `listVersion` is 0 for an empty list and -1 where there can be none. */
export const GetLocalListVersion = operation('GetLocalListVersion', 'CentralSystem', {
  req: object({}),
  conf: object({ listVersion: integer }),
});
