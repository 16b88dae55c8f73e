/** Cryptography on the one thread that also drives the contactor: a little in each turn of the event loop. */

export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export async function inTurns<T, R>(
  items: readonly T[],
  inOneTurn: number,
  work: (item: T) => R,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (const [i, item] of items.entries()) {
    if (i > 0 && i % inOneTurn === 0) await turn();
    results.push(work(item));
  }
  return results;
}
