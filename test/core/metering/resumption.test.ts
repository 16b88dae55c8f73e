/** When a transaction may go on after a loss of power, as a table. */
import { describe, expect, it } from 'vitest';
import { type Cut, doubtOf, type Found } from '../../../src/core/metering/resumption.ts';

const MINUTE = 60_000;
const CUT: Cut = { wall: 1_000_000, serialNumber: 'A', lastWh: 5000, offsetWh: 0 };
const FOUND: Found = {
  bootedAt: CUT.wall + MINUTE,
  now: CUT.wall + MINUTE,
  serialNumber: 'A',
  meterWh: 5000,
  maxA: 16,
  phases: 1,
};
/** 16 A x 253 V for a minute are 67.5 Wh, and a step of the register 100 Wh. */
const MOST_WH = 167;

describe('a transaction that was cut off', () => {
  it.each<[string, Partial<Cut>, Partial<Found>, string | undefined]>([
    ['goes on where the register stands still', {}, {}, undefined],
    [
      'goes on after exactly the time allowed',
      {},
      { bootedAt: CUT.wall + 2 * MINUTE, now: CUT.wall + 9 * MINUTE },
      undefined,
    ],
    ['ends a millisecond later', {}, { bootedAt: CUT.wall + 2 * MINUTE + 1 }, 'the power was away too long'],
    ['ends if the clock went backwards', {}, { bootedAt: CUT.wall - 1 }, 'the power was away too long'],
    ['ends if the clock goes backwards after the boot', {}, { now: CUT.wall - 1 }, 'the power was away too long'],
    ['goes on with all that physics allows', {}, { meterWh: 5000 + MOST_WH }, undefined],
    ['ends with a Wh more', {}, { meterWh: 5000 + MOST_WH + 1 }, 'the register jumped'],
    ['may have used three times as much on three phases', {}, { meterWh: 5000 + MOST_WH + 1, phases: 3 }, undefined],
    ['ends if the register fell', {}, { meterWh: 4999 }, 'the register fell'],
    ['ends with another meter', {}, { serialNumber: 'B' }, 'it is another meter'],
    ['ends with a meter that tells no number any more', {}, { serialNumber: undefined }, 'it is another meter'],
    ['counts on its own scale after an exchange of the meter', { offsetWh: 4990 }, { meterWh: 10 }, undefined],
    ['sees a fall on that scale', { offsetWh: 4990 }, { meterWh: 9 }, 'the register fell'],
  ])('%s', (_, cut, found, doubt) => {
    expect(doubtOf({ ...CUT, ...cut }, { ...FOUND, ...found }, 2 * MINUTE)).toBe(doubt);
  });

  it('goes on with a meter that has never told a number', () => {
    const { serialNumber: _, ...cut } = CUT;
    expect(doubtOf(cut, { ...FOUND, serialNumber: undefined }, 2 * MINUTE)).toBeUndefined();
  });
});
