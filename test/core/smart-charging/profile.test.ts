/** The profile of the message and the one of the core are the same but for their times. */
import { describe, expect, it } from 'vitest';
import { withTimes } from '../../../src/core/smart-charging/profile.ts';
import { problemOf } from '../../../src/core/smart-charging/validation.ts';
import type { ChargingProfile as Message } from '../../../src/ocpp/messages/types/charging-profile.ts';
import { at } from './builders.ts';

const MESSAGE: Message = {
  chargingProfileId: 100,
  transactionId: 7,
  stackLevel: 2,
  chargingProfilePurpose: 'TxProfile',
  chargingProfileKind: 'Recurring',
  recurrencyKind: 'Weekly',
  validFrom: '2026-01-01T00:00:00Z',
  validTo: '2026-01-01T01:00:00+01:00',
  chargingSchedule: {
    duration: 86_400,
    startSchedule: '2026-01-01T00:00:01.5Z',
    chargingRateUnit: 'W',
    chargingSchedulePeriod: [{ startPeriod: 0, limit: 11_000, numberPhases: 3 }],
    minChargingRate: 1380,
  },
};

describe('withTimes', () => {
  it('parses the three times and keeps everything else', () => {
    expect(withTimes(MESSAGE, Date.parse)).toEqual({
      ...MESSAGE,
      validFrom: at(0),
      validTo: at(0),
      chargingSchedule: { ...MESSAGE.chargingSchedule, startSchedule: at(1.5) },
    });
  });
  it('adds no time where the message has none', () => {
    const { validFrom: _from, validTo: _to, chargingSchedule, ...rest } = MESSAGE;
    const { startSchedule: _start, ...schedule } = chargingSchedule;
    const bare: Message = { ...rest, chargingSchedule: schedule };
    expect(withTimes(bare, Date.parse)).toStrictEqual(bare);
  });
  it('leaves a text that is no time to the validation', () => {
    expect(problemOf(withTimes({ ...MESSAGE, validFrom: 'soon' }, Date.parse))).toBe('validFrom is no time');
  });
});
