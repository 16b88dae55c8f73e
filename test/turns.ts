/** How long a turn of the event loop keeps its thread busy. */
import { readFileSync } from 'node:fs';

/**
 * The most processor time that one turn took of the main thread, in ms, from now until it is asked for. Not the time that went by: on a
 * busy machine a turn waits for its processor. Nor the time of the whole process: compiler, garbage collector and store have threads of
 * their own, and what those do meanwhile holds nobody up.
 */
function watchTurns(): () => number {
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

/** The most that the main thread may be kept busy at a time, in ms: it drives pilot and contactor. */
export const MOST_MS = 5;
const ROUNDS = 20;

/**
 * The longest turn of the best of several rounds, in ms. The machine runs other things, too, and a collection of garbage is in most rounds:
 * what the work itself needs shows in the best of them. No more rounds than it takes to see a good one.
 */
export async function longestTurnOfBest(work: (round: number) => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && best >= MOST_MS; round++) {
    const longest = watchTurns();
    await work(round);
    best = Math.min(best, longest());
  }
  return best;
}
