/** What the wires of a board stand for. */
import { describe, expect, it } from 'vitest';
import type { Board, BoardInput } from '../../../hal/contract.ts';
import { inputsOf } from '../../../src/features/service/inputs.ts';

const boardWith = (...wires: readonly BoardInput[]): Board => ({
  connectors: [],
  readers: [],
  wires,
  faults: [],
  mains: 'on',
  watched: true,
  onFault: () => () => {},
  onMains: () => () => {},
  resetFaults: () => {},
  close: async () => {},
});

describe('the wires', () => {
  it.each([
    ['connectors[0].evse.contactor.mirror', 'the contactor is closed'],
    ['connectors[1].proximity.atLeast20A', 'cable for 20 A or more'],
    ['connectors[0].evse.comparators.above10V5', 'pilot above 10.5 V'],
    ['connectors[0].evse.comparators.belowMinus10V5', 'pilot below -10.5 V'],
    ['connectors[0].rcd.tripped', 'the RCD has tripped'],
    ['mains', 'the mains are failing'],
    ['something.new', '-'],
  ])('%s: %s', (name, means) => {
    expect(inputsOf(boardWith({ name, line: 4, on: true })).wires).toEqual([{ name, line: 4, on: true, means }]);
  });

  it('of a fault input means its fault; one that cannot be read hides no other', () => {
    const lost: BoardInput = {
      name: 'dimming',
      line: 5,
      get on(): boolean {
        throw new Error('the line is lost');
      },
    };
    const stop: BoardInput = { name: 'inputs[0]', line: 6, fault: 'emergencyStop', on: false };
    expect(inputsOf(boardWith(lost, stop)).wires).toMatchObject([
      { on: null, means: 'the grid operator asks for less' },
      { on: false, means: 'fault emergencyStop' },
    ]);
  });
});
