/** Time that only moves when it is told to: a virtual minute takes milliseconds. Implements the agent's Clock and the drivers' Timebase. */
import type { Cancel, Clock, Unsubscribe } from '../ports.ts';

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly action: () => void;
}

/** Lets everything that only waits for promises run, store callbacks included. */
export type Settle = () => Promise<void>;

export interface VirtualClockOptions {
  /** Epoch milliseconds at `start`. */
  readonly wallStart?: number;
  readonly trusted?: boolean;
  readonly bootId?: string;
  /** Monotonic milliseconds. */
  readonly start?: number;
}

export class VirtualClock implements Clock {
  readonly bootId: string;
  readonly #settle: Settle;
  #now: number;
  #offset: number;
  #trusted: boolean;
  #order = 0;
  readonly #timers = new Set<Timer>();
  readonly #onTrusted = new Set<() => void>();
  readonly #onJump = new Set<() => void>();

  constructor(settle: Settle, options: VirtualClockOptions = {}) {
    this.#settle = settle;
    this.bootId = options.bootId ?? 'boot-1';
    this.#now = options.start ?? 0;
    this.#offset = (options.wallStart ?? 0) - this.#now;
    this.#trusted = options.trusted ?? true;
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
    await this.#settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.due > end) break;
      this.#now = Math.max(this.#now, next.due);
      // Timers of the same instant run in one turn, as they would on one event loop.
      for (let same = this.#next(); same !== undefined && same.due <= this.#now; same = this.#next()) {
        this.#timers.delete(same);
        same.action();
      }
      await this.#settle();
    }
    this.#now = end;
    await this.#settle();
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
