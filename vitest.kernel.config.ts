/** Kernel tests (`npm run test:kernel`): the release as the installed service in QEMU, on a real kernel with simulated metal; needs root. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/kernel/**/*.test.ts'],
    pool: 'forks',
    // A guest has one processor, and a time of its own: the two take a core each.
    maxWorkers: 2,
    testTimeout: 480_000,
    hookTimeout: 480_000,
    retry: 0,
  },
});
