/** The configuration keys of the certificates (security whitepaper, section 7). */
import { boolean, integer, type KeyType, key } from '../keys.ts';

export const additionalRootCertificateCheck = key('AdditionalRootCertificateCheck', boolean(), {
  default: false,
  access: 'R',
});

/** Characters, of CertificateSigned.req. */
export const certificateSignedMaxChainSize = key('CertificateSignedMaxChainSize', integer(1, 10_000), {
  default: 10_000,
  access: 'R',
});

/** Roots of both uses together. */
export const certificateStoreMaxLength = key('CertificateStoreMaxLength', integer(1, 1000), {
  default: 20,
  access: 'R',
});

/** RFC 5280, ub-organization-name; the value goes into each signing request. */
const LONGEST_ORGANIZATION = 64;

const organization = (): KeyType<string> => ({
  expected: `at most ${LONGEST_ORGANIZATION} characters, none of them a control character`,
  parse: (text) => {
    const name = text.trim();
    return name.length <= LONGEST_ORGANIZATION && !/\p{Cc}/u.test(name) ? name : undefined;
  },
  format: (name) => name,
});

export const cpoName = key('CpoName', organization(), { default: '' });
