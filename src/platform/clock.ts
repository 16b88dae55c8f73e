/** The agent's one clock: monotonic time, its mapping to wall time, timers, and the rate and offset of the bench. */
import { existsSync, readFileSync } from 'node:fs';
import type { Cancel, Clock } from '../ports.ts';

/** Real time as the operating system gives it; replaced in tests. */
export interface RealTime {
  /** Monotonic milliseconds. */
  monotonic(): number;
  /** Epoch milliseconds. */
  epoch(): number;
  /** Whether NTP has synchronised the machine. */
  synchronised(): boolean;
  /** A timer that keeps the process alive; may fire a little early. */
  timer(delayMs: number, action: () => void): Cancel;
  /** A repeating timer that does not keep the process alive. */
  every(periodMs: number, action: () => void): Cancel;
}

/** Made by systemd-timesyncd once the clock is right; adjtimex is out of reach without native code. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';

const NS_PER_MS = 1e6;

/** Linux makes a new one at each boot; containers see that of their host, whose monotonic time they have as well. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined where the system does not tell. All processes of one boot of the machine count their monotonic time from there. */
export function machineBootId(file = BOOT_ID): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return UUID.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

export const nodeTime: RealTime = {
  // CLOCK_MONOTONIC on Linux. `performance` would count from the start of the process, and load its observers and histograms as well.
  monotonic: () => Number(process.hrtime.bigint()) / NS_PER_MS,
  epoch: () => Date.now(),
  synchronised: () => existsSync(SYNCHRONISED),
  timer: (delayMs, action) => {
    const handle = setTimeout(action, delayMs);
    return () => clearTimeout(handle);
  },
  every: (periodMs, action) => {
    const handle = setInterval(action, periodMs);
    handle.unref();
    return () => clearInterval(handle);
  },
};

/** A clock that the bench may bend. */
export interface PlatformClock extends Clock {
  readonly rate: number;
  readonly offsetMs: number;
  /** Agent milliseconds per real millisecond, > 0; pending timers are re-armed. Throws RangeError. */
  setRate(rate: number): void;
  /** Shifts wall time by this many milliseconds against the unshifted one. Throws RangeError. */
  setOffset(offsetMs: number): void;
  /** Drops every timer. */
  close(): void;
}

interface Timer {
  readonly due: number;
  readonly scaled: boolean;
  readonly action: () => void;
  cancel: Cancel;
}

const WATCH_PERIOD_MS = 5_000;
/** Below this a step of the system clock is a slew, or the grain of our own sampling. */
const STEP_MS = 500;
/** currentTime often comes in whole seconds and has travelled: a smaller difference says nothing new. */
const CENTRAL_SYSTEM_STEP_MS = 2_000;
/** Node turns longer delays into 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export function platformClock(bootId: string, real: RealTime = nodeTime): PlatformClock {
  const timers = new Set<Timer>();
  const trustListeners = new Set<() => void>();
  const jumpListeners = new Set<() => void>();
  // Agent time: `agentBase` at the real moment `realBase`, running at `rate` since.
  let rate = 1;
  let bent = false;
  let realBase = real.monotonic();
  let agentBase = realBase;
  // Wall time: agent time plus `wallMinusAgent` plus the offset of the bench.
  let systemOrigin = real.epoch() - realBase;
  let wallMinusAgent = systemOrigin;
  let offsetMs = 0;
  let synchronised = real.synchronised();
  let told = false;

  const now = () => agentBase + (real.monotonic() - realBase) * rate;
  const trusted = () => synchronised || told;
  const tell = (listeners: Set<() => void>) => {
    for (const listener of [...listeners]) listener();
  };

  function arm(timer: Timer): void {
    const left = timer.scaled ? (timer.due - now()) / rate : timer.due - real.monotonic();
    const delay = Math.min(Math.max(0, Math.ceil(left)), LONGEST_DELAY_MS);
    timer.cancel = real.timer(delay, () => {
      // Node's timers run on a coarser clock and may be up to 1 ms early.
      const early = (timer.scaled ? now() : real.monotonic()) < timer.due;
      if (early) {
        arm(timer);
      } else {
        timers.delete(timer);
        timer.action();
      }
    });
  }

  function start(due: number, scaled: boolean, action: () => void): Cancel {
    const timer: Timer = { due, scaled, action, cancel: () => {} };
    timers.add(timer);
    arm(timer);
    return () => {
      timers.delete(timer);
      timer.cancel();
    };
  }

  function shiftWall(byMs: number, wasTrusted: boolean): void {
    wallMinusAgent += byMs;
    if (byMs !== 0) tell(jumpListeners);
    if (!wasTrusted && trusted()) tell(trustListeners);
  }

  /** Follows steps of the system clock: always while untold, and again from the moment NTP has taken over. */
  function watchSystem(): void {
    const wasTrusted = trusted();
    const wasSynchronised = synchronised;
    synchronised ||= real.synchronised();
    const origin = real.epoch() - real.monotonic();
    const step = origin - systemOrigin;
    const stepped = Math.abs(step) >= STEP_MS;
    if (stepped) systemOrigin = origin;
    if (told && synchronised && !wasSynchronised && !bent) {
      told = false;
      shiftWall(systemOrigin - wallMinusAgent, wasTrusted);
    } else {
      shiftWall(stepped && !told ? step : 0, wasTrusted);
    }
  }

  const stopWatching = real.every(WATCH_PERIOD_MS, watchSystem);

  return {
    bootId,
    now,
    after: (delayMs, action) => start(now() + Math.max(0, delayMs), true, action),
    afterReal: (delayMs, action) => start(real.monotonic() + Math.max(0, delayMs), false, action),
    wall: (at) => at + wallMinusAgent + offsetMs,
    get trusted() {
      return trusted();
    },
    set(epochMs) {
      if (synchronised || !Number.isFinite(epochMs)) return;
      const wasTrusted = trusted();
      const error = epochMs - (now() + wallMinusAgent);
      const first = !told;
      told = true;
      // Once the bench has bent time, the central system lives in another one.
      const follow = !bent && (first || Math.abs(error) > CENTRAL_SYSTEM_STEP_MS);
      shiftWall(follow ? error : 0, wasTrusted);
    },
    onTrusted: (listener) => subscribe(trustListeners, listener),
    onJump: (listener) => subscribe(jumpListeners, listener),
    get rate() {
      return rate;
    },
    get offsetMs() {
      return offsetMs;
    },
    setRate(next) {
      if (!(next > 0 && Number.isFinite(next))) throw new RangeError(`clock rate must be above 0, not ${next}`);
      agentBase = now();
      realBase = real.monotonic();
      rate = next;
      bent ||= next !== 1;
      const scaled = [...timers].filter((timer) => timer.scaled).sort((a, b) => a.due - b.due);
      for (const timer of scaled) {
        timer.cancel();
        arm(timer);
      }
    },
    setOffset(next) {
      if (!Number.isFinite(next)) throw new RangeError(`clock offset must be a number of milliseconds, not ${next}`);
      if (next === offsetMs) return;
      offsetMs = next;
      tell(jumpListeners);
    },
    close() {
      stopWatching();
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
}

function subscribe(listeners: Set<() => void>, listener: () => void): Cancel {
  // A wrapper of its own, so that one function subscribed twice is called twice.
  const entry = () => listener();
  listeners.add(entry);
  return () => {
    listeners.delete(entry);
  };
}
