/** One HTTP exchange and what leads to it: redirects, credentials, time-outs. */
import { Buffer } from 'node:buffer';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TransferError } from '../../errors.ts';
import type { Guard } from './guard.ts';
import { type Location, parseLocation } from './location.ts';
import type { Trust } from './trust.ts';

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface Asked {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
}

export interface Answer {
  readonly response: IncomingMessage;
  readonly status: number;
  /** Where the answer came from. */
  readonly location: Location;
}

/** Sends the request, whose connection stands, and the body if there is one; resolves with the head of the response. */
export type Exchange = (request: ClientRequest) => Promise<IncomingMessage>;

/** Follows redirects with the same method. Rejects with a TransferError, or whatever `exchange` and the sockets reject with. */
export async function ask(
  start: Location,
  asked: Asked,
  exchange: Exchange,
  guard: Guard,
  trust: Trust,
): Promise<Answer> {
  let location = start;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const request = begin(location, asked, guard, trust);
    await connected(request, location, guard);
    const response = await exchange(request);
    const { statusCode: status = 0 } = response;
    const target = REDIRECTS.has(status) ? response.headers.location : undefined;
    if (target === undefined) return { response, status, location };
    request.destroy();
    location = redirected(location, target, status, asked);
  }
  throw new TransferError('failed', `${start.shown}: more than ${MOST_REDIRECTS} redirects`);
}

function begin(location: Location, { method, headers }: Asked, guard: Guard, trust: Trust): ClientRequest {
  const { scheme, host, port, url, credentials } = location;
  const options: RequestOptions = {
    host,
    port,
    method,
    path: `${url.pathname}${url.search}`,
    // One connection for one request: it ends with it.
    agent: false,
    signal: guard.signal,
    headers: {
      // What the server stores is what we want, not a packed form of it.
      'accept-encoding': 'identity',
      'user-agent': 'chargepoint',
      ...headers,
      ...(credentials === undefined ? {} : { authorization: basic(credentials) }),
    },
  };
  const request = scheme === 'https' ? httpsRequest({ ...options, ...trust.of(host) }) : httpRequest({ ...options });
  // Whoever waits for the request hears of an error; one that comes later must not end the process.
  request.on('error', () => {});
  return request;
}

const basic = ({ user, password }: { readonly user: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Ends the request if no connection stands in time. */
async function connected(request: ClientRequest, { scheme }: Location, guard: Guard): Promise<void> {
  const stands = new Promise<void>((resolve, reject) => {
    request.once('error', reject);
    request.once('socket', (socket) => socket.once(scheme === 'https' ? 'secureConnect' : 'connect', () => resolve()));
  });
  try {
    await guard.within(guard.connectMs, 'no connection', stands);
  } catch (error) {
    request.destroy();
    throw error;
  }
}

/** The head of the response. */
export const answered = (request: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });

function redirected(from: Location, target: string, status: number, { method }: Asked): Location {
  // 303 means "look elsewhere with GET": no place for a file.
  if (status === 303 && method !== 'GET')
    throw new TransferError('failed', `${from.shown}: HTTP ${status} to a ${method}`, status);
  const to = parseLocation(absolute(target, from));
  if (to.scheme !== 'http' && to.scheme !== 'https')
    throw new TransferError('unsupported', `${from.shown}: redirected to ${to.shown}`, status);
  if (from.scheme === 'https' && to.scheme === 'http')
    throw new TransferError('tls', `${from.shown}: redirected to a connection without TLS, ${to.shown}`, status);
  const sameServer = to.host === from.host && (to.port === from.port || from.scheme !== to.scheme);
  return { ...to, credentials: to.credentials ?? (sameServer ? from.credentials : undefined) };
}

function absolute(target: string, from: Location): string {
  try {
    return new URL(target, `${from.url.origin}${from.url.pathname}`).href;
  } catch {
    throw new TransferError('badUrl', `${from.shown}: redirected to what is no URL`);
  }
}
