/** The server side of OCPP-J over ws, for the central system of the bench: `/identity`, `ocpp1.6`, Basic auth. */
import { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** Who asks to be connected. */
export interface Visitor {
  /** The last segment of the path, percent-decoded. */
  readonly identity: string;
  readonly basicAuth: { readonly user: string; readonly password: Uint8Array } | undefined;
}

export interface ServerSocket extends Visitor {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Drops the connection at once. */
  terminate(): void;
  /** One listener; to be set in `onConnection`, else the first texts are lost. */
  onText(listener: (text: string) => void): void;
  /** One listener, called once. */
  onClose(listener: (code: number, reason: string) => void): void;
}

export interface WebSocketServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** PEM texts: serves wss (and https) instead of ws. With `ca`, clients must show a certificate that it signed. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Answers the upgrade with this HTTP status (401, 404, ...) instead of a connection. */
  readonly admit?: (visitor: Visitor) => 'connect' | number;
  readonly onConnection: (socket: ServerSocket) => void;
  /** Plain HTTP requests on the same port; 404 without it. */
  readonly onRequest?: RequestListener;
}

export interface RunningServer {
  readonly port: number;
  /** Drops every connection; resolves once the port is free. */
  close(): Promise<void>;
}

const SUBPROTOCOL = 'ocpp1.6';
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
const PROTOCOL_ERROR = 1002;

/** Rejects if the port cannot be had (EADDRINUSE, EACCES). */
export async function serveWebSockets(options: WebSocketServerOptions): Promise<RunningServer> {
  const onRequest: RequestListener = options.onRequest ?? ((_request, response) => response.writeHead(404).end());
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(onRequest)
      : createTlsServer({ ...tls, requestCert: tls.ca !== undefined }, onRequest);
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  server.on('upgrade', (request, stream, head) => {
    const visitor = visitorOf(request);
    const verdict = visitor === undefined ? 404 : (options.admit?.(visitor) ?? 'connect');
    if (visitor === undefined || verdict !== 'connect') {
      refuse(stream, verdict === 'connect' ? 404 : verdict);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => connect(socket, visitor, options.onConnection));
  });
  await listen(server, options);
  return {
    port: portOf(server),
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** OCPP-J section 3.2: without a common subprotocol the handshake is completed and the connection closed. */
function connect(socket: WebSocket, visitor: Visitor, onConnection: (socket: ServerSocket) => void): void {
  // What goes wrong ends in `close`.
  socket.on('error', () => {});
  if (socket.protocol !== SUBPROTOCOL) {
    socket.close(PROTOCOL_ERROR, `only ${SUBPROTOCOL} is spoken here`);
    return;
  }
  let textListener: ((text: string) => void) | undefined;
  let closeListener: ((code: number, reason: string) => void) | undefined;
  socket.on('message', (data) => Buffer.isBuffer(data) && textListener?.(data.toString('utf8')));
  socket.once('close', (code, reason) => closeListener?.(code, reason.toString('utf8')));
  onConnection({
    ...visitor,
    send: (text) => {
      if (socket.readyState === socket.OPEN) socket.send(text, () => {});
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    onText: (listener) => {
      textListener = listener;
    },
    onClose: (listener) => {
      closeListener = listener;
    },
  });
}

/** undefined if the path names no identity. */
function visitorOf({ url = '', headers }: IncomingMessage): Visitor | undefined {
  const segment = url.split('?')[0]?.split('/').at(-1) ?? '';
  try {
    const identity = decodeURIComponent(segment);
    return identity === '' ? undefined : { identity, basicAuth: basicAuthOf(headers.authorization) };
  } catch {
    return undefined;
  }
}

/** The password is bytes: nothing says that it is UTF-8. The user ends at the first colon. */
function basicAuthOf(header: string | undefined): Visitor['basicAuth'] {
  const encoded = /^basic\s+(\S+)\s*$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  if (colon === -1) return undefined;
  return { user: bytes.subarray(0, colon).toString('utf8'), password: bytes.subarray(colon + 1) };
}

function refuse(stream: Duplex, status: number): void {
  const challenge = status === 401 ? 'WWW-Authenticate: Basic realm="OCPP"\r\n' : '';
  stream.on('error', () => {});
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

function listen(server: Server, { host, port }: WebSocketServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
