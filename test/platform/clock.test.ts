/** The platform clock against a fake machine: never early, bent by the bench, right after NTP and the central system. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineBootId, nodeTime, type PlatformClock, platformClock, type RealTime } from '../../src/platform/clock.ts';

const NOON = Date.UTC(2026, 10, 22, 12);

/** A machine whose time passes only by `pass`; `earlyMs` makes its timers as imprecise as Node's. */
class Machine implements RealTime {
  monotonicMs = 1_000;
  epochMs = NOON;
  ntp = false;
  readonly timers: { at: number; readonly action: () => void; readonly period?: number }[] = [];
  private readonly earlyMs: number;
  constructor(earlyMs = 0) {
    this.earlyMs = earlyMs;
  }
  monotonic = () => this.monotonicMs;
  epoch = () => this.epochMs;
  synchronised = () => this.ntp;
  timer = (delayMs: number, action: () => void) => this.add({ at: this.monotonicMs + delayMs - this.earlyMs, action });
  every = (period: number, action: () => void) => this.add({ at: this.monotonicMs + period, action, period });
  private add(timer: { at: number; action: () => void; period?: number }) {
    this.timers.push(timer);
    return () => {
      const index = this.timers.indexOf(timer);
      if (index >= 0) this.timers.splice(index, 1);
    };
  }
  pass(ms: number): void {
    const end = this.monotonicMs + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.goTo(Math.max(this.monotonicMs + 0.01, next.at));
      if (next.period === undefined) this.timers.splice(this.timers.indexOf(next), 1);
      else next.at += next.period;
      next.action();
    }
    this.goTo(Math.max(this.monotonicMs, end));
  }
  private goTo(at: number): void {
    this.epochMs += at - this.monotonicMs;
    this.monotonicMs = at;
  }
}

describe('the boot of the machine', () => {
  it('is the same in all processes, and so is the moment from which they count', async () => {
    const contents = `import { machineBootId, nodeTime } from '../../src/platform/clock.ts';
      console.log(JSON.stringify([machineBootId(), nodeTime.monotonic()]));`;
    const stdin = { contents, resolveDir: import.meta.dirname };
    const { outputFiles } = await build({ stdin, bundle: true, platform: 'node', write: false });
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', outputFiles[0]?.text ?? '']);
    const [bootId, began] = JSON.parse(stdout) as [string, number];
    expect(bootId).toBe(machineBootId());
    expect(bootId).toHaveLength(36);
    const age = nodeTime.monotonic() - began;
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThan(60_000);
  });

  it.each([import.meta.filename, '/proc/nowhere'])('is not known where the system does not tell: %s', (file) => {
    expect(machineBootId(file)).toBeUndefined();
  });
});

const wallNow = (clock: PlatformClock) => Math.round(clock.wall(clock.now()));

describe('timers', () => {
  it('never fire early, whatever the rate and however imprecise the machine', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ delay: fc.nat(100_000), real: fc.boolean() }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.double({ min: 0.1, max: 600, noNaN: true }))),
        (delays, bends) => {
          const machine = new Machine(1);
          const clock = platformClock('boot', machine);
          let fired = 0;
          for (const { delay, real } of delays) {
            const due = (real ? machine.monotonicMs : clock.now()) + delay;
            const action = () => {
              fired += 1;
              expect(real ? machine.monotonicMs : clock.now()).toBeGreaterThanOrEqual(due);
            };
            if (real) clock.afterReal(delay, action);
            else clock.after(delay, action);
          }
          for (const [pass, rate] of bends) {
            machine.pass(pass);
            clock.setRate(rate);
          }
          clock.setRate(1);
          machine.pass(200_000);
          expect(fired).toBe(delays.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are re-armed when the rate changes, while real ones keep their time', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    const fired: string[] = [];
    clock.after(60_000, () => fired.push('agent'));
    clock.afterReal(60_000, () => fired.push('real'));
    clock.setRate(60);
    machine.pass(1_001);
    expect(fired).toEqual(['agent']);
    machine.pass(58_000);
    expect(fired).toEqual(['agent']);
    machine.pass(1_000);
    expect(fired).toEqual(['agent', 'real']);
  });

  it('do nothing once cancelled, and a delay beyond the longest of Node still waits', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    const fired: string[] = [];
    clock.after(10, () => fired.push('cancelled'))();
    const thirtyDays = 30 * 86_400_000;
    clock.after(thirtyDays, () => fired.push('month'));
    machine.pass(thirtyDays - 1);
    expect(fired).toEqual([]);
    machine.pass(2);
    expect(fired).toEqual(['month']);
    clock.after(10, () => fired.push('closed'));
    clock.close();
    machine.pass(1_000);
    expect(fired).toEqual(['month']);
    expect(machine.timers).toEqual([]);
  });

  it('that are due in order fire in order after the rate changed', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    const fired: number[] = [];
    for (const delay of [30, 10, 20, 40]) clock.after(delay * 1_000, () => fired.push(delay));
    clock.setRate(100_000);
    machine.pass(5);
    expect(fired).toEqual([10, 20, 30, 40]);
  });
});

describe('monotonic time', () => {
  it('never goes back and advances by the rate', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    const before = clock.now();
    machine.pass(1_000);
    clock.setRate(60);
    expect(clock.now() - before).toBeCloseTo(1_000, 3);
    machine.pass(1_000);
    clock.setRate(0.5);
    machine.pass(1_000);
    expect(clock.now() - before).toBeCloseTo(1_000 + 60_000 + 500, 3);
  });

  it('refuses a rate that would stop or turn it', () => {
    const clock = platformClock('boot', new Machine());
    for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => clock.setRate(rate)).toThrow(RangeError);
    expect(() => clock.setOffset(Number.NaN)).toThrow(RangeError);
  });
});

describe('wall time', () => {
  it('is trusted at once where NTP has synchronised the machine, and then ignores the central system', () => {
    const machine = new Machine();
    machine.ntp = true;
    const clock = platformClock('boot', machine);
    expect(clock.trusted).toBe(true);
    clock.set(0);
    expect(wallNow(clock)).toBe(machine.epochMs);
  });

  it('becomes trusted by the central system, once, and jumps there', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    const heard: string[] = [];
    clock.onTrusted(() => heard.push('trusted'));
    clock.onJump(() => heard.push('jump'));
    expect(clock.trusted).toBe(false);
    clock.set(NOON + 3_600_000);
    expect(clock.trusted).toBe(true);
    expect(wallNow(clock)).toBe(NOON + 3_600_000);
    expect(heard).toEqual(['jump', 'trusted']);
    clock.set(NOON + 3_600_000 + 1_500);
    expect(wallNow(clock)).toBe(NOON + 3_600_000);
    clock.set(NOON + 7_200_000);
    expect(wallNow(clock)).toBe(NOON + 7_200_000);
    expect(heard).toEqual(['jump', 'trusted', 'jump']);
    clock.set(Number.NaN);
    expect(wallNow(clock)).toBe(NOON + 7_200_000);
  });

  it('moves facts of the past along when it jumps', () => {
    const clock = platformClock('boot', new Machine());
    const at = clock.now() - 500;
    clock.set(NOON + 86_400_000);
    expect(Math.round(clock.wall(at))).toBe(NOON + 86_400_000 - 500);
  });

  it('follows a step of the system clock, unless the central system has told the time', () => {
    for (const told of [false, true]) {
      const machine = new Machine();
      const clock = platformClock('boot', machine);
      if (told) clock.set(NOON);
      machine.epochMs += 10_000_000;
      machine.pass(5_000);
      expect(wallNow(clock)).toBe(NOON + 5_000 + (told ? 0 : 10_000_000));
    }
  });

  it('goes over to NTP once NTP is there, even after the central system has told it', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    clock.set(NOON + 60_000);
    machine.ntp = true;
    machine.pass(5_000);
    expect(wallNow(clock)).toBe(machine.epochMs);
    machine.epochMs += 2_000;
    machine.pass(5_000);
    expect(wallNow(clock)).toBe(machine.epochMs);
  });

  it('is shifted by the offset of the bench, against the unshifted one', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    let jumps = 0;
    clock.onJump(() => {
      jumps += 1;
    });
    clock.setOffset(1_000);
    clock.setOffset(86_400_000);
    clock.setOffset(86_400_000);
    expect(wallNow(clock)).toBe(NOON + 86_400_000);
    expect(jumps).toBe(2);
    clock.set(NOON + 10_000);
    expect(wallNow(clock)).toBe(NOON + 10_000 + 86_400_000);
  });

  it('runs at the rate of the bench and is then no longer pulled back by the central system', () => {
    const machine = new Machine();
    const clock = platformClock('boot', machine);
    clock.setRate(3_600);
    machine.pass(10_000);
    expect(wallNow(clock)).toBe(NOON + 36_000_000);
    clock.set(NOON + 10_000);
    expect(clock.trusted).toBe(true);
    expect(wallNow(clock)).toBe(NOON + 36_000_000);
  });
});
