/** A download over HTTP, continued with Range where the file is still the same (RFC 9110, section 14). */
import type { IncomingMessage } from 'node:http';
import { TransferError } from '../../errors.ts';
import type { Guard } from './guard.ts';
import { type Answer, answered, ask } from './http.ts';
import type { Location } from './location.ts';
import type { PartialFile, Remote } from './partial-file.ts';
import { httpTrouble, type Stage } from './trouble.ts';
import type { Trust } from './trust.ts';

const OK = 200;
const PARTIAL = 206;
const RANGE_NOT_SATISFIABLE = 416;

export async function downloadOverHttp(
  location: Location,
  file: PartialFile,
  guard: Guard,
  trust: Trust,
  enter: (stage: Stage) => void,
): Promise<void> {
  const continued = file.resumable === undefined ? undefined : await goOn(location, file.resumable, guard, trust);
  const answer = continued ?? (await get(location, {}, guard, trust));
  if (continued === undefined && answer.status !== OK) throw refusal(answer);
  const at = answer.status === PARTIAL ? (file.resumable?.at ?? 0) : 0;
  try {
    await file.begin(at, remote(answer, at, at > 0 ? file.resumable?.validator : undefined));
    enter('flowing');
    for await (const chunk of answer.response) {
      guard.touch();
      await file.append(chunk as Uint8Array);
    }
  } finally {
    answer.response.destroy();
  }
}

const get = (location: Location, headers: Record<string, string>, guard: Guard, trust: Trust): Promise<Answer> =>
  ask(location, { method: 'GET', headers }, (request) => guard.race(answered(request.end())), guard, trust);

/** The rest of the file, or all of it where the server says so; undefined if it must be asked for anew. */
async function goOn(
  location: Location,
  { at, total, validator }: NonNullable<PartialFile['resumable']>,
  guard: Guard,
  trust: Trust,
): Promise<Answer | undefined> {
  const headers = { range: `bytes=${at}-`, 'if-range': validator };
  const answer = await get(location, headers, guard, trust);
  const { response, status } = answer;
  if (status === OK) return answer;
  // A server that does not know If-Range sends the rest of whatever is there now; one that does may leave the date out (section 15.3.7).
  const same = status === PARTIAL && (validatorOf(response) ?? validator) === validator;
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '');
  if (same && Number(range?.[1]) === at && Number(range?.[2]) === (total ?? Number(range?.[2]))) return answer;
  response.destroy();
  if (status === PARTIAL || status === RANGE_NOT_SATISFIABLE) return undefined;
  throw refusal(answer);
}

function remote({ response, location }: Answer, at: number, known: string | undefined): Remote {
  const { 'content-length': length, 'transfer-encoding': encoding } = response.headers;
  // Such a body ends with the connection, whether that was meant or not.
  if (length === undefined && encoding === undefined)
    throw new TransferError('unsupported', `${location.shown}: the server does not tell where the file ends`);
  return {
    total: length === undefined ? undefined : at + Number(length),
    validator: validatorOf(response) ?? known,
  };
}

/** Only a strong one proves that the bytes are the same (RFC 9110, section 13.1.5). */
function validatorOf({ headers }: IncomingMessage): string | undefined {
  const { etag, 'last-modified': lastModified } = headers;
  return etag?.startsWith('"') ? etag : lastModified;
}

function refusal({ response, status, location }: Answer): TransferError {
  response.destroy();
  return httpTrouble(location, status);
}
