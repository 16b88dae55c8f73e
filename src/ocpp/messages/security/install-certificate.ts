/** Security whitepaper edition 3, M05, sections 5.11 and 5.12. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { CERTIFICATE_USES, pem } from '../types/certificate.ts';

export const InstallCertificate = operation('InstallCertificate', 'CentralSystem', {
  req: object({ certificateType: oneOf(...CERTIFICATE_USES), certificate: pem }),
  conf: object({ status: oneOf('Accepted', 'Failed', 'Rejected') }),
});
