/** The virtual clock as tests use it: time that only moves when a test says so. */
import { VirtualClock as Clock, type VirtualClockOptions } from '../../src/bench/virtual-clock.ts';

export const seconds = (n: number): number => n * 1000;
export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;

export const DEFAULT_WALL_START = Date.UTC(2026, 0, 5, 8, 0, 0);

/** Lets everything that only waits for promises run, store callbacks included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export class VirtualClock extends Clock {
  constructor(options: VirtualClockOptions = {}) {
    super(settle, { wallStart: DEFAULT_WALL_START, ...options });
  }

  /** As it is after a boot without NTP: the same time, but nobody vouches for it. */
  untrusted(): VirtualClock {
    const { bootId } = this;
    return new VirtualClock({ bootId, start: this.now(), wallStart: this.wall(this.now()), trusted: false });
  }
}
