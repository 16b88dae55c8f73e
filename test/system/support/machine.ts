/** A machine with a fake /sys and a /run of its own, which outlives the agents that run on it: its pins stay as they were, as on a Pi. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FakeSysfs, type Happened } from '../rigs/fake-sysfs.ts';

const LOOK_EVERY_MS = 3;
const HOLD = 'mount -t tmpfs tmpfs /run && mkdir /run/chargepoint && echo ready && exec sleep infinity';

export class Machine {
  readonly sysfs = new FakeSysfs();
  readonly #log: Happened[] = [];
  readonly #listeners = new Set<(happened: Happened) => void>();
  readonly #holder: ChildProcess;
  readonly #children = new Set<ChildProcess>();
  #tail: NodeJS.Timeout | undefined;
  #file: number | undefined;
  #partial = '';

  private constructor() {
    this.#holder = this.sysfs.spawn('sh', ['-c', HOLD], { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  static async start(): Promise<Machine> {
    const machine = new Machine();
    await machine.#ready();
    return machine;
  }

  async #ready(): Promise<void> {
    const { stdout } = this.#holder;
    if (stdout === null) throw new Error('no stdout');
    await Promise.race([
      once(stdout, 'data'),
      once(this.#holder, 'exit').then(() => Promise.reject(new Error('the fake sysfs did not come up'))),
    ]);
    this.#file = openSync(join(this.sysfs.folder, 'log'), 'r');
    this.#tail = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  /** The pid of the child is the program's own. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const within = ['--target', String(this.#holder.pid), '--mount', '--', program, ...args];
    const child = spawn('nsenter', within, options);
    this.#children.add(child);
    child.on('exit', () => this.#children.delete(child));
    return child;
  }

  /** Everything that was written to sysfs or pulled until now, in order. */
  get log(): readonly Happened[] {
    this.look();
    return this.#log;
  }

  onHappened(listener: (happened: Happened) => void): void {
    this.#listeners.add(listener);
  }

  /** Takes in what was logged since the last look. */
  look(): void {
    if (this.#file === undefined) return;
    const buffer = Buffer.alloc(65_536);
    for (let length = -1; length !== 0; ) {
      length = readSync(this.#file, buffer);
      this.#partial += buffer.toString('latin1', 0, length);
    }
    const lines = this.#partial.split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    const [, ns = '0', what = '', value = ''] = /^(\d+) (pull \d+|\S+) (\S*)/.exec(line) ?? [];
    const happened: Happened = { ns: BigInt(ns), what, value };
    this.#log.push(happened);
    for (const listener of this.#listeners) listener(happened);
  }

  /** Ends everything that runs on it. */
  async stop(): Promise<void> {
    clearInterval(this.#tail);
    for (const child of this.#children) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    if (this.#holder.exitCode === null && this.#holder.kill('SIGKILL')) await once(this.#holder, 'exit');
    this.sysfs.remove();
  }
}
