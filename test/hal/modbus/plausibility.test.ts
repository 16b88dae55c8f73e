/** The judge of readings, over whole histories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Values } from '../../../hal/contract.ts';
import { judge, type Memory } from '../../../hal/modbus/plausibility.ts';

const PHYSICS = { maxA: 32, phases: 3, meterMaxA: 100 } as const;
const FULL_POWER_W = 32 * 230 * 3;

const energy = (wh: number): Values => ({ energyImport: { sum: Math.round(wh) } });

/** Loads between nothing and full power, for up to an hour each. */
const loads = fc.array(
  fc.record({ ms: fc.integer({ min: 100, max: 3_600_000 }), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  { minLength: 1, maxLength: 30 },
);

interface Story {
  readonly memory: Memory;
  readonly at: number;
  readonly wh: number;
  readonly doubts: readonly (string | undefined)[];
}

function tell(startWh: number, story: readonly { readonly ms: number; readonly part: number }[]): Story {
  let memory: Memory = judge({}, energy(startWh), 0, PHYSICS).memory;
  const doubts: (string | undefined)[] = [];
  let [at, wh] = [0, startWh];
  for (const { ms, part } of story) {
    at += ms;
    wh += (part * FULL_POWER_W * ms) / 3_600_000;
    const judgement = judge(memory, energy(wh), at, PHYSICS);
    memory = judgement.memory;
    doubts.push(judgement.doubt);
  }
  return { memory, at, wh, doubts };
}

describe('the judge of readings', () => {
  it('doubts the very first look, and nothing that the installation can do after it', () => {
    expect(judge({}, energy(5), 0, PHYSICS).doubt).toBeDefined();
    fc.assert(
      fc.property(fc.nat({ max: 99_999_999 }), loads, (startWh, story) => {
        expect(tell(startWh, story).doubts.filter((doubt) => doubt !== undefined)).toEqual([]);
      }),
    );
  });

  it('doubts every fall and every impossible jump, and remembers the last good reading through it', () => {
    const wrong = fc.oneof(fc.integer({ min: -1_000_000, max: -1 }), fc.integer({ min: 1000, max: 1_000_000 }));
    fc.assert(
      fc.property(loads, wrong, (story, offWh) => {
        const { memory, at, wh } = tell(2_000_000, story);
        const judgement = judge(memory, energy(Math.round(wh) + offWh), at + 1000, PHYSICS);
        expect(judgement.doubt).toBeDefined();
        expect(judge(judgement.memory, energy(wh), at + 2000, PHYSICS).doubt).toBeUndefined();
      }),
    );
  });

  it('never believes a register that jumps about', () => {
    const { memory, at, wh } = tell(2_000_000, [{ ms: 1000, part: 1 }]);
    let now: Memory = memory;
    for (let look = 0; look < 100; look += 1) {
      const judgement = judge(now, energy(look % 2 === 0 ? 0 : wh / 2), at + look, PHYSICS);
      expect(judgement.doubt).toBeDefined();
      now = judgement.memory;
    }
  });

  it('never uses a negative energy, voltage beyond the supply, or current beyond the meter', () => {
    for (const values of [energy(-1), { voltage: { L2: 600 } }, { voltage: { L1: -1 } }, { current: { L3: -200 } }]) {
      let memory: Memory = {};
      for (let look = 0; look < 20; look += 1) {
        const judgement = judge(memory, values, look, PHYSICS);
        expect(judgement.doubt).toBeDefined();
        memory = judgement.memory;
      }
    }
  });
});
