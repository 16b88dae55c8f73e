/** Uploads over HTTP against servers on the loopback that misbehave on purpose. */
import { Buffer } from 'node:buffer';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { TransferError } from '../../src/errors.ts';
import { nodeTransfers } from '../../src/platform/transfers.ts';
import type { UploadOptions } from '../../src/ports.ts';
import { ELSEWHERE, HERE, ROOT } from './support/loopback-certificates.ts';
import { Loopback } from './support/loopback-server.ts';

const SMALL = Buffer.from('a log, '.repeat(1000));
const LARGE = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 31 + (index >> 8)) & 255));

const loopback = new Loopback();
const source = (): string => loopback.file('source.tar');
function upload(url: string, { content = SMALL, ...options }: Partial<UploadOptions> & { content?: Buffer } = {}) {
  writeFileSync(source(), content);
  return nodeTransfers.upload(url, { fromFile: source(), fileName: 'cp 001.tar', ...options });
}
const failure = (...args: Parameters<typeof upload>): Promise<TransferError> =>
  upload(...args).then(
    () => Promise.reject(new Error('the upload succeeded')),
    (error: TransferError) => error,
  );

interface Taken {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Notes every request; answers as told, 201 by default. */
async function server(answer: RequestListener = (_request, response) => void response.writeHead(201).end()) {
  const taken: Taken[] = [];
  const host = await loopback.http(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    taken.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
    answer(request, response);
  });
  return { host, taken };
}
const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(code, headers).end();

describe('an upload', () => {
  it('is one PUT of the file, with user and password of the URL', async () => {
    const { host, taken } = await server();
    expect(await upload(`http://us%40er:pass%3Aword@${host}/logs/x.tar?id=7#fragment`)).toEqual({
      bytes: SMALL.length,
    });
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatchObject({ method: 'PUT', url: '/logs/x.tar?id=7' });
    expect(taken[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('us@er:pass:word').toString('base64')}`,
      'content-length': String(SMALL.length),
    });
    expect(taken[0]?.headers.expect).toBeUndefined();
    expect(taken[0]?.body.equals(SMALL)).toBe(true);
  });

  it('to a URL that ends in a slash gets the name of the file', async () => {
    const { host, taken } = await server();
    await upload(`http://${host}/logs/?id=7`);
    await upload(`http://${host}`);
    await upload(`http://${host}/logs`);
    expect(taken.map(({ url }) => url)).toEqual(['/logs/cp%20001.tar?id=7', '/cp%20001.tar', '/logs']);
  });

  it.each([405, 501])('is a POST when PUT is answered %i', async (refusal) => {
    const { host, taken } = await server((request, response) =>
      status(request.method === 'PUT' ? refusal : 200)(request, response),
    );
    await upload(`http://${host}/x`);
    expect(taken.map(({ method }) => method)).toEqual(['PUT', 'POST']);
    expect(taken[1]?.body.equals(SMALL)).toBe(true);
  });

  it('is what the caller wants, and nothing else', async () => {
    const { host, taken } = await server((request, response) =>
      status(request.method === 'PUT' ? 405 : 200)(request, response),
    );
    await upload(`http://${host}/x`, { method: 'POST' });
    expect((await failure(`http://${host}/x`, { method: 'PUT' })).code).toBe('unsupported');
    expect(taken.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it.each([
    [400, 'failed'],
    [401, 'refused'],
    [403, 'refused'],
    [404, 'notFound'],
    [405, 'unsupported'],
    [413, 'tooLarge'],
    [507, 'failed'],
  ])('answered %i is %s', async (answer, code) => {
    const { host } = await server(status(answer));
    expect(await failure(`http://${host}/x`)).toMatchObject({ name: 'TransferError', code, status: answer });
  });

  it('follows a redirect with all of the body, but not to "see other"', async () => {
    const { host, taken } = await server((request, response) => {
      if (request.url === '/end') return status(200)(request, response);
      status(request.url === '/see' ? 303 : 307, { location: '/end' })(request, response);
    });
    await upload(`http://${host}/x`, { content: LARGE });
    expect(taken.at(-1)).toMatchObject({ method: 'PUT', url: '/end' });
    expect(taken.at(-1)?.body.equals(LARGE)).toBe(true);
    expect(await failure(`http://${host}/see`)).toMatchObject({ code: 'failed', status: 303 });
  });

  it('is as long as the file was at the beginning, for a log grows', async () => {
    const { host, taken } = await server();
    const onProgress = (): void => appendFileSync(source(), 'more');
    expect(await upload(`http://${host}/x`, { content: LARGE, onProgress })).toEqual({ bytes: LARGE.length });
    expect(taken[0]?.body.equals(LARGE)).toBe(true);
  });

  it('of a file that shrinks meanwhile fails', async () => {
    const { host } = await server();
    const onProgress = (): void => truncateSync(source(), 100_000);
    expect((await failure(`http://${host}/x`, { content: LARGE, onProgress })).code).toBe('failed');
  });

  it('of an empty file is an empty body; of none it fails', async () => {
    const { host, taken } = await server();
    expect(await upload(`http://${host}/x`, { content: Buffer.alloc(0) })).toEqual({ bytes: 0 });
    expect(taken[0]?.headers['content-length']).toBe('0');
    const missing = { fromFile: loopback.file('missing'), fileName: 'missing' };
    await expect(nodeTransfers.upload(`http://${host}/x`, missing)).rejects.toMatchObject({ code: 'failed' });
  });
});

describe('a body of more than 1 MiB', () => {
  it('is sent when the server says Continue, or says nothing for a second', async () => {
    const { host, taken } = await server();
    await upload(`http://${host}/x`, { content: LARGE });
    expect(taken[0]?.headers.expect).toBe('100-continue');
    expect(taken[0]?.body.equals(LARGE)).toBe(true);

    let received = 0;
    const port = await loopback.tcp((socket) =>
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received > LARGE.length) socket.end('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    expect(await upload(`http://127.0.0.1:${port}/x`, { content: LARGE })).toEqual({ bytes: LARGE.length });
  });

  it('is not sent to a server that refuses before', async () => {
    let received = '';
    const port = await loopback.tcp((socket) =>
      socket.on('data', (chunk) => {
        received += chunk;
        if (received.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    expect(await failure(`http://127.0.0.1:${port}/x`, { content: LARGE })).toMatchObject({ code: 'refused' });
    expect(received).toMatch(/\r\n\r\n$/);
    await expect.poll(() => loopback.connections).toBe(0);
  });

  it('has not gone over because a server is content without it', async () => {
    let received = 0;
    const port = await loopback.tcp((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
    });
    const timeouts = { idleMs: 500 };
    const taken = await upload(`http://127.0.0.1:${port}/x`, { content: LARGE, timeouts }).then(
      () => true,
      () => false,
    );
    expect(taken && received < LARGE.length).toBe(false);
  });

  it('is sent without asking to a server that cannot be asked (417)', async () => {
    const asked: (string | undefined)[] = [];
    let body = 0;
    const port = await loopback.tcp((socket: Socket) => {
      let head: string | undefined;
      socket.on('data', (chunk) => {
        if (head === undefined) {
          head = chunk.toString('latin1').split('\r\n\r\n')[0] ?? '';
          asked.push(/^expect: (.*)$/im.exec(head)?.[1]);
          body = -(head.length + 4);
          if (asked.length === 1) return void socket.end('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n');
        }
        body += chunk.length;
        if (body === LARGE.length) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    expect(await upload(`http://127.0.0.1:${port}/x`, { content: LARGE })).toEqual({ bytes: LARGE.length });
    expect(asked).toEqual(['100-continue', undefined]);
  });

  it.each([
    ['refuses in the middle', 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n', 'refused'],
    ['hangs up in the middle', '', 'truncated'],
    ['says yes too early and hangs up', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'truncated'],
  ])('fails when the server %s', async (_what, answer, code) => {
    const content = Buffer.alloc(30_000_000);
    const port = await loopback.tcp((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received < 500_000) return;
        socket.pause();
        if (answer === '') socket.destroy();
        else socket.write(answer, () => setTimeout(() => socket.destroy(), 50));
      });
    });
    expect((await failure(`http://127.0.0.1:${port}/x`, { content })).code).toBe(code);
  });
});

describe('the end of an upload', () => {
  it('comes when the server does not read, or does not answer', async () => {
    const deaf = await loopback.tcp((socket) => void socket.pause());
    const timeouts = { idleMs: 300 };
    const content = Buffer.alloc(30_000_000);
    // It also never says Continue.
    expect((await failure(`http://127.0.0.1:${deaf}/x`, { content, timeouts: { idleMs: 1_500 } })).code).toBe(
      'timeout',
    );
    const mute = await loopback.tcp((socket) => socket.resume());
    expect((await failure(`http://127.0.0.1:${mute}/x`, { timeouts })).code).toBe('timeout');
  });

  it('comes with an abort, and all is closed', async () => {
    const port = await loopback.tcp((socket) => socket.resume());
    const caller = new AbortController();
    const waiting = failure(`http://127.0.0.1:${port}/x`, { signal: caller.signal });
    await expect.poll(() => loopback.connections).toBe(1);
    caller.abort();
    expect((await waiting).code).toBe('aborted');
    await expect.poll(() => loopback.connections).toBe(0);
  });
});

describe('an upload over https', () => {
  it('goes to a server that can be trusted, and only there', async () => {
    let visits = 0;
    const take: RequestListener = (request, response) => {
      visits++;
      request.resume().on('end', () => response.writeHead(201).end());
    };
    const certificateAuthorities = [ROOT];
    const here = await loopback.https(HERE, take);
    await upload(`https://${here}/x`, { certificateAuthorities, content: LARGE });
    const elsewhere = await loopback.https(ELSEWHERE, take);
    expect((await failure(`https://${elsewhere}/x`, { certificateAuthorities })).code).toBe('tls');
    expect((await failure(`https://${here}/x`)).code).toBe('tls');
    expect(visits).toBe(1);
  });
});
