/** A technician beside a running agent: trials at a connector that nobody uses, and faults that he resets. The wire log is the witness. */
import { describe, expect, it } from 'vitest';
import type { Board, Exercise } from '../../hal/contract.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const SOCKETS: WorldOptions = {
  connectors: [
    { id: 1, cable: 'socket' },
    { id: 2, cable: 'attached' },
  ],
  keys: { MeterValueSampleInterval: '0' },
};

interface Begun {
  readonly number: number;
}
const begin = (world: World, trial: object, secondsLong = 30): Promise<Begun> =>
  world.control('POST', '/service/begin', { connectorId: 1, seconds: secondsLong, ...trial }) as Promise<Begun>;
const renew = (world: World, { number }: Begun) =>
  world.control('POST', '/service/renew', { connectorId: 1, number }) as Promise<{ readonly pilot: string }>;
const end = (world: World, { number }: Begun) => world.control('POST', '/service/end', { connectorId: 1, number });
const PILOT_16 = { what: 'pilot', offer: 16 } as const;
const LOCK = { what: 'lock' } as const;

async function said(world: World, action: () => unknown, ms = 100): Promise<readonly string[]> {
  const before = world.central.calls().length;
  await action();
  await world.clock.advance(ms);
  return world.story().slice(before);
}
const pwm = (world: World): number => world.board.connector(1).observe().pwm;
const OFFERS_16_A = 26.67;
const X1 = 100;

describe('a trial of the pilot', () => {
  it('makes the connector Unavailable, shows what the EV answers, and never closes the contactor', async () => {
    const world = await World.start(SOCKETS);
    let trial: Begun = { number: 0 };
    expect(
      await said(world, async () => {
        trial = await begin(world, PILOT_16);
      }),
    ).toEqual(['StatusNotification(1 Unavailable)']);
    expect(pwm(world)).toBeCloseTo(OFFERS_16_A, 1);
    world.plugIn();
    await world.clock.advance(seconds(2));
    expect(await renew(world, trial)).toMatchObject({ pilot: 'C', contactor: 'open' });
    world.present('ABC');
    await world.clock.advance(seconds(2));
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 })).toEqual({
      status: 'Rejected',
    });
    world.unplug();
    expect(await said(world, () => end(world, trial))).toEqual(['StatusNotification(1 Available)']);
    expect(pwm(world)).toBe(X1);
    expect(world.board.contactorHistory(1)).not.toContain('closed');
    expect(world.story()).not.toContain('StartTransaction');
  });

  it('goes on for an EV that is plugged in anew', async () => {
    const world = await World.start(SOCKETS);
    await begin(world, PILOT_16);
    for (const again of [1, 2]) {
      world.plugIn();
      await world.clock.advance(500);
      expect([again, pwm(world)]).toEqual([again, expect.closeTo(OFFERS_16_A, 1)]);
      world.unplug();
      await world.clock.advance(500);
    }
  });

  it('ends by itself 3 s after the last word of a tool that was killed', async () => {
    const world = await World.start(SOCKETS);
    const trial = await begin(world, PILOT_16);
    await world.clock.advance(seconds(2));
    await renew(world, trial);
    await world.clock.advance(2_900);
    expect(pwm(world)).toBeCloseTo(OFFERS_16_A, 1);
    expect(await said(world, () => world.clock.advance(100))).toEqual(['StatusNotification(1 Available)']);
    expect(pwm(world)).toBe(X1);
    await expect(renew(world, trial)).rejects.toMatchObject({ code: 'badRequest' });
  });

  it('ends when its time is over, however often it is renewed; nobody ends the next one by its number', async () => {
    const world = await World.start(SOCKETS);
    const trial = await begin(world, PILOT_16, 2);
    await world.clock.advance(1_500);
    await renew(world, trial);
    await world.clock.advance(500);
    expect(pwm(world)).toBe(X1);
    await begin(world, PILOT_16);
    await end(world, trial);
    expect(pwm(world)).toBeCloseTo(OFFERS_16_A, 1);
  });

  it('leaves the connector as ChangeAvailability wants it by then', async () => {
    const world = await World.start(SOCKETS);
    const trial = await begin(world, { what: 'pilot', offer: 'F' });
    expect(pwm(world)).toBe(0);
    await world.central.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' });
    expect(await said(world, () => end(world, trial))).toEqual([]);
    await world.central.call('ChangeAvailability', { connectorId: 1, type: 'Operative' });
    await world.clock.advance(100);
    expect(world.story().at(-1)).toBe('StatusNotification(1 Available)');
  });

  it('is over when the agent ends', async () => {
    const world = await World.start(SOCKETS);
    await begin(world, PILOT_16);
    await world.clock.advance(100);
    expect(
      await said(world, async () => {
        const ending = world.agent.stop('Other');
        await world.clock.advance(seconds(1));
        await ending;
      }),
    ).toEqual([]);
    expect(pwm(world)).toBe(X1);
  });

  it.each([
    ['an EV that is plugged in', (world: World) => world.plugIn()],
    [
      'a running transaction',
      async (world: World) => {
        world.plugIn();
        await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
      },
    ],
    [
      'a reservation',
      (world: World) =>
        world.central.call('ReserveNow', {
          connectorId: 1,
          idTag: 'ABC',
          reservationId: 7,
          expiryDate: new Date(world.clock.wall(world.clock.now()) + 3_600_000).toISOString(),
        }),
    ],
    ['another trial', (world: World) => begin(world, LOCK)],
  ])('is refused beside %s, which goes on', async (_, occupy) => {
    const world = await World.start(SOCKETS);
    await occupy(world);
    await world.clock.advance(seconds(2));
    const before = pwm(world);
    expect(
      await said(world, () => expect(begin(world, PILOT_16)).rejects.toMatchObject({ code: 'badRequest' })),
    ).toEqual([]);
    expect(pwm(world)).toBe(before);
  });

  it.each([
    [{ what: 'pilot', offer: 5 }],
    [{ what: 'pilot', offer: 40 }],
    [{ what: 'pilot', offer: 'x2' }],
    [{ what: 'contactor' }],
    [{ ...PILOT_16, seconds: 0 }],
    [{ ...PILOT_16, connectorId: 3 }],
    [{ what: 'lock', connectorId: 2 }],
  ])('%j is refused, and the connector stays Available', async (trial) => {
    const world = await World.start(SOCKETS);
    expect(
      await said(world, () =>
        expect(begin(world, trial)).rejects.toMatchObject({ code: expect.stringMatching(/badRequest|notFound/) }),
      ),
    ).toEqual([]);
  });

  it('offers nothing where an external controller would close the contactor by itself', async () => {
    const furnish: WorldOptions['furnish'] = (board): Board => ({
      ...board,
      connectors: board.connectors.map((hardware) => {
        const { exercise: _, ...evse } = hardware.evse;
        return { ...hardware, evse };
      }),
    });
    const world = await World.start({ ...SOCKETS, furnish });
    await expect(begin(world, PILOT_16)).rejects.toThrow(/closes the contactor by itself/);
    await begin(world, { what: 'pilot', offer: 'F' });
  });
});

describe('a click of the contactor', () => {
  const click = (world: World, connectorId = 2): Promise<unknown> =>
    world.control('POST', '/service/click', { connectorId });
  /** Lets it happen in virtual time. */
  const clicked = async (world: World): Promise<unknown> => {
    const seen = click(world);
    await world.clock.advance(seconds(1));
    return seen;
  };
  const history = (world: World) => world.board.contactorHistory(2);
  const refusals = async (world: World) => {
    const before = history(world).length;
    await expect(click(world)).rejects.toMatchObject({ code: 'badRequest' });
    expect(history(world)).toHaveLength(before);
  };

  it('closes for 300 ms without an EV, and makes the connector Unavailable meanwhile', async () => {
    const world = await World.start(SOCKETS);
    let seen: unknown;
    expect(
      await said(world, async () => {
        seen = await clicked(world);
      }),
    ).toEqual(['StatusNotification(2 Unavailable)', 'StatusNotification(2 Available)']);
    expect(seen).toMatchObject({ closedAfterMs: expect.any(Number), openedAfterMs: expect.any(Number) });
    expect(seen).not.toHaveProperty('cutShort');
    expect(history(world)).toEqual(['open', 'closed', 'open']);
    expect(world.story()).not.toContain('StartTransaction');
  });

  it('is refused while an EV is plugged in, a session runs, or a tag waits for its EV', async () => {
    const world = await World.start(SOCKETS);
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 2 });
    await world.clock.advance(100);
    await refusals(world);
    world.plugIn(2);
    await world.clock.advance(seconds(5));
    expect(world.board.connector(2).observe().contactor).toBe('closed');
    await refusals(world);
    expect(world.board.connector(2).observe().contactor).toBe('closed');
  });

  it('is refused while a fault keeps the contactor open, and the connector is given back', async () => {
    const world = await World.start(SOCKETS);
    world.board.inputs.setFault(2, 'groundFault', {});
    await expect(click(world)).rejects.toThrow(/a fault keeps it open/);
    world.board.inputs.setFault(2, 'groundFault', null);
    await world.clock.advance(100);
    expect(world.story().at(-1)).toBe('StatusNotification(2 Available)');
    expect(history(world)).not.toContain('closed');
  });

  it('ends in the turn in which somebody plugs in, who is not charged before the connector is given back', async () => {
    const world = await World.start(SOCKETS);
    const seen = click(world);
    await world.clock.advance(50);
    expect(world.board.connector(2).observe().contactor).toBe('closed');
    world.plugIn(2);
    expect(history(world).at(-1)).toBe('open');
    await world.clock.advance(seconds(1));
    expect(await seen).toMatchObject({ cutShort: true });
    expect(world.board.connector(2).observe().contactor).toBe('open');
  });

  it('and nothing else is tried at the same time, also while the mirror contact does not say closed yet', async () => {
    let ends = (): void => {};
    const furnish: WorldOptions['furnish'] = (board): Board => ({
      ...board,
      connectors: board.connectors.map((hardware) => {
        const exercise = () =>
          new Promise<Exercise>((resolve) => {
            ends = () => resolve({ closedAfterMs: 20, openedAfterMs: 20 });
          });
        return { ...hardware, evse: { ...hardware.evse, exercise } };
      }),
    });
    const world = await World.start({ ...SOCKETS, furnish });
    const seen = click(world);
    await expect(begin(world, { ...PILOT_16, connectorId: 2 })).rejects.toMatchObject({ code: 'badRequest' });
    await expect(click(world)).rejects.toMatchObject({ code: 'badRequest' });
    ends();
    expect(await seen).toEqual({ closedAfterMs: 20, openedAfterMs: 20 });
    await begin(world, { ...PILOT_16, connectorId: 2 });
  });

  it('is left to an external controller, which closes by itself', async () => {
    const furnish: WorldOptions['furnish'] = (board): Board => ({
      ...board,
      connectors: board.connectors.map((hardware) => {
        const { exercise: _, ...evse } = hardware.evse;
        return { ...hardware, evse };
      }),
    });
    await expect(click(await World.start({ ...SOCKETS, furnish }))).rejects.toThrow(/closes the contactor by itself/);
  });

  it('is over before an agent that is told to end has ended', async () => {
    const world = await World.start(SOCKETS);
    const seen = click(world).catch(() => {});
    await world.clock.advance(50);
    const ending = world.agent.stop('Other');
    await world.clock.advance(seconds(1));
    await Promise.all([ending, seen]);
    expect(history(world).at(-1)).toBe('open');
  });
});

describe('a trial of the lock', () => {
  it('holds the plug and gives it back', async () => {
    const world = await World.start(SOCKETS);
    const trial = await begin(world, LOCK);
    await world.clock.advance(seconds(2));
    expect(await renew(world, trial)).toMatchObject({ locked: true });
    expect(await said(world, () => end(world, trial), seconds(2))).toEqual(['StatusNotification(1 Available)']);
    expect(world.board.connector(1).observe().locked).toBe(false);
  });

  it('gives it back, too, when the tool was killed', async () => {
    const world = await World.start(SOCKETS);
    await begin(world, LOCK);
    await world.clock.advance(seconds(6));
    expect(world.board.connector(1).observe().locked).toBe(false);
    expect(world.story().at(-1)).toBe('StatusNotification(1 Available)');
  });

  it('unlock moves the motor without a word to the central system, and is refused while an EV is there', async () => {
    const world = await World.start(SOCKETS);
    const unlock = () => world.control('POST', '/service/unlock', { connectorId: 1 });
    let answer: unknown;
    expect(
      await said(
        world,
        () => {
          void unlock().then((unlocked) => {
            answer = unlocked;
          });
        },
        seconds(3),
      ),
    ).toEqual([]);
    expect(answer).toEqual({ unlocked: true });
    world.plugIn();
    await world.clock.advance(seconds(1));
    await expect(unlock()).rejects.toThrow(/in use/);
    await expect(world.control('POST', '/service/unlock', { connectorId: 2 })).rejects.toThrow(/no lock/);
  });
});

describe('faults', () => {
  it('are listed with what they stop; what is latched and gone is reset, and the central system hears of it', async () => {
    const world = await World.start(SOCKETS);
    world.board.inputs.patchConnector(1, { jam: 'welded' });
    world.plugIn();
    await world.clock.advance(seconds(1));
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(seconds(5));
    world.unplug();
    await world.clock.advance(seconds(5));
    const listed = {
      code: 'contactorWelded',
      connectorId: 1,
      stops: 'charging',
      clears: expect.stringMatching(/reset/),
    };
    expect(await world.control('GET', '/faults')).toEqual({ faults: [expect.objectContaining(listed)] });
    const reset = () => world.control('POST', '/faults/reset', { connectorId: 1 });
    expect(await reset()).toEqual({ reset: [], faults: [expect.objectContaining(listed)] });
    world.board.inputs.patchConnector(1, { jam: null });
    await world.clock.advance(seconds(1));
    expect(await said(world, async () => expect(await reset()).toMatchObject({ faults: [] }))).toEqual([
      'StatusNotification(1 Available)',
    ]);
  });
});

describe('inputs', () => {
  it('says what the board sees, and what that means', async () => {
    const world = await World.start(SOCKETS);
    world.plugIn();
    await world.clock.advance(seconds(1));
    expect(await world.control('GET', '/inputs')).toMatchObject({
      connectors: [
        {
          id: 1,
          pilot: 'B',
          pilotMeans: 'EV connected, asks for no power',
          contactor: 'open',
          cableA: 32,
          locked: false,
        },
        { id: 2, pilot: 'A', pilotMeans: 'no EV', contactor: 'open', externalController: false },
      ],
      wires: [],
      mains: 'on',
      watched: true,
      faults: [],
    });
  });
});
