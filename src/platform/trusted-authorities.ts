/** Whom a TLS client trusts, with which keys, and how OpenSSL's verdicts read; shared by the WebSockets and the transfers. */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** What `update-ca-certificates` maintains on Debian and Raspberry Pi OS. */
const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * The last word of a list of cipher suites: RSA from 2048 bits, elliptic curves from 224, no SHA-1 in the whole chain (A00.FR.502 to 504).
 * The default of Node 20 takes RSA with 1024.
 */
export const SECURITY_LEVEL = '@SECLEVEL=2';

/** OpenSSL's verdicts and Node's own that are no plain network trouble. UNSPECIFIED is what Node calls all those it has no name for. */
export const TLS_CODES =
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH_|ERROR_IN_|UNSPECIFIED$)/;

export const TLS_HINTS: { readonly [code: string]: string } = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
  CERT_HAS_EXPIRED: 'the certificate has expired, or our clock is wrong',
  CERT_NOT_YET_VALID: 'the certificate is not yet valid, or our clock is wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not among the trusted ones',
  SELF_SIGNED_CERT_IN_CHAIN: 'the root of the chain is not among the trusted ones',
  INVALID_PURPOSE:
    'a root or an intermediate certificate does not say that it may sign (basicConstraints, keyUsage), or that of the server is for another purpose (extendedKeyUsage)',
  INVALID_CA: 'a certificate of the chain signs, but is no CA',
  PATH_LENGTH_EXCEEDED: 'a CA of the chain may not have so many others below it',
  UNABLE_TO_GET_ISSUER_CERT: 'the chain is incomplete',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'the issuer is not among the trusted ones, or an intermediate certificate is missing',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'an intermediate certificate is missing, or the issuer is not trusted',
};

/** Those of the machine, else those that Node brings along; `ca` would replace NODE_EXTRA_CA_CERTS, so it is added again. */
export function systemAuthorities(): readonly string[] {
  const extra = process.env['NODE_EXTRA_CA_CERTS'];
  const system = readIfPresent(SYSTEM_AUTHORITIES);
  return [
    ...(system === undefined ? rootCertificates : [system]),
    ...(extra === undefined ? [] : [readIfPresent(extra) ?? '']),
  ].filter((pem) => pem !== '');
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
