/** Whether time and register let a transaction go on that a loss of power has cut off. Pure. */
import type { Register } from './register.ts';

/** Where the transaction stood when it was last journalled. */
export interface Cut extends Register {
  /** Epoch milliseconds of a trusted clock. */
  readonly wall: number;
}

/** What is found after the power has returned; all times in epoch milliseconds of a trusted clock. */
export interface Found {
  readonly bootedAt: number;
  readonly now: number;
  readonly serialNumber: string | undefined;
  /** Whole Wh of the meter's own register. */
  readonly meterWh: number;
  /** The most that the connector can carry. */
  readonly maxA: number;
  readonly phases: 1 | 3;
}

export type Doubt = 'the power was away too long' | 'it is another meter' | 'the register fell' | 'the register jumped';

/** IEC 60038: 230 V and ten percent. */
const MOST_V = 253;
/** The coarsest registers count in steps of 0.1 kWh. */
const STEP_WH = 100;
const MS_PER_HOUR = 3_600_000;

/** Undefined: it may go on. A clock that went backwards says nothing about the length of the outage. */
export function doubtOf(cut: Cut, found: Found, withinMs: number): Doubt | undefined {
  if (isTooLate(cut, found.bootedAt, withinMs) || found.now < cut.wall) return 'the power was away too long';
  if (cut.serialNumber !== found.serialNumber) return 'it is another meter';
  const usedWh = found.meterWh + cut.offsetWh - cut.lastWh;
  if (usedWh < 0) return 'the register fell';
  const mostWh = (found.maxA * found.phases * MOST_V * (found.now - cut.wall)) / MS_PER_HOUR + STEP_WH;
  return usedWh > mostWh ? 'the register jumped' : undefined;
}

export const isTooLate = ({ wall }: Pick<Cut, 'wall'>, bootedAt: number, withinMs: number): boolean =>
  bootedAt < wall || bootedAt - wall > withinMs;
