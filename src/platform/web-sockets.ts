/** The `Sockets` port over ws: WebSocket connections as a client, plain or with TLS. */
import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import {
  type ConnectionOptions,
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import WebSocket, { type ClientOptions } from 'ws';
import type { DialFailure, DialRequest, Socket, SocketClosed, SocketEvents, Sockets, TlsVerdict } from '../ports.ts';
import { OnePerTurn } from './one-per-turn.ts';
import { SECURITY_LEVEL, systemAuthorities, TLS_CODES, TLS_HINTS } from './trusted-authorities.ts';

/** Far above any OCPP 1.6 message; a larger one closes the connection with 1009. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
/** A server that goes on asking but does not read the answers must not fill our memory. */
export const MAX_UNSENT_BYTES = 2 * MAX_PAYLOAD_BYTES;
const CLOSE_WITHIN_MS = 2_000;
const ABNORMAL = 1006;

const FAILURES: { readonly [code: string]: DialFailure } = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EPROTO: 'tls',
};

/** Forward secrecy first; those with RSA as key exchange because A00.FR.317 asks a central system for no others with an RSA certificate. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  SECURITY_LEVEL,
].join(':');

/** OpenSSL numbers an alert of the other side 1000 above what RFC 8446 section 6 calls it. */
const ALERTS: { readonly [number: number]: TlsVerdict } = {
  1040: 'cipherSuite',
  1042: 'refusedUs',
  1043: 'refusedUs',
  1044: 'refusedUs',
  1045: 'refusedUs',
  1046: 'refusedUs',
  1048: 'refusedUs',
  1049: 'refusedUs',
  1070: 'version',
  1071: 'cipherSuite',
  1116: 'refusedUs',
  // SSL_R_UNSUPPORTED_PROTOCOL and SSL_R_VERSION_TOO_LOW.
  258: 'version',
  396: 'version',
};
const VERDICTS: readonly (readonly [codes: RegExp, verdict: TlsVerdict])[] = [
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'validity'],
  [
    /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_|ERR_TLS_CERT_|PATH_LENGTH_|ERROR_IN_|UNSPECIFIED$)/,
    'certificate',
  ],
];
const VERDICT_HINTS: { readonly [verdict in TlsVerdict]?: string } = {
  version: 'the server speaks neither TLS 1.2 nor 1.3',
  cipherSuite: 'the server and we have no cipher suite in common',
  refusedUs: 'the server does not take the certificate of the charge point',
};

/** Connections of one process. Whether the network is up is not known here: a dial will tell. */
export class WebSockets implements Sockets {
  readonly reachable = true;
  readonly #contexts = new ContextCache();

  onReachable(): () => void {
    return () => {};
  }

  dial(request: DialRequest, events: SocketEvents): Socket {
    try {
      const socket = new WebSocket(request.url, [request.subprotocol], this.#options(request));
      return new ClientSocket(socket, request, events);
    } catch (error) {
      // A malformed URL, certificate or key.
      const failed = classify(error);
      setImmediate(() => events.closed({ code: ABNORMAL, ...failed }));
      return DEAD_SOCKET;
    }
  }

  #options(request: DialRequest): ClientOptions {
    const { basicAuth } = request;
    return {
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
      followRedirects: false,
      ...(basicAuth === undefined ? {} : { headers: { Authorization: basicHeader(basicAuth) } }),
      ...(request.url.startsWith('wss:') ? this.#tls(request) : {}),
    };
  }

  #tls(request: DialRequest): ClientOptions {
    const options: ConnectionOptions = {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      secureContext: this.#contexts.of(request),
      ...(request.verifyHostname === false ? { checkServerIdentity: () => undefined } : {}),
    };
    // ws hands all of its options on to `tls.connect`; its types know only some, and one of them wrongly.
    return options as unknown as ClientOptions;
  }
}

/** The password is bytes, which need not be UTF-8 (OCPP-J section 6.2.2: the AuthorizationKey is hexadecimal for them). */
function basicHeader({ user, password }: NonNullable<DialRequest['basicAuth']>): string {
  return `Basic ${Buffer.concat([Buffer.from(`${user}:`), password]).toString('base64')}`;
}

/**
 * A TLS context costs some 50 ms on a Pi (it parses every authority), so it is made once for each set of certificates;
 * a reconnect in the middle of a transaction does not pay for it.
 */
class ContextCache {
  #key: string | undefined;
  #context: SecureContext | undefined;

  of({ certificateAuthorities = [], clientCertificate }: DialRequest): SecureContext {
    const key = JSON.stringify([certificateAuthorities, clientCertificate]);
    if (this.#context === undefined || this.#key !== key) {
      this.#context = secureContext({ certificateAuthorities, clientCertificate });
      this.#key = key;
    }
    return this.#context;
  }
}

/** Whom a dial trusts, and what it speaks. Throws for a malformed certificate or key. */
export function secureContext({
  certificateAuthorities = [],
  clientCertificate,
}: {
  readonly [name in 'certificateAuthorities' | 'clientCertificate']?: DialRequest[name] | undefined;
}): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    ca: [...systemAuthorities(), ...certificateAuthorities],
    // A new root that its predecessor has signed is an anchor of its own (whitepaper 7.1), and not self-signed.
    allowPartialTrustChain: true,
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate.chain, key: clientCertificate.key }),
  });
}

export interface Failed {
  readonly failure: DialFailure;
  readonly reason: string;
  readonly httpStatus?: number;
  readonly tls?: TlsVerdict;
}

class ClientSocket implements Socket {
  readonly #socket: WebSocket;
  readonly #request: DialRequest;
  /** One frame a turn; TCP holds back whoever sends more. */
  readonly #turns = new OnePerTurn((congested) => (congested ? this.#socket.pause() : this.#socket.resume()));
  #opened = false;
  #dropped = false;
  /** The first cause counts; what follows from it is noise. */
  #failed: Failed | undefined;
  /** What the server chose; undefined until it has switched protocols. */
  #chosen: { readonly subprotocol: string | undefined } | undefined;
  #verified: readonly string[] | undefined;
  #timer: NodeJS.Timeout;

  constructor(socket: WebSocket, request: DialRequest, events: SocketEvents) {
    this.#socket = socket;
    this.#request = request;
    this.#timer = setTimeout(() => {
      this.#fail({ failure: 'timeout', reason: `no handshake within ${request.handshakeTimeoutMs} ms` });
      socket.terminate();
    }, request.handshakeTimeoutMs);
    socket.on('upgrade', (response: IncomingMessage) => {
      this.#chosen = { subprotocol: response.headers['sec-websocket-protocol'] };
      if (request.url.startsWith('wss:')) this.#verified = chainOf(response.socket as TLSSocket);
    });
    socket.on('unexpected-response', (_request, { statusCode = 0, statusMessage = '' }: IncomingMessage) => {
      this.#fail({ failure: 'httpStatus', httpStatus: statusCode, reason: `HTTP ${statusCode} ${statusMessage}` });
      socket.terminate();
    });
    socket.on('open', () => {
      clearTimeout(this.#timer);
      this.#opened = true;
      if (this.#verified === undefined) events.opened();
      else events.opened(this.#verified);
    });
    socket.on('message', (data) => {
      // A binary frame is wrong in OCPP-J, but some proxies make one of a text.
      if (Buffer.isBuffer(data) && !this.#dropped) this.#turns.run(() => events.received(data.toString('utf8')));
    });
    socket.on('pong', () => events.pong());
    socket.on('error', (error) => this.#fail(this.#classify(error)));
    socket.once('close', (code, reason) => {
      clearTimeout(this.#timer);
      this.#turns.run(() => events.closed(this.#closed(code, reason.toString('utf8'))));
    });
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#fail({ failure: 'network', reason: 'the server does not read what we send' });
      this.terminate();
      return;
    }
    // A failed write ends in `closed`.
    this.#socket.send(text, () => {});
  }

  ping(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.ping(undefined, undefined, () => {});
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close(code, clipReason(reason));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.terminate(), CLOSE_WITHIN_MS);
  }

  terminate(): void {
    // ws still hands over what has arrived.
    this.#dropped = true;
    this.#turns.clear();
    this.#socket.terminate();
  }

  #fail(failed: Failed): void {
    this.#failed ??= failed;
  }

  #classify(error: unknown): Failed {
    const wrongSubprotocol = this.#chosen !== undefined && this.#chosen.subprotocol !== this.#request.subprotocol;
    return wrongSubprotocol
      ? { failure: 'subprotocol', reason: `the server chose ${this.#chosen?.subprotocol ?? 'no subprotocol'}` }
      : classify(error, this.#request.clientCertificate !== undefined);
  }

  #closed(code: number, reason: string): SocketClosed {
    if (this.#opened) return { code, reason: reason === '' ? (this.#failed?.reason ?? '') : reason };
    return { code: ABNORMAL, ...(this.#failed ?? { failure: 'network', reason: 'closed while dialling' }) };
  }
}

/** Node completes what the server has sent with the authority that it found among the trusted ones. */
function chainOf(socket: TLSSocket): readonly string[] {
  const fingerprints: string[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.fingerprint256 !== undefined) {
    const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    if (fingerprints.includes(fingerprint)) break;
    fingerprints.push(fingerprint);
    certificate = certificate.issuerCertificate;
  }
  return fingerprints;
}

const DEAD_SOCKET: Socket = { send: () => {}, ping: () => {}, close: () => {}, terminate: () => {} };

/** By the code of the error, never by its words. `showsCertificate`: a handshake that just fails may be about our certificate. */
export function classify(error: unknown, showsCertificate = false): Failed {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const name = typeof code === 'string' ? code : '';
  const failure = FAILURES[name] ?? (TLS_CODES.test(name) ? 'tls' : 'network');
  const text = typeof message === 'string' && message !== '' ? message : 'unknown trouble';
  const verdict = VERDICTS.find(([codes]) => codes.test(name))?.[1] ?? ALERTS[opensslReason(text)];
  const tls = failure !== 'tls' || (verdict === 'cipherSuite' && showsCertificate) ? undefined : verdict;
  // A happy-eyeballs dial fails with an AggregateError that has a code but no message.
  const hint = TLS_HINTS[name] ?? (tls === undefined ? undefined : VERDICT_HINTS[tls]) ?? text;
  return { failure, ...(tls === undefined ? {} : { tls }), reason: name === '' ? hint : `${name}: ${hint}` };
}

/** EPROTO has the number of OpenSSL's error in its text only; the lower 23 bits are the reason. NaN without one. */
function opensslReason(text: string): number {
  const number = /:error:([\dA-F]{8}):/i.exec(text)?.[1];
  return number === undefined ? Number.NaN : Number.parseInt(number, 16) % 2 ** 23;
}

/** A close frame has room for 123 bytes of reason. */
const clipReason = (reason: string): string => Buffer.from(reason).subarray(0, 120).toString('utf8');
