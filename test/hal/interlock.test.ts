/** The interlock against its invariant, over random stories of everything that can reach it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contactor, ContactorState, PilotState } from '../../hal/contract.ts';
import { EXERCISE_MS, Interlock, PAUSE_AFTER_ERROR_MS, PAUSE_MS, X1_UNDER_LOAD_MS } from '../../hal/interlock.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

class Coil implements Contactor {
  feedback: ContactorState = 'open';
  readonly commands: string[] = [];
  close(): void {
    this.feedback = 'closed';
    this.commands.push('close');
  }
  open(): void {
    this.feedback = 'open';
    this.commands.push('open');
  }
  onFeedback(): () => void {
    return () => {};
  }
}

const setUp = (ventilated = false) => {
  const clock = new VirtualClock();
  const coil = new Coil();
  return { clock, coil, interlock: new Interlock(coil, { ventilated, clock }) };
};

const closed = (ventilated = false) => {
  const parts = setUp(ventilated);
  parts.interlock.pilot('C');
  parts.interlock.offered(16);
  parts.interlock.permit(true);
  expect(parts.coil.feedback).toBe('closed');
  return parts;
};

describe('interlock', () => {
  it('commands the coil off before anything else', () => {
    expect(setUp().coil.commands).toEqual(['open']);
  });

  it.each(['A', 'B', 'D', 'E', 'F'] as const)('refuses to close in state %s', (state) => {
    const { coil, interlock } = setUp();
    interlock.offered(16);
    interlock.pilot(state);
    interlock.permit(true);
    expect(coil.feedback).toBe('open');
    interlock.pilot('C');
    expect(coil.feedback).toBe('open');
  });

  it('closes in state D where the place is ventilated', () => {
    const { coil, interlock } = setUp(true);
    interlock.offered(16);
    interlock.pilot('D');
    interlock.permit(true);
    expect(coil.feedback).toBe('closed');
  });

  it('refuses to close while nothing is offered', () => {
    const { coil, interlock } = setUp();
    interlock.pilot('C');
    interlock.permit(true);
    expect(coil.feedback).toBe('open');
  });

  it.each(['A', 'B', 'D', 'E', 'F'] as const)('opens in the same turn when the pilot goes from C to %s', (state) => {
    const { coil, interlock } = closed();
    interlock.pilot(state);
    expect(coil.feedback).toBe('open');
  });

  it('does not close again on the next C without a new permit', async () => {
    const { clock, coil, interlock } = closed();
    interlock.pilot('B');
    interlock.pilot('C');
    await clock.advance(PAUSE_AFTER_ERROR_MS);
    expect(coil.feedback).toBe('open');
    interlock.permit(true);
    expect(coil.feedback).toBe('closed');
  });

  it('opens in the same turn on a trip and stays open until every cause has gone', async () => {
    const { clock, coil, interlock } = closed();
    interlock.trip('groundFault');
    expect(coil.feedback).toBe('open');
    await clock.advance(PAUSE_AFTER_ERROR_MS);
    interlock.trip('mains');
    interlock.release('groundFault');
    interlock.permit(true);
    expect(coil.feedback).toBe('open');
    interlock.release('mains');
    expect(coil.feedback).toBe('open');
    interlock.permit(true);
    expect(coil.feedback).toBe('closed');
  });

  it('opens under load exactly 6 s after x1 if the EV does not let go', async () => {
    const { clock, coil, interlock } = closed();
    interlock.offered('x1');
    await clock.advance(X1_UNDER_LOAD_MS - 1);
    expect(coil.feedback).toBe('closed');
    await clock.advance(1);
    expect(coil.feedback).toBe('open');
  });

  it('stays closed if the offer returns within the six seconds', async () => {
    const { clock, coil, interlock } = closed();
    interlock.offered('x1');
    await clock.advance(3000);
    interlock.offered(10);
    await clock.advance(60_000);
    expect(coil.feedback).toBe('closed');
  });

  it('opens at once when F is signalled', () => {
    const { coil, interlock } = closed();
    interlock.offered('F');
    expect(coil.feedback).toBe('open');
  });

  describe('that has opened (facts/evse.md 1.2 and 2.1)', () => {
    type Parts = ReturnType<typeof closed>;
    const closesAfter = async ({ clock, coil, interlock }: Parts, ms: number) => {
      interlock.pilot('C');
      interlock.offered(16);
      interlock.permit(true);
      await clock.advance(ms - 1);
      expect(coil.feedback).toBe('open');
      await clock.advance(1);
      expect(coil.feedback).toBe('closed');
    };

    it.each<[string, number, (parts: Parts) => void]>([
      ['5 s after the EV went to B', PAUSE_MS, ({ interlock }) => interlock.pilot('B')],
      ['5 s after the EV left', PAUSE_MS, ({ interlock }) => interlock.pilot('A')],
      ['5 s after the permit was taken away', PAUSE_MS, ({ interlock }) => interlock.permit(false)],
      ['30 s after E', PAUSE_AFTER_ERROR_MS, ({ interlock }) => interlock.pilot('E')],
      ['30 s after D without ventilation', PAUSE_AFTER_ERROR_MS, ({ interlock }) => interlock.pilot('D')],
      [
        '30 s after a trip that is over at once',
        PAUSE_AFTER_ERROR_MS,
        ({ interlock }) => {
          interlock.trip('fault');
          interlock.release('fault');
        },
      ],
      [
        '5 s after a trip, if the EV has left since',
        PAUSE_MS,
        ({ interlock }) => {
          interlock.trip('fault');
          interlock.release('fault');
          interlock.pilot('A');
        },
      ],
    ])('closes again no sooner than %s', async (_when, ms, opens) => {
      const parts = closed();
      opens(parts);
      expect(parts.coil.feedback).toBe('open');
      await closesAfter(parts, ms);
    });

    it('closes at once where the pause is over', async () => {
      const { clock, coil, interlock } = closed();
      interlock.trip('fault');
      await clock.advance(PAUSE_AFTER_ERROR_MS);
      interlock.release('fault');
      interlock.permit(true);
      expect(coil.feedback).toBe('closed');
    });

    it.each<[string, (interlock: Interlock) => void]>([
      ['the EV goes to B and back', (interlock) => interlock.pilot('B')],
      ['the permit is taken away', (interlock) => interlock.permit(false)],
      ['the offer is withdrawn', (interlock) => interlock.offered('x1')],
      ['something trips for a moment', (interlock) => interlock.trip('moment')],
    ])('does not close after the pause if %s meanwhile', async (_what, happens) => {
      const { clock, coil, interlock } = closed();
      interlock.pilot('B');
      interlock.pilot('C');
      interlock.permit(true);
      happens(interlock);
      interlock.release('moment');
      interlock.pilot('C');
      interlock.offered(16);
      await clock.advance(2 * PAUSE_AFTER_ERROR_MS);
      expect(coil.feedback).toBe('open');
      interlock.permit(true);
      expect(coil.feedback).toBe('closed');
    });

    it('waits no longer because of a trip that found it open', async () => {
      const parts = closed();
      parts.interlock.pilot('B');
      parts.interlock.trip('RCD test');
      parts.interlock.release('RCD test');
      await closesAfter(parts, PAUSE_MS);
    });

    it('opens within a pause as it does at any time: nothing waits', async () => {
      const { clock, coil, interlock } = closed();
      interlock.pilot('B');
      await clock.advance(PAUSE_MS);
      interlock.pilot('C');
      interlock.permit(true);
      interlock.pilot('B');
      expect(coil.feedback).toBe('open');
    });

    it('is not made to wait by an exercise, which has switched no load', async () => {
      const { clock, coil, interlock } = setUp();
      interlock.exercise(() => {});
      await clock.advance(EXERCISE_MS);
      interlock.pilot('C');
      interlock.offered(16);
      interlock.permit(true);
      expect(coil.feedback).toBe('closed');
    });

    it('waits as long as its board says', async () => {
      const clock = new VirtualClock();
      const coil = new Coil();
      const interlock = new Interlock(coil, { ventilated: false, clock, pauseMs: 100, pauseAfterErrorMs: 200 });
      const parts = { clock, coil, interlock };
      interlock.pilot('C');
      interlock.offered(16);
      interlock.permit(true);
      interlock.pilot('B');
      await closesAfter(parts, 100);
      interlock.pilot('E');
      await closesAfter(parts, 200);
    });
  });

  describe('exercised by a technician', () => {
    const exercised = () => {
      const parts = setUp();
      const ends: ContactorState[] = [];
      expect(parts.interlock.exercise(() => ends.push(parts.coil.feedback))).toBeUndefined();
      expect(parts.coil.feedback).toBe('closed');
      return { ...parts, ends };
    };
    const refused = (prepare: (parts: ReturnType<typeof setUp>) => void) => {
      const parts = setUp();
      prepare(parts);
      const before = [...parts.coil.commands];
      const refusal = parts.interlock.exercise(() => expect.unreachable());
      expect(parts.coil.commands).toEqual(before);
      return refusal;
    };

    it('closes with no EV there, for 300 ms and no longer', async () => {
      const { clock, coil, interlock, ends } = exercised();
      await clock.advance(EXERCISE_MS - 1);
      expect(coil.feedback).toBe('closed');
      await clock.advance(1);
      expect(coil.feedback).toBe('open');
      expect(interlock.commanded).toBe('open');
      expect(ends).toEqual(['open']);
    });

    it.each(['B', 'C', 'D', 'E', 'F'] as const)('is refused in state %s', (state) => {
      expect(refused(({ interlock }) => interlock.pilot(state))).toBe('pilot');
    });

    it('is refused while something trips', () => {
      expect(refused(({ interlock }) => interlock.trip('fault'))).toBe('tripped');
    });

    it('is refused while a current is offered', () => {
      expect(refused(({ interlock }) => interlock.offered(16))).toBe('offer');
    });

    it('is refused while the mirror contact says closed', () => {
      const weld = (coil: Coil): void => {
        coil.feedback = 'closed';
      };
      expect(refused(({ coil }) => weld(coil))).toBe('closed');
    });

    it('is refused while it is under way: nobody makes 300 ms longer', async () => {
      const { clock, coil, interlock } = exercised();
      coil.feedback = 'open';
      await clock.advance(200);
      expect(interlock.exercise(() => expect.unreachable())).toBe('closed');
      await clock.advance(100);
      expect(coil.commands.at(-1)).toBe('open');
    });

    it.each(['B', 'C', 'D', 'E', 'F'] as const)('opens in the same turn when the pilot becomes %s', async (state) => {
      const { clock, coil, interlock, ends } = exercised();
      interlock.pilot(state);
      expect(coil.feedback).toBe('open');
      expect(ends).toEqual(['open']);
      await clock.advance(EXERCISE_MS);
      expect(ends).toHaveLength(1);
    });

    it.each<[string, (interlock: Interlock) => void]>([
      ['something trips', (interlock) => interlock.trip('fault')],
      ['the permit is taken away', (interlock) => interlock.permit(false)],
      ['a current is offered', (interlock) => interlock.offered(16)],
      ['F is signalled', (interlock) => interlock.offered('F')],
    ])('opens in the same turn when %s', (_what, happens) => {
      const { coil, interlock, ends } = exercised();
      happens(interlock);
      expect(coil.feedback).toBe('open');
      expect(ends).toEqual(['open']);
    });

    it('leaves nothing behind that would open a contactor which charges later', async () => {
      const { clock, coil, interlock } = exercised();
      interlock.pilot('C');
      interlock.offered(16);
      interlock.permit(true);
      await clock.advance(EXERCISE_MS);
      expect(coil.feedback).toBe('closed');
    });

    it('is told to open if closing throws', () => {
      const { coil, interlock } = setUp();
      coil.close = () => {
        coil.commands.push('broken');
        throw new Error('no permission');
      };
      expect(() => interlock.exercise(() => expect.unreachable())).toThrow('no permission');
      expect(coil.commands.slice(-2)).toEqual(['broken', 'open']);
      expect(interlock.commanded).toBe('open');
    });

    it('still ends by itself if neither closing nor opening works at first', async () => {
      const { clock, coil, interlock } = setUp();
      const open = coil.open.bind(coil);
      coil.close = () => {
        coil.feedback = 'closed';
        coil.open = () => {
          throw new Error('no permission');
        };
        throw new Error('no permission');
      };
      expect(() => interlock.exercise(() => expect.unreachable())).toThrow('no permission');
      expect(interlock.commanded).toBe('closed');
      coil.open = open;
      await clock.advance(EXERCISE_MS);
      expect([coil.feedback, interlock.commanded, clock.armed]).toEqual(['open', 'open', 0]);
    });
  });

  describe('whose coil could not be told to open', () => {
    type Happening = readonly [what: string, happens: (interlock: Interlock) => void];
    const takesAway: readonly Happening[] = [
      ['the EV went to B', (interlock) => interlock.pilot('B')],
      ['the permit was taken away', (interlock) => interlock.permit(false)],
      ['F was signalled', (interlock) => interlock.offered('F')],
      ['something has tripped', (interlock) => interlock.trip('fault')],
    ];
    const next: readonly Happening[] = [
      ...takesAway,
      ...(['A', 'C', 'D', 'E', 'F'] as const).map(
        (state): Happening => [`the pilot says ${state}`, (interlock) => interlock.pilot(state)],
      ),
      ...([6, 'x1'] as const).map(
        (offer): Happening => [`${offer} is signalled`, (interlock) => interlock.offered(offer)],
      ),
    ];

    it.each(
      takesAway.flatMap(([first, fails]) => next.map(([then, happens]) => [first, then, fails, happens] as const)),
    )(
      'when %s opens once it can, as soon as %s, and pauses as after any other opening',
      async (_first, _then, fails, happens) => {
        const { clock, coil, interlock } = closed();
        const open = coil.open.bind(coil);
        coil.open = () => {
          throw new Error('EIO');
        };
        expect(() => fails(interlock)).toThrow('EIO');
        expect(interlock.commanded).toBe('closed');
        coil.open = open;
        happens(interlock);
        expect([coil.feedback, interlock.commanded]).toEqual(['open', 'open']);
        interlock.release('fault');
        interlock.pilot('C');
        interlock.offered(16);
        interlock.permit(true);
        expect(coil.feedback).toBe('open');
        await clock.advance(PAUSE_AFTER_ERROR_MS);
        expect(coil.feedback).toBe('closed');
      },
    );

    it('opens 300 ms after an exercise that somebody has cut short in vain, and tells so', async () => {
      const { clock, coil, interlock } = setUp();
      let ends = 0;
      interlock.exercise(() => ends++);
      const open = coil.open.bind(coil);
      coil.open = () => {
        throw new Error('EIO');
      };
      expect(() => interlock.pilot('C')).toThrow('EIO');
      expect([ends, interlock.commanded]).toEqual([0, 'closed']);
      coil.open = open;
      await clock.advance(EXERCISE_MS);
      expect([coil.feedback, ends, clock.armed]).toEqual(['open', 1, 0]);
    });
  });

  it('never breaks its invariant', async () => {
    const action = fc.oneof(
      fc.constantFrom<PilotState>('A', 'B', 'C', 'D', 'E', 'F').map((state) => ({ type: 'pilot' as const, state })),
      fc.boolean().map((given) => ({ type: 'permit' as const, given })),
      fc.constantFrom(6, 16, 'x1' as const, 'F' as const).map((offer) => ({ type: 'offer' as const, offer })),
      fc.constantFrom('a', 'b').map((reason) => ({ type: 'trip' as const, reason })),
      fc.constantFrom('a', 'b').map((reason) => ({ type: 'release' as const, reason })),
      fc.integer({ min: 1, max: 7000 }).map((ms) => ({ type: 'wait' as const, ms })),
      fc.constant({ type: 'exercise' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), fc.boolean(), async (story, ventilated) => {
        const { clock, coil, interlock } = setUp(ventilated);
        const world = { pilot: 'A' as PilotState, permit: false, offered: false, x1Since: 0, trips: new Set<string>() };
        let exercisedAt: number | undefined;
        const switched: { readonly to: ContactorState; readonly at: number; readonly exercise: boolean }[] = [];
        const close = coil.close.bind(coil);
        const open = coil.open.bind(coil);
        coil.close = () => {
          const before = switched.at(-1);
          // The constructor of the exercise is told apart by the pilot.
          const exercise = world.pilot === 'A';
          if (!exercise && before !== undefined && !before.exercise)
            expect(clock.now() - before.at).toBeGreaterThanOrEqual(PAUSE_MS);
          switched.push({ to: 'closed', at: clock.now(), exercise });
          close();
        };
        coil.open = () => {
          if (coil.feedback === 'closed')
            switched.push({ to: 'open', at: clock.now(), exercise: switched.at(-1)?.exercise ?? false });
          open();
        };
        for (const move of story) {
          switch (move.type) {
            case 'pilot':
              world.pilot = move.state;
              interlock.pilot(move.state);
              break;
            case 'permit':
              world.permit = move.given;
              interlock.permit(move.given);
              break;
            case 'trip':
              world.trips.add(move.reason);
              interlock.trip(move.reason);
              break;
            case 'release':
              world.trips.delete(move.reason);
              interlock.release(move.reason);
              break;
            case 'offer':
              if (typeof move.offer !== 'number' && world.offered) world.x1Since = clock.now();
              world.offered = typeof move.offer === 'number';
              interlock.offered(move.offer);
              break;
            case 'exercise': {
              const at = clock.now();
              const over = (): void => {
                exercisedAt = undefined;
              };
              if (interlock.exercise(over) === undefined) exercisedAt = at;
              break;
            }
            case 'wait':
              await clock.advance(move.ms);
          }
          if (coil.feedback === 'closed' && exercisedAt !== undefined) {
            expect(world.pilot).toBe('A');
            expect(world.offered).toBe(false);
            expect(world.trips.size).toBe(0);
            expect(clock.now() - exercisedAt).toBeLessThan(EXERCISE_MS);
          } else if (coil.feedback === 'closed') {
            expect(world.pilot === 'C' || (ventilated && world.pilot === 'D')).toBe(true);
            expect(world.permit).toBe(true);
            expect(world.trips.size).toBe(0);
            if (!world.offered) expect(clock.now() - world.x1Since).toBeLessThan(X1_UNDER_LOAD_MS);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
