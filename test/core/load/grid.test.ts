/** How connectors are wired to the grid (OCPP 1.6 section 9.1.7). */
import { describe, expect, it } from 'vitest';
import { type PerLine, type PerPhase, type Rotation, wiringOf } from '../../../src/core/load/grid.ts';

const DRAW: PerLine = [10, 20, 30];

describe('the wiring of a connector', () => {
  it.each<[Rotation, number[], PerPhase]>([
    ['RST', [0, 1, 2], [10, 20, 30]],
    ['RTS', [0, 2, 1], [10, 30, 20]],
    ['SRT', [1, 0, 2], [20, 10, 30]],
    ['STR', [1, 2, 0], [30, 10, 20]],
    ['TRS', [2, 0, 1], [20, 30, 10]],
    ['TSR', [2, 1, 0], [30, 20, 10]],
  ])('%s: L1, L2 and L3 are the phases %j', (rotation, phases, seen) => {
    const wiring = wiringOf(rotation, 3, 3);
    expect(wiring.phases).toEqual(phases);
    expect(wiring.onGrid(DRAW)).toEqual(seen);
  });

  it.each<[Rotation, number]>([
    ['RST', 0],
    ['SRT', 1],
    ['TSR', 2],
  ])('%s with one phase connected flows on phase %i alone', (rotation, phase) => {
    const { phases, onGrid } = wiringOf(rotation, 1, 3);
    expect(phases).toEqual([phase]);
    expect(onGrid([16, 0, 0])).toEqual([0, 1, 2].map((each) => (each === phase ? 16 : 0)));
  });

  it.each<[Rotation, 1 | 3]>([
    ['Unknown', 3],
    ['Unknown', 1],
    ['NotApplicable', 1],
    ['NotApplicable', 3],
  ])('%s with %i of its phases counts on all three with the most that was measured', (rotation, connected) => {
    const { phases, onGrid } = wiringOf(rotation, connected, 3);
    expect(phases).toEqual([0, 1, 2]);
    expect(onGrid([7, 0, 3])).toEqual([7, 7, 7]);
  });

  it.each<Rotation>(['TSR', 'Unknown', 'NotApplicable'])('%s at a supply of one phase is on that one', (rotation) => {
    const { phases, onGrid } = wiringOf(rotation, 1, 1);
    expect(phases).toEqual([0]);
    expect(onGrid([16, 0, 0])).toEqual([16, 0, 0]);
  });
});
