/** The external controller as an `Evse`, against a controller in memory with registers as facts/evse.md 5.1 has them. */
import { describe, expect, it } from 'vitest';
import { FaultBook } from '../../hal/fault-book.ts';
import { HalError } from '../../hal/hal-error.ts';
import { MISSED_POLLS, openController, POLL_MS } from '../../hal/modbus/evse-controller.ts';
import { settle, VirtualClock } from '../sim/virtual-clock.ts';
import { FakeController } from './fake-controller.ts';
import { controllerFile } from './modbus/controller-maps.ts';

const setUp = async (prepare: (fake: FakeController) => void = () => {}) => {
  const clock = new VirtualClock();
  const fake = new FakeController();
  prepare(fake);
  const book = new FaultBook();
  const evse = await openController(fake, controllerFile('evse-wb-din'), {
    unit: 1,
    connectorId: 1,
    maxA: 32,
    ventilated: false,
    book,
    surroundings: { clock, log: { info: () => {}, warn: () => {} } },
  });
  const current = () => fake.registers.get(1000);
  const codes = () => book.current.map(({ code }) => code);
  return { clock, fake, book, evse, current, codes };
};

const charging = async () => {
  const world = await setUp();
  world.fake.ev(2);
  await world.clock.advance(POLL_MS);
  world.evse.offer(16);
  world.fake.ev(3);
  await world.clock.advance(POLL_MS);
  world.evse.permit(true);
  expect(world.evse.state).toEqual({ pilot: 'C', contactor: 'closed' });
  return world;
};

describe('EVSE controller', () => {
  it('takes the current away that the controller starts with', async () => {
    expect((await setUp()).current()).toBe(0);
  });

  it('sets the offered current, never more than the board carries, never a fraction more', async () => {
    const { clock, evse, current } = await setUp();
    evse.offer(15.9);
    await clock.advance(0);
    expect(current()).toBe(15);
    evse.offer(63);
    await clock.advance(0);
    expect(current()).toBe(32);
  });

  it('sets hundredths of an ampere where the controller is set up for it', async () => {
    const { clock, evse, current } = await setUp((fake) => fake.registers.set(2005, 0x80));
    evse.offer(6.5);
    await clock.advance(0);
    expect(current()).toBe(650);
  });

  it('takes bit 7 for something else in old firmware', async () => {
    const { clock, evse, current } = await setUp((fake) => {
      fake.registers.set(2005, 0x80);
      fake.registers.set(1005, 16);
    });
    evse.offer(6.5);
    await clock.advance(0);
    expect(current()).toBe(6);
  });

  it.each(['x1', 'F'] as const)('takes the current away for %s, urgently', async (offer) => {
    const { fake, evse } = await charging();
    evse.offer(offer);
    await settle();
    expect(fake.writes.at(-1)).toEqual({ values: [0], urgent: true });
  });

  it('takes the current away when the permit is withdrawn under load, and gives it back with the permit', async () => {
    const { clock, evse, current } = await charging();
    evse.permit(false);
    await clock.advance(POLL_MS);
    expect(current()).toBe(0);
    evse.permit(true);
    await clock.advance(POLL_MS);
    expect(current()).toBe(16);
  });

  it('keeps the pilot offering when the EV pauses by itself', async () => {
    const { clock, fake, evse, current } = await charging();
    // As the agent does, in the turn in which it hears of it.
    evse.onState(({ pilot }) => {
      if (pilot === 'B') evse.permit(false);
    });
    fake.ev(2);
    await clock.advance(10 * POLL_MS);
    expect(evse.state).toEqual({ pilot: 'B', contactor: 'open' });
    expect(current()).toBe(16);
  });

  it.each([
    ['without an EV', 1],
    ['with an EV that waits', 2],
    ['under load', 3],
  ])(
    'withholds the current from a permit that was withdrawn %s until a new offer, whatever the EV does',
    async (_when, ev) => {
      const { clock, fake, evse, current } = await setUp();
      fake.ev(ev);
      await clock.advance(POLL_MS);
      evse.offer(16);
      evse.permit(true);
      await clock.advance(POLL_MS);
      expect(current()).toBe(16);
      evse.permit(false);
      await settle();
      expect(current()).toBe(0);
      for (const state of [2, 3, 2, 1, 2, 3]) {
        fake.ev(state);
        await clock.advance(POLL_MS);
        expect([current(), evse.state.contactor]).toEqual([0, 'open']);
      }
      evse.offer(10);
      await clock.advance(POLL_MS);
      expect(current()).toBe(0);
      evse.offer('x1');
      evse.offer(10);
      await clock.advance(POLL_MS);
      expect(current()).toBe(10);
    },
  );

  it('withholds the current also from an EV that has paused, when nobody gives permits any more', async () => {
    const { clock, fake, evse, current } = await charging();
    fake.ev(2);
    await clock.advance(POLL_MS);
    expect(current()).toBe(16);
    evse.permit(false);
    await settle();
    fake.ev(3);
    await clock.advance(POLL_MS);
    expect([current(), evse.state.contactor]).toEqual([0, 'open']);
  });

  it('sets no current while anything trips, whatever is offered', async () => {
    const { clock, book, evse, current } = await charging();
    book.raise({ code: 'emergencyStop', connectorId: 0 }, 'test');
    evse.offer(16);
    evse.permit(true);
    await clock.advance(POLL_MS);
    expect(current()).toBe(0);
    book.clear('emergencyStop', 0, 'test');
    evse.offer(16);
    await clock.advance(POLL_MS);
    expect(current()).toBe(16);
  });

  it('raises the fault and withdraws after three missed polls, and offers nothing when the controller is back', async () => {
    const { clock, fake, evse, current, codes } = await charging();
    fake.silent = true;
    await clock.advance((MISSED_POLLS - 1) * POLL_MS);
    expect(codes()).toEqual([]);
    await clock.advance(POLL_MS);
    expect(codes()).toContain('controllerSilent');
    expect(evse.state.pilot).toBe('E');
    fake.silent = false;
    await clock.advance(2 * POLL_MS);
    expect(codes()).toEqual([]);
    expect(current()).toBe(0);
  });

  it('corrects a current that the controller forgot or that somebody else set', async () => {
    const { clock, fake, current } = await charging();
    fake.registers.set(1000, 32);
    await clock.advance(2 * POLL_MS);
    expect(current()).toBe(16);
  });

  describe('that begins anew between two polls', () => {
    it('is told no current at the first poll that sees it, where none is offered', async () => {
      const { clock, fake, evse, current } = await setUp();
      fake.ev(2);
      await clock.advance(POLL_MS);
      fake.registers.set(1000, 16);
      fake.ev(3);
      expect(evse.state.contactor).toBe('open');
      await clock.advance(POLL_MS);
      expect([current(), fake.writes.at(-1)]).toEqual([0, { values: [0], urgent: true }]);
      await clock.advance(POLL_MS);
      expect(evse.state.contactor).toBe('open');
    });

    it('is asked for its unit before it gets a current again', async () => {
      const { clock, fake, evse, current } = await setUp((before) => before.registers.set(2005, 0x80));
      fake.ev(2);
      await clock.advance(POLL_MS);
      evse.offer(16);
      await clock.advance(POLL_MS);
      expect(current()).toBe(1600);
      fake.writes.length = 0;
      fake.registers.set(2005, 0);
      fake.registers.set(1000, 32);
      await clock.advance(POLL_MS);
      expect(fake.writes).toEqual([{ values: [16], urgent: true }]);
    });

    it('gets its off at once, before it has said how it is set up', async () => {
      const { clock, fake, evse, current } = await setUp();
      evse.offer(16);
      await clock.advance(POLL_MS);
      fake.registers.set(1000, 32);
      // The answer to what it is asked then.
      fake.happensAt(2005, () => {
        evse.trip('test');
        evse.offer('x1');
      });
      await clock.advance(POLL_MS);
      expect([current(), evse.withdrawn]).toEqual([0, true]);
      expect(fake.writes.map(({ values }) => values[0])).toEqual([0, 16, 0]);
    });

    it('gets no current from an offer that changes before it has said how it is set up', async () => {
      const { clock, fake, evse, current } = await setUp((before) => before.registers.set(2005, 0x80));
      evse.offer(16);
      await clock.advance(POLL_MS);
      fake.registers.set(2005, 0);
      fake.registers.set(1000, 32);
      fake.writes.length = 0;
      fake.happensAt(2005, () => evse.offer(10));
      await clock.advance(POLL_MS);
      expect([current(), fake.writes.map(({ values }) => values[0])]).toEqual([10, [10]]);
    });

    it('gets no permit by that: an EV whose permit was taken back gets nothing', async () => {
      const { clock, fake, evse, current } = await charging();
      evse.permit(false);
      await clock.advance(POLL_MS);
      fake.registers.set(1000, 16);
      fake.play();
      await clock.advance(2 * POLL_MS);
      expect([current(), evse.state.contactor]).toEqual([0, 'open']);
    });
  });

  it.each([
    [1, 'diodeFault'],
    [2, 'ventilationRequired'],
    [4, 'groundFault'],
  ] as const)('reports bit %d of its flags as %s and takes the current away', async (index, code) => {
    const { clock, fake, current, codes } = await charging();
    fake.registers.set(1007, 1 << index);
    await clock.advance(2 * POLL_MS);
    expect(codes()).toContain(code);
    expect(current()).toBe(0);
  });

  it('ends the ventilation fault only when its flag and the wish of the EV have gone', async () => {
    const { clock, fake, codes } = await charging();
    fake.registers.set(1007, 1 << 2);
    fake.ev(4);
    await clock.advance(2 * POLL_MS);
    fake.registers.set(1007, 0);
    await clock.advance(POLL_MS);
    expect(codes()).toEqual(['ventilationRequired']);
    fake.registers.set(1007, 1 << 2);
    await clock.advance(POLL_MS);
    fake.ev(3);
    await clock.advance(POLL_MS);
    expect(codes()).toEqual(['ventilationRequired']);
    fake.registers.set(1007, 0);
    await clock.advance(POLL_MS);
    expect(codes()).toEqual([]);
  });

  it('keeps a ground fault that an RCD input still sees', async () => {
    const { clock, fake, book, codes } = await charging();
    book.raise({ code: 'groundFault', connectorId: 1 }, 'RCD');
    fake.registers.set(1007, 1 << 4);
    await clock.advance(POLL_MS);
    fake.registers.set(1007, 0);
    await clock.advance(POLL_MS);
    book.reset(0);
    expect(codes()).toEqual(['groundFault']);
    book.clear('groundFault', 1, 'RCD');
    book.reset(0);
    expect(codes()).toEqual([]);
  });

  it('ends a missing diode with its EV, also if the flag goes a little later', async () => {
    const { clock, fake, codes } = await charging();
    fake.registers.set(1007, 1 << 1);
    await clock.advance(POLL_MS);
    fake.ev(1);
    await clock.advance(3 * POLL_MS);
    expect(codes()).toEqual(['diodeFault']);
    fake.registers.set(1007, 0);
    await clock.advance(POLL_MS);
    expect(codes()).toEqual([]);
  });

  it('keeps the ventilation fault for as long as the EV asks for what is not there', async () => {
    const { clock, fake, codes } = await charging();
    fake.ev(4);
    await clock.advance(10 * POLL_MS);
    expect(codes()).toEqual(['ventilationRequired']);
    fake.ev(3);
    await clock.advance(POLL_MS);
    expect(codes()).toEqual([]);
  });

  it('takes the current away when the offer is withdrawn in the turn in which an earlier write ends', async () => {
    const { fake, evse, current } = await setUp();
    const write = fake.writeRegisters.bind(fake);
    fake.writeRegisters = async (...given) => {
      await write(...given);
      // After the answer has been taken, before anything else happens.
      void Promise.resolve()
        .then(() => {})
        .then(() => evse.offer('x1'));
    };
    evse.offer(16);
    await settle();
    expect(current()).toBe(0);
  });

  describe('asked whether its contactor is open', () => {
    const asked = async (prepare: (world: Awaited<ReturnType<typeof charging>>) => void) => {
      const world = await charging();
      world.evse.offer('x1');
      prepare(world);
      const answer = world.evse.hasOpened();
      await world.clock.advance(5 * POLL_MS);
      return answer;
    };

    it('answers with what it says after it has acknowledged the off', async () => {
      expect(await asked(() => {})).toBe(true);
    });

    it('does not believe what was read before: a contactor that closed meanwhile and stays closed is not open', async () => {
      const { clock, fake, evse } = await setUp();
      fake.ev(2);
      await clock.advance(POLL_MS);
      evse.offer(16);
      await settle();
      // Between two polls: the EV asks, the controller closes, a tag stops the session, and the EV does not let go.
      fake.ev(3);
      fake.play = () => {};
      evse.offer('x1');
      expect(evse.state.contactor).toBe('open');
      expect(await evse.hasOpened()).toBe(false);
      expect(evse.state.contactor).toBe('closed');
    });

    it('asks again if one answer is lost', async () => {
      let lost = 0;
      expect(
        await asked(({ fake }) => {
          const read = fake.readRegisters.bind(fake);
          fake.readRegisters = async (...given) => {
            if (lost++ === 0) throw new HalError('meterSilent', 'test');
            return read(...given);
          };
        }),
      ).toBe(true);
      expect(lost).toBeGreaterThan(1);
    });

    it('answers no if it does not answer, or if a current is offered', async () => {
      const silenced = asked(({ fake }) => {
        fake.silent = true;
      });
      expect(await silenced).toBe(false);
      const offering = asked(({ evse, fake }) => {
        fake.ev(2);
        evse.offer(16);
      });
      expect(await offering).toBe(false);
    });
  });

  it('tells who looks on what it has acknowledged, and takes no harm from one that throws', async () => {
    const { clock, evse, current } = await charging();
    const seen: unknown[] = [];
    evse.onCommand?.(() => {
      throw new Error('no more paper');
    });
    evse.onCommand?.((command) => seen.push([command, current()]));
    evse.trip('test');
    expect(seen).toEqual([]);
    await settle();
    evse.release('test');
    evse.offer(10);
    await clock.advance(POLL_MS);
    expect(seen).toEqual([
      ['open', 0],
      ['close', 10],
    ]);
  });

  it('reads the cable while one is plugged in', async () => {
    const { clock, fake, evse } = await setUp();
    expect(evse.proximity.cableA).toBeUndefined();
    fake.ev(2);
    await clock.advance(POLL_MS);
    expect(evse.proximity.cableA).toBe(20);
  });

  it('leaves no current and no timer when it is tripped and stops, and knows when the controller has taken the off', async () => {
    const { clock, evse, current } = await charging();
    evse.trip('closing');
    expect(evse.withdrawn).toBe(false);
    await settle();
    expect([evse.withdrawn, current()]).toEqual([true, 0]);
    evse.stop();
    await clock.advance(POLL_MS);
    expect(clock.armed).toBe(0);
  });

  it('rejects at opening if nobody answers', async () => {
    const opening = setUp((fake) => {
      fake.silent = true;
    });
    await expect(opening).rejects.toMatchObject({ code: 'badBoard' });
  });
});
