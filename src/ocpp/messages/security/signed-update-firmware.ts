/** Security whitepaper edition 3, L01, sections 5.21 and 5.22. */
import { operation } from '../../operation.ts';
import { dateTime, integer, object, oneOf, optional, text } from '../../vocabulary.ts';
import { pem } from '../types/certificate.ts';

/** Section 6.9. */
const firmware = object({
  location: text(512),
  retrieveDateTime: dateTime,
  installDateTime: optional(dateTime),
  signingCertificate: pem,
  signature: text(800),
});

/** `retryInterval` in seconds. */
export const SignedUpdateFirmware = operation('SignedUpdateFirmware', 'CentralSystem', {
  req: object({ retries: optional(integer), retryInterval: optional(integer), requestId: integer, firmware }),
  conf: object({
    status: oneOf('Accepted', 'Rejected', 'AcceptedCanceled', 'InvalidCertificate', 'RevokedCertificate'),
  }),
});
