/** A motor lock: one pulse on one of two lines, and a switch that says where it is. */
import type { ConnectorLock, FaultCode, Timebase } from '../contract.ts';
import type { InputLine, OutputLine } from './line.ts';

export const PULSE_MS = 600;
/** So often in all before it counts as jammed; in between the motor rests, because a jammed one gets hot. */
export const ATTEMPTS = 3;
export const REST_MS = 500;

export type LockFault = Extract<FaultCode, 'lockFailed' | 'unlockFailed'>;

export interface LockParts {
  readonly lock: OutputLine;
  readonly unlock: OutputLine;
  readonly locked: InputLine;
  readonly pulseMs?: number;
  readonly clock: Timebase;
  /** The mirror contact says open. A welded contactor keeps its plug. */
  mayUnlock(): boolean;
  raise(code: LockFault): void;
  /** The cause is gone: the lock has moved, or, for `lockFailed`, gave up. The latch alone keeps that one until the EV leaves. */
  clear(code: LockFault): void;
}

/** One movement at a time; never both lines at once. */
export class MotorLock implements ConnectorLock {
  readonly #parts: LockParts;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: LockParts) {
    this.#parts = parts;
  }

  get locked(): boolean {
    return this.#parts.locked.read();
  }

  lock(): Promise<boolean> {
    return this.#after(() => this.#move(this.#parts.lock, true, 'lockFailed'));
  }

  /** Resolves to false without moving while the contactor is closed. */
  unlock(): Promise<boolean> {
    return this.#after(() => this.#move(this.#parts.unlock, false, 'unlockFailed'));
  }

  /** No further pulse; the one under way ends when its line is closed. */
  close(): void {
    this.#closed = true;
  }

  #after(movement: () => Promise<boolean>): Promise<boolean> {
    const done = this.#last.then(movement);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #move(motor: OutputLine, locked: boolean, fault: LockFault): Promise<boolean> {
    for (let attempt = 1; attempt <= ATTEMPTS && this.locked !== locked; attempt++) {
      if (this.#closed || (!locked && !this.#parts.mayUnlock())) return false;
      if (attempt > 1) await this.#wait(REST_MS);
      await this.#pulse(motor, locked);
    }
    const there = this.locked === locked;
    if (!there) this.#parts.raise(fault);
    // Nobody locks a faulted connector again: were the cause to last until a success, it would last for ever.
    if (there || fault === 'lockFailed') this.#parts.clear(fault);
    return there;
  }

  /** The whole pulse, or until the switch says that the lock is there. */
  async #pulse(motor: OutputLine, locked: boolean): Promise<void> {
    if (this.#closed) return;
    motor.write(true);
    try {
      await this.#wait(this.#parts.pulseMs ?? PULSE_MS, locked);
    } finally {
      if (!this.#closed) motor.write(false);
    }
  }

  #wait(ms: number, orUntilLocked?: boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        unsubscribe();
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, done);
      const unsubscribe = this.#parts.locked.onChange((locked) => {
        if (locked === orUntilLocked) done();
      });
    });
  }
}
