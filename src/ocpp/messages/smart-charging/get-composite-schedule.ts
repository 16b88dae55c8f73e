/** OCPP 1.6 edition 2, sections 5.7, 6.21 and 6.22. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, oneOf, optional } from '../../vocabulary.ts';
import { CHARGING_RATE_UNITS, chargingSchedule } from '../types/charging-profile.ts';
import { connectorId } from '../types/connector.ts';

/** `duration` in seconds. */
export const GetCompositeSchedule = operation('GetCompositeSchedule', 'CentralSystem', {
  req: object({ connectorId, duration: integer, chargingRateUnit: optional(oneOf(...CHARGING_RATE_UNITS)) }),
  conf: object({
    status: oneOf('Accepted', 'Rejected'),
    connectorId: optional(connectorId),
    scheduleStart: optional(dateTime),
    chargingSchedule: optional(chargingSchedule),
  }),
});
