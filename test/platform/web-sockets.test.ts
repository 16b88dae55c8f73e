/** The client's and the server's side of WebSockets, against each other on the loopback. */
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type RunningServer,
  type ServerSocket,
  serveWebSockets,
  type WebSocketServerOptions,
} from '../../src/platform/web-socket-server.ts';
import { MAX_UNSENT_BYTES, WebSockets } from '../../src/platform/web-sockets.ts';
import { dialled } from './support/dialled.ts';

const HOST = '127.0.0.1';
const FLOOD = Array.from({ length: 400 }, (_, index) => index);
const cleanUp: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function serve(options: Partial<WebSocketServerOptions> = {}): Promise<{
  readonly url: string;
  readonly server: RunningServer;
  readonly visitors: ServerSocket[];
}> {
  const visitors: ServerSocket[] = [];
  const server = await serveWebSockets({
    host: HOST,
    port: 0,
    onConnection: (socket) => {
      socket.onText((text) => socket.send(`echo ${text}`));
      visitors.push(socket);
    },
    ...options,
  });
  cleanUp.push(() => server.close());
  return { url: `ws://${HOST}:${server.port}`, server, visitors };
}

/** A server that says what it likes. */
async function raw(onConnection: (socket: TcpSocket) => void): Promise<string> {
  const open = new Set<TcpSocket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  cleanUp.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `ws://${HOST}:${typeof address === 'object' ? address?.port : 0}/cp`;
}

/** The answer to an upgrade, RFC 6455 section 4.2.2. */
function switching(request: Buffer, subprotocol: string | undefined): string {
  const key = /sec-websocket-key: (\S+)/i.exec(request.toString())?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    '\r\n',
  ].join('\r\n');
}

const answering = (response: string) =>
  raw((socket) => {
    socket.once('data', () => socket.end(response));
  });

function dial(request: Parameters<typeof dialled>[1]) {
  const connection = dialled(new WebSockets(), request);
  cleanUp.push(() => connection.socket.terminate());
  return connection;
}

describe('a connection', () => {
  it('carries texts and pongs both ways and closes politely', async () => {
    const { url } = await serve();
    const connection = dial({ url: `${url}/cp001` });
    await connection.next('opened');
    connection.socket.send('hello');
    await connection.next('received echo hello');
    connection.socket.ping();
    await connection.next('pong');
    connection.socket.close(1000, 'enough');
    expect(await connection.closed).toEqual({ code: 1000, reason: 'enough' });
  });

  it('shows the server the identity decoded, and the password as the bytes it is', async () => {
    const { url, visitors } = await serve();
    const password = Uint8Array.from([0, 0x3a, 0xff, 0xfe, 0x80]);
    await dial({ url: `${url}/ocpp/RDAM%7C1%2F23`, basicAuth: { user: 'RDAM|1/23', password } }).next('opened');
    const [visitor] = visitors;
    expect(visitor?.identity).toBe('RDAM|1/23');
    expect(visitor?.basicAuth?.user).toBe('RDAM|1/23');
    expect([...(visitor?.basicAuth?.password ?? [])]).toEqual([...password]);
  });

  it('hands over a flood one frame a turn of the event loop, all of it in order and before the end', async () => {
    const { url } = await serve({
      onConnection: (socket) => {
        for (const frame of FLOOD) socket.send(String(frame));
        socket.close(1000, 'done');
      },
    });
    let turn = 0;
    let counting = true;
    const count = (): void => {
      turn++;
      if (counting) setImmediate(count);
    };
    count();
    const turns: number[] = [];
    const texts: string[] = [];
    await new Promise<void>((resolve) => {
      new WebSockets().dial(
        { url: `${url}/cp001`, subprotocol: 'ocpp1.6', handshakeTimeoutMs: 5_000 },
        {
          opened: () => {},
          received: (text) => {
            texts.push(text);
            turns.push(turn);
          },
          pong: () => {},
          closed: () => resolve(),
        },
      );
    });
    counting = false;
    expect(texts).toEqual(FLOOD.map(String));
    // The counter's own turn may come before or after ours.
    expect(
      Math.max(...turns.map((_, index) => turns.filter((other) => other === turns[index]).length)),
    ).toBeLessThanOrEqual(2);
  });

  it('that is dropped in the middle of a flood ends without the rest of it', async () => {
    const { url } = await serve({
      onConnection: (socket) => {
        for (const frame of FLOOD) socket.send(String(frame));
      },
    });
    const connection = dial({ url: `${url}/cp001` });
    await connection.next('received 10');
    connection.socket.terminate();
    expect((await connection.closed).code).toBe(1006);
    expect(connection.events).toEqual(['opened', ...FLOOD.slice(0, 11).map((n) => `received ${n}`), 'closed 1006']);
  });

  it('is dropped when the server does not read what we send', async () => {
    const url = await raw((socket) => {
      socket.once('data', (request) => {
        socket.write(switching(request, 'ocpp1.6'));
        socket.pause();
      });
    });
    const connection = dial({ url });
    await connection.next('opened');
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let sent = 0; sent < 2 * MAX_UNSENT_BYTES; sent += megabyte.length) connection.socket.send(megabyte);
    expect(await connection.closed).toEqual({ code: 1006, reason: 'the server does not read what we send' });
  });

  it('tells why the server closed it', async () => {
    const { url, visitors } = await serve();
    const connection = dial({ url: `${url}/cp001` });
    await connection.next('opened');
    visitors[0]?.close(1008, 'duplicate');
    expect(await connection.closed).toEqual({ code: 1008, reason: 'duplicate' });
  });

  it('that vanishes is closed with 1006', async () => {
    const { url, visitors } = await serve();
    const connection = dial({ url: `${url}/cp001` });
    await connection.next('opened');
    visitors[0]?.terminate();
    expect((await connection.closed).code).toBe(1006);
  });

  it('is closed when a message is larger than 4 MiB', async () => {
    const { url, visitors } = await serve();
    const connection = dial({ url: `${url}/cp001` });
    await connection.next('opened');
    visitors[0]?.send('x'.repeat(4 * 1024 * 1024 + 1));
    await connection.closed;
    expect(connection.events.some((event) => event.startsWith('received'))).toBe(false);
  });

  it('reports its end exactly once and last, however often it is closed, and ignores what comes after', async () => {
    const { url } = await serve();
    const connection = dial({ url: `${url}/cp001` });
    await connection.next('opened');
    connection.socket.close(1000, 'x'.repeat(500));
    connection.socket.close(1000, '');
    connection.socket.terminate();
    await connection.closed;
    connection.socket.send('late');
    connection.socket.ping();
    connection.socket.close(1000, '');
    connection.socket.terminate();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(connection.events.filter((event) => event.startsWith('closed'))).toHaveLength(1);
    expect(connection.events.at(-1)).toMatch(/^closed/);
  });

  it('is dropped when the server does not answer the close', async () => {
    // Completes the handshake and then says nothing any more.
    const url = await raw((socket) => socket.once('data', (request) => socket.write(switching(request, 'ocpp1.6'))));
    const connection = dial({ url });
    await connection.next('opened');
    connection.socket.close(1000, '');
    await connection.closed;
    expect(connection.events).toEqual(['opened', expect.stringMatching(/^closed/)]);
  });
});

describe('a dial that fails', () => {
  it.each([401, 403, 404, 503])('tells the HTTP status %i', async (status) => {
    const { url } = await serve({ admit: () => status });
    expect(await dial({ url: `${url}/cp001` }).closed).toMatchObject({
      failure: 'httpStatus',
      httpStatus: status,
      code: 1006,
    });
  });

  it('does not follow a redirect', async () => {
    const { url: target, visitors } = await serve();
    const url = await answering(`HTTP/1.1 301 Moved\r\nLocation: ${target}/cp001\r\nContent-Length: 0\r\n\r\n`);
    expect(await dial({ url }).closed).toMatchObject({ failure: 'httpStatus', httpStatus: 301 });
    expect(visitors).toEqual([]);
  });

  it('is refused where nobody listens', async () => {
    const { url, server } = await serve();
    await server.close();
    expect(await dial({ url: `${url}/cp001` }).closed).toMatchObject({ failure: 'refused', code: 1006 });
  });

  it('times out where nobody answers', async () => {
    const url = await raw(() => {});
    expect(await dial({ url, handshakeTimeoutMs: 100 }).closed).toMatchObject({ failure: 'timeout' });
  });

  it('names the network when the server hangs up', async () => {
    const url = await raw((socket) => socket.destroy());
    expect(await dial({ url }).closed).toMatchObject({ failure: 'network' });
  });

  it.each([
    ['none', undefined],
    ['another', 'ocpp2.0.1'],
  ])('names the subprotocol when the server chooses %s', async (_which, chosen) => {
    const url = await raw((socket) => socket.once('data', (request) => socket.write(switching(request, chosen))));
    const connection = dial({ url });
    expect(await connection.closed).toMatchObject({ failure: 'subprotocol' });
    expect(connection.events).toHaveLength(1);
  });

  it.each(['not a url', 'ftp://host/cp', 'ws://host/cp#fragment'])(
    'is an event, not an exception, for %s',
    async (url) => {
      expect(await dial({ url }).closed).toMatchObject({ failure: 'network', code: 1006 });
    },
  );

  it('names TLS for a certificate that is none', async () => {
    const request = { url: 'wss://127.0.0.1:1/cp', clientCertificate: { chain: 'nonsense', key: 'nonsense' } };
    expect((await dial(request).closed).failure).toBe('tls');
  });

  it('that is given up is closed', async () => {
    const url = await raw(() => {});
    const connection = dial({ url });
    connection.socket.close(1000, '');
    expect((await connection.closed).failure).toBe('network');
  });
});

describe('the server', () => {
  it('completes the handshake without ocpp1.6 and closes, as OCPP-J section 3.2 wants it', async () => {
    const { url, visitors } = await serve();
    const connection = dial({ url: `${url}/cp001`, subprotocol: 'ocpp2.0.1' });
    expect(await connection.closed).toMatchObject({ failure: 'subprotocol' });
    expect(visitors).toEqual([]);
  });

  it.each(['/', '/ocpp/', '/%E0%A4%A'])('answers 404 to a path without an identity: %s', async (path) => {
    const { url } = await serve();
    expect(await dial({ url: url + path }).closed).toMatchObject({ httpStatus: 404 });
  });

  it('lets the caller admit by identity and key', async () => {
    const { url } = await serve({
      admit: ({ identity, basicAuth }) =>
        identity === 'cp001' && Buffer.from(basicAuth?.password ?? []).toString() === 'right' ? 'connect' : 401,
    });
    const password = (text: string) => ({ user: 'cp001', password: Buffer.from(text) });
    await dial({ url: `${url}/cp001`, basicAuth: password('right') }).next('opened');
    expect(await dial({ url: `${url}/cp001`, basicAuth: password('wrong') }).closed).toMatchObject({ httpStatus: 401 });
    expect(await dial({ url: `${url}/cp001` }).closed).toMatchObject({ httpStatus: 401 });
  });

  it('serves HTTP on the same port', async () => {
    const { url } = await serve({ onRequest: (_request, response) => response.end('hello') });
    expect(await (await fetch(url.replace('ws:', 'http:'))).text()).toBe('hello');
  });

  it('rejects when the port is taken', async () => {
    const { server } = await serve();
    const options = { host: HOST, port: server.port, onConnection: () => {} };
    await expect(serveWebSockets(options)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('tells of the end of a connection, and drops all of them when it closes', async () => {
    const { url, server, visitors } = await serve();
    const first = dial({ url: `${url}/cp001` });
    const second = dial({ url: `${url}/cp002` });
    await Promise.all([first.next('opened'), second.next('opened')]);
    const ended = new Promise((resolve) => visitors[0]?.onClose((code, reason) => resolve({ code, reason })));
    (visitors[0]?.identity === 'cp001' ? first : second).socket.close(1000, 'enough');
    expect(await ended).toEqual({ code: 1000, reason: 'enough' });
    await server.close();
    await Promise.all([first.closed, second.closed]);
  });
});
