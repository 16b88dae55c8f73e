/** What bounds the offers besides charging profiles, played through: fuse, house, grid operator, heat, energy managers, and how an offer may move. */
import { describe, expect, it } from 'vitest';
import type { Board, EnergyMeter, PhaseSwitch } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import { GRID_AT_POWER_UP, type GridInputs } from '../../hal/mock/mock-grid.ts';
import { ControlError } from '../../src/errors.ts';
import { maxProfile, site, statuses, TWO } from '../sim/load.ts';
import type { Payload } from '../sim/network.ts';
import { clear, profile, set } from '../sim/smart-charging.ts';
import { call, plugIn, story, tag, unplug } from '../sim/transcript.ts';
import { seconds } from '../sim/virtual-clock.ts';
import type { World, WorldOptions } from '../sim/world.ts';

type Part = readonly [atS: number, play: (world: World) => unknown];

const RST = { ConnectorPhaseRotation: '1.RST,2.RST' };

/** EVs that take what they get on three phases, from second 0 on. */
async function played(parts: readonly Part[], untilS: number, { keys = {}, ...options }: WorldOptions = {}) {
  const { world, ...seen } = await site({ connectors: TWO, ...options, keys: { ...RST, ...keys } });
  for (const { id } of world.board.connectors) wants(id, 32)(world);
  const frames = await story(world, parts, untilS);
  return { world, frames, ...seen };
}

const wants =
  (connectorId: number, amps: number, phases: 1 | 3 = 3) =>
  ({ board }: World): void =>
    board.inputs.patchConnector(connectorId, { ev: { amps, phases } });
const grid =
  (change: Partial<GridInputs>) =>
  ({ board }: World): void =>
    board.inputs.setGrid(change);
const heat =
  (temperatureC: number) =>
  ({ board }: World): void =>
    board.inputs.patchConnector(1, { temperatureC });
const dims =
  (active: boolean) =>
  ({ board }: World): void =>
    board.inputs.setDimming(active);
const limit =
  (body: Payload) =>
  (world: World): Promise<unknown> =>
    world.control('POST', '/limits', { source: 'ems', ...body });
const install =
  (csChargingProfiles: Payload, connectorId = 1) =>
  (world: World) =>
    set(world, csChargingProfiles, connectorId);
const bounded = (amps: number, more: Parameters<typeof profile>[0] = {}) =>
  install(profile({ purpose: 'TxDefaultProfile', periods: [[0, amps]], ...more }));

/** Plugged in and authorised at this second. */
const charge = (atS: number, connectorId = 1): readonly Part[] => [
  [atS, plugIn(connectorId)],
  [atS, tag(`TAG${connectorId}`, [connectorId])],
];
/** `message fields` of what was logged at least as information and holds the word. */
const logged = ({ logged: lines }: World, word: string): readonly string[] =>
  lines.flatMap(({ level, message, fields }) =>
    message.includes(word) ? [`${level}: ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`] : [],
  );
/** From then on this meter never answers, nor says that it does not. */
const hangs =
  (pick: (board: MockBoard) => EnergyMeter | undefined, hanging: { read?: () => void }) =>
  (board: MockBoard): Board => {
    const meter = pick(board);
    let hung = false;
    hanging.read = () => {
      hung = true;
    };
    const read = meter?.read.bind(meter);
    if (meter !== undefined && read !== undefined)
      meter.read = () => (hung ? new Promise<never>(() => undefined) : read());
    return board;
  };
const whyOf = async (world: World, connectorId = 1) => {
  const { connectors } = (await world.control('GET', '/why')) as {
    connectors: readonly {
      readonly id: number;
      readonly why: string;
      readonly status: string;
      readonly offerA: number;
      readonly limitA: number;
      readonly phases: number;
      readonly bounds: readonly { source: string; connectorId: number; limitA: number; reason: string }[];
    }[];
  };
  const found = connectors.find(({ id }) => id === connectorId);
  if (found === undefined) throw new Error(`/why does not name connector ${connectorId}`);
  return found;
};

describe('a fuse that two EVs share', () => {
  it('lets the second one wait until the first has let go, and says so; the first one says nothing', async () => {
    const { frames, world, offers, broken } = await played([...charge(0), ...charge(20, 2)], 40, {
      installation: { fuseA: 20 },
    });
    expect(offers(1)).toEqual([
      [0, 20],
      [20, 10],
    ]);
    expect(offers(2)).toEqual([[25, 10]]);
    expect(frames).toEqual([
      '0 > StatusNotification 1 Preparing',
      '0 > Authorize TAG1 = Accepted',
      '0 > StartTransaction 1 TAG1 = Accepted',
      '1 > StatusNotification 1 Charging',
      '20 > StatusNotification 2 Preparing',
      '20 > Authorize TAG2 = Accepted',
      '20 > StartTransaction 2 TAG2 = Accepted',
      '20 > StatusNotification 2 SuspendedEVSE',
      '26 > StatusNotification 2 Charging',
    ]);
    expect(statuses(world, 2)).toEqual([
      '20 Preparing',
      '20 SuspendedEVSE waits until another EV has let go',
      '26 Charging',
    ]);
    expect(broken()).toEqual([]);
  });

  it('logs each change of a limit once', async () => {
    const { world } = await played([...charge(0), ...charge(20, 2)], 40, { installation: { fuseA: 20 } });
    expect(logged(world, 'the limit has changed')).toEqual([
      'info: the limit has changed {"connectorId":1,"limitA":10,"before":20,"why":"the fuse of 20 A is shared"}',
      'info: the limit has changed {"connectorId":2,"limitA":10,"before":0,"why":"the fuse of 20 A is shared"}',
    ]);
  });

  it('gives the second one the rest when the first one leaves', async () => {
    const { offers } = await played([...charge(0), ...charge(20, 2), [60, tag('TAG1', [1])]], 80, {
      installation: { fuseA: 20 },
    });
    const given = offers(2);
    expect(given.slice(0, 1)).toEqual([[25, 10]]);
    expect(given[1]?.[1]).toBe(20);
    expect(given[1]?.[0]).toBeGreaterThanOrEqual(65);
    expect(given[1]?.[0]).toBeLessThanOrEqual(67);
  });

  it('is no bound where the EVs are on different phases', async () => {
    const { offers } = await played([...charge(0), ...charge(20, 2)], 40, {
      connectors: [
        { id: 1, cable: 'attached', phases: 1, rotation: 'RST' },
        { id: 2, cable: 'attached', phases: 1, rotation: 'STR' },
      ],
      keys: { ConnectorPhaseRotation: '1.RST,2.STR' },
      installation: { fuseA: 20 },
    });
    expect([offers(1), offers(2)]).toEqual([[[0, 20]], [[20, 20]]]);
  });

  it('counts a connector on all phases as long as nobody has said how it is wired', async () => {
    const { offers } = await played([...charge(0), ...charge(20, 2)], 40, {
      connectors: [
        { id: 1, cable: 'attached', phases: 1, rotation: 'RST' },
        { id: 2, cable: 'attached', phases: 1, rotation: 'STR' },
      ],
      keys: { ConnectorPhaseRotation: '1.NotApplicable,2.NotApplicable' },
      installation: { fuseA: 20 },
    });
    expect(offers(1).at(-1)).toEqual([20, 10]);
  });

  it('gives what one EV does not draw to the other, and gives it back', async () => {
    const { offers, world, broken } = await played(
      [...charge(0), ...charge(0, 2), [30, wants(1, 8)], [120, wants(1, 32)]],
      200,
      { installation: { fuseA: 32 } },
    );
    const [first, second] = [offers(1), offers(2)];
    expect(first.map(([, amps]) => amps)).toEqual([32, 16, 10, 16]);
    expect(second.map(([, amps]) => amps)).toEqual([16, 22, 16]);
    const asked = first[2]?.[0] ?? 0;
    expect(asked).toBeGreaterThanOrEqual(60);
    expect(asked).toBeLessThanOrEqual(64);
    const hungry = second[2]?.[0] ?? 0;
    expect(hungry).toBeGreaterThanOrEqual(120);
    expect(hungry).toBeLessThanOrEqual(122);
    expect(first[3]?.[0]).toBeLessThanOrEqual(hungry + 6);
    expect(statuses(world, 1).map((each) => each.replace(/^\S+ /, ''))).toEqual(['Preparing', 'Charging']);
    expect(broken()).toEqual([]);
  });

  it('takes nothing away where nobody else wants it', async () => {
    const { offers } = await played([...charge(0), [5, wants(1, 8)]], 300, { installation: { fuseA: 32 } });
    expect(offers(1)).toEqual([[0, 32]]);
  });

  it('lets them take turns of 15 minutes where 6 A are not there for both', async () => {
    const { offers, world, broken } = await played([...charge(0), ...charge(20, 2)], 1850, {
      installation: { fuseA: 10 },
    });
    expect(offers(1)).toEqual([
      [0, 10],
      [900, 0],
      [1810, 10],
    ]);
    expect(offers(2)).toEqual([
      [905, 10],
      [1805, 0],
    ]);
    expect(statuses(world, 1).slice(2)).toEqual([
      '900 SuspendedEVSE waits for its turn: others charge',
      '1805 SuspendedEVSE waits until another EV has let go',
      '1811 Charging',
    ]);
    expect(broken()).toEqual([]);
  });

  it('bounds the first offer of a transaction already', async () => {
    const { offers } = await played(charge(0), 10, { installation: { fuseA: 13 } });
    expect(offers(1)).toEqual([[0, 13]]);
  });

  it('gives a fault no other share: the offer comes back when it clears', async () => {
    const fault = (is: boolean) => (world: World) => world.board.inputs.setFault(1, 'otherFault', is ? {} : null);
    const { offers } = await played([...charge(0), ...charge(0, 2), [20, fault(true)], [30, fault(false)]], 60, {
      installation: { fuseA: 32 },
    });
    expect(offers(1).slice(-4)).toEqual([
      [20, 0],
      [30, 16],
      // The contactor has waited for its 30 s: who has drawn nothing for so long shows first that it wants more than the least.
      [50, 6],
      [55, 16],
    ]);
    expect(offers(2)).toHaveLength(1);
  });
});

describe('ChargePointMaxProfile (OCPP 1.6 section 3.13.3)', () => {
  it('is the limit for all connectors combined', async () => {
    const { offers, world, broken } = await played(
      [
        ...charge(0),
        ...charge(0, 2),
        [20, install(maxProfile(20), 0)],
        [60, install(maxProfile(8), 0)],
        [80, install(maxProfile(0), 0)],
        [100, clear],
      ],
      130,
    );
    expect(offers(1)).toEqual([
      [0, 32],
      [20, 10],
      [60, 8],
      [80, 0],
      [100, 32],
    ]);
    expect(offers(2)).toEqual([
      [0, 32],
      [20, 10],
      [60, 0],
      [100, 32],
    ]);
    expect(statuses(world, 2).slice(2)).toEqual([
      '60 SuspendedEVSE waits for its turn: others charge',
      '80 SuspendedEVSE ChargePointMaxProfile 99 allows 0 A',
      '101 Charging',
    ]);
    expect(broken()).toEqual([]);
  });

  it('is divided by the phases where it is in watt', async () => {
    const { offers } = await played(
      [[0, install(maxProfile(11_040, { unit: 'W' }), 0)], ...charge(1), ...charge(20, 2)],
      40,
    );
    expect([offers(1), offers(2)]).toEqual([
      [
        [1, 16],
        [20, 8],
      ],
      [[25, 8]],
    ]);
  });
});

describe('the connection of the house', () => {
  const HOUSE = { installation: { gridConnection: { fuseA: 32 } } };

  it('bounds the offer by its fullest phase, within 5 s, and gives back what is free for 10 s', async () => {
    const { offers, world, broken } = await played(
      [...charge(0), [21, grid({ amps: [10, 3, 0] })], [41, grid({ amps: [0, 29, 0] })], [61, grid(GRID_AT_POWER_UP)]],
      90,
      HOUSE,
    );
    const given = offers(1);
    expect(given.map(([, amps]) => amps)).toEqual([32, 22, 0, 32]);
    const [, less, none, again] = given.map(([s]) => s);
    expect(less).toBeLessThanOrEqual(26);
    expect(none).toBeLessThanOrEqual(46);
    expect(again).toBeGreaterThanOrEqual(66);
    expect(again).toBeLessThanOrEqual(73);
    expect(statuses(world, 1).slice(2)).toEqual([
      `${none} SuspendedEVSE the house leaves less than 6 A`,
      `${(again ?? 0) + 1} Charging`,
    ]);
    expect(broken()).toEqual([]);
  });

  it('takes an EV that begins for no other load, whenever its meter is read', async () => {
    for (const delayMs of [1000, 2000, 2500, 4000]) {
      const { offers } = await played(
        [
          [0, ({ board }) => board.inputs.patchConnector(1, { ev: { delayMs } })],
          [0, plugIn()],
          [1, tag('A', [1])],
        ],
        60,
        HOUSE,
      );
      expect(offers(1)).toEqual([[1, 32]]);
    }
  });

  it('takes an EV that stops and begins again for no other load', async () => {
    const { offers } = await played(
      [
        ...charge(0),
        ...[20, 40, 50].flatMap((s): Part[] => [
          [s, wants(1, 0)],
          [s + 4, wants(1, 32)],
        ]),
      ],
      80,
      HOUSE,
    );
    expect(offers(1)).toEqual([[0, 32]]);
  });

  it('bounds only who is on the full phase', async () => {
    const { offers } = await played([...charge(0), ...charge(0, 2), [20, grid({ amps: [20, 0, 0] })]], 60, {
      connectors: [
        { id: 1, cable: 'attached', phases: 1, rotation: 'RST' },
        { id: 2, cable: 'attached', phases: 1, rotation: 'STR' },
      ],
      keys: { ConnectorPhaseRotation: '1.RST,2.STR' },
      ...HOUSE,
    });
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 12]);
    expect(offers(2)).toEqual([[0, 32]]);
  });

  it('is the safe current while the meter is silent, and recovers', async () => {
    const { offers, world } = await played(
      [...charge(0), [21, grid({ drop: true })], [50, grid({ drop: false })]],
      80,
      HOUSE,
    );
    const given = offers(1);
    expect(given.map(([, amps]) => amps)).toEqual([32, 6, 32]);
    expect(given[1]?.[0]).toBeGreaterThanOrEqual(30);
    expect(given[1]?.[0]).toBeLessThanOrEqual(33);
    expect(given[2]?.[0]).toBeLessThanOrEqual(57);
    expect(statuses(world, 1)).toHaveLength(2);
  });

  it('does not count with what was left when somebody was here before', async () => {
    const clock: { after?: (ms: number, action: () => void) => void } = {};
    const slowly = (board: MockBoard): Board => {
      const read = async () => {
        const reading = await board.gridMeter?.read();
        await new Promise<void>((resolve) => clock.after?.(1000, resolve));
        if (reading === undefined) throw new Error('there is no grid meter');
        return reading;
      };
      return Object.assign(Object.create(board) as MockBoard, { gridMeter: { offers: {}, read } });
    };
    const { world, offers } = await site({ ...HOUSE, keys: RST, furnish: slowly });
    clock.after = (ms, action) => world.clock.after(ms, action);
    wants(1, 32)(world);
    const since = world.clock.now();
    await story(world, [...charge(0), [30, unplug(1)], [60, grid({ amps: [25, 25, 25] })], ...charge(600)], 640);
    const given = offers(1, since);
    expect(given.map(([, amps]) => amps)).toEqual([6, 32, 0, 6, 7]);
    expect(given.at(-1)?.[0]).toBeGreaterThan(600);
  });

  it('is the safe current while a read of the meter hangs', async () => {
    const hanging: { read?: () => void } = {};
    const { offers } = await played([...charge(0), [21, () => hanging.read?.()]], 60, {
      ...HOUSE,
      furnish: hangs((board) => board.gridMeter, hanging),
    });
    const given = offers(1);
    expect(given.map(([, amps]) => amps)).toEqual([32, 6]);
    expect(given[1]?.[0]).toBeLessThanOrEqual(35);
  });

  it('goes on bounding while the meter of a connector hangs: that one counts with its full offer', async () => {
    const hanging: { read?: () => void } = {};
    const { offers } = await played(
      [...charge(0), [21, () => hanging.read?.()], [41, grid({ amps: [12, 0, 0] })]],
      80,
      { ...HOUSE, furnish: hangs((board) => board.connectors[0]?.meter, hanging) },
    );
    const less = offers(1).find(([s]) => s > 40);
    expect(less?.[1]).toBe(20);
    expect(less?.[0]).toBeLessThanOrEqual(50);
  });

  it('is the safe current from the first offer on if the meter never answers', async () => {
    const { offers } = await played([[0, grid({ drop: true })], ...charge(20)], 60, HOUSE);
    expect(offers(1)).toEqual([[20, 6]]);
  });
});

describe('the contact of the grid operator', () => {
  const DIMMED = { installation: { dimming: { limitW: 4200 } } };

  it('leaves 6 A of 4200 W on three phases, at once, and everything when it is over; both are logged', async () => {
    const { offers, world, broken } = await played([...charge(0), [20, dims(true)], [40, dims(false)]], 60, DIMMED);
    expect(offers(1)).toEqual([
      [0, 32],
      [20, 6],
      [40, 32],
    ]);
    expect(logged(world, 'the grid operator')).toEqual([
      'warn: the grid operator dims {"limitW":4200,"limitA":6}',
      'info: the grid operator does not dim any more',
    ]);
    expect(statuses(world, 1)).toHaveLength(2);
    expect(broken()).toEqual([]);
  });

  it('is for all connectors together', async () => {
    const { offers, world } = await played([...charge(0), ...charge(0, 2), [20, dims(true)]], 40, DIMMED);
    expect(offers(1).at(-1)).toEqual([20, 6]);
    expect(offers(2).at(-1)).toEqual([20, 0]);
    expect(statuses(world, 2).at(-1)).toBe('20 SuspendedEVSE waits for its turn: others charge');
  });

  it('does not wait for 5 s after another change', async () => {
    const { offers } = await played([...charge(0), [10, bounded(20)], [11, dims(true)]], 20, DIMMED);
    expect(offers(1).slice(1)).toEqual([
      [10, 20],
      [11, 6],
    ]);
  });

  it('leaves nothing where its power is not enough for 6 A', async () => {
    const { world, offers } = await played([...charge(0), [20, dims(true)]], 40, {
      installation: { dimming: { limitW: 2000 } },
    });
    expect(offers(1).at(-1)).toEqual([20, 0]);
    expect(statuses(world, 1).at(-1)).toBe('20 SuspendedEVSE dimmed by the grid operator');
  });
});

describe('the temperature of the enclosure', () => {
  it('halves the offer at 66 C with a warning, stops at 70 C with a fault, and goes back as it cools', async () => {
    const { offers, world, broken } = await played(
      [...charge(0), [20, heat(66)], [30, heat(68)], [40, heat(70)], [60, heat(61)], [70, heat(59)]],
      90,
    );
    expect(offers(1)).toEqual([
      [0, 32],
      [20, 16],
      [30, 8],
      [40, 0],
      [70, 32],
    ]);
    expect(statuses(world, 1).slice(1)).toEqual([
      '1 Charging',
      '20 Charging HighTemperature Enclosure at 66 C',
      '30 Charging HighTemperature Enclosure at 68 C',
      '40 Faulted HighTemperature',
      '70 SuspendedEVSE',
      '71 Charging',
    ]);
    // A fault trips: that the EV still draws is no reason to wait.
    expect(broken()).toEqual([{ connectorId: 1, t: 41_000, amps: 8 }]);
    expect(world.central.transactions).toHaveLength(1);
  });

  it('concerns only the connector that is hot', async () => {
    const { offers } = await played([...charge(0), ...charge(0, 2), [20, heat(66)]], 40);
    expect(offers(2)).toEqual([[0, 32]]);
  });
});

describe('an energy manager', () => {
  it('lowers the offer of a connector, and never raises it', async () => {
    const { offers, world } = await played(
      [
        [0, bounded(20)],
        ...charge(1),
        [20, limit({ connectorId: 1, limitA: 8.5 })],
        [30, limit({ connectorId: 1, limitA: 25 })],
      ],
      40,
    );
    expect(offers(1)).toEqual([
      [1, 20],
      [20, 8.5],
      [30, 20],
    ]);
    expect(logged(world, 'somebody')).toEqual([
      'info: somebody bounds the offer from now on {"source":"ems","connectorId":1,"forS":60}',
    ]);
  });

  it('bounds all together where it names no connector', async () => {
    const { offers } = await played([...charge(0), ...charge(0, 2), [20, limit({ limitA: 14 })]], 40);
    expect([offers(1).at(-1), offers(2).at(-1)]).toEqual([
      [20, 7],
      [20, 7],
    ]);
  });

  it('stops it below 6 A, and says who', async () => {
    const { world, broken } = await played(
      [
        ...charge(0),
        [20, limit({ connectorId: 1, limitA: 5.9 })],
        [30, limit({ connectorId: 1, limitA: 3 })],
        [40, limit({ connectorId: 1, limitA: 6 })],
      ],
      50,
    );
    expect(statuses(world, 1).slice(2)).toEqual(['20 SuspendedEVSE ems allows less than 6 A', '41 Charging']);
    expect(broken()).toEqual([]);
  });

  it('leaves the safe current behind when it falls silent, and is heard again', async () => {
    const { offers, world } = await played(
      [
        ...charge(0),
        [10, limit({ connectorId: 1, limitA: 16, ttlS: 20 })],
        [25, limit({ connectorId: 1, limitA: 14, ttlS: 20 })],
        [60, limit({ connectorId: 1, limitA: 12, ttlS: 20 })],
      ],
      70,
    );
    expect(offers(1)).toEqual([
      [0, 32],
      [10, 16],
      [25, 14],
      [45, 6],
      [60, 12],
    ]);
    expect(logged(world, 'silent')).toEqual([
      'warn: an energy manager is silent: the safe current counts {"source":"ems","connectorId":1}',
    ]);
    expect(await whyOf(world)).toMatchObject({ why: 'charging with up to 12 A: ems allows 12 A' });
  });

  it('says that it is silent, and can be withdrawn', async () => {
    const { world, offers } = await played([...charge(0), [10, limit({ connectorId: 1, limitA: 16, ttlS: 5 })]], 20);
    expect((await whyOf(world)).why).toBe('charging with up to 6 A: ems is silent: 6 A');
    expect(await world.control('GET', '/limits')).toEqual({
      limits: [{ source: 'ems', connectorId: 1, limitA: 16, remainingS: 0, expired: true }],
    });
    expect(await world.control('POST', '/limits/withdraw', { source: 'ems', connectorId: 1 })).toEqual({ limits: [] });
    await world.clock.advance(seconds(10));
    expect(offers(1).at(-1)).toEqual([20, 32]);
    await expect(world.control('POST', '/limits/withdraw', { source: 'ems', connectorId: 1 })).rejects.toMatchObject({
      code: 'notFound',
      message: 'ems has set no limit for connector 1',
    });
  });

  it('counts as silent after a restart until it speaks again, from the first offer on', async () => {
    const { world, offers } = await played(
      [...charge(0), [10, limit({ connectorId: 1, limitA: 16, ttlS: 3600 })]],
      20,
      { lasting: true, resumeWithinS: 600 },
    );
    await world.powerCut();
    await world.clock.advance(seconds(10));
    await world.boot();
    const since = world.clock.now();
    await world.clock.advance(seconds(20));
    expect(offers(1, since).map(([, amps]) => amps)).toEqual([0, 6]);
    expect((await whyOf(world)).bounds[0]).toMatchObject({ limitA: 6, reason: 'ems is silent: 6 A' });
    await limit({ connectorId: 1, limitA: 16 })(world);
    await world.clock.advance(seconds(5));
    expect(offers(1, since).at(-1)?.[1]).toBe(16);
  });

  it('counts as withdrawn after a restart if it was', async () => {
    const { world, offers } = await played([[0, limit({ connectorId: 1, limitA: 16 })]], 1);
    await world.control('POST', '/limits/withdraw', { source: 'ems', connectorId: 1 });
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(2));
    const since = world.clock.now();
    for (const [, act] of charge(0)) act(world);
    await world.clock.advance(seconds(10));
    expect(offers(1, since).at(-1)?.[1]).toBe(32);
  });

  it.each<[string, string, unknown, string]>([
    ['no body', '/limits', undefined, 'body'],
    ['a list', '/limits', [], 'body'],
    ['no source', '/limits', { limitA: 10 }, 'source'],
    ['a source with a blank', '/limits', { source: 'my ems', limitA: 10 }, 'source'],
    ['a source of 21 letters', '/limits', { source: 'x'.repeat(21), limitA: 10 }, 'source'],
    ['no limit', '/limits', { source: 'ems' }, 'limitA'],
    ['a negative limit', '/limits', { source: 'ems', limitA: -1 }, 'limitA'],
    ['a text for the limit', '/limits', { source: 'ems', limitA: '10' }, 'limitA'],
    ['no number', '/limits', { source: 'ems', limitA: Number.NaN }, 'limitA'],
    ['a limit for ever', '/limits', { source: 'ems', limitA: 10, ttlS: 86_401 }, 'ttlS'],
    ['a limit for no time', '/limits', { source: 'ems', limitA: 10, ttlS: 0 }, 'ttlS'],
    ['half a connector', '/limits', { source: 'ems', limitA: 10, connectorId: 1.5 }, 'connectorId'],
    ['two phases', '/limits', { source: 'ems', limitA: 10, phases: 2 }, 'phases'],
    ['one phase for all', '/limits', { source: 'ems', limitA: 10, phases: 1 }, 'phases'],
    ['a withdrawal without source', '/limits/withdraw', {}, 'source'],
    ['a text for a connector', '/random-delay/cancel', { connectorId: 'one' }, 'connectorId'],
  ])('is told what is wrong with its request: %s', async (_, path, body, member) => {
    const { world } = await site({ connectors: TWO });
    const error = await world.control('POST', path, body).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ControlError);
    expect(error).toMatchObject({
      code: 'badRequest',
      message: expect.stringMatching(new RegExp(`^(the )?${member}`)),
    });
    expect(await world.control('GET', '/limits')).toEqual({ limits: [] });
  });

  it('is told that there is no such connector', async () => {
    const { world } = await site({ connectors: TWO });
    await expect(limit({ connectorId: 3, limitA: 10 })(world)).rejects.toMatchObject({
      code: 'notFound',
      message: 'there is no connector 3',
    });
  });

  it('sees what it and others have set', async () => {
    const { world } = await played(
      [
        [0, limit({ limitA: 16, ttlS: 100 })],
        [0, limit({ source: 'solar', connectorId: 2, limitA: 8.5, phases: 1 })],
      ],
      10,
    );
    expect(await world.control('GET', '/limits')).toEqual({
      limits: [
        { source: 'ems', connectorId: 0, limitA: 16, remainingS: 90, expired: false },
        { source: 'solar', connectorId: 2, limitA: 8.5, phases: 1, remainingS: 50, expired: false },
      ],
    });
  });
});

describe('the random delay', () => {
  /** Half of it: the dice of the world always show 0.5. */
  const DELAY = { installation: { randomDelayS: 600 } };

  it('lets a beginner wait, says until when, and offers then', async () => {
    const { world, offers } = await played(charge(0), 310, DELAY);
    expect(statuses(world, 1)).toEqual(['0 Preparing', '0 SuspendedEVSE random delay until 08:05:01Z', '301 Charging']);
    expect(offers(1)).toEqual([[300, 32]]);
  });

  it('is ended by the cancel route, for one connector or for all', async () => {
    const { world, offers } = await played([...charge(0), ...charge(0, 2)], 10, DELAY);
    expect(await world.control('POST', '/random-delay/cancel', { connectorId: 2 })).toEqual({ cancelled: [2] });
    await world.clock.advance(seconds(10));
    expect(await world.control('POST', '/random-delay/cancel')).toEqual({ cancelled: [1] });
    await world.clock.advance(seconds(10));
    expect([offers(1), offers(2)]).toEqual([[[20, 32]], [[10, 32]]]);
    expect(await world.control('POST', '/random-delay/cancel')).toEqual({ cancelled: [] });
    expect(logged(world, 'cancelled')).toHaveLength(2);
  });

  it('delays no decrease, and every increase', async () => {
    const { offers } = await played(
      [...charge(0), [10, (world) => world.control('POST', '/random-delay/cancel')], [20, bounded(10)], [60, clear]],
      400,
      DELAY,
    );
    expect(offers(1)).toEqual([
      [10, 32],
      [20, 10],
      [360, 32],
    ]);
  });

  it('delays what ChargePointMaxProfile and an energy manager allow all together', async () => {
    const { offers } = await played(
      [
        [0, install(maxProfile(0), 0)],
        ...charge(1),
        [60, clear],
        [400, limit({ limitA: 10, ttlS: 3600 })],
        [420, limit({ limitA: 16, ttlS: 3600 })],
      ],
      800,
      DELAY,
    );
    expect(offers(1)).toEqual([
      [360, 32],
      [400, 10],
      [720, 16],
    ]);
  });

  it('leaves a current of before as it is meanwhile', async () => {
    const { world, offers } = await played([[0, bounded(10)], ...charge(1), [310, bounded(20)]], 400, DELAY);
    expect(offers(1)).toEqual([[301, 10]]);
    expect((await whyOf(world)).why).toBe('charging with up to 10 A: more after a random delay');
  });
});

describe('the ramp', () => {
  it('begins at 6 A and grows as fast as it may', async () => {
    const { offers, world, broken } = await played(charge(0), 65, { installation: { rampAPerMinute: 6 } });
    expect(offers(1)).toEqual([
      [0, 6],
      [10, 7],
      [20, 8],
      [30, 9],
      [40, 10],
      [50, 11],
      [60, 12],
    ]);
    expect((await whyOf(world)).why).toBe('charging with up to 12 A: growing by 6 A a minute');
    expect(broken()).toEqual([]);
  });
});

describe('the pace of changes', () => {
  it('lets a decrease of a profile wait until 5 s after the last change, a stop not', async () => {
    const { offers, broken } = await played([...charge(0), [20, bounded(20)], [22, bounded(10)], [27, bounded(3)]], 40);
    expect(offers(1)).toEqual([
      [0, 32],
      [20, 20],
      [25, 10],
      [27, 0],
    ]);
    expect(broken()).toEqual([]);
  });

  it.each<[string, Part['1'], number]>([
    ['heat', heat(66), 16],
    ['a silent energy manager', limit({ connectorId: 1, limitA: 30, ttlS: 1 }), 6],
  ])('does not let %s wait', async (_, act, amps) => {
    const { offers } = await played([...charge(0), [20, bounded(20)], [21, act]], 30);
    expect(offers(1)[2]).toEqual([amps === 6 ? 22 : 21, amps]);
  });

  it('says why an EV waits that may charge again so soon', async () => {
    const { world } = await played([...charge(0), [20, bounded(0)], [22, clear]], 40);
    expect(statuses(world, 1).slice(2)).toEqual([
      '20 SuspendedEVSE TxDefaultProfile 1 allows 0 A',
      '22 SuspendedEVSE at most one change in 5 s',
      '26 Charging',
    ]);
  });
});

describe('one phase or three', () => {
  const SWITCHES = {
    ConnectorSwitch3to1PhaseSupported: 'true',
    MeterValuesSampledData: 'Current.Import,Power.Offered',
  };
  const onOne = install(profile({ id: 5, periods: [[0, 16, 1]], more: { transactionId: 1 } }));
  const onThree = install(profile({ id: 5, periods: [[0, 16, 3]], more: { transactionId: 1 } }));
  const look = call('TriggerMessage', { requestedMessage: 'MeterValues', connectorId: 1 });

  /** Connector 1 stays on three phases, whatever its switch is told; that it does shows after 0.7 s. */
  const stuckSwitch =
    (asked: number[], made: { world?: World }) =>
    (board: MockBoard): Board => {
      const phaseSwitch: PhaseSwitch = {
        phases: 3,
        switchTo: (phases) => {
          asked.push(phases);
          return new Promise((resolve) => made.world?.clock.after(700, () => resolve(3)));
        },
      };
      const connectors = board.connectors.map((hardware) => ({ ...hardware, phaseSwitch }));
      return Object.create(board, { connectors: { value: connectors } }) as Board;
    };

  /** `second measurand phase value` of the samples. */
  const values = (world: World): readonly string[] =>
    world.central
      .calls()
      .filter(({ frame }) => frame[2] === 'MeterValues')
      .flatMap(({ t, frame }) => {
        const { meterValue } = frame[3] as { meterValue: { sampledValue: Record<string, string>[] }[] };
        return meterValue.flatMap(({ sampledValue }) =>
          sampledValue.map(({ measurand, phase = '', value }) => `${(t - 1000) / 1000} ${measurand} ${phase} ${value}`),
        );
      });

  it('switches to one: x1, contactor open, switch, rest, offered again; and back as often as it may', async () => {
    const { world, offers, openings, broken } = await played(
      [...charge(0), [20, onOne], [40, look], [45, onThree], [50, onOne], [55, onThree], [100, look]],
      120,
      { keys: SWITCHES },
    );
    const given = offers(1);
    expect(given.map(([, amps]) => amps)).toEqual([32, 0, 16, 0, 16]);
    expect(given[1]?.[0]).toBe(20);
    // 0.2 s to switch behind the open contactor and 5 s of rest.
    expect(given[2]?.[0]).toBeCloseTo(25.2, 5);
    // The second switch waits for 60 s after the first one.
    expect(given[3]?.[0]).toBe(80);
    expect(given[4]?.[0]).toBeCloseTo(85.2, 5);
    expect(openings.map(({ t }) => t / 1000 - 1)).toEqual([20, 80]);
    expect(broken()).toEqual([]);
    expect(statuses(world, 1).slice(2, 4)).toEqual(['20 SuspendedEVSE Switching to phases: 1', '26.2 Charging']);
    expect(values(world)).toEqual([
      '40 Current.Import L1 16.000',
      '40 Current.Import L2 0.000',
      '40 Current.Import L3 0.000',
      '40 Power.Offered  3680',
      '100 Current.Import L1 16.000',
      '100 Current.Import L2 16.000',
      '100 Current.Import L3 16.000',
      '100 Power.Offered  11040',
    ]);
    expect(logged(world, 'the number of phases')).toEqual([
      'info: the number of phases is changed {"connectorId":1,"phases":1}',
      'info: the number of phases is changed {"connectorId":1,"phases":3}',
    ]);
  });

  it('offers a third on three phases while the switch has to wait', async () => {
    const { offers } = await played(
      [
        ...charge(0),
        [20, onOne],
        [30, onThree],
        [85, install(profile({ id: 5, periods: [[0, 24, 1]], more: { transactionId: 1 } }))],
      ],
      130,
      { keys: SWITCHES, installation: { phaseSwitchEveryS: 30 } },
    );
    // Back on three from second 55.2 on, and on one again from second 85 on.
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 0, 16, 0, 16, 0, 24]);
  });

  it('begins on one phase where a TxDefaultProfile wants it, without an offer on three before', async () => {
    const { world, offers } = await played(
      [[0, install(profile({ purpose: 'TxDefaultProfile', periods: [[0, 16, 1]] }))], ...charge(1)],
      20,
      { keys: SWITCHES },
    );
    expect(offers(1)).toHaveLength(1);
    expect(offers(1)[0]?.[1]).toBe(16);
    expect(world.board.connector(1).observe()).toMatchObject({ phases: 1, amps: 16, watts: 3680 });
    expect(statuses(world, 1).map((each) => each.replace(/^\S+ /, ''))).toEqual(['Preparing', 'Charging']);
  });

  it('switches nothing without the key', async () => {
    const { world, offers } = await played(
      [...charge(0), [20, onOne], [30, limit({ connectorId: 1, limitA: 10, phases: 1 })]],
      60,
      {
        keys: { ConnectorSwitch3to1PhaseSupported: 'false' },
      },
    );
    expect(world.board.connector(1).observe().phases).toBe(3);
    expect(offers(1)).toEqual([
      [0, 32],
      [20, 16],
      [30, 10],
    ]);
  });

  it('switches for an energy manager, too', async () => {
    const { world, offers } = await played([...charge(0), [20, limit({ connectorId: 1, limitA: 10, phases: 1 })]], 40, {
      keys: SWITCHES,
    });
    expect(world.board.connector(1).observe()).toMatchObject({ phases: 1, amps: 10 });
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 0, 10]);
  });

  it('does not ask a switch again that does not move', async () => {
    const asked: number[] = [];
    const onOneOf = (amps: number) => install(profile({ id: 5, periods: [[0, amps, 1]], more: { transactionId: 1 } }));
    const made: { world?: World } = {};
    const remember = (world: World): void => {
      made.world = world;
    };
    const parts: Part[] = [[0, remember], ...charge(0), [20, onOneOf(24)], [300, onThree], [310, onOneOf(24)]];
    const { offers } = await played(parts, 400, {
      keys: SWITCHES,
      furnish: stuckSwitch(asked, made),
    });
    // Again only when somebody has wanted something else in between.
    expect(asked).toEqual([1, 1]);
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 0, 8, 16, 0, 8]);
  });

  it('leaves room for three phases before it goes back to three', async () => {
    const { offers } = await played([...charge(0), [20, onOne], ...charge(30, 2), [90, onThree]], 130, {
      keys: SWITCHES,
      installation: { fuseA: 20 },
    });
    expect(offers(2).at(-1)?.[1]).toBe(10);
  });
});

describe('GET /why', () => {
  it('names everything that bounds an offer, the least first, and the sentence', async () => {
    const { world } = await played(
      [[0, bounded(12)], ...charge(1), [2, limit({ limitA: 20 })], [3, limit({ connectorId: 1, limitA: 25 })]],
      10,
      { installation: { fuseA: 16 } },
    );
    expect(await whyOf(world)).toEqual({
      id: 1,
      status: 'Charging',
      why: 'charging with up to 12 A: TxDefaultProfile 1 allows 12 A',
      offerA: 12,
      limitA: 12,
      phases: 3,
      bounds: [
        { source: 'chargingProfile', connectorId: 1, limitA: 12, reason: 'TxDefaultProfile 1 allows 12 A' },
        { source: 'fuse', connectorId: 0, limitA: 16, reason: 'the fuse of 16 A is shared' },
        { source: 'energyManager', connectorId: 0, limitA: 20, reason: 'ems allows 20 A' },
        { source: 'energyManager', connectorId: 1, limitA: 25, reason: 'ems allows 25 A' },
        { source: 'installation', connectorId: 1, limitA: 32, reason: 'the connector carries 32 A' },
      ],
    });
    expect(await whyOf(world, 2)).toMatchObject({ status: 'Available', why: 'idle', offerA: 0, limitA: 16 });
  });

  it('names what is scarce on the phases of the connector, not on others', async () => {
    const { world } = await played([...charge(0), ...charge(0, 2), [10, grid({ amps: [0, 22, 0] })]], 40, {
      connectors: [
        { id: 1, cable: 'attached', phases: 1, rotation: 'RST' },
        { id: 2, cable: 'attached', phases: 1, rotation: 'STR' },
      ],
      keys: { ConnectorPhaseRotation: '1.RST,2.STR' },
      installation: { fuseA: 20, gridConnection: { fuseA: 32 } },
    });
    expect((await whyOf(world)).why).toBe('charging with up to 20 A: the fuse of 20 A is shared');
    expect((await whyOf(world, 2)).why).toBe('charging with up to 10 A: the house leaves 10 A');
  });

  it('names the cable', async () => {
    const { world } = await played(
      [[0, ({ board }) => board.inputs.patchConnector(1, { ev: { cableA: 20 } })], ...charge(0)],
      10,
      { connectors: [{ id: 1, cable: 'socket' }], keys: { ConnectorPhaseRotation: '1.RST' } },
    );
    const why = await whyOf(world);
    expect(why.why).toBe('charging with up to 20 A: the cable carries 20 A');
    expect(why.bounds[0]).toEqual({ source: 'cable', connectorId: 1, limitA: 20, reason: 'the cable carries 20 A' });
  });

  it('says for whom an EV waits', async () => {
    const { world } = await played([...charge(0), ...charge(2, 2)], 4, { installation: { fuseA: 10 } });
    expect((await whyOf(world, 2)).why).toBe('SuspendedEVSE: waits for its turn: others charge');
  });
});

describe('safety while limits change', () => {
  const stop = (is: boolean) => (world: World) => world.board.inputs.setFault(0, 'emergencyStop', is ? {} : null);

  it('opens at an emergency stop before anything else, whatever is being changed', async () => {
    const { world, openings, offers } = await played(
      [...charge(0), ...charge(0, 2), [20, dims(true)], [20, stop(true)]],
      21,
      { installation: { dimming: { limitW: 11_040 }, fuseA: 63 } },
    );
    expect(openings.map(({ connectorId, t }) => [connectorId, t])).toEqual([
      [1, 21_000],
      [2, 21_000],
    ]);
    expect([offers(1).at(-1)?.[1], offers(2).at(-1)?.[1]]).toEqual([0, 0]);
    expect(world.central.transactions.map((each) => each.stop?.['reason'])).toEqual(['EmergencyStop', 'EmergencyStop']);
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
  });

  it('does not close again after an emergency stop although limits rise', async () => {
    const { world } = await played(
      [...charge(0), [20, stop(true)], [21, bounded(10)], [25, clear], [30, stop(false)]],
      60,
      { installation: { fuseA: 32 } },
    );
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
  });

  it('waits for an EV that is late to open its switch before a switch of phases', async () => {
    const { openings, broken, world } = await played(
      [...charge(0), [20, install(profile({ periods: [[0, 16, 1]], more: { transactionId: 1 } }))]],
      40,
      {
        connectors: [{ id: 1, cable: 'attached', followsMs: 4000 }],
        keys: { ConnectorPhaseRotation: '1.RST', ConnectorSwitch3to1PhaseSupported: 'true' },
      },
    );
    expect(openings.map(({ t }) => t)).toEqual([25_000]);
    expect(broken()).toEqual([]);
    expect(world.board.connector(1).observe().phases).toBe(1);
  });

  it('breaks no current in an hour of stops and changes', async () => {
    const parts: Part[] = [...charge(0), ...charge(5, 2)];
    for (let m = 1; m < 60; m++)
      parts.push([m * 60, m % 3 === 0 ? install(maxProfile((m * 7) % 33), 0) : bounded((m * 5) % 31)]);
    const { broken, openings } = await played(parts, 3700, { installation: { fuseA: 25 } });
    expect(openings.length).toBeGreaterThan(10);
    expect(broken()).toEqual([]);
  });
});
