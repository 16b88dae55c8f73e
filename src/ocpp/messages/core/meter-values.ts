/** OCPP 1.6 edition 2, sections 4.7, 6.31 and 6.32. */
import { operation } from '../../operation.ts';
import { integer, list, object, optional } from '../../vocabulary.ts';
import { connectorId } from '../types/connector.ts';
import { meterValue } from '../types/meter-value.ts';

export const MeterValues = operation('MeterValues', 'ChargePoint', {
  req: object({ connectorId, transactionId: optional(integer), meterValue: list(meterValue) }),
  conf: object({}),
});
