/** OCPP 1.6 edition 2, sections 4.1, 6.1 and 6.2. */
import { operation } from '../../operation.ts';
import { object } from '../../vocabulary.ts';
import { idTagInfo, idToken } from '../types/authorization.ts';

export const Authorize = operation('Authorize', 'ChargePoint', {
  req: object({ idTag: idToken }),
  conf: object({ idTagInfo }),
});
