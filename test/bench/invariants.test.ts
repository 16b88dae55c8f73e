/** The safety invariants that the bench makes visible (bench.md, section 4), in the document after every patch, with the whole agent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../hal/faults.ts';
import { X1_UNDER_LOAD_MS } from '../../hal/interlock.ts';
import { BenchWorld } from '../../src/bench/bench-world.ts';
import { documentOf } from '../../src/bench/document.ts';
import { FAULT_OF } from '../../src/bench/inputs.ts';
import { World } from '../sim/world.ts';

interface ConnectorOut {
  readonly pilot: string;
  readonly pwm: number;
  readonly contactor: boolean;
  readonly watts: number;
  readonly transaction: string;
  readonly status: string;
}

const TRIPPING = Object.entries(FAULT_OF)
  .filter(([, code]) => FAULTS[code].blocks !== 'nothing')
  .map(([errorCode]) => errorCode);

const ofConnector = (change: fc.Arbitrary<unknown>) =>
  fc.record({ id: fc.constantFrom('1', '2'), change }).map(({ id, change }) => ({ connectors: { [id]: change } }));

const fault = fc
  .record({
    errorCode: fc.constantFrom('GroundFailure', 'EVCommunicationError', 'OverCurrentFailure', 'WeakSignal'),
    on: fc.boolean(),
  })
  .map(({ errorCode, on }) => ({ faults: { [errorCode]: on ? {} : null } }));

const patch = fc.oneof(
  { weight: 5, arbitrary: ofConnector(fc.constantFrom(true, true, false).map((plugged) => ({ ev: { plugged } }))) },
  {
    weight: 2,
    arbitrary: ofConnector(
      fc.constantFrom('auto', 'auto', 'B', 'C', 'C', 'D', 'E', 'F').map((mode) => ({ ev: { mode } })),
    ),
  },
  { weight: 1, arbitrary: ofConnector(fc.boolean().map((diode) => ({ ev: { diode } }))) },
  {
    weight: 1,
    arbitrary: ofConnector(fc.constantFrom(null, null, 'welded', 'stuck', 'lock', 'unlock').map((jam) => ({ jam }))),
  },
  { weight: 1, arbitrary: ofConnector(fc.boolean().map((drop) => ({ meter: { drop } }))) },
  { weight: 1, arbitrary: ofConnector(fault) },
  { weight: 1, arbitrary: fc.constantFrom('on', 'on', 'failing').map((power) => ({ power })) },
  { weight: 1, arbitrary: fc.constantFrom('ok', 'fail').map((storage) => ({ storage })) },
  { weight: 1, arbitrary: fc.constantFrom('up', 'down').map((link) => ({ link })) },
);

const move = fc.oneof(
  { weight: 5, arbitrary: patch.map((patch) => ({ type: 'patch' as const, patch })) },
  { weight: 4, arbitrary: fc.constantFrom(1, 2).map((connector) => ({ type: 'tap' as const, connector })) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 7000 }).map((ms) => ({ type: 'wait' as const, ms })) },
);

const setUp = async () => {
  const world = await World.start({
    connectors: [
      { id: 1, cable: 'socket' },
      { id: 2, cable: 'attached' },
    ],
  });
  const { board, clock, agent } = world;
  const bench = new BenchWorld({
    board,
    clock: Object.assign(clock, { setRate: () => {}, setOffset: () => {} }),
    storage: { fail: (on) => world.disk.failWrites(on) },
    link: {
      setLink: (link) => {
        if (link === 'down') world.network.cut();
        else world.network.restore();
      },
    },
  });
  const outs = (): readonly (readonly [string, ConnectorOut])[] => {
    const { connectors } = documentOf(bench.inputs, { board, view: agent.view() }, clock.wall(clock.now()));
    return Object.entries(connectors as Record<string, { out: ConnectorOut }>).map(([id, { out }]) => [id, out]);
  };
  return { world, bench, outs };
};

describe('the safety invariants of the bench', () => {
  it('hold in the document after every patch of every story', async () => {
    let charged = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 30 }), async (story) => {
        const { world, bench, outs } = await setUp();
        const { clock, board } = world;
        const withdrawnAt = new Map<string, number>();
        const check = (isSettled: boolean) => {
          for (const [id, out] of outs()) {
            const isOffered = out.pwm > 0 && out.pwm < 100;
            if (isOffered) withdrawnAt.delete(id);
            else if (!withdrawnAt.has(id)) withdrawnAt.set(id, clock.now());
            if (!out.contactor) continue;
            charged += 1;
            expect(out.pilot).toBe('C');
            expect(bench.inputs.power).toBe('on');
            const raised = Object.keys(bench.inputs.connectors[id]?.faults ?? {});
            expect(raised.filter((errorCode) => TRIPPING.includes(errorCode))).toEqual([]);
            const tripping = board.faults.filter(
              ({ code, connectorId }) => String(connectorId) === id && FAULTS[code].blocks !== 'nothing',
            );
            expect(tripping).toEqual([]);
            if (!isOffered) expect(clock.now() - (withdrawnAt.get(id) ?? 0)).toBeLessThan(X1_UNDER_LOAD_MS);
            if (isSettled) expect(out.transaction).not.toBe('none');
          }
        };
        for (const step of [
          { type: 'patch' as const, patch: { connectors: { '2': { ev: { plugged: true, delayMs: 0 } } } } },
          { type: 'tap' as const, connector: 2 },
          ...story,
        ]) {
          if (step.type === 'patch') expect(bench.patch(step.patch)).toBeUndefined();
          else if (step.type === 'tap') world.present('A', [step.connector]);
          else await clock.advance(step.ms);
          check(false);
          await clock.advance(50);
          check(true);
        }
      }),
      { numRuns: 60 },
    );
    expect(charged).toBeGreaterThan(60);
  }, 120_000);
});
