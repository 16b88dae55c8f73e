/** What the pilot says is wrong, and that the book knows before anybody else. */
import { describe, expect, it } from 'vitest';
import type { EvseState, PilotState } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { watchCable, watchPilot } from '../../hal/pilot-faults.ts';

const setUp = (ventilated: boolean, first: PilotState = 'A') => {
  const listeners = new Set<(state: EvseState) => void>();
  const evse = {
    state: { pilot: first, contactor: 'open' } as EvseState,
    onState: (listener: (state: EvseState) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const book = new FaultBook();
  watchPilot(evse, { connectorId: 1, ventilated, book });
  const cables = new Set<(cableA: number | undefined) => void>();
  const proximity = {
    cableA: undefined as number | undefined,
    onChange: (listener: (cableA: number | undefined) => void) => {
      cables.add(listener);
      return () => cables.delete(listener);
    },
  };
  watchCable(proximity, evse, { connectorId: 1, book });
  const cable = (cableA: number | undefined) => {
    proximity.cableA = cableA;
    for (const listener of cables) listener(cableA);
  };
  const go = (pilot: PilotState) => {
    evse.state = { pilot, contactor: 'open' };
    for (const listener of listeners) listener(evse.state);
  };
  return { book, go, cable, codes: () => book.current.map(({ code }) => code) };
};

describe('faults of the pilot', () => {
  it('has evCommunication exactly while the pilot is E', () => {
    const { go, codes } = setUp(false);
    go('E');
    expect(codes()).toEqual(['evCommunication']);
    go('B');
    expect(codes()).toEqual([]);
  });

  it('sees an E that was there before', () => {
    expect(setUp(false, 'E').codes()).toEqual(['evCommunication']);
  });

  it.each([
    [true, []],
    [false, ['ventilationRequired']],
  ])('has ventilationRequired in D only without ventilation (ventilated %s)', (ventilated, expected) => {
    const { go, codes } = setUp(ventilated);
    go('D');
    expect(codes()).toEqual(expected);
    go('C');
    expect(codes()).toEqual([]);
  });

  it('tells the book that the EV has left', () => {
    const { book, go, codes } = setUp(false, 'C');
    book.raise({ code: 'overCurrent', connectorId: 1 }, 'test');
    book.clear('overCurrent', 1, 'test');
    go('B');
    expect(codes()).toEqual(['overCurrent']);
    go('A');
    expect(codes()).toEqual([]);
  });
});

describe('a plug in the socket', () => {
  it.each(['B', 'C', 'D'] as const)(
    'that is lost while the pilot is still %s is a fault until the pilot is A',
    (pilot) => {
      const { go, cable, codes } = setUp(true);
      cable(32);
      go(pilot);
      expect(codes()).toEqual([]);
      cable(undefined);
      expect(codes()).toEqual(['proximityFault']);
      go('A');
      expect(codes()).toEqual([]);
      // The next one has not been lost.
      go('B');
      expect(codes()).toEqual([]);
    },
  );

  it('that comes back is none, nor is one that is seen later than the pilot, or that goes after it', () => {
    const { go, cable, codes } = setUp(true);
    go('B');
    expect(codes()).toEqual([]);
    cable(20);
    cable(undefined);
    cable(20);
    expect(codes()).toEqual([]);
    go('A');
    cable(undefined);
    expect(codes()).toEqual([]);
  });
});
