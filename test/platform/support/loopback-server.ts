/** Small servers on the loopback that behave as a test says, and a folder of its own; all gone after the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

export class Loopback {
  readonly #open: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];
  #folder: string | undefined;

  constructor() {
    afterEach(() => this.#close());
  }

  /** A path in the folder of this test. */
  file(name: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'chargepoint-transfers-'));
    return join(this.#folder, name);
  }

  /** Resolves with `127.0.0.1:port`. */
  async http(listener: RequestListener): Promise<string> {
    return `127.0.0.1:${await this.#listen(createServer(listener))}`;
  }

  async https(tls: { readonly cert: string; readonly key: string }, listener: RequestListener): Promise<string> {
    return `127.0.0.1:${await this.#listen(createTlsServer(tls, listener))}`;
  }

  /** Resolves with the port. */
  tcp(onConnection: (socket: Socket) => void): Promise<number> {
    return this.#listen(createTcpServer(onConnection));
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#open.reduce((sum, { sockets }) => sum + sockets.size, 0);
  }

  async #listen(server: Server | HttpServer): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    this.#open.push({ server, sockets });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async #close(): Promise<void> {
    for (const { server, sockets } of this.#open.splice(0)) {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
    this.#folder = undefined;
  }
}
