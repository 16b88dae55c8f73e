/** What the phases of a connector may differ by (OVE R 37, VDE-AR-N 4100), played through: an EV on one phase is offered no more than that. */
import { describe, expect, it } from 'vitest';
import type { EnergyMeter } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import { site, statuses } from '../sim/load.ts';
import { limits, profile, set } from '../sim/smart-charging.ts';
import { plugIn, story, tag, unplug } from '../sim/transcript.ts';
import type { World, WorldOptions } from '../sim/world.ts';

type Part = readonly [atS: number, play: (world: World) => unknown];

const AUSTRIA = { asymmetryA: 16 };
const FOLLOWS_MS = 5000;

/** From second 0 on an EV takes all it gets, on so many phases. */
async function played(phases: 1 | 2 | 3, parts: readonly Part[], untilS: number, options: WorldOptions = {}) {
  const connectors = [{ id: 1, cable: 'attached', followsMs: FOLLOWS_MS }] as const;
  const seen = await site({ connectors, installation: AUSTRIA, ...options });
  takes(phases)(seen.world);
  await story(seen.world, [[0, plugIn(1)], [0, tag('TAG1', [1])], ...parts], untilS);
  return seen;
}
const takes =
  (phases: 1 | 2 | 3, amps = 32) =>
  ({ board }: World): void =>
    board.inputs.patchConnector(1, { ev: { phases, amps } });
const whole = (offers: readonly (readonly [number, number])[]) => offers.map(([t, amps]) => [Math.floor(t), amps]);

/** A charging profile for so many phases. */
const on = (id: number, numberPhases: 1 | 3) => (world: World) =>
  set(world, profile({ id, periods: [[0, 32, numberPhases]], more: { transactionId: 1 } }), 1);
const SWITCHES = { ConnectorSwitch3to1PhaseSupported: 'true' };

/** How long the phases of connector 1 have differed by more than 16 A at a stretch, in s; looked at each second. */
function unevenS(longest: { s: number }) {
  let since: number | undefined;
  return (world: World): void => {
    const lines = (['R', 'S', 'T'] as const).map((line) => world.board.connector(1).drawA(line));
    const isUneven = Math.max(...lines) - Math.min(...lines) > 16;
    since = isUneven ? (since ?? world.clock.now()) : undefined;
    if (since !== undefined) longest.s = Math.max(longest.s, (world.clock.now() - since) / 1000);
  };
}
const eachSecond = (untilS: number, look: (world: World) => void): readonly Part[] =>
  Array.from({ length: untilS }, (_, second) => [second, look] as const);

describe('an EV on one of three phases', () => {
  it('is offered as much as they may differ by, and has been uneven for less than a minute', async () => {
    const longest = { s: 0 };
    const { world, offers } = await played(1, eachSecond(119, unevenS(longest)), 120);
    const given = whole(offers(1));
    expect(given.map(([, amps]) => amps)).toEqual([32, 16]);
    expect(given[1]?.[0]).toBeGreaterThanOrEqual(30);
    expect(longest.s).toBeGreaterThan(30);
    expect(longest.s).toBeLessThan(45);
    expect(statuses(world, 1)).toEqual(['0 Preparing', '1 Charging']);
    expect(await world.control('GET', '/why')).toMatchObject({
      connectors: [
        {
          why: 'charging with up to 16 A: the phases may differ by 16 A',
          bounds: [{ source: 'asymmetry', connectorId: 1, limitA: 16 }, { source: 'installation' }],
        },
      ],
    });
  });

  it('is so on two phases, too', async () => {
    const { offers } = await played(2, [], 120);
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 16]);
  });

  it('is left alone on three phases', async () => {
    const { offers } = await played(3, [], 120);
    expect(offers(1).map(([, amps]) => amps)).toEqual([32]);
  });

  it('is left alone where nobody has said what they may differ by', async () => {
    const { offers } = await played(1, [], 120, { installation: {} });
    expect(offers(1).map(([, amps]) => amps)).toEqual([32]);
  });

  it('is left alone while it takes no more than that', async () => {
    const { offers } = await played(1, [[0, takes(1, 16)]], 120);
    expect(offers(1).map(([, amps]) => amps)).toEqual([32]);
  });

  it('that takes all three at last is offered all again', async () => {
    const { offers } = await played(1, [[60, takes(3)]], 120);
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 16, 32]);
  });

  it('stays bounded while it pauses, and is forgotten when it leaves', async () => {
    const { offers, world } = await played(
      1,
      [
        [60, ({ board }) => board.inputs.patchConnector(1, { ev: { mode: 'B' } })],
        [80, ({ board }) => board.inputs.patchConnector(1, { ev: { mode: 'auto' } })],
        [100, unplug(1)],
        [110, takes(3)],
        [110, plugIn(1)],
        [110, tag('TAG2', [1])],
      ],
      130,
    );
    const given = whole(offers(1)).filter(([, amps]) => amps !== 0);
    expect(given.map(([, amps]) => amps)).toEqual([32, 16, 32]);
    expect(given[2]?.[0]).toBe(110);
    expect(world.central.transactions).toHaveLength(2);
  });
});

describe('a connector with one phase', () => {
  it('is never offered more', async () => {
    const connectors = [{ id: 1, cable: 'attached', phases: 1 }] as const;
    const { offers } = await played(1, [], 60, { connectors });
    expect(offers(1)).toEqual([[0, 16]]);
  });

  it('says so in GetCompositeSchedule', async () => {
    const connectors = [{ id: 1, cable: 'attached', phases: 1 }] as const;
    const { world } = await played(1, [], 10, { connectors });
    expect(await limits(world)).toEqual([[0, 16]]);
  });

  it('that has been switched to it is not either, until it is switched back', async () => {
    const { offers } = await played(
      3,
      [
        [20, on(5, 1)],
        [100, on(5, 3)],
      ],
      120,
      {
        keys: SWITCHES,
      },
    );
    expect(offers(1).map(([, amps]) => amps)).toEqual([32, 0, 16, 0, 32]);
  });
});

describe('the meter of a connector', () => {
  /** Counts the looks; says nothing of L2 and L3 where `blind`. */
  const counting =
    (seen: { reads: number }, blind = false) =>
    (board: MockBoard) => {
      const meter: EnergyMeter | undefined = board.connectors[0]?.meter;
      if (meter === undefined) return board;
      const read = meter.read.bind(meter);
      meter.read = () => {
        seen.reads++;
        return read();
      };
      if (blind) Object.assign(meter, { offers: { ...meter.offers, current: ['L1'] } });
      return board;
    };
  const keys = { MeterValueSampleInterval: '0' };

  it('is not asked where the connector carries no more than the phases may differ by', async () => {
    const seen = { reads: 0 };
    const connectors = [{ id: 1, cable: 'attached', maxA: 16 }] as const;
    await played(1, [], 120, { connectors, keys, furnish: counting(seen) });
    expect(seen.reads).toBeLessThan(5);
  });

  it('is asked every 2 s while the contactor is closed, and not when the EV is gone', async () => {
    const seen = { reads: 0 };
    const { world } = await played(3, [[100, unplug(1)]], 110, { keys, furnish: counting(seen) });
    expect(seen.reads).toBeGreaterThan(45);
    expect(seen.reads).toBeLessThan(60);
    const { reads } = seen;
    await world.clock.advance(60_000);
    expect(seen.reads).toBe(reads);
  });

  it('is not asked while it is known that the EV has one phase', async () => {
    const seen = { reads: 0 };
    const { world } = await played(3, [[20, on(5, 1)]], 40, {
      keys: { ...keys, ...SWITCHES },
      furnish: counting(seen),
    });
    const { reads } = seen;
    await world.clock.advance(60_000);
    expect([world.board.connector(1).observe().phases, seen.reads - reads]).toEqual([1, 0]);
  });

  it('that does not measure each phase is not taken for an EV on one', async () => {
    const { offers } = await played(1, [], 120, { furnish: counting({ reads: 0 }, true) });
    expect(offers(1).map(([, amps]) => amps)).toEqual([32]);
  });
});
