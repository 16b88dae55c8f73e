/** What counts as an operation of the contactor, what as one under load, and when there were too many. */
import { describe, expect, it } from 'vitest';
import { watchWear } from '../../hal/contactor-wear.ts';
import type { EvseState, WearCounts } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';

const setUp = (life?: WearCounts) => {
  const book = new FaultBook();
  const listeners = new Set<(state: EvseState) => void>();
  const evse = {
    state: { pilot: 'A', contactor: 'open' } as EvseState,
    onState: (listener: (state: EvseState) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const wear = watchWear({ connectorId: 1, evse, book, ...(life === undefined ? {} : { life }) });
  const told: WearCounts[] = [];
  wear.onCount(() => told.push(wear.counts));
  const is = (pilot: EvseState['pilot'], contactor: EvseState['contactor']) => {
    for (const listener of listeners) listener({ pilot, contactor });
  };
  const session = (lastPilot: EvseState['pilot']) => {
    is('C', 'closed');
    is(lastPilot, 'closed');
    is(lastPilot, 'open');
  };
  return { book, wear, told, session, is, faults: () => book.current };
};

describe('the wear of a contactor', () => {
  it.each(['A', 'B', 'E'] as const)('counts an opening in %s as one without load', (pilot) => {
    const { session, told } = setUp();
    session(pilot);
    expect(told).toEqual([{ operations: 1, underLoad: 0 }]);
  });

  it.each(['C', 'D'] as const)('counts an opening in %s as one under load', (pilot) => {
    const { session, told } = setUp();
    session(pilot);
    expect(told).toEqual([{ operations: 1, underLoad: 1 }]);
  });

  it('counts openings, not what the pilot does in between', () => {
    const { is, told } = setUp();
    for (const pilot of ['B', 'C', 'B', 'A'] as const) is(pilot, 'open');
    is('C', 'closed');
    is('C', 'closed');
    expect(told).toEqual([]);
  });

  it('goes on from what was counted before, whenever that is known', () => {
    const { session, wear } = setUp();
    session('C');
    wear.restore({ operations: 100, underLoad: 7 });
    session('B');
    expect(wear.counts).toEqual({ operations: 102, underLoad: 8 });
  });

  it('warns at the end of its life, in all or under load, until another one is fitted', () => {
    const { session, wear, faults } = setUp({ operations: 1000, underLoad: 2 });
    session('C');
    expect(faults()).toEqual([]);
    session('C');
    const info = 'Contactor: 2 cycles, 2 under load';
    expect(faults()).toEqual([{ code: 'contactorWorn', connectorId: 1, info }]);
    session('C');
    wear.exchanged();
    expect([faults(), wear.counts]).toEqual([[], { operations: 0, underLoad: 0 }]);
    wear.restore({ operations: 1000, underLoad: 0 });
    expect(faults()).toHaveLength(1);
  });
});
