/** Security whitepaper edition 3, sections 6.1, 6.4 and 6.12: how a certificate is named and what it is for. */
import type * as v from 'valibot';
import { object, oneOf, text } from '../../vocabulary.ts';

export const CERTIFICATE_USES = ['CentralSystemRootCertificate', 'ManufacturerRootCertificate'] as const;
export type CertificateUse = (typeof CERTIFICATE_USES)[number];

const HASH_ALGORITHMS = ['SHA256', 'SHA384', 'SHA512'] as const;

export const certificateHashData = object({
  hashAlgorithm: oneOf(...HASH_ALGORITHMS),
  issuerNameHash: text(128),
  issuerKeyHash: text(128),
  serialNumber: text(40),
});
export type CertificateHashData = v.InferOutput<typeof certificateHashData>;

/** A PEM certificate or signing request. */
export const pem = text(5500);
