/** What V8 does with hot functions, asked by its own functions. */
import { setFlagsFromString } from 'node:v8';
import { beforeAll, describe, expect, it } from 'vitest';
import { unoptimized } from '../../src/platform/optimizer.ts';

const OPTIMIZED = 1 << 4;
/** A function of its own each time. */
const hot = () =>
  new Function('let x = 0; for (let i = 0; i < 20; i++) x = (x + i * 3) % 1000; return x') as () => number;
const heat = (work: () => number): void => {
  for (let round = 0; round < 200_000; round++) work();
};

let isOptimized: (work: () => number) => boolean;
beforeAll(() => {
  setFlagsFromString('--allow-natives-syntax');
  const status = new Function('work', 'return %GetOptimizationStatus(work)') as (work: () => number) => number;
  isOptimized = (work) => (status(work) & OPTIMIZED) !== 0;
});

/** V8 compiles beside the program, and takes what it has made when it comes to it. */
async function expectOptimizedSoon(work: () => number): Promise<void> {
  await expect
    .poll(
      () => {
        heat(work);
        return isOptimized(work);
      },
      { timeout: 10_000 },
    )
    .toBe(true);
}

describe('unoptimized', () => {
  it('keeps the optimizer from what is hot only once, gives its result, and lets it go on after', async () => {
    const work = hot();
    expect(
      unoptimized(() => {
        heat(work);
        return [isOptimized(work), work()];
      }),
    ).toEqual([false, work()]);
    await expectOptimizedSoon(hot());
  });

  it('lets it go on after work that throws', async () => {
    expect(() =>
      unoptimized(() => {
        throw new Error('no such file');
      }),
    ).toThrow('no such file');
    await expectOptimizedSoon(hot());
  });
});
