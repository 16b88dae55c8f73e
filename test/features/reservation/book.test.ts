/** The reservation book with the real clock: when time becomes known. */
import { describe, expect, it } from 'vitest';
import { ReservationBook } from '../../../src/features/reservation/book.ts';
import { platformClock, type RealTime } from '../../../src/platform/clock.ts';
import type { Station } from '../../../src/station/station.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { minutes, seconds, settle, VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

/** What the machine's clock says is off by `offMs` until NTP is there. */
function machine(offMs: number) {
  const truth = new VirtualClock({ wallStart: Date.UTC(2026, 0, 5, 8) });
  const sees = { ntp: false };
  const time: RealTime = {
    monotonic: () => truth.now(),
    epoch: () => truth.wall(truth.now()) + (sees.ntp ? 0 : offMs),
    synchronised: () => sees.ntp,
    timer: (ms, action) => truth.after(ms, action),
    every: (ms, action) => {
      const again = (): void => {
        action();
        cancel = truth.after(ms, again);
      };
      let cancel = truth.after(ms, again);
      return () => cancel();
    },
  };
  return { truth, sees, time };
}

const noConnectors = { connectors: [], onChange: () => () => {} } as unknown as Station;

describe('a reservation from before a boot', () => {
  it.each([0, -2000, 2000, -minutes(60)])(
    'ends at its time once the time is known, also where the clock was right all along (off by %i ms)',
    async (offMs) => {
      const { truth, sees, time } = machine(offMs);
      const clock = platformClock('boot-2', time);
      const store = new MemoryDisk().open();
      const expiresAt = truth.wall(truth.now()) + minutes(10);
      const value = [{ id: 1, connectorId: 1, idTag: 'A', expiresAt }];
      await store.batch([{ type: 'put', key: 'reservation/all', value }], 'durable');
      const book = new ReservationBook({ station: noConnectors, store, clock, log: silentLog });
      await book.open();
      await truth.advance(minutes(1));
      sees.ntp = true;
      await truth.advance(minutes(9) - seconds(1));
      expect(await store.get('reservation/all')).toEqual(value);
      await truth.advance(seconds(2));
      await settle();
      expect(await store.get('reservation/all')).toEqual([]);
      book.stop();
      clock.close();
    },
  );
});
