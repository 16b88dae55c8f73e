/** Security whitepaper edition 3, M03, sections 5.7 and 5.8. */
import { operation } from '../../operation.ts';
import { list, object, oneOf, optional } from '../../vocabulary.ts';
import { CERTIFICATE_USES, certificateHashData } from '../types/certificate.ts';

export const GetInstalledCertificateIds = operation('GetInstalledCertificateIds', 'CentralSystem', {
  req: object({ certificateType: oneOf(...CERTIFICATE_USES) }),
  conf: object({ certificateHashData: optional(list(certificateHashData, 1)), status: oneOf('Accepted', 'NotFound') }),
});
