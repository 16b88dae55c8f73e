/** Asks a JSON server on this machine, as curl would. */
import { request } from 'node:http';

export interface JsonReply {
  readonly status: number;
  readonly body: unknown;
}

const REPLY_WITHIN_MS = 5000;

/** Rejects with the system's error if nobody listens, or if there is no answer within 5 s. */
export function askJson(port: number, method: string, path: string, body?: unknown): Promise<JsonReply> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { 'content-type': 'application/json' },
        timeout: REPLY_WITHIN_MS,
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
          } catch (cause) {
            reject(cause);
          }
        });
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
