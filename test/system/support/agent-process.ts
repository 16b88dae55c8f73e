/** `chargepoint run` of the built agent with a configuration of the test, one life after another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CHARGEPOINT } from './site.ts';

export class AgentProcess {
  /** Where everything is that it writes. */
  readonly folder = mkdtempSync(join(tmpdir(), 'agent-'));
  readonly config = join(this.folder, 'chargepoint.json');
  readonly stateDir = join(this.folder, 'state');
  readonly controlSocket = join(this.folder, 'control.sock');
  readonly #logFile = join(this.folder, 'output');
  #child: ChildProcess | undefined;

  /** `configuration` as in the main file; the folders are added, and a secrets file if there are secrets. */
  constructor(configuration: object, secrets?: Readonly<Record<string, string>>) {
    const secretsFile = join(this.folder, 'secrets.json');
    if (secrets !== undefined) writeFileSync(secretsFile, JSON.stringify(secrets), { mode: 0o600 });
    const places = {
      stateDir: this.stateDir,
      control: { socket: this.controlSocket },
      ...(secrets === undefined ? {} : { secretsFile }),
    };
    writeFileSync(this.config, JSON.stringify({ ...configuration, ...places }));
    writeFileSync(this.#logFile, '');
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  run(environment: Readonly<Record<string, string>> = {}, nodeArguments: readonly string[] = []): void {
    // A file, because a pipe that nobody empties in time would hold the process up.
    const output = openSync(this.#logFile, 'a');
    const args = [...nodeArguments, CHARGEPOINT, 'run', '--config', this.config];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environment },
    });
    closeSync(output);
    this.#child = child;
  }

  /** Both streams of all lives so far. */
  get output(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves once the pattern stands in the output, `from` a position on. */
  async says(pattern: RegExp, from = 0, withinMs = 15_000): Promise<void> {
    for (const end = performance.now() + withinMs; !pattern.test(this.output.slice(from)); await delay(10)) {
      if (performance.now() > end)
        throw new Error(`not within ${withinMs} ms: ${pattern}\n${this.output.slice(-4000)}`);
    }
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async close(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
