/** The room of the technician's tools, on a station of its own: a connector is given back whatever goes wrong. */
import { describe, expect, it } from 'vitest';
import { createMockBoard } from '../../../hal/mock/mock-board.ts';
import type { Context } from '../../../src/features/feature.ts';
import { service } from '../../../src/features/service/service.ts';
import { type Change, Station } from '../../../src/station/station.ts';
import { RULES } from '../../sim/rules.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

const setUp = (listener: (change: Change) => void) => {
  const clock = new VirtualClock();
  const board = createMockBoard({ connectors: [{ id: 1, cable: 'attached' }], clock, log: silentLog });
  const journal = { begin: () => Promise.reject(new Error('nobody begins')), end: async () => {} };
  const station = new Station({ board, clock, log: silentLog, journal, rules: RULES });
  station.start();
  station.onChange(listener);
  const room = service.start({ board, station, clock, log: silentLog } as unknown as Context);
  const begin = () =>
    room.routes
      ?.find(({ path }) => path === '/service/begin')
      ?.handle({ query: {}, body: { connectorId: 1, what: 'pilot', offer: 'F', seconds: 5 } });
  return { board, station, begin };
};

describe('a trial that cannot be begun', () => {
  it('because somebody who listens throws leaves the connector to everybody, and the pilot at x1', () => {
    let throws = 1;
    const { board, station, begin } = setUp(() => {
      if (throws-- > 0) throw new Error('a listener');
    });
    expect(begin).toThrow('a listener');
    expect(station.report(1)).toMatchObject({ status: 'Available' });
    expect(board.connector(1).observe().pwm).toBe(100);
    expect(begin()).toMatchObject({ connectorId: 1 });
    expect(station.report(1)).toMatchObject({ status: 'Unavailable' });
  });
});
