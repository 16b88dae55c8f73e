/** How long the event loop is held up. */

/**
 * The most processor time that one turn took, in ms, from now until it is asked for. Processor time, because on a busy machine a
 * turn may wait for its processor for any length of time.
 */
export function watchSlices(): () => number {
  let last = processorMs();
  let longest = 0;
  let isOver = false;
  const turn = (): void => {
    const now = processorMs();
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

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
