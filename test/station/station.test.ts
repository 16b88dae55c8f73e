/** The shell round the core, on hardware that fails: everything else is tried, nothing is closed, and the process cannot live on. */
import { describe, expect, it } from 'vitest';
import type { Offer } from '../../hal/contract.ts';
import { createMockBoard } from '../../hal/mock/mock-board.ts';
import { Station } from '../../src/station/station.ts';
import { RULES } from '../sim/rules.ts';
import { uncaught } from '../sim/uncaught.ts';
import { seconds, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

const EIO = new Error('EIO');

async function twoPluggedIn() {
  const clock = new VirtualClock();
  const connectors = [1, 2].map((id) => ({ id, cable: 'attached' as const }));
  const board = createMockBoard({ connectors, clock, log: silentLog });
  const errors: string[] = [];
  const station = new Station({
    board,
    clock,
    log: { ...silentLog, error: (message) => errors.push(message) },
    journal: { begin: async ({ connectorId }) => ({ id: `t${connectorId}`, idTag: 'ABC' }), end: async () => {} },
    rules: RULES,
  });
  station.start();
  for (const { id } of connectors) board.inputs.patchConnector(id, { ev: { plugged: true } });
  await clock.advance(seconds(1));
  const authorize = (id: number): void =>
    station.dispatch(id, { type: 'authorized', authorization: { idTag: 'ABC' }, at: clock.now() });
  /** Each offer of a current fails from here on. */
  const breakPilot = (id: number): void => {
    const evse = board.connectors.find((connector) => connector.id === id)?.evse;
    if (evse === undefined) throw new Error('there is no connector');
    const offer = evse.offer.bind(evse);
    evse.offer = (next: Offer) => {
      if (typeof next === 'number') throw EIO;
      offer(next);
    };
  };
  /** Nothing that is offered arrives from here on. */
  const cutPilot = (id: number): void => {
    const evse = board.connectors.find((connector) => connector.id === id)?.evse;
    if (evse === undefined) throw new Error('there is no connector');
    evse.offer = () => {
      throw EIO;
    };
  };
  const contactor = (id: number) => board.connector(id).observe().contactor;
  return { clock, board, station, errors, authorize, breakPilot, cutPilot, contactor };
}

describe('hardware that fails in a step', () => {
  it('that begins a durable transaction ends the process, and is not said to be the fault of the journal', async () => {
    const { clock, station, errors, authorize, breakPilot, contactor } = await twoPluggedIn();
    breakPilot(1);
    const heard = await uncaught(async () => {
      authorize(1);
      await clock.advance(seconds(1));
    });
    expect(new Set(heard)).toEqual(new Set([EIO]));
    expect([errors, station.connector(1)?.phase.name, contactor(1)]).toEqual([[], 'transaction', 'open']);
  });

  it('ends the process although whoever has caused the step keeps the error', async () => {
    const { clock, station, authorize, breakPilot } = await twoPluggedIn();
    authorize(1);
    await clock.advance(seconds(10));
    breakPilot(1);
    const heard = await uncaught(async () => {
      // As who handles the calls of the central system, or the requests on the control socket.
      await Promise.resolve()
        .then(() => station.dispatch(1, { type: 'limit', limitA: 10, reason: 'test', at: clock.now() }))
        .catch(() => {});
      await clock.advance(0);
    });
    expect(heard).toEqual([EIO]);
  });

  it('keeps no connector and no listener from what happens', async () => {
    const { clock, station, authorize } = await twoPluggedIn();
    for (const id of [1, 2]) authorize(id);
    await clock.advance(seconds(10));
    const told: number[] = [];
    for (let listener = 0; listener < 2; listener++)
      station.onChange(({ after }) => {
        told.push(after.id);
        throw EIO;
      });
    const heard = await uncaught(async () => {
      expect(() => station.dispatchAll({ type: 'limit', limitA: 10, reason: 'test', at: clock.now() })).toThrow(EIO);
      await clock.advance(0);
    });
    expect([told, heard]).toEqual([[1, 1, 2, 2], [EIO]]);
    expect(station.connectors.map(({ offer }) => offer)).toEqual([10, 10]);
  });

  it.each([
    ['the charge point', 0],
    ['connector 1', 1],
  ])('keeps a fault of %s from no connector, and from nobody who stores it', async (_, connectorId) => {
    const { clock, board, station, authorize, cutPilot, contactor } = await twoPluggedIn();
    for (const id of [1, 2]) {
      authorize(id);
      board.inputs.patchConnector(id, { ev: { mode: 'C' } });
    }
    await clock.advance(seconds(10));
    expect([contactor(1), contactor(2)]).toEqual(['closed', 'closed']);
    const stored: string[] = [];
    for (let listener = 0; listener < 2; listener++)
      station.onFault(({ fault }) => {
        stored.push(fault.code);
        throw EIO;
      });
    cutPilot(1);
    const heard = await uncaught(async () => {
      expect(() => board.inputs.setFault(connectorId, 'emergencyStop', {})).toThrow(EIO);
      await clock.advance(0);
    });
    expect(new Set(heard)).toEqual(new Set([EIO]));
    expect(stored).toEqual(['emergencyStop', 'emergencyStop']);
    const concerned = [1, 2].filter((id) => connectorId === 0 || connectorId === id);
    for (const id of concerned) {
      expect(station.connector(id)?.faults.map(({ code }) => code)).toEqual(['emergencyStop']);
      expect([contactor(id), station.connector(id)?.contactor]).toEqual(['open', 'open']);
    }
  });

  it('lets no contactor close any more', async () => {
    const { clock, authorize, breakPilot, contactor } = await twoPluggedIn();
    breakPilot(1);
    await uncaught(async () => {
      for (const id of [1, 2]) authorize(id);
      await clock.advance(0).catch(() => {});
      await clock.advance(seconds(60));
    });
    expect([contactor(1), contactor(2)]).toEqual(['open', 'open']);
  });
});
