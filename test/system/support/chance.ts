/** Chance that can be replayed: the seed comes from the environment or from the machine, and is printed. */

/** A generator of numbers in [0, 1) (mulberry32). */
export function chanceFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `SEED=123 npm run test:system` replays. */
export function seedOf(test: string): number {
  const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 2 ** 32));
  console.log(`${test}: SEED=${seed}`);
  return seed;
}
