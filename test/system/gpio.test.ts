/** The real board with unmodified onoff on a fake /sys/class/{gpio,pwm}: what is written, in which order, and how soon. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BoardDescription, ComparatorPilotEvseDescription } from '../../hal/board-description.ts';
import { FakeSysfs, type Happened, numberOf } from './rigs/fake-sysfs.ts';

const COIL = 17;
const MIRROR = 27;
const NEGATIVE = 5;
const STOP = 6;
const MAINS = 13;
/** Comparators at 10.5, 7.5, 4.5 and 1.5 V. */
const ABOVE = [22, 23, 24, 25] as const;
const LEVELS = { A: [1, 1, 1, 1], B: [0, 1, 1, 1], C: [0, 0, 1, 1] } as const;
const BUDGET_MS = 100;
const RELEASE_MS = 30;

const EVSE: ComparatorPilotEvseDescription = {
  driver: 'comparatorPilot',
  pwm: { device: '*.pwm', channel: 0 },
  comparators: {
    above10V5: { line: ABOVE[0] },
    above7V5: { line: ABOVE[1] },
    above4V5: { line: ABOVE[2] },
    above1V5: { line: ABOVE[3] },
    belowMinus10V5: { line: NEGATIVE },
  },
  contactor: { coil: { line: COIL }, mirror: { line: MIRROR }, releaseMs: RELEASE_MS },
};
const BOARD: BoardDescription = {
  name: 'rig',
  gpio: { backend: 'onoff', chip: 'pinctrl-fake' },
  connectors: [{ id: 1, maxA: 32, phases: 3, evse: EVSE }],
  inputs: [{ fault: 'emergencyStop', connector: 0, line: STOP, clearsAfterMs: 50 }],
  mains: { line: MAINS },
};

const COIL_VALUE = `/gpio/gpio${numberOf(COIL)}/value`;
const DUTY = '/pwm/pwmchip0/pwm0/duty_cycle';

let bundles: string;
let driver: string;

beforeAll(async () => {
  bundles = mkdtempSync(join(tmpdir(), 'board-driver-'));
  driver = join(bundles, 'driver.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'rigs/board-driver.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: driver,
    external: ['onoff', 'serialport', 'modbus-serial'],
    // As `require`, which looks into NODE_PATH: the bundle lies outside the repository.
    supported: { 'dynamic-import': false },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

/** A fake machine, the driver on it, and what the driver tells. */
class Rig {
  readonly sysfs = new FakeSysfs();
  readonly #process: ChildProcess;
  readonly #events: Record<string, unknown>[] = [];
  readonly exit: Promise<number | null>;
  #errors = '';
  #read = 0;
  #wake: () => void = () => {};

  /** `before` are lines for the control file; `left` is what a process that died has left behind, as shell commands. */
  constructor(board: BoardDescription, before: readonly string[], left: string) {
    const nodeModules = join(import.meta.dirname, '../../node_modules');
    // The world is there before the board is opened.
    const script = `printf '%s\\n' "$1" >"$2/control"; ${left} sleep 0.05; exec "$3" "$4" "$5"`;
    const args = [
      '-c',
      script,
      'sh',
      before.join('\n'),
      this.sysfs.folder,
      process.execPath,
      driver,
      JSON.stringify(board),
    ];
    this.#process = this.sysfs.spawn('sh', args, { env: { ...process.env, NODE_PATH: nodeModules } });
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
    this.sysfs.control(...ABOVE.map((line, index) => `pull ${line} ${LEVELS[state][index]}`));
  }

  async charge(): Promise<void> {
    this.ev('B');
    await this.told({ state: { pilot: 'B' } });
    this.ev('C');
    await this.told({ state: { pilot: 'C', contactor: 'closed' } });
  }

  writes(what: string): readonly string[] {
    return this.sysfs.log.filter((entry) => entry.what === what).map(({ value }) => value);
  }

  get coil(): string | undefined {
    return this.sysfs.log.findLast(({ what }) => what === COIL_VALUE)?.value;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill('SIGKILL');
    await this.exit;
    this.sysfs.remove();
  }
}

function matches(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(wanted).every(([key, part]) => matches((value as Record<string, unknown>)[key], part));
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end();
});

const IDLE = [...ABOVE.map((line) => `pull ${line} 1`), `pull ${NEGATIVE} 1`];

function start(board: BoardDescription = BOARD, ...before: string[]): Rig {
  return begin(new Rig(board, [...IDLE, ...before], ''));
}

function begin(rig: Rig): Rig {
  rigs.push(rig);
  return rig;
}

async function open(board: BoardDescription = BOARD, ...before: string[]): Promise<Rig> {
  const rig = start(board, ...before);
  await rig.told({ ready: true });
  return rig;
}

const wired = `wire ${COIL} ${MIRROR}`;

/** Milliseconds from each pull that wants it, while the coil is on, to the coil being written off. */
function openingTimes(log: readonly Happened[], begins: (entry: Happened) => boolean): readonly number[] {
  const times: number[] = [];
  let from: bigint | undefined;
  let on = false;
  for (const entry of log) {
    if (entry.what === COIL_VALUE) on = entry.value === '1';
    if (on && begins(entry)) from = entry.ns;
    else if (from !== undefined && entry.what === COIL_VALUE && entry.value === '0') {
      times.push(Number(entry.ns - from) / 1e6);
      from = undefined;
    }
  }
  return times.sort((a, b) => a - b);
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;

function report(name: string, times: readonly number[]): void {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  console.info(`${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${times.length}`);
}

describe('the real board on sysfs', () => {
  it('sets level and direction of the coil in one write, before anything else is driven', async () => {
    const rig = await open();
    const driven = rig.sysfs.log
      .filter(({ what }) => /direction|value|pwm/.test(what))
      .map(({ what, value }) => `${what} ${value}`);
    expect(driven[0]).toBe(`/gpio/gpio${numberOf(COIL)}/direction low`);
    expect(rig.writes(`/gpio/gpio${numberOf(COIL)}/active_low`)).toEqual(['0']);
    expect(rig.writes(COIL_VALUE)).not.toContain('1');
  });

  it('never drives a coil that is on while its pin is low', async () => {
    const contactor = { ...EVSE.contactor, coil: { line: COIL, activeLow: true } };
    const rig = await open({ ...BOARD, connectors: [{ id: 1, maxA: 32, phases: 3, evse: { ...EVSE, contactor } }] });
    expect(rig.writes(`/gpio/gpio${numberOf(COIL)}/direction`)).toEqual(['high']);
    expect(rig.writes(COIL_VALUE)).not.toContain('0');
  });

  it('starts the pilot with period, then x1, then enable', async () => {
    const rig = await open();
    const pwm = rig.sysfs.log
      .filter(({ what }) => what.startsWith('/pwm'))
      .map(({ what, value }) => `${what.slice(14)} ${value}`);
    expect(pwm.slice(0, 4)).toEqual(['export 0', 'pwm0/period 1000000', 'pwm0/duty_cycle 1000000', 'pwm0/enable 1']);
  });

  it('switches off what a process that died has left on, without a gap in the pilot', async () => {
    const left = [
      `cd /sys/class; echo ${numberOf(COIL)} >gpio/export; echo high >gpio/gpio${numberOf(COIL)}/direction;`,
      'echo 0 >pwm/pwmchip0/export; cd pwm/pwmchip0/pwm0;',
      'echo 1000000 >period; echo 266667 >duty_cycle; echo 1 >enable; cd /;',
    ];
    const rig = begin(new Rig(BOARD, [...IDLE, wired], left.join(' ')));
    await rig.told({ ready: true });
    expect(rig.writes(`/gpio/gpio${numberOf(COIL)}/direction`)).toEqual(['high', 'low']);
    expect(rig.writes(DUTY).slice(0, 2)).toEqual(['266667', '1000000']);
    expect(rig.writes(DUTY.replace('duty_cycle', 'enable'))).not.toContain('0');
  });

  it('walks from plugging in to unplugging: one write for an offer, the coil off first when the EV leaves', async () => {
    const rig = await open(BOARD, wired);
    await rig.charge();
    expect(rig.coil).toBe('1');
    expect(rig.writes(DUTY).at(-1)).toBe('266667');
    const before = rig.sysfs.log.length;
    rig.ev('A');
    await rig.told({ state: { pilot: 'A' } });
    const after = rig.sysfs.log.slice(before).filter(({ what }) => !what.startsWith('pull'));
    expect(after.map(({ what, value }) => `${what} ${value}`).slice(0, 2)).toEqual([
      `${COIL_VALUE} 0`,
      `${DUTY} 1000000`,
    ]);
  });

  it('opens within the budget when the EV leaves C', async () => {
    const rig = await open(BOARD, wired);
    await rig.charge();
    for (let cycle = 0; cycle < 12; cycle++) {
      rig.ev('B');
      await rig.told({ state: { pilot: 'B', contactor: 'open' } });
      rig.ev('C');
      await rig.told({ state: { pilot: 'C', contactor: 'closed' } });
    }
    const times = openingTimes(rig.sysfs.log, ({ what, value }) => what === `pull ${ABOVE[1]}` && value === '1');
    report('pilot leaves C -> coil off', times);
    expect(times).toHaveLength(12);
    expect(quantile(times, 0.99) + RELEASE_MS).toBeLessThanOrEqual(BUDGET_MS);
  });

  it('opens at once for an emergency stop and for failing mains', async () => {
    const rig = await open(BOARD, wired);
    await rig.charge();
    for (let cycle = 0; cycle < 8; cycle++) {
      rig.sysfs.pull(STOP, 1);
      await rig.told({ fault: 'emergencyStop', raised: true });
      expect(rig.coil).toBe('0');
      rig.sysfs.pull(STOP, 0);
      await rig.told({ fault: 'emergencyStop', raised: false });
      rig.say('offer');
      rig.say('permit');
      await rig.told({ state: { contactor: 'closed' } });
    }
    const times = openingTimes(rig.sysfs.log, ({ what, value }) => what === `pull ${STOP}` && value === '1');
    report('emergency stop -> coil off', times);
    expect(times).toHaveLength(8);
    expect(quantile(times, 0.99) + RELEASE_MS).toBeLessThanOrEqual(BUDGET_MS);
    rig.sysfs.pull(MAINS, 1);
    await rig.told({ mains: 'failing' });
    expect(rig.coil).toBe('0');
  });

  it('takes the coil off when the contactor does not close', async () => {
    const rig = await open();
    rig.ev('B');
    await rig.told({ state: { pilot: 'B' } });
    rig.ev('C');
    await rig.told({ fault: 'contactorStuckOpen', raised: true });
    expect(rig.coil).toBe('0');
  });

  it('finds a welded contactor, and keeps it after it has come loose until it is reset', async () => {
    const rig = await open(BOARD, wired);
    await rig.charge();
    rig.sysfs.control(`cut ${COIL}`);
    rig.ev('A');
    await rig.told({ fault: 'contactorWelded', raised: true });
    rig.sysfs.pull(MIRROR, 0);
    await rig.told({ state: { contactor: 'open' } });
    rig.say('reset');
    await rig.told({ fault: 'contactorWelded', raised: false });
  });

  it('refuses an EV without a diode', async () => {
    const rig = await open(BOARD, wired, `pull ${NEGATIVE} 0`);
    rig.ev('C');
    await rig.told({ fault: 'diodeFault', raised: true });
    expect(rig.writes(COIL_VALUE)).not.toContain('1');
  });

  it('leaves an open contactor, x1 and no line behind when it is closed, and the process ends by itself', async () => {
    const rig = await open(BOARD, wired);
    await rig.charge();
    rig.say('close');
    await rig.told({ closed: true });
    expect(await rig.exit).toBe(0);
    const exports = rig.writes('/gpio/export');
    expect([...rig.writes('/gpio/unexport')].sort()).toEqual([...exports].sort());
    expect([rig.coil, rig.writes(DUTY).at(-1)]).toEqual(['0', '1000000']);
  });

  const on = (chip: string): BoardDescription => ({ ...BOARD, gpio: { backend: 'onoff', chip } });
  const withPwm = (device: string): BoardDescription => ({
    ...BOARD,
    connectors: [{ id: 1, maxA: 32, phases: 3, evse: { ...EVSE, pwm: { device, channel: 0 } } }],
  });

  it.each<[string, string, RegExp, BoardDescription, string[]]>([
    ['a chip that is not there', 'noSuchLine', /pinctrl-rp1.*found: pinctrl-fake/, on('pinctrl-rp1'), []],
    ['a line that another driver holds', 'lineBusy', /pinctrl-fake:6 /, BOARD, [`busy ${STOP}`]],
    ['a line that it may not open', 'noPermission', /group gpio/, BOARD, [`deny ${MIRROR}`]],
    ['a PWM chip that is not there', 'noSuchPwm', /found: fake\.pwm/, withPwm('1f00098000.pwm'), []],
  ])('names %s (%s) and leaves the coil off', async (_name, code, message, board, before) => {
    const rig = start(board, ...before);
    expect((await rig.told({ error: code }))['message']).toMatch(message);
    expect(await rig.exit).toBe(0);
    expect(rig.coil ?? '0').toBe('0');
    expect(rig.writes('/gpio/unexport')).toHaveLength(rig.writes('/gpio/export').length - (before.length > 0 ? 1 : 0));
  });
});
