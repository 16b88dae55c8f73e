/** OCPP 1.6 edition 2, sections 4.6, 6.29 and 6.30. */
import { operation } from '../../operation.ts';
import { dateTime, object } from '../../vocabulary.ts';

export const Heartbeat = operation('Heartbeat', 'ChargePoint', {
  req: object({}),
  conf: object({ currentTime: dateTime }),
});
