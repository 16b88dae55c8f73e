/** OCPP 1.6 edition 2, sections 4.5, 6.19 and 6.20. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { FIRMWARE_STATUSES } from '../types/firmware-status.ts';

export const FirmwareStatusNotification = operation('FirmwareStatusNotification', 'ChargePoint', {
  req: object({ status: oneOf(...FIRMWARE_STATUSES) }),
  conf: object({}),
});
