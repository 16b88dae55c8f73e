/** JSON over HTTP for one person on one machine: loopback only, and no web page of whatever origin can use it. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Log } from '../ports.ts';

export interface JsonRequest {
  /** A name that is given twice counts once, with its last value. */
  readonly query: Readonly<Record<string, string>>;
  /** Undefined with GET. */
  readonly body: unknown;
}

export interface JsonAnswer {
  readonly status: 200 | 400 | 404;
  readonly body: unknown;
}

export type Route = (request: JsonRequest) => JsonAnswer | Promise<JsonAnswer>;

export interface JsonRoutes {
  /** By `METHOD /path`. */
  readonly routes: Readonly<Record<string, Route>>;
  /** Go with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly log: Log;
}

export interface JsonServer {
  readonly port: number;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const LONGEST_BODY = 1024 * 1024;
/** What a browser sends along after a name has been rebound to us is another one. */
const OUR_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

export const ok = (body: unknown): JsonAnswer => ({ status: 200, body });
export const refused = (error: string): JsonAnswer => ({ status: 400, body: { error } });
const notFound = (error: string): JsonAnswer => ({ status: 404, body: { error } });

/** Listens on 127.0.0.1; port 0 takes any free one. Rejects if the port cannot be had. */
export async function serveJson(port: number, options: JsonRoutes): Promise<JsonServer> {
  const server = createServer(answering(options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** For a server that has other things to do on the same port. */
export const answering =
  (options: JsonRoutes): RequestListener =>
  (request, response) => {
    answer(request, response, options).catch((cause: unknown) => {
      options.log.error('a request to the bench could not be answered', { cause });
      response.destroy();
    });
  };

async function answer(request: IncomingMessage, response: ServerResponse, options: JsonRoutes): Promise<void> {
  const { status, body } = await routed(request, options);
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...options.headers,
  });
  response.end(`${JSON.stringify(body)}\n`);
  // What was not read of a refused body is not wanted either.
  if (!request.complete) request.destroy();
}

async function routed(request: IncomingMessage, { routes }: JsonRoutes): Promise<JsonAnswer> {
  if (!isForUs(request)) return refused('this is for 127.0.0.1 and localhost only');
  const [path = '', search = ''] = (request.url ?? '').split('?');
  const name = `${request.method} ${path}`;
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route === undefined) return notFound(`there is only ${Object.keys(routes).join(', ')}`);
  const query = Object.fromEntries(new URLSearchParams(search));
  const hasBody = request.method !== 'GET';
  if (hasBody && !isJson(request)) return refused('the content type has to be application/json');
  const read = hasBody ? await bodyOf(request) : { body: undefined };
  if ('error' in read) return refused(read.error);
  return route({ query, body: read.body });
}

const isForUs = ({ headers }: IncomingMessage): boolean =>
  OUR_NAMES.includes((headers.host ?? '').toLowerCase().replace(/:\d+$/, ''));

const isJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/(merge-patch\+)?json\s*(;|$)/i.test(headers['content-type'] ?? '');

async function bodyOf(request: IncomingMessage): Promise<{ readonly body: unknown } | { readonly error: string }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LONGEST_BODY) return { error: `the body has more than ${LONGEST_BODY} bytes` };
    chunks.push(chunk);
  }
  try {
    return { body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(joined(chunks, length))) };
  } catch {
    return { error: 'the body is no JSON' };
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
