/** The built agent on the mock board, one life after another, played through its bench. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askJson } from '../../../src/bench/json-client.ts';

export interface BenchConnector {
  readonly out: {
    readonly pilot: string;
    readonly contactor: boolean;
    readonly status: string;
    readonly transaction: 'none' | 'offline' | 'online';
    readonly transactionId: number | null;
  };
}

/** What is read of the document of the bench. */
export interface BenchDocument {
  readonly now: string;
  readonly out: { readonly connected: boolean; readonly boot: string | null; readonly queue: number };
  readonly connectors: { readonly [id: string]: BenchConnector };
}

export interface BenchAgentOptions {
  /** dist/chargepoint.cjs, or a copy of it. */
  readonly program: string;
  readonly centralPort: number;
  readonly connectors: readonly number[];
  readonly keys?: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  readonly nodeArguments?: readonly string[];
  /** Besides that of the test. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

const READY_WITHIN_MS = 15_000;
const ENDS_WITHIN_MS = 4_000;

export class BenchAgent {
  /** Where everything is that it writes. */
  readonly folder = mkdtempSync(join(tmpdir(), 'bench-agent-'));
  readonly logFile = join(this.folder, 'agent.log');
  readonly #options: BenchAgentOptions;
  #port = 0;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> = Promise.resolve({ code: 0, signal: null });

  constructor(options: BenchAgentOptions) {
    this.#options = options;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** Resolves once the bench answers; `inputs` as in `bench.inputs`. */
  async start(inputs: unknown = {}): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const { program, nodeArguments = [], environment } = this.#options;
    const config = join(this.folder, 'chargepoint.yaml');
    writeFileSync(config, JSON.stringify(this.#configuration(inputs)));
    const child = spawn(process.execPath, [...nodeArguments, program, 'run', '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...environment },
    });
    // Through a pipe: what systemd writes to its journal is not what the agent writes.
    const log = createWriteStream(this.logFile, { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      this.#child = undefined;
      log.end();
      return { code, signal };
    });
    for (const end = performance.now() + READY_WITHIN_MS; ; await delay(20)) {
      if (await this.document().catch(() => undefined)) return;
      if (this.#child === undefined || performance.now() > end)
        throw new Error(`the agent does not start:\n${this.lastWords}`);
    }
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`the agent does not run:\n${this.lastWords}`);
    return pid;
  }

  /** Of the present process, or of the last one. */
  get ended(): Promise<Ended> {
    return this.#ended;
  }

  get lastWords(): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
  }

  document(): Promise<BenchDocument> {
    return this.#ask('GET', '/bench');
  }

  patch(patch: unknown): Promise<BenchDocument> {
    return this.#ask('PATCH', '/bench', patch);
  }

  tap(idTag: string, connector: number): Promise<BenchDocument> {
    return this.#ask('POST', '/bench/tap', { idTag, connectors: [connector] });
  }

  /** Asks what was loaded into the process with `--require`. */
  async message(text: string): Promise<unknown> {
    const child = this.#child;
    if (child === undefined) throw new Error('the agent does not run');
    child.send(text);
    const [answer] = await once(child, 'message');
    return answer;
  }

  /** Polled; rejects with what was waited for. */
  async until(what: string, fits: (document: BenchDocument) => boolean, withinMs = 15_000): Promise<BenchDocument> {
    for (const end = performance.now() + withinMs; ; await delay(15)) {
      const document = await this.document();
      if (fits(document)) return document;
      if (performance.now() > end)
        throw new Error(
          `not within ${withinMs} ms: ${what}; ${JSON.stringify(document.connectors)}\n${this.lastWords}`,
        );
    }
  }

  /** Ends the process, if it still runs. */
  async end(): Promise<Ended> {
    const child = this.#child;
    const timer = setTimeout(() => child?.kill('SIGKILL'), ENDS_WITHIN_MS);
    child?.kill('SIGTERM');
    const ended = await this.#ended;
    clearTimeout(timer);
    return ended;
  }

  async close(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #configuration(inputs: unknown): unknown {
    const { centralPort, connectors, keys = {} } = this.#options;
    return {
      chargePoint: { identity: 'bench', vendor: 'Acme', model: 'Pi' },
      centralSystem: { url: `ws://127.0.0.1:${centralPort}` },
      board: 'mock',
      connectors: connectors.map((id) => ({ id, cable: 'socket' })),
      keys,
      options: { RetryBackoffWaitMinimum: 0, RetryBackoffRandomRange: 0 },
      stateDir: join(this.folder, 'state'),
      bench: { host: '127.0.0.1', port: this.#port, inputs },
    };
  }

  async #ask(method: string, path: string, asked?: unknown): Promise<BenchDocument> {
    const { status, body } = await askJson(this.#port, method, path, asked);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body as BenchDocument;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (typeof address !== 'object' || address === null) throw new Error('no port is free');
  return address.port;
}
