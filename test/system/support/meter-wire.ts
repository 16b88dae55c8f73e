/** The SDM630 of the system tests: python3-pymodbus at the far end of a pty pair, with a load that the test switches. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const RIG = join(import.meta.dirname, '../rigs/modbus-slave.py');
const SEED = 1;
const UP_WITHIN_MS = 10_000;

export class MeterWire {
  /** What the agent opens. */
  readonly port: string;
  readonly #socat: ChildProcess;
  readonly #slave: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  /** Commands go one by one: the rig reads the next after it has answered the last. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string) {
    this.port = join(folder, 'meter');
    const far = join(folder, 'far');
    this.#socat = spawn('socat', [`pty,raw,echo=0,link=${this.port}`, `pty,raw,echo=0,link=${far}`]);
    this.#slave = spawn('/usr/bin/python3', [RIG, far, String(SEED)]);
    this.#slave.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#slave.stdout })[Symbol.asyncIterator]();
  }

  static async start(folder: string): Promise<MeterWire> {
    const wire = new MeterWire(folder);
    for (const end = performance.now() + UP_WITHIN_MS; !existsSync(wire.port); await delay(10)) {
      if (performance.now() > end) throw new Error('socat did not come up');
    }
    await wire.load(0);
    return wire;
  }

  /** Resolves once the registers show it. */
  load(watts: number): Promise<unknown> {
    this.#last = this.#last.then(() => {
      this.#slave.stdin.write(`load ${watts}\n`);
      return this.#answers.next();
    });
    return this.#last;
  }

  async stop(): Promise<void> {
    for (const child of [this.#slave, this.#socat]) {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    }
  }
}
