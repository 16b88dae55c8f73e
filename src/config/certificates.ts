/** A file of PEM certificates that the configuration names. */
import { type Findings, type Reference, readReferenced } from './findings.ts';

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** One PEM text each; none after an error has been noted where the file is named. Whether a text is sound is seen when it is installed. */
export function readCertificates(findings: Findings, reference: Reference, file: string): readonly string[] {
  const text = readReferenced(findings, reference, file);
  if (text === undefined) return [];
  const certificates = text.match(CERTIFICATE) ?? [];
  const { document, path, hint = '-----BEGIN CERTIFICATE-----' } = reference;
  if (certificates.length === 0)
    findings.errors.push(document.problem(path, `${file} holds no certificate, expected PEM text`, hint));
  return certificates;
}
