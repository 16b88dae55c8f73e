/** System tests (`npm run test:system`): the built program on ptys, fake kernel files and foreign central systems; needs root. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/system/**/*.test.ts'],
    // onoff's addon loads once per process, and the rigs share /dev/fuse and two cores.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    retry: 0,
  },
});
