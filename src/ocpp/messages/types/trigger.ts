/** OCPP 1.6 edition 2, section 7.32; security whitepaper edition 3, section 6.16: what a charge point can be asked to send. */

export const MESSAGE_TRIGGERS = [
  'BootNotification',
  'DiagnosticsStatusNotification',
  'FirmwareStatusNotification',
  'Heartbeat',
  'MeterValues',
  'StatusNotification',
] as const;
export type MessageTrigger = (typeof MESSAGE_TRIGGERS)[number];

export const EXTENDED_MESSAGE_TRIGGERS = [
  'BootNotification',
  'FirmwareStatusNotification',
  'Heartbeat',
  'LogStatusNotification',
  'MeterValues',
  'SignChargePointCertificate',
  'StatusNotification',
] as const;
export type ExtendedMessageTrigger = (typeof EXTENDED_MESSAGE_TRIGGERS)[number];
