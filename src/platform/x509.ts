/** The `Certificates` port of a running agent: nothing of it is loaded before somebody asks for a certificate. */
import type { Certificates } from '../ports.ts';

const load = async (): Promise<Certificates> => (await import('./x509/certificates.ts')).certificates;

export const nodeCertificates: Certificates = {
  read: async (pem) => (await load()).read(pem),
  hash: async (algorithm, certificate, issuer) => (await load()).hash(algorithm, certificate, issuer),
  verifyChain: async (chain, anchors, now) => (await load()).verifyChain(chain, anchors, now),
  signingRequest: async (subject, key, keys) => (await load()).signingRequest(subject, key, keys),
  belongsTo: async (certificate, key) => (await load()).belongsTo(certificate, key),
  verifySignature: async (certificate, data, signature) => (await load()).verifySignature(certificate, data, signature),
};
