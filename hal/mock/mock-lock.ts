/** The lock of a socket outlet, with a motor that may not move either way. */
import type { ConnectorLock } from '../contract.ts';

/** `lock`: cannot close. `unlock`: cannot open. */
export type LockJam = 'lock' | 'unlock' | undefined;

export interface MockLockEvents {
  moved(): void;
  failed(code: 'lockFailed' | 'unlockFailed'): void;
  /** The cause is gone, as the motor lock of a real board has it: the lock has moved, or, for `lockFailed`, gave up. */
  over(code: 'lockFailed' | 'unlockFailed'): void;
}

export class MockLock implements ConnectorLock {
  readonly #events: MockLockEvents;
  #locked = false;
  jam: LockJam;

  constructor(events: MockLockEvents) {
    this.#events = events;
  }

  get locked(): boolean {
    return this.#locked;
  }

  async lock(): Promise<boolean> {
    return this.#move(true, 'lock', 'lockFailed');
  }

  async unlock(): Promise<boolean> {
    return this.#move(false, 'unlock', 'unlockFailed');
  }

  #move(locked: boolean, jam: LockJam, code: 'lockFailed' | 'unlockFailed'): boolean {
    if (this.#locked !== locked && this.jam === jam) {
      this.#events.failed(code);
      if (code === 'lockFailed') this.#events.over(code);
      return false;
    }
    this.#locked = locked;
    this.#events.over(code);
    this.#events.moved();
    return true;
  }
}
