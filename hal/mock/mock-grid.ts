/** The connection of the house that the mock board is in: a meter on three phases, with other loads on them. */
import type { EnergyMeter, Lines, Timebase } from '../contract.ts';
import { HalError } from '../hal-error.ts';

/** The phases as the grid meter counts them: R is its L1. */
export const GRID_LINES = ['R', 'S', 'T'] as const;
export type GridLine = (typeof GRID_LINES)[number];

/** Which phases of the grid are wired to L1, L2 and L3 of a connector. */
export type Rotation = 'RST' | 'RTS' | 'SRT' | 'STR' | 'TRS' | 'TSR';

export interface GridInputs {
  /** What everything else in the house draws, in ampere on L1, L2 and L3. */
  readonly amps: readonly [number, number, number];
  /** The meter does not answer. */
  readonly drop: boolean;
}

export const GRID_AT_POWER_UP: GridInputs = { amps: [0, 0, 0], drop: false };

export interface MockGrid {
  readonly meter: EnergyMeter;
  patch(change: Partial<GridInputs>): void;
}

export interface MockGridParts {
  readonly clock: Timebase;
  readonly serial: string;
  /** What the charge point draws from a phase, in ampere. */
  drawA(line: GridLine): number;
}

const GRID_V = 230;
const LINES = ['L1', 'L2', 'L3'] as const;

export function mockGrid({ clock, serial, drawA }: MockGridParts): MockGrid {
  let inputs = GRID_AT_POWER_UP;
  const perLine = (of: (index: number) => number): Lines =>
    Object.fromEntries(LINES.map((line, index) => [line, of(index)]));
  return {
    patch(change) {
      inputs = { ...inputs, ...change };
    },
    meter: {
      offers: { voltage: LINES, current: LINES, activePower: ['sum', ...LINES] },
      async read() {
        if (inputs.drop) throw new HalError('meterSilent', 'the mock grid meter has been told not to answer');
        const amps = GRID_LINES.map((line, index) => (inputs.amps[index] ?? 0) + drawA(line));
        const watts = amps.map((ampere) => ampere * GRID_V);
        return {
          at: clock.now(),
          serialNumber: serial,
          values: {
            voltage: perLine(() => GRID_V),
            current: perLine((index) => amps[index] ?? 0),
            activePower: { sum: watts.reduce((sum, watt) => sum + watt, 0), ...perLine((index) => watts[index] ?? 0) },
          },
        };
      },
    },
  };
}
