/** Certificates that openssl made (fixtures/x509/make.sh), by the names of their files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from '../../../src/platform/x509/certificates.ts';
import type { Certificate } from '../../../src/ports.ts';

export const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../fixtures/x509', name), 'utf8');

/** One certificate of a PEM text. Throws if it is none. */
export async function certificateIn(pem: string): Promise<Certificate> {
  const read = await certificates.read(pem);
  if (!read.ok) throw new Error(`no certificate: ${read.reason}`);
  return read.certificates[0];
}

export const certificate = (name: string): Promise<Certificate> => certificateIn(fixture(`${name}.pem`));
