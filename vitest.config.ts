import { defineConfig } from 'vitest/config';

// Unit and simulation tests: no package outside npm, no network but the loopback.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/system/**', 'node_modules/**'],
    testTimeout: 20_000,
    retry: 0,
  },
});
