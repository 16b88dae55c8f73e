/** The control socket between a server and its client, on a real unix socket in a temporary directory. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentRoutes, type RunningAgent } from '../../src/control/agent-routes.ts';
import { callAgent } from '../../src/control/client.ts';
import type { Route } from '../../src/control/route.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { ControlError } from '../../src/errors.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import type { Log } from '../../src/ports.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

let directory: string;
let path: string;
const servers: ControlServer[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'control-'));
  path = join(directory, 'deep', 'control.sock');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const echo: Route = { method: 'POST', path: '/echo', handle: ({ query, body }) => ({ query, body }) };
const broken: Route = {
  method: 'GET',
  path: '/broken',
  handle: () => {
    throw new Error('secret detail');
  },
};

async function serve(routes: readonly Route[] = [echo, broken]): Promise<ControlServer> {
  const server = await serveControl({ socket: socketFile(path), routes, log: silent });
  servers.push(server);
  return server;
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'answered',
    (error: unknown) => (error instanceof ControlError ? error.code : error),
  );

/** Raw bytes, for what no well-behaved client sends. */
const raw = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.end(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });

describe('the control server', () => {
  it('hands query and JSON body to the route and its result back', async () => {
    await serve();
    const body = { text: 'ä', list: [1, null] };
    expect(await callAgent(path, { method: 'POST', path: '/echo?a=1&b=%2F', body })).toEqual({
      query: { a: '1', b: '/' },
      body,
    });
  });

  it('makes its directory, and lets owner and group connect but nobody else', async () => {
    await serve();
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('answers 404 for an unknown path and 400 for a wrong method', async () => {
    await serve();
    expect(await codeOf(callAgent(path, { path: '/nothing' }))).toBe('notFound');
    expect(await codeOf(callAgent(path, { path: '/echo' }))).toBe('badRequest');
  });

  it('answers 400 for a body that is no JSON, as JSON', async () => {
    await serve();
    const answer = await raw('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('{"error":"the body is no JSON"}');
  });

  it('survives garbage and answers the next request', async () => {
    await serve();
    await raw('\u0000\u0001 nonsense\r\n\r\n');
    await raw('GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await codeOf(callAgent(path, { method: 'POST', path: '/echo' }))).toBe('answered');
  });

  it('does not tell the client what went wrong inside', async () => {
    await serve();
    await expect(callAgent(path, { path: '/broken' })).rejects.toThrow(/its log says why/);
  });

  it('refuses two routes for the same thing', async () => {
    await expect(serve([echo, echo])).rejects.toThrow(/two control routes/);
  });

  it('replaces the socket of an agent that died', async () => {
    const stale = createServer();
    await new Promise<void>((resolve) => {
      stale.listen(join(directory, 'control.sock'), resolve);
    });
    path = join(directory, 'control.sock');
    // A killed process leaves the file and nobody behind it; a plain file is as dead.
    await new Promise((resolve) => stale.close(resolve));
    writeFileSync(path, '');
    await serve();
    expect(await codeOf(callAgent(path, { method: 'POST', path: '/echo' }))).toBe('answered');
  });

  it('refuses to start beside a live agent and leaves that one alone', async () => {
    await serve();
    await expect(serveControl({ socket: socketFile(path), routes: [], log: silent })).rejects.toMatchObject({
      code: 'alreadyRunning',
    });
    expect(await codeOf(callAgent(path, { method: 'POST', path: '/echo' }))).toBe('answered');
  });

  it('closes although a client holds its connection open, and removes the socket', async () => {
    const server = await serve();
    const idle = connect(path);
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => {});
    await server.close();
    expect(await codeOf(callAgent(path, { path: '/echo' }))).toBe('noAgent');
  });
});

describe('the routes of the agent', () => {
  const view = { connected: true, boot: 'Accepted', queue: 1, connectors: [] } as const;
  const asked: number[] = [];
  const running = {
    version: '1.2.3',
    config: { file: '/c.yaml', chargePoint: { identity: 'cp001' }, centralSystem: { url: 'ws://h/?k=canary' } },
    agent: {
      view: () => view,
      outbox: {
        size: 1,
        pending: (limit: number) => {
          asked.push(limit);
          return Promise.resolve([{ action: 'StartTransaction', transaction: 't1', content: {} }]);
        },
        deadLetters: () => Promise.resolve([]),
      },
    },
  } as unknown as RunningAgent;

  it('tell its status and its outbox', async () => {
    await serve(agentRoutes(running));
    expect(await callAgent(path, { path: '/status' })).toMatchObject({
      ...view,
      identity: 'cp001',
      version: '1.2.3',
      fileUrl: 'ws://h/?***',
    });
    expect(await callAgent(path, { path: '/outbox?limit=5' })).toMatchObject({
      size: 1,
      pending: [{ transaction: 't1' }],
    });
    expect(asked).toEqual([5]);
    expect(await callAgent(path, { path: '/outbox/dead' })).toEqual({ deadLetters: [] });
  });

  it.each(['0', '-1', '1e9', 'many', '1001'])('refuse the limit %s', async (limit) => {
    await serve(agentRoutes(running));
    expect(await codeOf(callAgent(path, { path: `/outbox?limit=${limit}` }))).toBe('badRequest');
  });
});
