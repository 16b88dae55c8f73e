/** Security whitepaper edition 3, A02 and A03, sections 5.1 and 5.2. */
import { operation } from '../../operation.ts';
import { object, oneOf, text } from '../../vocabulary.ts';

export const CertificateSigned = operation('CertificateSigned', 'CentralSystem', {
  req: object({ certificateChain: text(10_000) }),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});
