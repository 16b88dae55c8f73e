/** What is free on a disk. */
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { freeBytes } from '../../src/platform/free-space.ts';

it('is about what the file system says', async () => {
  const { bavail, bsize, blocks } = statfsSync(tmpdir());
  const free = (await freeBytes(tmpdir())) ?? -1;
  // Others write meanwhile.
  expect(Math.abs(free - bavail * bsize)).toBeLessThan(blocks * bsize * 0.05);
});

it('is unknown where there is nothing', async () => {
  expect(await freeBytes('/nowhere/at/all')).toBeUndefined();
});
