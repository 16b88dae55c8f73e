/** TLS as every transfer wants it: 1.2 or later, chain and host verified, no weak key in the chain. */
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import { SECURITY_LEVEL, systemAuthorities } from '../trusted-authorities.ts';

/** Parses some hundred authorities: once for a transfer, and only if it needs TLS. Throws OpenSSL's error for a PEM text that is none. */
export class Trust {
  readonly #authorities: readonly string[];
  #options: ConnectionOptions | undefined;

  constructor(authorities: readonly string[] = []) {
    this.#authorities = authorities;
  }

  of(host: string): ConnectionOptions {
    this.#options ??= {
      rejectUnauthorized: true,
      secureContext: createSecureContext({
        minVersion: 'TLSv1.2',
        // Every suite of Node: a file server is not the central system, of which A00.FR.317 says which.
        ciphers: `${DEFAULT_CIPHERS}:${SECURITY_LEVEL}`,
        ca: [...systemAuthorities(), ...this.#authorities],
        // As on the link to the central system: a new root that its predecessor has signed is an anchor of its own (M05).
        allowPartialTrustChain: true,
      }),
    };
    return { ...this.#options, host, ...(isIP(host) === 0 ? { servername: host } : {}) };
  }
}
