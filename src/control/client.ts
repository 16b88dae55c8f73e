/** Talks to a running agent over its control socket. */
import { request } from 'node:http';
import { ControlError } from '../errors.ts';

const TIMEOUT_MS = 5_000;

export interface ControlCall {
  readonly method?: 'GET' | 'POST';
  /** With its query: `/outbox?limit=10`. */
  readonly path: string;
  readonly body?: unknown;
}

/**
 * Resolves to the JSON of the answer. Rejects with ControlError: `noAgent` if none listens there, `noPermission` if we may not ask,
 * `badRequest` and `notFound` as answered, `failed` for anything else.
 */
export function callAgent(socketPath: string, { method = 'GET', path, body }: ControlCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const call = request({ socketPath, path, method, headers, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (cause) => reject(unreachable(socketPath, cause)));
      response.on('end', () => {
        try {
          resolve(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString()));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.on('error', (cause) => reject(unreachable(socketPath, cause)));
    call.end(text);
  });
}

function answerOf(status: number, text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new ControlError('failed', 'the agent answered something that is no JSON', { cause });
  }
  if (status === 200) return answer;
  const message = typeof answer === 'object' && answer !== null && 'error' in answer ? String(answer.error) : text;
  throw new ControlError(status === 400 ? 'badRequest' : status === 404 ? 'notFound' : 'failed', message);
}

function unreachable(socketPath: string, cause: NodeJS.ErrnoException): ControlError {
  switch (cause.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTDIR':
      return new ControlError('noAgent', `no agent is running: nobody listens on ${socketPath}`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new ControlError('noPermission', `no permission for ${socketPath}: join its group or use sudo`, { cause });
    default:
      return new ControlError('failed', `the agent on ${socketPath} cannot be asked: ${cause.message}`, { cause });
  }
}
