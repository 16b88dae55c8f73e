/** A motor lock: one pulse on one of two lines, and a switch that says where it is. */
import type { ConnectorLock, DriverLog, FaultCode, Monotonic, Timebase } from '../contract.ts';
import { tryAll } from '../try-all.ts';
import type { InputLine, OutputLine } from './line.ts';

export const PULSE_MS = 600;
/** So often in all before it counts as jammed; in between the motor rests, because a jammed one gets hot. */
export const ATTEMPTS = 3;
const REST_MS = 500;

export type LockFault = Extract<FaultCode, 'lockFailed' | 'unlockFailed'>;

export interface LockParts {
  readonly lock: OutputLine;
  readonly unlock: OutputLine;
  readonly locked: InputLine;
  readonly pulseMs?: number;
  readonly clock: Timebase;
  readonly log: DriverLog;
  /** The mirror contact says open; an EVSE controller has to be asked first. A welded contactor keeps its plug. */
  mayUnlock(): boolean | Promise<boolean>;
  raise(code: LockFault): void;
  /** The cause is gone: the lock has moved, or, for `lockFailed`, gave up. The latch alone keeps that one until the EV leaves. */
  clear(code: LockFault): void;
}

interface Movement {
  readonly motor: OutputLine;
  /** Drives the other way: has to be off first. */
  readonly opposite: OutputLine;
  readonly locked: boolean;
  readonly fault: LockFault;
}

/** One movement at a time; never both lines at once. A line that fails is an attempt that failed: nothing here rejects. */
export class MotorLock implements ConnectorLock {
  readonly #parts: LockParts;
  #last: Promise<unknown> = Promise.resolve();
  /** What has been asked for last and has not begun. */
  #waiting: { readonly locked: boolean; readonly done: Promise<boolean> } | undefined;
  /** Until then the motor rests. */
  #restsUntil: Monotonic = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** The latest failure of a line. */
  #trouble: unknown;

  constructor(parts: LockParts) {
    this.#parts = parts;
  }

  /** A switch that cannot be read proves nothing: the plug does not count as held. */
  get locked(): boolean {
    return this.#position() === true;
  }

  lock(): Promise<boolean> {
    const { lock: motor, unlock: opposite } = this.#parts;
    return this.#after({ motor, opposite, locked: true, fault: 'lockFailed' });
  }

  /** Resolves to false without moving while the contactor is closed. */
  unlock(): Promise<boolean> {
    const { unlock: motor, lock: opposite } = this.#parts;
    return this.#after({ motor, opposite, locked: false, fault: 'unlockFailed' });
  }

  /** Ends the pulse that is under way, and there is no further one. Throws if a line cannot be written. */
  close(): void {
    this.#closed = true;
    const { lock, unlock } = this.#parts;
    tryAll([lock, unlock].map((motor) => () => motor.write(false)));
  }

  /** Who wants what waits already gets the same answer: a jammed plug is asked for each time its EV moves. */
  #after(movement: Movement): Promise<boolean> {
    const { locked } = movement;
    if (this.#waiting?.locked === locked) return this.#waiting.done;
    const done = this.#last.then(() => {
      if (this.#waiting?.done === done) this.#waiting = undefined;
      return this.#move(movement);
    });
    this.#waiting = { locked, done };
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #move(movement: Movement): Promise<boolean> {
    const { locked, fault } = movement;
    const { clock } = this.#parts;
    let outcome = 'stopped';
    let there = this.#position() === locked;
    for (let attempt = 1; attempt <= ATTEMPTS && !there; attempt++) {
      const restMs = this.#restsUntil - clock.now();
      if (restMs > 0) await this.#wait(restMs);
      outcome = await this.#attempt(movement);
      if (outcome === 'refused') return false;
      there = outcome === 'stopped' && this.#position() === locked;
      if (!there) this.#restsUntil = clock.now() + REST_MS;
    }
    if (!there) {
      this.#parts.log.warn('the connector lock does not move', { locked, error: String(this.#trouble ?? 'none') });
      this.#parts.raise(fault);
    }
    // Nobody locks a faulted connector again: were the cause to last until a success, it would last for ever.
    if (there || fault === 'lockFailed') this.#parts.clear(fault);
    return there;
  }

  async #attempt(movement: Movement): Promise<'stopped' | 'failed' | 'refused'> {
    try {
      const may = movement.locked || (await this.#parts.mayUnlock());
      if (this.#closed || !may) return 'refused';
      await this.#pulse(movement);
      return 'stopped';
    } catch (error) {
      this.#trouble = error;
      return 'failed';
    }
  }

  /** The whole pulse, or until the switch says that the lock is there. */
  async #pulse({ motor, opposite, locked }: Movement): Promise<void> {
    opposite.write(false);
    motor.write(true);
    try {
      await this.#wait(this.#parts.pulseMs ?? PULSE_MS, locked);
    } finally {
      if (!this.#closed) motor.write(false);
    }
  }

  #position(): boolean | undefined {
    try {
      return this.#parts.locked.read();
    } catch (error) {
      this.#trouble = error;
      return undefined;
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
