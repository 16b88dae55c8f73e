/** How long a turn of the event loop keeps its thread busy. */
import { readFileSync } from 'node:fs';

/**
 * The most processor time that one turn took of the main thread, in ms, from now until it is asked for. Not the time that went by: on a
 * busy machine a turn waits for its processor. Nor the time of the whole process: compiler, garbage collector and store have threads of
 * their own, and what those do meanwhile holds nobody up.
 */
export function watchTurns(): () => number {
  let last = mainThreadMs();
  let longest = 0;
  let isOver = false;
  const turn = (): void => {
    const now = mainThreadMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isOver = true;
    return longest;
  };
}

/** The main thread bears the number of the process. Node itself can tell its time only from version 23.9 on. */
const STATISTICS = `/proc/self/task/${process.pid}/schedstat`;

/** Its processor time so far. */
export function mainThreadMs(): number {
  // Makes the kernel bring the account of the running thread up to date; the file alone may be a tick old.
  process.cpuUsage();
  return Number(readFileSync(STATISTICS, 'latin1').split(' ', 1)[0]) / 1e6;
}
