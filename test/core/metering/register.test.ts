/** The import register of a transaction never goes back (docs/adr/0003). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, type Register } from '../../../src/core/metering/register.ts';

const BEGIN: Register = { serialNumber: 'A', lastWh: 1000, offsetWh: 0 };
const looked = (serialNumber: string | undefined, meterWh: number, register = BEGIN) =>
  advance(register, { serialNumber, meterWh });

describe('the register of a transaction', () => {
  it('follows its meter', () => {
    expect(looked('A', 1500)).toEqual({ register: { ...BEGIN, lastWh: 1500 }, verdict: 'believed' });
  });

  it('does not believe that the same meter shows less', () => {
    expect(looked('A', 999)).toEqual({ register: BEGIN, verdict: 'fell' });
  });

  it('goes on with what an exchanged meter counts from its first look', () => {
    const { register, verdict } = looked('B', 20);
    expect({ wh: register.lastWh, verdict }).toEqual({ wh: 1000, verdict: 'swapped' });
    expect(looked('B', 70, register).register.lastWh).toBe(1050);
  });

  it('adds up the parts of several meters', () => {
    const looks = [
      ['A', 1300],
      ['B', 5],
      ['B', 105],
      ['C', 90_000],
      ['C', 90_040],
    ] as const;
    const end = looks.reduce((register, [serial, wh]) => looked(serial, wh, register).register, BEGIN);
    expect(end.lastWh - BEGIN.lastWh).toBe(300 + 100 + 40);
  });

  it('takes a meter that does not tell its number for the same', () => {
    expect(looked(undefined, 1200).verdict).toBe('believed');
    expect(looked(undefined, 10).verdict).toBe('fell');
    expect(looked('A', 10, { lastWh: 1000, offsetWh: 0 })).toEqual({ register: { ...BEGIN }, verdict: 'fell' });
  });
});

it('whatever the meters say, the register never decreases, and counts nothing that no meter has counted', () => {
  const look = fc.record({ serialNumber: fc.constantFrom('A', 'B', undefined), meterWh: fc.nat(10_000) });
  fc.assert(
    fc.property(fc.array(look), (looks) => {
      let register = BEGIN;
      let most = 0;
      let seen: { serialNumber: string | undefined; meterWh: number } = { serialNumber: 'A', meterWh: 1000 };
      for (const next of looks) {
        const { register: after } = advance(register, next);
        expect(after.lastWh).toBeGreaterThanOrEqual(register.lastWh);
        most += Math.max(0, next.meterWh - seen.meterWh);
        expect(after.lastWh - BEGIN.lastWh).toBeLessThanOrEqual(most);
        register = after;
        seen = next;
      }
    }),
  );
});
