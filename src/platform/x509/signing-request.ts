/** PKCS#10 certificate signing requests (RFC 2986). */
import { Buffer } from 'node:buffer';
import { createPublicKey } from 'node:crypto';
import type { CertificateSubject, KeyKind, KeyStore, StoredKey } from '../../ports.ts';
import {
  BIT_STRING,
  BOOLEAN,
  context,
  INTEGER,
  OCTET_STRING,
  SEQUENCE,
  SET,
  UTF8_STRING,
  writeDer,
  writeObjectIdentifier,
} from './der.ts';
import { COMMON_NAME, ORGANIZATION } from './name.ts';
import { toPem } from './pem.ts';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const NULL = Buffer.from([0x05, 0x00]);
const TRUE = writeDer(BOOLEAN, Buffer.from([0xff]));
/** The first bit of KeyUsage, seven unused ones after it: all that a TLS client with an ephemeral key exchange does. */
const DIGITAL_SIGNATURE = writeDer(BIT_STRING, Buffer.from([0x07, 0x80]));

const SIGNATURES: { readonly [kind in KeyKind]: Buffer } = {
  ecP256: writeDer(SEQUENCE, writeObjectIdentifier('1.2.840.10045.4.3.2')),
  // Every authority takes this one; the signature only proves that we have the key.
  rsa2048: writeDer(SEQUENCE, writeObjectIdentifier('1.2.840.113549.1.1.11'), NULL),
};

/** See `Certificates.signingRequest`. */
export async function signingRequest(
  subject: CertificateSubject,
  key: StoredKey,
  keys: Pick<KeyStore, 'sign'>,
): Promise<string | undefined> {
  const content = writeDer(
    SEQUENCE,
    writeDer(INTEGER, Buffer.from([0])),
    writeSubject(subject),
    createPublicKey(key.publicKey).export({ type: 'spki', format: 'der' }),
    writeDer(context(0), wishes()),
  );
  const signature = await keys.sign(key.id, content);
  if (signature === undefined) return undefined;
  const signed = writeDer(SEQUENCE, content, SIGNATURES[key.kind], writeDer(BIT_STRING, Buffer.from([0]), signature));
  return toPem('CERTIFICATE REQUEST', signed);
}

function writeSubject({ commonName, organization }: CertificateSubject): Buffer {
  const attribute = (type: string, value: string) =>
    writeDer(SET, writeDer(SEQUENCE, writeObjectIdentifier(type), writeDer(UTF8_STRING, Buffer.from(value))));
  const owner = organization === undefined ? [] : [attribute(ORGANIZATION, organization)];
  return writeDer(SEQUENCE, ...owner, attribute(COMMON_NAME, commonName));
}

/** A00.FR.512: the uses that the authority is asked to restrict the certificate to. */
function wishes(): Buffer {
  const keyUsage = writeDer(
    SEQUENCE,
    writeObjectIdentifier(KEY_USAGE),
    TRUE,
    writeDer(OCTET_STRING, DIGITAL_SIGNATURE),
  );
  const client = writeDer(SEQUENCE, writeObjectIdentifier(CLIENT_AUTHENTICATION));
  const extended = writeDer(SEQUENCE, writeObjectIdentifier(EXTENDED_KEY_USAGE), writeDer(OCTET_STRING, client));
  return writeDer(
    SEQUENCE,
    writeObjectIdentifier(EXTENSION_REQUEST),
    writeDer(SET, writeDer(SEQUENCE, keyUsage, extended)),
  );
}
