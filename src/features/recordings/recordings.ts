/** Flight recordings over the local control interface: which there are, and one of what has just happened. Always on. */
import type { Feature, Room } from '../feature.ts';

export const recordings: Feature = {
  name: 'recordings',
  profile: 'Core',
  keys: [],
  start: ({ flightRecorder }): Room => ({
    routes: [
      { method: 'GET', path: '/recordings', handle: async () => ({ recordings: await flightRecorder.saved() }) },
      { method: 'POST', path: '/recordings', handle: async () => ({ saved: await flightRecorder.save() }) },
    ],
  }),
};
