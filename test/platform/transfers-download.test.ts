/** Downloads over HTTP against servers on the loopback that misbehave on purpose. */
import { Buffer } from 'node:buffer';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import type { TransferError } from '../../src/errors.ts';
import { nodeTransfers } from '../../src/platform/transfers.ts';
import type { DownloadOptions } from '../../src/ports.ts';
import { ELSEWHERE, HERE, ROOT, SUCCEEDED, WEAK } from './support/loopback-certificates.ts';
import { Loopback } from './support/loopback-server.ts';

const IMAGE = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) & 255));
const CUT_AT = 200_000;

const loopback = new Loopback();
const target = (): string => loopback.file('image.bin');
const download = (url: string, options: Partial<DownloadOptions> = {}) =>
  nodeTransfers.download(url, { toFile: target(), ...options });
const failure = (url: string, options: Partial<DownloadOptions> = {}): Promise<TransferError> =>
  download(url, options).then(
    () => Promise.reject(new Error('the download succeeded')),
    (error: TransferError) => error,
  );
const whole: RequestListener = (_request, response) => {
  response.end(IMAGE);
};
/** Promises the whole image and sends the first bytes only. */
const firstBytes = (response: ServerResponse, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-length': IMAGE.length, ...headers });
  response.write(IMAGE.subarray(0, CUT_AT));
};
const cut = (response: ServerResponse, headers: Record<string, string> = {}): void => {
  firstBytes(response, headers);
  setTimeout(() => response.destroy(), 50);
};
const range = (request: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);

describe('a download', () => {
  it('is in its file when it resolves, tells its progress and leaves nothing beside it', async () => {
    const host = await loopback.http((_request, response) => {
      response.writeHead(200, { 'content-length': IMAGE.length });
      response.end(IMAGE);
    });
    const seen: number[] = [];
    const totals = new Set<number | undefined>();
    const onProgress: NonNullable<DownloadOptions['onProgress']> = ({ bytes, total }) => {
      seen.push(bytes);
      totals.add(total);
    };
    expect(await download(`http://${host}/image.bin`, { onProgress })).toEqual({ bytes: IMAGE.length });
    expect(readFileSync(target()).equals(IMAGE)).toBe(true);
    expect(seen.at(-1)).toBe(IMAGE.length);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect([...totals]).toEqual([IMAGE.length]);
    expect([existsSync(`${target()}.part`), existsSync(`${target()}.part.json`)]).toEqual([false, false]);
  });

  it('is on the medium before it has its name, and so is the name before it resolves', async () => {
    const host = await loopback.http(whole);
    const handle = await open(loopback.file('any'), 'w');
    const sync = vi.spyOn(Object.getPrototypeOf(handle), 'sync');
    await handle.close();
    const named: boolean[] = [];
    sync.mockImplementation(async () => void named.push(existsSync(target())));
    await download(`http://${host}/image.bin`);
    sync.mockRestore();
    expect(named).toEqual([false, true]);
  });

  it('sends user and password, percent-decoded, and no fragment', async () => {
    const asked: (string | undefined)[] = [];
    const host = await loopback.http(({ url, headers: { authorization } }, response) => {
      asked.push(url, authorization);
      response.end(IMAGE);
    });
    await download(`http://st%40tion:p%3Aw%2F%25@${host}/a%20b?c=d#fragment`);
    expect(asked).toEqual(['/a%20b?c=d', `Basic ${Buffer.from('st@tion:p:w/%').toString('base64')}`]);
  });

  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [404, 'notFound'],
    [410, 'notFound'],
    [500, 'failed'],
  ])('answered %i is %s, and writes nothing', async (status, code) => {
    const host = await loopback.http((_request, response) => {
      response.writeHead(status);
      response.end('<html>');
    });
    expect(await failure(`http://${host}/image.bin`)).toMatchObject({ name: 'TransferError', code, status });
    expect(existsSync(target())).toBe(false);
    expect(existsSync(`${target()}.part`)).toBe(false);
  });

  it('is unreachable where nobody listens', async () => {
    expect((await failure('http://127.0.0.1:1/image.bin')).code).toBe('unreachable');
    expect((await failure('http://nobody.invalid/image.bin')).code).toBe('unreachable');
  });

  it('has failed when the server hangs up before it answers', async () => {
    const port = await loopback.tcp((socket) => socket.once('data', () => socket.destroy()));
    expect((await failure(`http://127.0.0.1:${port}/`)).code).toBe('failed');
  });
});

describe('a connection that the server keeps open', () => {
  it.each([
    ['a refusal', 'HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\n', 'notFound'],
    [
      'a redirect',
      'HTTP/1.1 302 There\r\nContent-Length: 1000\r\nLocation: http://127.0.0.1:1/\r\n\r\n',
      'unreachable',
    ],
    ['a file that is too large', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', 'tooLarge'],
  ])('is closed after %s', async (_what, head, code) => {
    const port = await loopback.tcp((socket) => socket.on('data', () => socket.write(head)));
    expect((await failure(`http://127.0.0.1:${port}/`, { mostBytes: 999 })).code).toBe(code);
    await expect.poll(() => loopback.connections).toBe(0);
  });
});

describe('a redirect', () => {
  it('is followed, relative ones too, up to five of them', async () => {
    const host = await loopback.http((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) return void response.end(IMAGE);
      response.writeHead([301, 302, 303, 307, 308][left % 5] ?? 302, { location: `/${left - 1}` });
      response.end();
    });
    expect(await download(`http://${host}/5`)).toEqual({ bytes: IMAGE.length });
    expect(await failure(`http://${host}/6`)).toMatchObject({ code: 'failed' });
  });

  it('takes the credentials along on the same server only', async () => {
    const seen: (string | undefined)[] = [];
    const note: RequestListener = ({ headers }, response) => {
      seen.push(headers.authorization);
      response.end(IMAGE);
    };
    const other = await loopback.http(note);
    const host = await loopback.http((request, response) => {
      if (request.url === '/end') return note(request, response);
      response.writeHead(302, { location: request.url === '/stay' ? '/end' : `http://${other}/end` });
      response.end();
    });
    await download(`http://user:password@${host}/stay`);
    await download(`http://user:password@${host}/leave`);
    expect(seen).toEqual([`Basic ${Buffer.from('user:password').toString('base64')}`, undefined]);
  });

  it('from https to http is refused, and to another protocol', async () => {
    const plain = await loopback.http(whole);
    const host = await loopback.https(HERE, (request, response) => {
      const targets: Record<string, string> = {
        '/plain': `http://${plain}/`,
        '/ftp': `ftp://${plain}/`,
        '/bad': 'http://',
      };
      response.writeHead(302, { location: targets[request.url ?? ''] ?? 'file:///etc/passwd' });
      response.end();
    });
    const trusting = { certificateAuthorities: [ROOT] };
    expect((await failure(`https://${host}/plain`, trusting)).code).toBe('tls');
    expect((await failure(`https://${host}/file`, trusting)).code).toBe('unsupported');
    expect((await failure(`https://${host}/ftp`, trusting)).code).toBe('unsupported');
    expect((await failure(`https://${host}/bad`, trusting)).code).toBe('badUrl');
    expect(existsSync(target())).toBe(false);
  });
});

describe('a body that is not whole', () => {
  it('is truncated when the connection is cut', async () => {
    const host = await loopback.http((_request, response) => cut(response));
    expect(await failure(`http://${host}/image.bin`)).toMatchObject({ code: 'truncated' });
    expect(existsSync(target())).toBe(false);
  });

  it('is truncated when chunks end without the last one', async () => {
    const host = await loopback.http((_request, response) => {
      response.write(IMAGE.subarray(0, CUT_AT));
      setTimeout(() => response.destroy(), 50);
    });
    expect(await failure(`http://${host}/image.bin`)).toMatchObject({ code: 'truncated' });
  });

  it('is not taken when its end could not be told from a cut', async () => {
    const port = await loopback.tcp((socket) =>
      socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${'x'.repeat(1000)}`)),
    );
    expect(await failure(`http://127.0.0.1:${port}/image.bin`)).toMatchObject({ code: 'unsupported' });
    expect(existsSync(target())).toBe(false);
  });
});

describe('a download that was cut', () => {
  /** Cuts the first answer; what later ones do is the test's. */
  async function cutOnce(headers: Record<string, string>, later: RequestListener) {
    let visits = 0;
    const requests: IncomingMessage[] = [];
    const host = await loopback.http((request, response) => {
      requests.push(request);
      if (visits++ === 0) cut(response, headers);
      else later(request, response);
    });
    const url = `http://${host}/image.bin`;
    expect((await failure(url, { resume: true })).code).toBe('truncated');
    return { url, requests };
  }
  const rest =
    (headers: Record<string, string>, image = IMAGE): RequestListener =>
    (request, response) => {
      const at = range(request);
      response.writeHead(206, {
        'content-range': `bytes ${at}-${image.length - 1}/${image.length}`,
        'content-length': image.length - at,
        ...headers,
      });
      response.end(image.subarray(at));
    };

  it.each([
    ['an ETag', { etag: '"v1"' }, '"v1"'],
    ['a date', { 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 'Wed, 21 Oct 2015 07:28:00 GMT'],
  ])('goes on where it was when the server has the same file by %s', async (_which, headers, validator) => {
    const { url, requests } = await cutOnce(headers, rest(headers));
    const seen: number[] = [];
    await download(url, { resume: true, onProgress: ({ bytes }) => seen.push(bytes) });
    expect(readFileSync(target()).equals(IMAGE)).toBe(true);
    expect(requests[1]?.headers).toMatchObject({ range: `bytes=${CUT_AT}-`, 'if-range': validator });
    expect(seen[0]).toBeGreaterThan(CUT_AT);
  });

  it('goes on with a new user, password and query, as a signed URL has them', async () => {
    const { url, requests } = await cutOnce({ etag: '"v1"' }, rest({ etag: '"v1"' }));
    await download(`${url.replace('//', '//new:secret@')}?signature=2`, { resume: true });
    expect(range(requests[1] as IncomingMessage)).toBe(CUT_AT);
    expect(readFileSync(target()).equals(IMAGE)).toBe(true);
    expect(readFileSync(target()).length).toBe(IMAGE.length);
  });

  const NEWER = Buffer.alloc(IMAGE.length, 7);
  it.each<[string, RequestListener]>([
    ['answers with all of a newer one', (_request, response) => void response.end(NEWER)],
    [
      'sends the rest of a newer one',
      (request, response) =>
        request.headers.range === undefined
          ? void response.end(NEWER)
          : rest({ etag: '"v2"' }, NEWER)(request, response),
    ],
    [
      'has one of another length',
      (request, response) =>
        request.headers.range === undefined
          ? void response.end(NEWER)
          : rest({ etag: '"v1"' }, Buffer.concat([NEWER, NEWER]))(request, response),
    ],
    [
      'says that there is no such range',
      (request, response) => {
        if (request.headers.range === undefined) return void response.end(NEWER);
        response.writeHead(416);
        response.end();
      },
    ],
  ])('begins anew when the server %s', async (_what, later) => {
    const { url } = await cutOnce({ etag: '"v1"' }, later);
    await download(url, { resume: true });
    expect(readFileSync(target()).equals(NEWER)).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['a weak ETag', { etag: 'W/"v1"' }],
  ])('begins anew when all that proves the file is %s', async (_what, headers) => {
    const { url, requests } = await cutOnce(headers, whole);
    await download(url, { resume: true });
    expect(requests[1]?.headers.range).toBeUndefined();
    expect(readFileSync(target()).equals(IMAGE)).toBe(true);
  });

  it('begins anew when that is asked for, for another URL, and when its note is damaged or says too much', async () => {
    const { url, requests } = await cutOnce({ etag: '"v1"' }, (_request, response) => cut(response, { etag: '"v1"' }));
    await failure(url);
    expect(requests[1]?.headers.range).toBeUndefined();
    await failure(`${url}.sig`, { resume: true });
    expect(requests[2]?.headers.range).toBeUndefined();
    await failure(url, { resume: true });
    writeFileSync(`${target()}.part.json`, '{"from":');
    await failure(url, { resume: true });
    expect(requests[4]?.headers.range).toBeUndefined();
    truncateSync(`${target()}.part`, CUT_AT - 1);
    await failure(url, { resume: true });
    expect(requests[5]?.headers.range).toBeUndefined();
  });

  it('that only lacked the end of the connection fetches its last byte again', async () => {
    const { url, requests } = await cutOnce({ etag: '"v1"' }, rest({ etag: '"v1"' }));
    writeFileSync(`${target()}.part`, IMAGE);
    const note = JSON.parse(readFileSync(`${target()}.part.json`, 'utf8'));
    writeFileSync(`${target()}.part.json`, JSON.stringify({ ...note, bytes: IMAGE.length }));
    await download(url, { resume: true });
    expect(range(requests[1] as IncomingMessage)).toBe(IMAGE.length - 1);
    expect(readFileSync(target()).equals(IMAGE)).toBe(true);
  });

  it('does not believe bytes that were never written through', async () => {
    const { url, requests } = await cutOnce({ etag: '"v1"' }, rest({ etag: '"v1"' }));
    // As after a power cut: longer than what was noted, and zeros at the end.
    const note = JSON.parse(readFileSync(`${target()}.part.json`, 'utf8'));
    writeFileSync(`${target()}.part.json`, JSON.stringify({ ...note, bytes: 100_000 }));
    writeFileSync(`${target()}.part`, Buffer.concat([IMAGE.subarray(0, 100_000), Buffer.alloc(90_000)]));
    await download(url, { resume: true });
    expect(range(requests[1] as IncomingMessage)).toBe(100_000);
    expect(readFileSync(target()).equals(IMAGE)).toBe(true);
  });

  it('notes on the way what has come, for a power cut does not wait for the end', async () => {
    const large = Buffer.alloc(5_000_000);
    const host = await loopback.http((_request, response) => {
      response.writeHead(200, { 'content-length': large.length, etag: '"v1"' });
      response.end(large);
    });
    let noted: unknown;
    const onProgress: NonNullable<DownloadOptions['onProgress']> = ({ bytes }) => {
      if (bytes === large.length) noted = JSON.parse(readFileSync(`${target()}.part.json`, 'utf8'));
    };
    await download(`http://user:password@${host}/image.bin?key=secret`, { onProgress });
    expect(noted).toEqual({
      from: `http://${host}/image.bin`,
      total: large.length,
      validator: '"v1"',
      bytes: expect.closeTo(4.2e6, -6),
    });
  });

  it('keeps what it has when the server refuses the rest', async () => {
    const { url } = await cutOnce({ etag: '"v1"' }, (_request, response) => {
      response.writeHead(503);
      response.end();
    });
    expect(await failure(url, { resume: true })).toMatchObject({ code: 'failed', status: 503 });
    expect(readFileSync(`${target()}.part`).length).toBe(CUT_AT);
  });
});

describe('room on the disk', () => {
  it('is looked for before a byte is written', async () => {
    const host = await loopback.http((_request, response) => {
      response.writeHead(200, { 'content-length': 1e15 });
      response.write(IMAGE);
    });
    const seen: number[] = [];
    const error = await failure(`http://${host}/image.bin`, { onProgress: ({ bytes }) => seen.push(bytes) });
    expect(error.code).toBe('diskFull');
    expect(seen).toEqual([]);
    expect(existsSync(`${target()}.part`)).toBe(false);
  });

  it('leaves the store its share', async () => {
    const host = await loopback.http(whole);
    expect((await failure(`http://${host}/image.bin`, { keepFreeBytes: 1e15 })).code).toBe('diskFull');
  });

  it('is bounded by what the caller allows, whether the server tells the size or not', async () => {
    const host = await loopback.http((request, response) => {
      if (request.url === '/told') response.setHeader('content-length', IMAGE.length);
      else response.setHeader('transfer-encoding', 'chunked');
      response.end(IMAGE);
    });
    const mostBytes = IMAGE.length - 1;
    expect((await failure(`http://${host}/told`, { mostBytes })).code).toBe('tooLarge');
    expect((await failure(`http://${host}/chunked`, { mostBytes })).code).toBe('tooLarge');
    expect(existsSync(`${target()}.part`)).toBe(false);
    await download(`http://${host}/chunked`, { mostBytes: IMAGE.length });
  });
});

describe('time', () => {
  it('runs out when no connection comes to stand', async () => {
    // Speaks no TLS and says nothing.
    const port = await loopback.tcp((socket) => socket.resume());
    expect((await failure(`https://127.0.0.1:${port}/`, { timeouts: { connectMs: 100 } })).code).toBe('timeout');
    await expect.poll(() => loopback.connections).toBe(0);
  });

  it('runs out when the server says nothing', async () => {
    const host = await loopback.http(() => {});
    expect((await failure(`http://${host}/`, { timeouts: { idleMs: 100 } })).code).toBe('timeout');
  });

  it('runs out when the bytes stop coming, not while they come', async () => {
    const host = await loopback.http((request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      let sent = 0;
      const timer = setInterval(() => {
        response.write('x');
        if (++sent === (request.url === '/stops' ? 5 : 10)) clearInterval(timer);
      }, 60);
    });
    const timeouts = { idleMs: 300 };
    expect(await download(`http://${host}/slow`, { timeouts })).toEqual({ bytes: 10 });
    expect((await failure(`http://${host}/stops`, { timeouts })).code).toBe('timeout');
    expect((await failure(`http://${host}/slow`, { timeouts: { idleMs: 300, overallMs: 250 } })).code).toBe('timeout');
  });

  it('runs out for a chain of redirects as a whole', async () => {
    const host = await loopback.http((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/' }).end(), 100);
    });
    expect((await failure(`http://${host}/`, { timeouts: { overallMs: 250 } })).code).toBe('timeout');
  });
});

describe('an abort', () => {
  it('closes the connection and keeps what has come', async () => {
    const host = await loopback.http((_request, response) => firstBytes(response, { etag: '"v1"' }));
    const caller = new AbortController();
    const onProgress: NonNullable<DownloadOptions['onProgress']> = ({ bytes }) => {
      if (bytes === CUT_AT) caller.abort();
    };
    expect((await failure(`http://${host}/`, { signal: caller.signal, onProgress })).code).toBe('aborted');
    await expect.poll(() => loopback.connections).toBe(0);
    expect(readFileSync(`${target()}.part`).length).toBe(CUT_AT);
  });

  it('before the beginning asks nobody', async () => {
    let visits = 0;
    const host = await loopback.http((_request, response) => {
      visits++;
      response.end();
    });
    expect((await failure(`http://${host}/`, { signal: AbortSignal.abort() })).code).toBe('aborted');
    expect(visits).toBe(0);
  });
});

/** Of a server that minds neither a short key nor an old protocol. */
const ANY_KEY = { ciphers: 'DEFAULT@SECLEVEL=0' };

describe('https', () => {
  it('is taken from a server whose chain leads to a given root', async () => {
    const host = await loopback.https(HERE, whole);
    expect(await download(`https://${host}/image.bin`, { certificateAuthorities: [ROOT] })).toEqual({
      bytes: IMAGE.length,
    });
  });

  it('is taken below a new root whose predecessor, which has signed it, has gone (M05)', async () => {
    const host = await loopback.https(SUCCEEDED, whole);
    expect(await download(`https://${host}/image.bin`, { certificateAuthorities: [SUCCEEDED.root] })).toEqual({
      bytes: IMAGE.length,
    });
  });

  it.each([
    ['an unknown root', HERE, []],
    ['another host', ELSEWHERE, [ROOT]],
  ])('is not taken from a server with a certificate of %s', async (_what, certificate, certificateAuthorities) => {
    let visits = 0;
    const host = await loopback.https(certificate, (_request, response) => {
      visits++;
      response.end(IMAGE);
    });
    expect((await failure(`https://user:password@${host}/`, { certificateAuthorities })).code).toBe('tls');
    expect(visits).toBe(0);
  });

  it('is not taken from a server that speaks none, or with authorities that are none', async () => {
    const plain = await loopback.http(whole);
    expect((await failure(`https://${plain}/`)).code).toBe('tls');
    const host = await loopback.https(HERE, whole);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect((await failure(`https://${host}/`, { certificateAuthorities: [broken] })).code).toBe('tls');
  });

  it.each(Object.entries(WEAK))(
    'is not taken from a server with a certificate %s',
    async (_what, { root, ...server }) => {
      let visits = 0;
      const host = await loopback.https({ ...server, ...ANY_KEY }, (_request, response) => {
        visits++;
        response.end(IMAGE);
      });
      const error = await failure(`https://user:password@${host}/`, { certificateAuthorities: [root] });
      expect(error).toMatchObject({ code: 'tls', message: expect.stringContaining('key too weak') });
      expect(visits).toBe(0);
    },
  );

  it('is not taken from a server that knows only TLS 1.1', async () => {
    const old = { ...HERE, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ...ANY_KEY } as const;
    const host = await loopback.https(old, whole);
    expect((await failure(`https://${host}/`, { certificateAuthorities: [ROOT] })).code).toBe('tls');
  });
});
