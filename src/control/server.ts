/** The local control interface: HTTP and JSON on a unix socket that owner and group may use. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ControlError } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { Route } from './route.ts';

export interface ControlSocket {
  readonly path: string;
  inUse(): Promise<boolean>;
  prepare(): void;
  protect(): void;
  remove(): void;
}

export interface ControlOptions {
  readonly socket: ControlSocket;
  readonly routes: readonly Route[];
  readonly log: Log;
}

export interface ControlServer {
  /** Stops listening, drops open connections and removes the socket. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 8 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/** Rejects with ControlError `alreadyRunning` if an agent listens there; the socket of a dead one is replaced. */
export async function serveControl({ socket, routes, log }: ControlOptions): Promise<ControlServer> {
  if (await socket.inUse()) {
    throw new ControlError('alreadyRunning', `an agent is already running: it listens on ${socket.path}`);
  }
  const table = tableOf(routes);
  socket.prepare();
  socket.remove();
  const server = createServer((request, response) => {
    answer(table, request, response).catch((cause: unknown) => {
      log.error('a control request failed', { path: request.url, cause });
      send(response, 500, { error: 'the agent failed to answer; its log says why' });
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket.path, resolve);
  });
  socket.protect();
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        socket.remove();
      }),
  };
}

type Table = ReadonlyMap<string, Partial<Record<Route['method'], Route>>>;

function tableOf(routes: readonly Route[]): Table {
  const table = new Map<string, Partial<Record<Route['method'], Route>>>();
  for (const route of routes) {
    const methods = table.get(route.path) ?? {};
    if (methods[route.method] !== undefined) throw new Error(`two control routes for ${route.method} ${route.path}`);
    table.set(route.path, { ...methods, [route.method]: route });
  }
  return table;
}

async function answer(table: Table, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(response, 200, (await handled(table, request)) ?? null);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    send(response, error.code === 'notFound' ? 404 : 400, { error: error.message });
  }
}

async function handled(table: Table, request: IncomingMessage): Promise<unknown> {
  const { url = '/', method = 'GET' } = request;
  if (!URL.canParse(url, 'http://agent')) throw new ControlError('badRequest', 'the address makes no sense');
  const { pathname, searchParams } = new URL(url, 'http://agent');
  const methods = table.get(pathname);
  if (methods === undefined) {
    throw new ControlError('notFound', `there is no ${pathname}, expected one of ${[...table.keys()].join(', ')}`);
  }
  const route = method === 'GET' || method === 'POST' ? methods[method] : undefined;
  if (route === undefined) {
    throw new ControlError('badRequest', `${pathname} takes ${Object.keys(methods).join(' and ')}, not ${method}`);
  }
  const body = await bodyOf(request);
  return route.handle({ query: Object.fromEntries(searchParams), body });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES)
      throw new ControlError('badRequest', `the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new ControlError('badRequest', 'the body is no JSON', { cause });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  const text = JSON.stringify(body);
  // After an error the rest of a body may still be under way: nothing more is read on this connection.
  const connection = status === 200 ? {} : { connection: 'close' };
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...connection,
  });
  response.end(text);
}
