/** The way to a server, one stretch at a time, for a technician: name, TCP connection, TLS handshake with the whole chain. */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { type DetailedPeerCertificate, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { DialRequest, TlsVerdict } from '../ports.ts';
import { classify, secureContext } from './web-sockets.ts';

export interface Endpoint {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Throws a TypeError if it is no URL. */
export function endpointOf(url: string): Endpoint {
  const { hostname, port, protocol } = new URL(url);
  const tls = protocol === 'wss:';
  const usual = tls ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port), tls };
}

/** What went wrong by the code of the system or of OpenSSL, and in words. */
export interface Trouble {
  readonly code: string;
  readonly text: string;
}

const troubleOf = (error: unknown): Trouble => {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : '', text: typeof message === 'string' ? message : String(error) };
};

export type Found = { readonly addresses: readonly string[] } | { readonly trouble: Trouble };

/** As the dial will look it up. Never rejects. */
export async function lookUp(host: string, withinMs: number): Promise<Found> {
  const tooLate = later<Found>(withinMs, { trouble: { code: 'EAI_AGAIN', text: `no answer within ${withinMs} ms` } });
  const found = lookup(host, { all: true }).then(
    (addresses): Found => ({ addresses: addresses.map(({ address }) => address) }),
    (error: unknown): Found => ({ trouble: troubleOf(error) }),
  );
  return Promise.race([found, tooLate.promise]).finally(tooLate.cancel);
}

function later<T>(ms: number, value: T): { readonly promise: Promise<T>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(value), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

export type Reached = { readonly address: string; readonly ms: number } | { readonly trouble: Trouble };

/** Closes the connection again. Never rejects. */
export function reach({ host, port }: Endpoint, withinMs: number): Promise<Reached> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reached: Reached): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reached);
    };
    const timer = setTimeout(
      () => end({ trouble: { code: 'ETIMEDOUT', text: `no answer within ${withinMs} ms` } }),
      withinMs,
    );
    socket.once('connect', () => end({ address: socket.remoteAddress ?? host, ms: performance.now() - begun }));
    socket.once('error', (error) => end({ trouble: troubleOf(error) }));
  });
}

export interface ShownCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly notAfter: number;
}

export interface TlsTrouble extends Trouble {
  readonly verdict?: TlsVerdict;
}

export interface Handshake {
  /** `TLSv1.3`; absent if it did not come so far. */
  readonly protocol?: string;
  readonly cipher?: string;
  /** That of the server first; with its root, if that was found. */
  readonly chain: readonly ShownCertificate[];
  /** The root is one of the given authorities, and not only of the system. */
  readonly byGivenAuthority: boolean;
  /** Why it is not trusted, or did not come about. */
  readonly trouble?: TlsTrouble;
}

/**
 * Trusts and speaks as a dial does; shows the chain also where it is not trusted. Nothing is sent after the handshake. Never rejects.
 */
export function shakeHands(request: Omit<DialRequest, 'subprotocol'>): Promise<Handshake> {
  const { host, port } = endpointOf(request.url);
  const { certificateAuthorities = [], clientCertificate, handshakeTimeoutMs } = request;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let socket: TLSSocket | undefined;
    const end = (handshake: Handshake): void => {
      clearTimeout(timer);
      socket?.destroy();
      resolve(handshake);
    };
    const broken = (error: unknown): void =>
      end({ chain: [], byGivenAuthority: false, trouble: tlsTrouble(error, clientCertificate !== undefined) });
    try {
      socket = tlsConnect({
        host,
        port,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        secureContext: secureContext({ certificateAuthorities, clientCertificate }),
        // The verdict is read below: this probe wants to see whom it does not trust.
        rejectUnauthorized: false,
        ...(request.verifyHostname === false ? { checkServerIdentity: () => undefined } : {}),
      });
    } catch (error) {
      broken(error);
      return;
    }
    const connected = socket;
    timer = setTimeout(
      () => broken(Object.assign(new Error(`no handshake within ${handshakeTimeoutMs} ms`), { code: 'ETIMEDOUT' })),
      handshakeTimeoutMs,
    );
    connected.once('error', broken);
    connected.once('close', () =>
      broken(Object.assign(new Error('closed during the handshake'), { code: 'ECONNRESET' })),
    );
    connected.once('secureConnect', () => end(handshakeOf(connected, certificateAuthorities)));
  });
}

function handshakeOf(socket: TLSSocket, given: readonly string[]): Handshake {
  const chain = chainOf(socket);
  const root = chain.at(-1);
  const { authorizationError } = socket as { authorizationError?: unknown };
  return {
    protocol: socket.getProtocol() ?? 'TLS',
    cipher: socket.getCipher().name,
    chain: chain.map(shown),
    byGivenAuthority: root !== undefined && given.some((pem) => fingerprintOf(pem) === root.fingerprint256),
    // Node gives a code of OpenSSL as a text, and its own verdict about the name as an error.
    ...(socket.authorized || authorizationError === undefined || authorizationError === null
      ? {}
      : { trouble: tlsTrouble(asError(authorizationError), false) }),
  };
}

const asError = (verdict: unknown): unknown =>
  typeof verdict === 'string' ? Object.assign(new Error(verdict), { code: verdict }) : verdict;

function tlsTrouble(error: unknown, showsCertificate: boolean): TlsTrouble {
  const { code } = troubleOf(error);
  const { reason, tls } = classify(error, showsCertificate);
  return { code, text: reason, ...(tls === undefined ? {} : { verdict: tls }) };
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return undefined;
  }
}

function chainOf(socket: TLSSocket): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.fingerprint256 !== undefined && !chain.some((seen) => seen.fingerprint256 === next?.fingerprint256)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

const shown = ({ subject, issuer, valid_to }: DetailedPeerCertificate): ShownCertificate => ({
  subject: nameOf(subject),
  issuer: nameOf(issuer),
  notAfter: Date.parse(valid_to),
});

const nameOf = (name: unknown): string => {
  const { CN, O } = (name ?? {}) as { CN?: string | string[]; O?: string | string[] };
  return [CN ?? O ?? 'nameless'].flat().join(', ');
};
