/** The connection URL of OCPP-J 1.6, section 3.1.1: the endpoint of the central system with the identity behind its path. */

/**
 * Path and query of `endpoint` stay, a slash at the end of the path is not doubled, and the identity is percent-encoded as
 * one segment. `tls` decides between ws and wss, whatever the endpoint says. Throws a TypeError if `endpoint` is no URL.
 */
export function connectionUrl(endpoint: string, identity: string, tls: boolean): string {
  const url = new URL(endpoint.replace(/^(https?|wss?):/i, tls ? 'wss:' : 'ws:'));
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${encodeURIComponent(identity)}`;
  url.hash = '';
  return url.href;
}

/** An address as it is told: its query may be a key. */
export const spoken = (url: string): string => url.replace(/\?.*$/s, '?***');
