/** What an update waits for: a time of the day, and connectors without transactions. */
import type { Connector } from '../../core/connector/state.ts';
import type { Clock, Installer } from '../../ports.ts';
import type { Station } from '../../station/station.ts';

/** Resolves at this wall time (epoch milliseconds), wherever the clock jumps meanwhile, or when the signal is aborted. */
export function untilWall(clock: Clock, wall: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let cancel = (): void => {};
    const end = (): void => {
      cancel();
      unsubscribe();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const look = (): void => {
      cancel();
      const left = wall - clock.wall(clock.now());
      if (left <= 0) end();
      else cancel = clock.after(left, look);
    };
    const unsubscribe = clock.onJump(look);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    else look();
  });
}

const isRunning = ({ phase }: Connector): boolean => phase.name === 'beginning' || 'transaction' in phase;

/** Resolves once no transaction runs, or when the signal is aborted; undefined if none runs now. */
export function untilIdle(station: Station, signal: AbortSignal): Promise<void> | undefined {
  if (!station.connectors.some(isRunning)) return undefined;
  return new Promise((resolve) => {
    const end = (): void => {
      unsubscribe();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const unsubscribe = station.onChange(() => {
      if (!station.connectors.some(isRunning)) end();
    });
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

const TRIAL_LOOK_MS = 2000;

/** Resolves once what runs has proved itself, or when the signal is aborted. */
export async function untilProven(clock: Clock, installer: Installer, signal: AbortSignal): Promise<void> {
  while (await installer.onTrial()) {
    await untilWall(clock, clock.wall(clock.now()) + TRIAL_LOOK_MS, signal);
    if (signal.aborted) return;
  }
}

/** Resolves when the promise does, or when the signal is aborted. */
export async function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end);
    promise.then(end, end);
  });
}
