/** The real board on a fake machine: the driver process, what it tells, and how long it takes. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type {
  BoardDescription,
  ComparatorPilotEvseDescription,
  GpioDescription,
  OwnPilotEvseDescription,
} from '../../../hal/board-description.ts';
import type { FakeSysfs, Happened } from '../rigs/fake-sysfs.ts';

export const COIL = 17;
export const MIRROR = 27;
export const NEGATIVE = 5;
export const STOP = 6;
export const MAINS = 13;
/** Comparators at 10.5, 7.5, 4.5 and 1.5 V. */
export const ABOVE = [22, 23, 24, 25] as const;
const LEVELS = { A: [1, 1, 1, 1], B: [0, 1, 1, 1], C: [0, 0, 1, 1] } as const;
export const BUDGET_MS = 100;
export const RELEASE_MS = 30;

export const EVSE: ComparatorPilotEvseDescription = {
  driver: 'comparatorPilot',
  pwm: { device: '*.pwm', channel: 0 },
  comparators: {
    above10V5: { line: ABOVE[0] },
    above7V5: { line: ABOVE[1] },
    above4V5: { line: ABOVE[2] },
    above1V5: { line: ABOVE[3] },
    belowMinus10V5: { line: NEGATIVE },
  },
  // What is measured is measured often.
  contactor: {
    coil: { line: COIL },
    mirror: { line: MIRROR },
    releaseMs: RELEASE_MS,
    pauseMs: 0,
    pauseAfterErrorMs: 0,
  },
};
/** A board on the chip of the fake machine. */
export const boardOn = (gpio: GpioDescription, evse: OwnPilotEvseDescription = EVSE): BoardDescription => ({
  name: 'rig',
  gpio,
  connectors: [{ id: 1, maxA: 32, phases: 3, evse }],
  inputs: [{ fault: 'emergencyStop', connector: 0, line: STOP, clearsAfterMs: 50 }],
  mains: { line: MAINS },
});

export const DUTY = '/pwm/pwmchip0/pwm0/duty_cycle';
export const wired = `wire ${COIL} ${MIRROR}`;
export const IDLE = [...ABOVE.map((line) => `pull ${line} 1`), `pull ${NEGATIVE} 1`];

/** Builds the driver once; what `begin` starts is ended after each test. */
export function boardRigs(): { begin(options: RigOptions): Rig } {
  const bundles = mkdtempSync(join(tmpdir(), 'board-driver-'));
  const driver = join(bundles, 'driver.cjs');
  const rigs: Rig[] = [];
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, '../rigs/board-driver.ts')],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: driver,
      external: ['koffi', 'onoff', 'serialport', 'modbus-serial'],
      // As `require`, which looks into NODE_PATH: the bundle lies outside the repository.
      supported: { 'dynamic-import': false },
      logLevel: 'error',
    });
  });
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.end();
  });
  afterAll(() => rmSync(bundles, { recursive: true, force: true }));
  return {
    begin(options) {
      const rig = new Rig(driver, options);
      rigs.push(rig);
      return rig;
    },
  };
}

export interface RigOptions {
  readonly machine: FakeSysfs;
  readonly board: BoardDescription;
  /** What the log calls the level of the coil. */
  readonly coil: string;
  /** For the control file. */
  readonly before: readonly string[];
  /** What a process that died has left behind, as shell commands. */
  readonly left?: string;
  /** Runs the driver. */
  readonly tracer?: readonly string[];
}

/** A fake machine, the driver on it, and what the driver tells. */
export class Rig {
  readonly machine: FakeSysfs;
  readonly #coil: string;
  readonly #process: ChildProcess;
  readonly #events: Record<string, unknown>[] = [];
  readonly exit: Promise<number | null>;
  #errors = '';
  #read = 0;
  #wake: () => void = () => {};

  constructor(driver: string, { machine, board, coil, before, left = '', tracer = [] }: RigOptions) {
    this.machine = machine;
    this.#coil = coil;
    const nodeModules = join(import.meta.dirname, '../../../node_modules');
    // The world is there before the board is opened.
    const script = `printf '%s\\n' "$1" >"$2"; ${left} sleep 0.05; shift 2; exec "$@"`;
    const args = [
      '-c',
      script,
      'sh',
      before.join('\n'),
      machine.controlFile,
      ...tracer,
      process.execPath,
      driver,
      JSON.stringify(board),
    ];
    // A group of its own: a driver under a tracer goes on when the tracer is killed.
    this.#process = machine.spawn('sh', args, { env: { ...process.env, NODE_PATH: nodeModules }, detached: true });
    this.exit = new Promise((resolve) => this.#process.on('exit', resolve));
    this.#process.stderr?.on('data', (text) => {
      this.#errors += String(text);
    });
    if (this.#process.stdout === null) throw new Error('no stdout');
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line));
      this.#wake();
    });
  }

  /** The next event that has these members, in the order in which they are told. */
  async told(members: Record<string, unknown>, withinMs = 5000): Promise<Record<string, unknown>> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      for (; this.#read < this.#events.length; ) {
        const event = this.#events[this.#read++];
        if (event !== undefined && Object.entries(members).every(([key, value]) => matches(event[key], value))) {
          return event;
        }
      }
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`not told: ${JSON.stringify(members)}; told ${JSON.stringify(this.#events)} ${this.#errors}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  say(command: string): void {
    this.#process.stdin?.write(`${command}\n`);
  }

  /** The lines that change are pulled at the same moment. */
  ev(state: keyof typeof LEVELS): void {
    this.machine.control(...ABOVE.map((line, index) => `pull ${line} ${LEVELS[state][index]}`));
  }

  async charge(): Promise<void> {
    this.ev('B');
    await this.told({ state: { pilot: 'B' } });
    this.ev('C');
    await this.told({ state: { pilot: 'C', contactor: 'closed' } });
  }

  writes(what: string): readonly string[] {
    return this.machine.log.filter((entry) => entry.what === what).map(({ value }) => value);
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  get coil(): string | undefined {
    return this.machine.log.findLast(({ what }) => what === this.#coil)?.value;
  }

  async end(): Promise<void> {
    const { exitCode, pid } = this.#process;
    if (exitCode === null && pid !== undefined) process.kill(-pid, 'SIGKILL');
    await this.exit;
    this.machine.remove();
  }
}

function matches(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(wanted).every(([key, part]) => matches((value as Record<string, unknown>)[key], part));
}

/** Milliseconds from each pull that wants it, while the coil is on, to the coil being written off. */
export function openingTimes(
  log: readonly Happened[],
  coil: string,
  begins: (entry: Happened) => boolean,
): readonly number[] {
  const times: number[] = [];
  let from: bigint | undefined;
  let on = false;
  for (const entry of log) {
    if (entry.what === coil) on = entry.value === '1';
    if (on && begins(entry)) from = entry.ns;
    else if (from !== undefined && entry.what === coil && entry.value === '0') {
      times.push(Number(entry.ns - from) / 1e6);
      from = undefined;
    }
  }
  return times.sort((a, b) => a - b);
}

export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;

export function report(name: string, times: readonly number[]): void {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  console.info(`${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${times.length}`);
}
