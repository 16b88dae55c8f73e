/** Security whitepaper edition 3, L01, sections 5.19 and 5.20. */
import { operation } from '../../operation.ts';
import { integer, object, oneOf, optional } from '../../vocabulary.ts';
import { SIGNED_FIRMWARE_STATUSES } from '../types/firmware-status.ts';

export const SignedFirmwareStatusNotification = operation('SignedFirmwareStatusNotification', 'ChargePoint', {
  req: object({ status: oneOf(...SIGNED_FIRMWARE_STATUSES), requestId: optional(integer) }),
  conf: object({}),
});
