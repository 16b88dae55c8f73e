/** How a supply is shared among those who claim it: the fair levels of each case, by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, type Claim } from '../../../src/core/load/allocation.ts';
import type { GridPhase, PerPhase } from '../../../src/core/load/grid.ts';

const [R, S, T] = [0, 1, 2] as const;
const RST = [R, S, T] as const;

/** Takes as much as it gets, up to 32 A on three phases, unless the case says otherwise. */
const claim = (id: number, more: Partial<Claim> = {}): Claim => ({
  id,
  phases: RST,
  leastA: 6,
  capA: 32,
  demandA: Number.POSITIVE_INFINITY,
  ...more,
});
const all = (amps: number): PerPhase => [amps, amps, amps];

interface Case {
  readonly what: string;
  readonly claims: readonly Claim[];
  readonly supply: PerPhase;
  readonly levels: readonly number[];
}

const CASES: readonly Case[] = [
  { what: 'gives one alone all that it may have', claims: [claim(1)], supply: all(63), levels: [32] },
  { what: 'gives one alone all that there is', claims: [claim(1)], supply: all(20), levels: [20] },
  { what: 'shares equally', claims: [claim(1), claim(2)], supply: all(32), levels: [16, 16] },
  {
    what: 'hands what one may not have to the others',
    claims: [claim(1, { capA: 8 }), claim(2), claim(3)],
    supply: all(40),
    levels: [8, 16, 16],
  },
  {
    what: 'hands what one would not draw to the others',
    claims: [claim(1, { demandA: 10 }), claim(2)],
    supply: all(32),
    levels: [10, 22],
  },
  {
    what: 'leaves with an EV what nobody else would draw',
    claims: [claim(1, { demandA: 10 }), claim(2, { capA: 16 })],
    supply: all(40),
    levels: [24, 16],
  },
  {
    what: 'lets one-phase EVs on different phases have all of their phase',
    claims: [claim(1, { phases: [R] }), claim(2, { phases: [S] }), claim(3, { phases: [T] })],
    supply: all(20),
    levels: [20, 20, 20],
  },
  {
    what: 'lets only those share who are on the same phase',
    claims: [claim(1, { phases: [R] }), claim(2, { phases: [R] }), claim(3, { phases: [S] })],
    supply: all(20),
    levels: [10, 10, 20],
  },
  {
    what: 'bounds three phases by the fullest of them, and lets the others use what is left elsewhere',
    claims: [claim(1), claim(2, { phases: [R] }), claim(3, { phases: [S] })],
    supply: all(32),
    levels: [16, 16, 16],
  },
  {
    what: 'shares a phase of three and goes on rising on the emptier one',
    claims: [claim(1), claim(2, { phases: [R] }), claim(3, { phases: [R] }), claim(4, { phases: [S] })],
    supply: all(24),
    levels: [8, 8, 8, 16],
  },
  { what: 'takes each phase for itself', claims: [claim(1)], supply: [20, 8, 16], levels: [8] },
  {
    what: 'gives a one-phase EV the room of its own phase',
    claims: [claim(1, { phases: [R] }), claim(2, { phases: [S] })],
    supply: [20, 8, 0],
    levels: [20, 8],
  },
  { what: 'gives nothing below 6 A', claims: [claim(1)], supply: all(5.9), levels: [0] },
  { what: 'gives 6 A where there are 6 A', claims: [claim(1)], supply: all(6), levels: [6] },
  { what: 'gives nothing to who may not have 6 A', claims: [claim(1, { capA: 5.9 })], supply: all(32), levels: [0] },
  {
    what: 'serves who comes first where not all can be served',
    claims: [claim(1), claim(2), claim(3)],
    supply: all(13),
    levels: [6.5, 6.5, 0],
  },
  {
    what: 'passes over one for whom there is not enough and serves the next',
    claims: [claim(1), claim(2), claim(3, { phases: [T] })],
    supply: [10, 10, 32],
    levels: [10, 0, 22],
  },
  {
    what: 'serves all with the least before anybody gets more',
    claims: [claim(1), claim(2), claim(3)],
    supply: all(18),
    levels: [6, 6, 6],
  },
  {
    what: 'gives minChargingRate, or nothing',
    claims: [claim(1), claim(2, { leastA: 10 })],
    supply: all(15),
    levels: [15, 0],
  },
  {
    what: 'lets the others catch up with minChargingRate',
    claims: [claim(1), claim(2, { leastA: 10 })],
    supply: all(18),
    levels: [8, 10],
  },
  {
    what: 'lets all rise together above minChargingRate',
    claims: [claim(1), claim(2, { leastA: 10 })],
    supply: all(24),
    levels: [12, 12],
  },
  {
    what: 'asks no more than the cap of who names a greater minChargingRate',
    claims: [claim(1, { leastA: 16, capA: 10 })],
    supply: all(32),
    levels: [10],
  },
];

describe('allocation', () => {
  it.each(CASES)('$what', ({ claims, supply, levels }) => {
    const shared = allocate(claims, supply);
    for (const [index, level] of levels.entries()) expect(shared.get(index + 1)).toBeCloseTo(level, 5);
  });

  const phases = fc.constantFrom<readonly GridPhase[]>([R], [S], [T], RST);
  const claims = fc
    .array(
      fc.record({
        phases,
        leastA: fc.constantFrom(6, 6, 10),
        capA: fc.integer({ min: 0, max: 40 }),
        demandA: fc.constantFrom(6, 9, 16, Number.POSITIVE_INFINITY),
      }),
      { maxLength: 5 },
    )
    .map((each) => each.map((one, index): Claim => ({ id: index + 1, ...one })));
  const amps = fc.integer({ min: 0, max: 80 });
  const supply = fc.tuple(amps, amps, amps);

  it('never gives more than there is, more than the cap, or a little below the least', () => {
    fc.assert(
      fc.property(claims, supply, (given, there) => {
        const levels = allocate(given, there);
        for (const { id, leastA, capA } of given) {
          const level = levels.get(id) ?? 0;
          expect(level === 0 || level >= Math.min(leastA, capA)).toBe(true);
          expect(level).toBeLessThanOrEqual(capA + 1e-5);
        }
        for (const phase of RST) {
          const used = given.filter((each) => each.phases.includes(phase)).map(({ id }) => levels.get(id) ?? 0);
          expect(used.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(there[phase] + 1e-4);
        }
      }),
    );
  });

  it('is max-min fair: nobody who is served could have more but at the cost of somebody who has no more than he', () => {
    fc.assert(
      fc.property(claims, supply, (given, there) => {
        const eager = given.map((each) => ({ ...each, leastA: 6, demandA: Number.POSITIVE_INFINITY }));
        const levels = allocate(eager, there);
        const served = eager.filter(({ id }) => (levels.get(id) ?? 0) > 0);
        for (const one of served) {
          const level = levels.get(one.id) ?? 0;
          if (level > one.capA - 1e-3) continue;
          const isBound = one.phases.some((phase) => {
            const there_ = served.filter((each) => each.phases.includes(phase)).map(({ id }) => levels.get(id) ?? 0);
            const isFull = there_.reduce((sum, each) => sum + each, 0) > there[phase] - 1e-3;
            return isFull && there_.every((other) => other <= Math.max(level, 6) + 1e-3);
          });
          expect(isBound).toBe(true);
        }
      }),
    );
  });

  it('leaves nothing lie idle that a served one may have', () => {
    fc.assert(
      fc.property(claims, supply, (given, there) => {
        const levels = allocate(given, there);
        for (const { id, capA, phases: on } of given) {
          const level = levels.get(id) ?? 0;
          if (level === 0 || level > capA - 1e-3) continue;
          const isFull = on.some((phase) => {
            const used = given.filter((each) => each.phases.includes(phase)).map((each) => levels.get(each.id) ?? 0);
            return used.reduce((sum, each) => sum + each, 0) > there[phase] - 1e-3;
          });
          expect(isFull).toBe(true);
        }
      }),
    );
  });
});
