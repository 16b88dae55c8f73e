/** The fuse, whatever the EVs do: late ones, silent meters, rotated phases, caps that move. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rotation } from '../../../src/core/load/grid.ts';
import { type PlaceOptions, Street } from './street.ts';

const rotation = fc.constantFrom<Rotation>('RST', 'RTS', 'SRT', 'STR', 'TRS', 'TSR', 'Unknown');
const count = fc.constantFrom<1 | 3>(1, 3);
const place: fc.Arbitrary<PlaceOptions> = fc.record({
  rotation,
  phases: count,
  capA: fc.constantFrom(6, 10, 16, 32),
  lateMs: fc.integer({ min: 0, max: 5000 }),
  wantsA: fc.constantFrom(0, 6, 8, 16, 32),
  evPhases: count,
});

type Move = (street: Street) => void;
const id = fc.integer({ min: 0, max: 3 });
const pick = (street: Street, n: number) => street.place((n % street.places.length) + 1);

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.tuple(id, fc.boolean()).map(
    ([n, active]): Move =>
      (street) => {
        pick(street, n).active = active;
      },
  ),
  fc.tuple(id, fc.boolean()).map(
    ([n, silent]): Move =>
      (street) => {
        pick(street, n).silent = silent;
      },
  ),
  fc.tuple(id, fc.constantFrom(0, 6, 7.5, 12, 32)).map(
    ([n, capA]): Move =>
      (street) => {
        const chosen = pick(street, n);
        chosen.options = { ...chosen.options, capA };
      },
  ),
  fc.tuple(id, fc.constantFrom(0, 6, 10, 32)).map(
    ([n, wantsA]): Move =>
      (street) => {
        const chosen = pick(street, n);
        // An EV that pauses opens its switch at once; one that wants more waits for nobody.
        chosen.options = { ...chosen.options, wantsA };
      },
  ),
);

const story = fc.record({
  places: fc.array(place, { minLength: 1, maxLength: 4 }),
  amps: fc.tuple(fc.integer({ min: 5, max: 40 }), fc.integer({ min: 5, max: 40 }), fc.integer({ min: 5, max: 40 })),
  randomDelayMs: fc.constantFrom(0, 0, 20_000),
  rampAPerMinute: fc.constantFrom(undefined, undefined, 6),
  moves: fc.array(fc.tuple(move, fc.integer({ min: 0, max: 20_000 })), { maxLength: 25 }),
});

const play = (
  { places, amps, randomDelayMs, rampAPerMinute, moves }: typeof story extends fc.Arbitrary<infer S> ? S : never,
  look: Move,
): Street => {
  const pace = { randomDelayMs, chance: 0.5, ...(rampAPerMinute === undefined ? {} : { rampAPerMinute }) };
  const street = new Street(places, amps, pace);
  for (const [act, ms] of moves) {
    act(street);
    street.review();
    look(street);
    street.advance(ms, look);
  }
  return street;
};

describe('one fuse for several connectors', () => {
  it('never carries more than it may, counting for each connector the most of the last 5 s and what flows', () => {
    fc.assert(
      fc.property(story, (told) => {
        play(told, (street) => {
          for (const [phase, used] of street.used().entries())
            if (used > (street.supply.amps[phase as 0] ?? 0) + 0.01)
              expect({ at: street.at, phase, used }).toEqual({
                at: street.at,
                phase,
                used: street.supply.amps[phase as 0],
              });
        });
      }),
      { numRuns: 600 },
    );
  });

  it('changes an offer at most once in 5 s while it is in use, but for a stop, offers nothing between 0 and 6 A, and never more than the cap', () => {
    fc.assert(
      fc.property(story, (told) => {
        const begun = new Map<number, number>();
        const street = play(told, ({ places, at }) => {
          for (const each of places) {
            if (!each.active) begun.delete(each.id);
            else if (!begun.has(each.id)) begun.set(each.id, at);
            expect(each.limitA === 0 || each.limitA >= 6).toBe(true);
            const since = begun.get(each.id) ?? at;
            const [before, last] = each.changes.filter((change) => change.at > since).slice(-2);
            if (each.active && before !== undefined && last !== undefined && last.limitA > 0)
              expect(last.at - before.at).toBeGreaterThanOrEqual(5000);
          }
        });
        street.advance(10_000);
        for (const each of street.places) if (each.active) expect(each.limitA).toBeLessThanOrEqual(each.options.capA);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves nobody without current for good, and comes to rest', () => {
    fc.assert(
      fc.property(story, (told) => {
        const street = play({ ...told, randomDelayMs: 0, rampAPerMinute: undefined }, () => {});
        for (const each of street.places) each.silent = false;
        street.advance(240_000);
        const canBe = (n: number): boolean => {
          const { options, wiring } = street.place(n);
          return options.capA >= 6 && wiring.phases.every((phase) => street.supply.amps[phase] >= 6);
        };
        const active = street.places.filter((each) => each.active && canBe(each.id));
        // Whoever waits, waits for somebody who is served on a phase that both need.
        for (const each of active.filter(({ limitA }) => limitA === 0))
          expect(
            active.some(
              ({ limitA, wiring }) => limitA > 0 && wiring.phases.some((phase) => each.wiring.phases.includes(phase)),
            ),
          ).toBe(true);
        const before = street.places.map(({ changes }) => changes.length);
        street.advance(120_000);
        const isRotating = active.some(({ limitA }) => limitA === 0);
        if (!isRotating) expect(street.places.map(({ changes }) => changes.length)).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});
