/** The `Sockets` port over ws: WebSocket connections as a client, plain or with TLS. */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type ConnectionOptions, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import WebSocket, { type ClientOptions } from 'ws';
import type { DialFailure, DialRequest, Socket, SocketClosed, SocketEvents, Sockets } from '../ports.ts';
import { OnePerTurn } from './one-per-turn.ts';

/** Far above any OCPP 1.6 message; a larger one closes the connection with 1009. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
/** A server that goes on asking but does not read the answers must not fill our memory. */
export const MAX_UNSENT_BYTES = 2 * MAX_PAYLOAD_BYTES;
const CLOSE_WITHIN_MS = 2_000;
const ABNORMAL = 1006;
/** What `update-ca-certificates` maintains on Debian and Raspberry Pi OS. */
const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

const FAILURES: { readonly [code: string]: DialFailure } = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EPROTO: 'tls',
};

/** OpenSSL's verdicts and Node's own that are no plain network trouble. */
const TLS_CODES = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_)/;

const TLS_HINTS: { readonly [code: string]: string } = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
  CERT_HAS_EXPIRED: 'the certificate has expired, or our clock is wrong',
  CERT_NOT_YET_VALID: 'the certificate is not yet valid, or our clock is wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not among the trusted ones',
  SELF_SIGNED_CERT_IN_CHAIN: 'the root of the chain is not among the trusted ones',
  UNABLE_TO_GET_ISSUER_CERT: 'the chain is incomplete',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer is not among the trusted ones',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'an intermediate certificate is missing, or the issuer is not trusted',
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
      const { failure, reason } = classify(error);
      setImmediate(() => events.closed({ failure, code: ABNORMAL, reason }));
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
      this.#context = createSecureContext({
        minVersion: 'TLSv1.2',
        ca: [...systemAuthorities(), ...certificateAuthorities],
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate.chain, key: clientCertificate.key }),
      });
      this.#key = key;
    }
    return this.#context;
  }
}

/** Those of the machine, else those that Node brings along; `ca` would replace NODE_EXTRA_CA_CERTS, so it is added again. */
function systemAuthorities(): readonly string[] {
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

interface Failed {
  readonly failure: DialFailure;
  readonly reason: string;
  readonly httpStatus?: number;
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
    });
    socket.on('unexpected-response', (_request, { statusCode = 0, statusMessage = '' }: IncomingMessage) => {
      this.#fail({ failure: 'httpStatus', httpStatus: statusCode, reason: `HTTP ${statusCode} ${statusMessage}` });
      socket.terminate();
    });
    socket.on('open', () => {
      clearTimeout(this.#timer);
      this.#opened = true;
      events.opened();
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
      : classify(error);
  }

  #closed(code: number, reason: string): SocketClosed {
    if (this.#opened) return { code, reason: reason === '' ? (this.#failed?.reason ?? '') : reason };
    return { code: ABNORMAL, ...(this.#failed ?? { failure: 'network', reason: 'closed while dialling' }) };
  }
}

const DEAD_SOCKET: Socket = { send: () => {}, ping: () => {}, close: () => {}, terminate: () => {} };

/** By the code of the error, never by its text. */
function classify(error: unknown): Failed {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const name = typeof code === 'string' ? code : '';
  const failure = FAILURES[name] ?? (TLS_CODES.test(name) ? 'tls' : 'network');
  const text = typeof message === 'string' && message !== '' ? message : 'unknown trouble';
  // A happy-eyeballs dial fails with an AggregateError that has a code but no message.
  const hint = TLS_HINTS[name] ?? text;
  return { failure, reason: name === '' ? hint : `${name}: ${hint}` };
}

/** A close frame has room for 123 bytes of reason. */
const clipReason = (reason: string): string => Buffer.from(reason).subarray(0, 120).toString('utf8');
