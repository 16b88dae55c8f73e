/**
 * One fuse, several connectors, whole charge points: whatever drivers, EVs, meters, faults and the central system do, per phase of
 * the grid the sum of the most of what was offered in the last 5 s and of what flows stays within the fuse.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rotation } from '../../hal/mock/mock-grid.ts';
import { FuseJudge } from '../sim/fuse-judge.ts';
import { profile } from '../sim/smart-charging.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

interface Place {
  readonly phases: 1 | 3;
  readonly rotation: Rotation;
  readonly followsMs: number;
  readonly maxA: number;
}

interface Site {
  readonly places: readonly Place[];
  readonly fuseA: number;
  readonly installation: { readonly randomDelayS?: number; readonly rampAPerMinute?: number };
  /** ConnectorPhaseRotation, where it is not the truth. */
  readonly believed?: string;
}

type Act =
  | { readonly act: 'charge' | 'plug' | 'unplug' | 'tag' | 'stop' | 'clear'; readonly on: number }
  | {
      readonly act: 'ev';
      readonly on: number;
      readonly amps: number;
      readonly phases: 1 | 3;
      readonly mode: 'auto' | 'B';
    }
  | { readonly act: 'silent' | 'drop' | 'fault'; readonly on: number; readonly is: boolean }
  | { readonly act: 'emergencyStop'; readonly is: boolean }
  | { readonly act: 'profile'; readonly on: number; readonly limit: number; readonly phases: 1 | 3 }
  | { readonly act: 'max' | 'manager'; readonly limit: number }
  | { readonly act: 'powerCut' };
interface Move {
  readonly does: Act;
  readonly thenS: number;
}

const ROTATIONS = ['RST', 'RTS', 'SRT', 'STR', 'TRS', 'TSR'] as const;
const LIMITS = [0, 6, 7.3, 10, 16, 32];

async function open({ places, fuseA, installation, believed }: Site) {
  const made: { world?: World } = {};
  const connectors = places.map((place, index) => ({ id: index + 1, cable: 'attached' as const, ...place }));
  const judge = new FuseJudge({ fuseA, connectors, now: () => made.world?.clock.now() ?? 0 });
  const world = await World.start({
    connectors,
    furnish: judge.furnish,
    lasting: true,
    resumeWithinS: 60,
    installation: { fuseA, phaseSwitchEveryS: 20, ...installation },
    keys: {
      ConnectorPhaseRotation: believed ?? connectors.map(({ id, rotation }) => `${id}.${rotation}`).join(),
      ConnectorSwitch3to1PhaseSupported: 'true',
      MeterValueSampleInterval: '0',
    },
  });
  made.world = world;
  return { world, judge };
}

/** Profiles of a connector have its number, that of the charge point 9. */
async function play(world: World, judge: FuseJudge, move: Act): Promise<void> {
  const { inputs } = world.board;
  switch (move.act) {
    case 'charge':
      world.plugIn(move.on);
      world.present(`TAG${move.on}`, [move.on]);
      return;
    case 'plug':
      return world.plugIn(move.on);
    case 'unplug':
      return world.unplug(move.on);
    case 'tag':
      return world.present(`TAG${move.on}`, [move.on]);
    case 'stop': {
      const transactionId = world.agent.view().connectors.find(({ id }) => id === move.on)?.transactionId;
      if (typeof transactionId === 'number') void world.central.call('RemoteStopTransaction', { transactionId });
      return;
    }
    case 'clear':
      void world.central.call('ClearChargingProfile', { id: move.on === 0 ? 9 : move.on });
      return;
    case 'ev':
      return inputs.patchConnector(move.on, { ev: { amps: move.amps, phases: move.phases, mode: move.mode } });
    case 'silent':
      if (move.is) judge.silent.add(move.on);
      else judge.silent.delete(move.on);
      return;
    case 'drop':
      return inputs.patchConnector(move.on, { meter: { drop: move.is } });
    case 'fault':
      return inputs.setFault(move.on, 'otherFault', move.is ? {} : null);
    case 'emergencyStop':
      return inputs.setFault(0, 'emergencyStop', move.is ? {} : null);
    case 'profile':
      void world.central.call('SetChargingProfile', {
        connectorId: move.on,
        csChargingProfiles: profile({
          id: move.on,
          purpose: 'TxDefaultProfile',
          periods: [[0, move.limit, move.phases]],
        }),
      });
      return;
    case 'max':
      void world.central.call('SetChargingProfile', {
        connectorId: 0,
        csChargingProfiles: profile({
          id: 9,
          purpose: 'ChargePointMaxProfile',
          kind: 'Absolute',
          periods: [[0, move.limit]],
          schedule: { startSchedule: '2026-01-01T00:00:00Z' },
        }),
      });
      return;
    case 'manager':
      await world.control('POST', '/limits', { source: 'ems', limitA: move.limit, ttlS: 30 });
      return;
    case 'powerCut':
      await world.powerCut();
      await world.clock.advance(seconds(1));
      await world.boot();
  }
}

/** Everything that happened, judged at each change of an output and each second. */
async function judged(site: Site, moves: readonly Move[]) {
  const { world, judge } = await open(site);
  for (const move of moves) {
    await play(world, judge, move.does);
    judge.look();
    for (let s = 0; s < move.thenS; s++) {
      await world.clock.advance(seconds(1));
      judge.look();
    }
  }
  return { world, judge };
}

const site = fc.record<Site>({
  places: fc.array(
    fc.record<Place>({
      phases: fc.constantFrom<1 | 3>(1, 3, 3),
      rotation: fc.constantFrom<Rotation>(...ROTATIONS),
      followsMs: fc.constantFrom(0, 1000, 4999),
      maxA: fc.constantFrom(16, 32),
    }),
    { minLength: 2, maxLength: 3 },
  ),
  fuseA: fc.constantFrom(10, 16, 20, 32, 40),
  installation: fc.constantFrom({}, {}, { randomDelayS: 10 }, { rampAPerMinute: 20 }),
});

/** Nobody leaves, nothing breaks: there is no reason to open a contactor under load. */
const isCalm = ({ does }: Move): boolean =>
  !['unplug', 'drop', 'fault', 'emergencyStop', 'powerCut'].includes(does.act) &&
  (does.act !== 'ev' || does.mode === 'auto');

const moveOn = (count: number): fc.Arbitrary<Move> => {
  const on = fc.integer({ min: 1, max: count });
  const is = fc.boolean();
  const limit = fc.constantFrom(...LIMITS);
  const phases = fc.constantFrom<1 | 3>(1, 3, 3);
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('charge' as const), on }) },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constantFrom<Act['act'] & ('clear' | 'plug' | 'stop' | 'tag' | 'unplug')>(
          'plug',
          'unplug',
          'tag',
          'stop',
          'clear',
        ),
        on,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant('ev' as const),
        on,
        amps: fc.constantFrom(0, 6, 10, 32),
        phases,
        mode: fc.constantFrom<'auto' | 'B'>('auto', 'auto', 'B'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constantFrom<Act['act'] & ('drop' | 'fault' | 'silent')>('silent', 'silent', 'drop', 'fault'),
        on,
        is,
      }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('emergencyStop' as const), is }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('profile' as const), on, limit, phases }) },
    {
      weight: 2,
      arbitrary: fc.record({ act: fc.constantFrom<Act['act'] & ('manager' | 'max')>('max', 'manager'), limit }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('powerCut' as const) }) },
  );
  return fc.tuple(act, fc.constantFrom(0, 0, 1, 3, 5, 8, 14)).map(([does, thenS]): Move => ({ does, thenS }));
};

const story = site.chain((chosen) =>
  fc.record({
    site: fc.constant(chosen),
    moves: fc.array(moveOn(chosen.places.length), { minLength: 4, maxLength: 30, size: 'max' }),
  }),
);

const calmStory = story.map((told) => ({ ...told, moves: told.moves.filter(isCalm) }));
const RUNS = 1000;

describe('one fuse for several connectors, as the wires see it', () => {
  it('carries at most what it may, whatever happens', async () => {
    let most = 0;
    await fc.assert(
      fc.asyncProperty(story, async ({ site: chosen, moves }) => {
        const { judge } = await judged(chosen, moves);
        most = Math.max(most, judge.mostA / chosen.fuseA);
        expect(judge.violations.slice(0, 1)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    // The fuses were used, or nothing was proved.
    expect(most).toBeGreaterThan(0.99);
  });

  it('goes back from one phase to three without asking the other two for more than they carry', async () => {
    const places: Place[] = [
      { phases: 3, rotation: 'RST', followsMs: 0, maxA: 32 },
      { phases: 1, rotation: 'STR', followsMs: 5000, maxA: 32 },
    ];
    const on = (phases: 1 | 3, thenS: number): Move => ({ does: { act: 'profile', on: 1, limit: 16, phases }, thenS });
    const { world, judge } = await judged({ places, fuseA: 20, installation: {} }, [
      { does: { act: 'ev', on: 1, amps: 32, phases: 3, mode: 'auto' }, thenS: 0 },
      on(1, 1),
      { does: { act: 'charge', on: 1 }, thenS: 30 },
      { does: { act: 'charge', on: 2 }, thenS: 30 },
      on(3, 30),
    ]);
    expect(judge.violations).toEqual([]);
    expect([world.board.connector(1).observe(), world.board.connector(2).observe()]).toMatchObject([
      { phases: 3, amps: 10 },
      { amps: 10 },
    ]);
  });

  it('breaks no current with a contactor while only limits change, however late the EVs are', async () => {
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(calmStory, async ({ site: chosen, moves }) => {
        const { judge } = await judged(chosen, moves);
        opened += judge.openings.length;
        expect(judge.openings.filter(({ amps }) => amps > 0)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(opened).toBeGreaterThan(RUNS / 10);
  });
});

describe('the judge of the fuse', () => {
  const one = (rotation: Rotation, followsMs = 0): Place => ({ phases: 1, rotation, followsMs, maxA: 32 });
  const three = (followsMs = 0): Place => ({ phases: 3, rotation: 'RST', followsMs, maxA: 32 });
  const charge = (on: number, thenS: number): Move => ({ does: { act: 'charge', on }, thenS });
  const draws = (on: number, phases: 1 | 3): Move => ({
    does: { act: 'ev', on, amps: 32, phases, mode: 'auto' },
    thenS: 0,
  });

  it('has nothing to say where the agent knows the truth', async () => {
    const places = [one('RST'), one('RTS')];
    const { judge } = await judged({ places, fuseA: 20, installation: {} }, [charge(1, 10), charge(2, 30)]);
    expect(judge.violations).toEqual([]);
    expect(judge.mostA).toBe(20);
  });

  it('sees two connectors on one phase that the agent takes for two', async () => {
    const places = [one('RST'), one('RTS')];
    const site = { places, fuseA: 20, installation: {}, believed: '1.RST,2.STR' };
    const { judge } = await judged(site, [charge(1, 10), charge(2, 30)]);
    expect(judge.violations[0]).toMatchObject({ line: 'R', usedA: 40 });
  });

  it('sees an EV that follows after 9 s behind a silent meter, by what it draws', async () => {
    const places = [three(9000), three()];
    const { judge } = await judged({ places, fuseA: 20, installation: {} }, [
      draws(1, 3),
      charge(1, 10),
      { does: { act: 'silent', on: 1, is: true }, thenS: 10 },
      charge(2, 30),
    ]);
    expect(judge.violations[0]).toMatchObject({ line: 'R', usedA: 30 });
  });

  it('sees an ampere that is handed on within 5 s', async () => {
    const { world, judge } = await open({ places: [three(), three()], fuseA: 32, installation: {} });
    const offers = (id: number, amps: number | 'x1') =>
      world.board.connectors.find((each) => each.id === id)?.evse.offer(amps);
    for (const ms of [4999, 5000]) {
      judge.violations.length = 0;
      offers(1, 20);
      await world.clock.advance(seconds(10));
      offers(1, 'x1');
      await world.clock.advance(ms);
      offers(2, 20);
      expect(judge.violations.length > 0).toBe(ms < 5000);
      offers(2, 'x1');
      await world.clock.advance(seconds(10));
    }
  });
});
