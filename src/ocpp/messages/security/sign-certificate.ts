/** Security whitepaper edition 3, A02 and A03, sections 5.17 and 5.18. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { pem } from '../types/certificate.ts';

export const SignCertificate = operation('SignCertificate', 'ChargePoint', {
  req: object({ csr: pem }),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});
