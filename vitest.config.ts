/** Unit and simulation tests: nothing but the npm packages, no network but the loopback. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/kernel/**', 'test/system/**', 'node_modules/**'],
    testTimeout: 20_000,
    retry: 0,
  },
});
