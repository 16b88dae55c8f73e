/** Security whitepaper edition 3, A04, sections 5.15 and 5.16. */
import { operation } from '../../operation.ts';
import { dateTime, object, optional, text } from '../../vocabulary.ts';

export const SecurityEventNotification = operation('SecurityEventNotification', 'ChargePoint', {
  req: object({ type: text(50), timestamp: dateTime, techInfo: optional(text(255)) }),
  conf: object({}),
});
