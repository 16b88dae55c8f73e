/** OCPP 1.6 edition 2, sections 7.24 and 7.25; security whitepaper edition 3, sections 6.8 and 6.19: how a transfer goes. */

export const DIAGNOSTICS_STATUSES = ['Idle', 'Uploaded', 'UploadFailed', 'Uploading'] as const;

export const UPLOAD_LOG_STATUSES = [
  'BadMessage',
  'Idle',
  'NotSupportedOperation',
  'PermissionDenied',
  'Uploaded',
  'UploadFailure',
  'Uploading',
] as const;
export type UploadLogStatus = (typeof UPLOAD_LOG_STATUSES)[number];

export const FIRMWARE_STATUSES = [
  'Downloaded',
  'DownloadFailed',
  'Downloading',
  'Idle',
  'InstallationFailed',
  'Installing',
  'Installed',
] as const;
export type FirmwareStatus = (typeof FIRMWARE_STATUSES)[number];

export const SIGNED_FIRMWARE_STATUSES = [
  ...FIRMWARE_STATUSES,
  'DownloadScheduled',
  'DownloadPaused',
  'InstallRebooting',
  'InstallScheduled',
  'InstallVerificationFailed',
  'InvalidSignature',
  'SignatureVerified',
] as const;
export type SignedFirmwareStatus = (typeof SIGNED_FIRMWARE_STATUSES)[number];
