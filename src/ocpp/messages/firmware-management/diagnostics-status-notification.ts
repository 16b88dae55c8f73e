/** OCPP 1.6 edition 2, sections 4.4, 6.17 and 6.18. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { DIAGNOSTICS_STATUSES } from '../types/firmware-status.ts';

export const DiagnosticsStatusNotification = operation('DiagnosticsStatusNotification', 'ChargePoint', {
  req: object({ status: oneOf(...DIAGNOSTICS_STATUSES) }),
  conf: object({}),
});
