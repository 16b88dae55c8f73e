/** Unit and simulation tests: nothing but the npm packages, no network but the loopback. */
import { defineConfig } from 'vitest/config';

/** They measure how long a piece of work keeps its thread busy, so nothing else may run beside them. */
const MEASURING = [
  'core/smart-charging/performance',
  'event-loop',
  'features/local-auth-list/local-list',
  'platform/archives',
  'platform/key-store',
  'platform/recordings',
].map((name) => `test/${name}.test.ts`);

const ELSEWHERE = ['test/kernel/**', 'test/system/**', 'node_modules/**'];

const common = {
  testTimeout: 20_000,
  retry: 0,
  expect: { poll: { timeout: 10_000 } },
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: [...ELSEWHERE, ...MEASURING],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: 'alone',
          include: MEASURING,
          exclude: ELSEWHERE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
