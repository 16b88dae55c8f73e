/** OCPP 1.6 edition 2, sections 4.2, 6.3 and 6.4. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, oneOf, optional, text } from '../../vocabulary.ts';

const REGISTRATION_STATUSES = ['Accepted', 'Pending', 'Rejected'] as const;
export type RegistrationStatus = (typeof REGISTRATION_STATUSES)[number];

/** `interval` in seconds: between heartbeats once Accepted, before the next try otherwise; 0 leaves it to the charge point. */
export const BootNotification = operation('BootNotification', 'ChargePoint', {
  req: object({
    chargeBoxSerialNumber: optional(text(25)),
    chargePointModel: text(20),
    chargePointSerialNumber: optional(text(25)),
    chargePointVendor: text(20),
    firmwareVersion: optional(text(50)),
    iccid: optional(text(20)),
    imsi: optional(text(20)),
    meterSerialNumber: optional(text(25)),
    meterType: optional(text(25)),
  }),
  conf: object({ status: oneOf(...REGISTRATION_STATUSES), currentTime: dateTime, interval: integer }),
});
