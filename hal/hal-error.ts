/** The one error class of the hardware layer; matched by `code`, never by its text. */

export type HalErrorCode =
  | 'meterSilent'
  | 'meterImplausible'
  | 'busClosed'
  | 'badReply'
  | 'noSuchLine'
  | 'lineBusy'
  | 'noPermission'
  | 'noSuchPwm'
  | 'pwmBusy'
  | 'noSuchAdc'
  | 'driverMissing'
  | 'badBoard';

export class HalError extends Error {
  readonly code: HalErrorCode;
  constructor(code: HalErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'HalError';
    this.code = code;
  }
}
