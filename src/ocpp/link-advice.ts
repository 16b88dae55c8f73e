/** Why there is no link, in one line that tells a technician what to look at. */
import type { DialFailure, SocketClosed } from '../ports.ts';

/** `tls`: the reason of the socket already names chain, host name or expiry. */
const ON_FAILURE: { readonly [failure in Exclude<DialFailure, 'httpStatus'>]: string } = {
  refused: 'nobody listens there: check host and port of the URL, and whether the central system runs',
  timeout: 'no answer: check host and port of the URL, firewall and mobile network',
  tls: 'TLS was refused: check the CA certificate, the host name in the URL and the clock',
  subprotocol:
    'the server does not speak ocpp1.6: check the path of the URL and the OCPP version of the central system',
  network: 'the connection could not be made: check the host name, DNS and the network',
};

/** What SteVe, CitrineOS and others mean by it (interoperability notes 2, 4, 7). */
const ON_HTTP_STATUS: { readonly [status: number]: string } = {
  400: 'check the identity (characters, length), the OCPP version that the central system expects, and whether it takes our certificate (security profile 3)',
  401: 'check AuthorizationKey and identity, and the security profile that the central system expects',
  403: 'the central system forbids this charge point: check identity, key and certificate',
  404: 'check the path of the URL, and whether the identity is registered in the central system',
  426: 'this is no WebSocket address: check the path of the URL',
  429: 'the central system asks for fewer connections',
};

const ON_CLOSE_CODE: { readonly [code: number]: string } = {
  1000: 'the central system closed the link',
  1001: 'the central system is going away',
  1002: 'the central system complains of a protocol error',
  1006: 'the connection broke without a farewell',
  1008: 'the central system closed the link by policy: check the identity, and whether another charge point uses it',
  1009: 'a message was too large',
  1011: 'the central system had an internal error',
  1012: 'the central system restarts',
  1013: 'the central system is overloaded',
};

function onHttpStatus(status: number): string {
  if (status >= 500) return 'the central system or a proxy before it has trouble';
  if (status >= 300 && status < 400) return 'redirects are not followed: enter the final URL';
  return 'check the path of the URL';
}

/** One line, without a full stop. */
export function adviceOn({ failure, httpStatus, code, reason }: SocketClosed): string {
  if (httpStatus !== undefined) return `HTTP ${httpStatus}: ${ON_HTTP_STATUS[httpStatus] ?? onHttpStatus(httpStatus)}`;
  const advice =
    failure === undefined || failure === 'httpStatus'
      ? (ON_CLOSE_CODE[code] ?? 'the link was closed')
      : ON_FAILURE[failure];
  return reason === '' ? `${advice} (${code})` : `${advice} (${code}: ${clean(reason)})`;
}

/** The reason comes from the other side. */
const clean = (reason: string): string => reason.slice(0, 200).replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
