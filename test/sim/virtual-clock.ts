/** Time that only moves when a test says so. Implements the agent's Clock and the drivers' Timebase. */
import type { Cancel, Clock, Unsubscribe } from '../../src/ports.ts';

export const seconds = (n: number): number => n * 1000;
export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;

export const DEFAULT_WALL_START = Date.UTC(2026, 0, 5, 8, 0, 0);

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly action: () => void;
}

export interface VirtualClockOptions {
  /** Epoch milliseconds at monotonic 0. */
  readonly wallStart?: number;
  readonly trusted?: boolean;
  readonly bootId?: string;
  /** Monotonic start, so that a second boot can go on with the same wall time. */
  readonly start?: number;
}

/** Lets everything that only waits for promises run, store callbacks included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export class VirtualClock implements Clock {
  readonly bootId: string;
  #now: number;
  #offset: number;
  #trusted: boolean;
  #order = 0;
  readonly #timers = new Set<Timer>();
  readonly #onTrusted = new Set<() => void>();
  readonly #onJump = new Set<() => void>();

  constructor(options: VirtualClockOptions = {}) {
    this.bootId = options.bootId ?? 'boot-1';
    this.#now = options.start ?? 0;
    this.#offset = (options.wallStart ?? DEFAULT_WALL_START) - this.#now;
    this.#trusted = options.trusted ?? true;
  }

  /** As it is after a boot without NTP: the same time, but nobody vouches for it. */
  untrusted(): VirtualClock {
    return new VirtualClock({ bootId: this.bootId, start: this.#now, wallStart: this.wall(this.#now), trusted: false });
  }

  now(): number {
    return this.#now;
  }

  wall(at: number): number {
    return at + this.#offset;
  }

  get trusted(): boolean {
    return this.#trusted;
  }

  set(epochMs: number): void {
    if (this.#trusted) return;
    this.jumpTo(epochMs);
  }

  /** As NTP would: the wall time is now this, and it is right. */
  jumpTo(epochMs: number): void {
    const before = this.#trusted;
    this.#offset = epochMs - this.#now;
    this.#trusted = true;
    for (const listener of [...this.#onJump]) listener();
    if (!before) for (const listener of [...this.#onTrusted]) listener();
  }

  after(delayMs: number, action: () => void): Cancel {
    const timer: Timer = { due: this.#now + Math.max(0, delayMs), order: this.#order++, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  afterReal(delayMs: number, action: () => void): Cancel {
    return this.after(delayMs, action);
  }

  onTrusted(listener: () => void): Unsubscribe {
    this.#onTrusted.add(listener);
    return () => this.#onTrusted.delete(listener);
  }

  onJump(listener: () => void): Unsubscribe {
    this.#onJump.add(listener);
    return () => this.#onJump.delete(listener);
  }

  /** How many timers are armed: a leak shows as growth. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Moves time forward, running each timer at its time with everything settled between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.due > end) break;
      this.#now = Math.max(this.#now, next.due);
      // Timers of the same instant run in one turn, as they would on one event loop.
      for (let same = this.#next(); same !== undefined && same.due <= this.#now; same = this.#next()) {
        this.#timers.delete(same);
        same.action();
      }
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}
