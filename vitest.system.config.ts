/** System tests (`npm run test:system`): the built program on ptys, fake kernel files and foreign central systems; needs root. */
import { defineConfig } from 'vitest/config';

/** They measure milliseconds, so nothing else may run beside them. The others mostly wait: two at once. */
const MEASURING = [
  'contactor-open',
  'control-latency',
  'evse-controllers',
  'gpio',
  'gpio-character-device',
  'pilot-converters',
]
  .concat(['modbus-meter', 'session', 'systemd'])
  .map((name) => `test/system/${name}.test.ts`);

const common = {
  // onoff's addon loads once per process.
  pool: 'forks',
  testTimeout: 180_000,
  hookTimeout: 180_000,
  retry: 0,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'side by side',
          include: ['test/system/**/*.test.ts'],
          exclude: MEASURING,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { ...common, name: 'alone', include: MEASURING, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
