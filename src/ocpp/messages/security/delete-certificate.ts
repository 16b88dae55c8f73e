/** Security whitepaper edition 3, M04, sections 5.3 and 5.4. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { certificateHashData } from '../types/certificate.ts';

export const DeleteCertificate = operation('DeleteCertificate', 'CentralSystem', {
  req: object({ certificateHashData }),
  conf: object({ status: oneOf('Accepted', 'Failed', 'NotFound') }),
});
