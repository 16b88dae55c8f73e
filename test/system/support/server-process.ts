/** A real server as a child process: started, waited for until it listens, and ended by its process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';

const READY_WITHIN_MS = 5_000;
const END_WITHIN_MS = 3_000;

/** Somebody else could take them meanwhile; nobody does in a test. */
export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await once(server.listen(0, host), 'listening');
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      return port;
    }),
  );
}

export class ServerProcess {
  readonly #child: ChildProcess;
  #said = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        this.#said += chunk;
      });
  }

  /** The command must stay in the foreground. Rejects with what it said if it does not listen in time. */
  static async start(
    command: string,
    args: readonly string[],
    { host = '127.0.0.1', port }: { readonly host?: string; readonly port: number },
  ): Promise<ServerProcess> {
    const server = new ServerProcess(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    const until = performance.now() + READY_WITHIN_MS;
    while (!(await listens(host, port))) {
      if (performance.now() < until && server.#child.exitCode === null) continue;
      await server.stop();
      throw new Error(`${command} does not listen on ${host}:${port}: ${server.#said}`);
    }
    return server;
  }

  get children(): readonly number[] {
    return descendants(this.#child.pid ?? 0);
  }

  /** Kills the processes that serve connections, as a power cut at the server would; the server itself goes on. */
  hangUp(): void {
    for (const pid of this.children) kill(pid);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    const { children } = this;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_WITHIN_MS);
    await ended;
    clearTimeout(timer);
    for (const pid of children) kill(pid);
  }
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  } finally {
    socket.destroy();
  }
}

/** Of every generation, the youngest first. */
export function descendants(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return children.map(Number).flatMap((child) => [...descendants(child), child]);
  } catch {
    // Gone.
    return [];
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone.
  }
}
