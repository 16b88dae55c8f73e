/** An upload over HTTP: PUT, or POST where the server does not take that (N01.FR.18); asks first before a long body (N01.FR.22). */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { UploadOptions } from '../../ports.ts';
import type { Guard } from './guard.ts';
import { type Answer, answered, ask } from './http.ts';
import type { Location } from './location.ts';
import type { Source } from './source.ts';
import { httpTrouble, type Stage } from './trouble.ts';
import type { Trust } from './trust.ts';

const ASK_FIRST_ABOVE_BYTES = 1024 * 1024;
/** Some servers never say 100 Continue: then the body goes all the same (RFC 9110, section 10.1.1). */
const CONTINUE_WITHIN_MS = 1_000;
const EXPECTATION_FAILED = 417;

export async function uploadOverHttp(
  location: Location,
  source: Source,
  method: UploadOptions['method'],
  guard: Guard,
  trust: Trust,
  enter: (stage: Stage) => void,
): Promise<void> {
  const target = withFileName(location, source.name);
  const send = (method: 'PUT' | 'POST') => sendWith(method, target, source, guard, trust, enter);
  let answer = await send(method ?? 'PUT');
  const notTaken = answer.status === 405 || answer.status === 501;
  if (method === undefined && notTaken) answer = await send('POST');
  if (answer.status < 200 || answer.status > 299) throw httpTrouble(answer.location, answer.status);
}

/** N01.FR.21. */
function withFileName(location: Location, name: string): Location {
  if (!location.url.pathname.endsWith('/')) return location;
  const url = new URL(location.url);
  url.pathname += encodeURIComponent(name);
  return { ...location, url };
}

async function sendWith(
  method: 'PUT' | 'POST',
  target: Location,
  source: Source,
  guard: Guard,
  trust: Trust,
  enter: (stage: Stage) => void,
): Promise<Answer> {
  const attempt = async (askFirst: boolean): Promise<Answer> => {
    enter('opening');
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': source.size,
      ...(askFirst ? { expect: '100-continue' } : {}),
    };
    const answer = await ask(
      target,
      { method, headers },
      (request) => exchange(request, source, askFirst, guard, enter),
      guard,
      trust,
    );
    answer.response.destroy();
    return answer;
  };
  const askFirst = source.size > ASK_FIRST_ABOVE_BYTES;
  const answer = await attempt(askFirst);
  return askFirst && answer.status === EXPECTATION_FAILED ? attempt(false) : answer;
}

/** A final answer before the end of the body ends the sending: the server does not want it. */
async function exchange(
  request: ClientRequest,
  source: Source,
  askFirst: boolean,
  guard: Guard,
  enter: (stage: Stage) => void,
): Promise<IncomingMessage> {
  const answer = answered(request);
  answer.catch(() => {});
  if (askFirst) await guard.race(Promise.race([answer, mayGoOn(request)]));
  enter('flowing');
  const sent = source.into(request, guard);
  // Ends with the request, which may be over before.
  sent.catch(() => {});
  const first = await guard.race(Promise.race([answer, sent.then(() => undefined)]));
  const response = first ?? (await guard.race(answer));
  // Said yes already: then it has to get all of it.
  if ((response.statusCode ?? 0) < 300) await guard.race(sent);
  return response;
}

function mayGoOn(request: ClientRequest): Promise<undefined> {
  request.flushHeaders();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), CONTINUE_WITHIN_MS);
    request.once('continue', () => resolve(undefined));
    request.once('close', () => clearTimeout(timer));
  });
}
