/**
 * Random stories against what must hold in every one of them. `STORIES=100000 npx vitest run test/scenarios/stories.test.ts` plays more;
 * a failure prints a seed and a path, and `STORY_SEED=... STORY_PATH=...` replays it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectorStatus } from '../../src/core/connector/state.ts';
import { mayFollow } from '../../src/core/connector/transitions.ts';
import { operationOf } from '../../src/ocpp/messages/all.ts';
import { validate } from '../../src/ocpp/validate.ts';
import type { Payload, WireEntry } from '../sim/network.ts';
import { type Move, play, story } from '../sim/stories.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const RUNS = Number(process.env['STORIES'] ?? 1000);
/** Of those in which transactions may go on after a loss of power. */
const RESUMING_RUNS = Math.ceil(RUNS * 0.3);
const SEED = process.env['STORY_SEED'];
const PATH = process.env['STORY_PATH'];

const CONNECTORS = [
  { id: 1, cable: 'attached' },
  { id: 2, cable: 'socket' },
] as const;

async function tell(moves: readonly Move[], options: WorldOptions = {}): Promise<World> {
  const world = await World.start({
    ...options,
    connectors: CONNECTORS,
    meterSerial: 'METER',
    keys: { MeterValueSampleInterval: '60', TransactionMessageRetryInterval: '5' },
    prepare: (central) =>
      central.answer('Authorize', ({ idTag }) => ({
        idTagInfo: { status: String(idTag).startsWith('INVALID') ? 'Invalid' : 'Accepted' },
      })),
  });
  for (const move of moves) {
    await play(world, move);
    expectSafe(world);
  }
  await ending(world);
  return world;
}

/** Whatever the story was: the cars leave, the link is there, faults are repaired, and time passes. */
async function ending(world: World): Promise<void> {
  world.network.restore();
  await play(world, { type: 'wait', ms: seconds(30) });
  for (let nth = 0; nth < world.central.transactions.length; nth++) await play(world, { type: 'remoteStop', nth });
  for (const { id } of CONNECTORS) {
    await play(world, { type: 'repair', connector: id });
    await play(world, { type: 'unplug', connector: id });
  }
  await play(world, { type: 'wait', ms: minutes(10) });
  await world.clock.advance(seconds(30));
}

/** After every move: a closed contactor has an EV that asks, somebody who may, and nothing wrong. */
function expectSafe(world: World): void {
  for (const { id, transaction } of world.agent.view().connectors) {
    const { contactor, pilot } = world.board.connector(id).observe();
    if (contactor === 'open') continue;
    expect(pilot).toBe('C');
    expect(transaction).not.toBe('none');
    expect(world.board.faults.filter((fault) => fault.connectorId === id || fault.connectorId === 0)).toEqual([]);
  }
}

/**
 * The transaction messages, each once. What was in flight when the process died or the link broke may come again over the next
 * connection, with an equal payload and a new id: nobody can know whether it had arrived.
 */
function factsOf({ central }: World): readonly WireEntry[] {
  const sent = new Map<string, number>();
  return central.calls().filter(({ frame, connection }) => {
    const [, , action, payload] = frame;
    if (action !== 'StartTransaction' && action !== 'StopTransaction' && action !== 'MeterValues') return false;
    const content = JSON.stringify([action, payload]);
    const before = sent.get(content);
    sent.set(content, connection);
    if (before !== undefined) expect(connection).toBe(before + 1);
    return before === undefined;
  });
}

function expectConsistentTransactions(world: World): void {
  expect(world.agent.outbox.size).toBe(0);
  const facts = factsOf(world);
  const starts = facts.filter(({ frame }) => frame[2] === 'StartTransaction');
  for (const { frame } of starts) {
    const start = frame[3] as Payload;
    // A start that came twice got two ids; the later confirmation is the one that the charge point has.
    const id = world.central.transactions.findLast(
      (known) => JSON.stringify(known.start) === JSON.stringify(start),
    )?.id;
    const own = facts.flatMap(({ frame: [, , action, payload] }) =>
      (payload as Payload)['transactionId'] === id ? [{ action, payload: payload as Payload }] : [],
    );
    const stops = own.filter(({ action }) => action === 'StopTransaction');
    expect(stops).toHaveLength(1);
    expect(own.at(-1)).toBe(stops[0]);
    const energies = [
      Number(start['meterStart']),
      ...own.flatMap(({ payload }) => energiesOf(payload)),
      Number(stops[0]?.payload['meterStop']),
    ];
    expect(energies).toEqual(energies.toSorted((a, b) => a - b));
  }
  expect(facts.filter(({ frame }) => frame[2] === 'StopTransaction')).toHaveLength(starts.length);
}

function energiesOf(payload: Payload): readonly number[] {
  const values = (payload['meterValue'] ?? []) as {
    sampledValue: { measurand?: string; phase?: string; value: string }[];
  }[];
  return values.flatMap(({ sampledValue }) =>
    sampledValue.flatMap(({ measurand, phase, value }) =>
      measurand === 'Energy.Active.Import.Register' && phase === undefined ? [Number(value)] : [],
    ),
  );
}

/** Consecutive reports without a boot or a reconnect between. */
function expectLegalStatuses({ wire }: World): void {
  const last = new Map<number, ConnectorStatus>();
  let connection: unknown;
  for (const entry of wire) {
    if (entry.connection !== connection) last.clear();
    connection = entry.connection;
    if (entry.dir !== 'tx' || entry.frame[2] !== 'StatusNotification') continue;
    const { connectorId, status } = entry.frame[3] as { connectorId: number; status: ConnectorStatus };
    const before = last.get(connectorId);
    if (before !== undefined && connectorId > 0)
      expect(`${before}>${status}: ${mayFollow(before, status)}`).toMatch(/true$/);
    last.set(connectorId, status);
  }
}

/** Every payload in both directions has the strict shape; what the charge point sends, without any repair. */
function expectValidShapes({ wire }: World): void {
  const actions = new Map<unknown, string>();
  for (const { frame } of wire) {
    if (frame[0] === 2) actions.set(frame[1], String(frame[2]));
    const operation = operationOf(actions.get(frame[1]) ?? '');
    if (operation === undefined || frame[0] === 4) continue;
    const verdict = frame[0] === 2 ? validate(operation.req, frame[3]) : validate(operation.conf, frame[2]);
    expect(verdict).toMatchObject({ ok: true });
  }
}

const expectedErrors = (wire: readonly WireEntry[]): readonly unknown[] =>
  wire.flatMap(({ dir, frame }) => (dir === 'tx' && frame[0] === 4 ? [frame[2]] : []));

const replayed = {
  ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  ...(PATH === undefined ? {} : { path: PATH }),
};

async function expectInvariants(moves: readonly Move[], options?: WorldOptions): Promise<World> {
  const world = await tell(moves, options);
  expectConsistentTransactions(world);
  expectLegalStatuses(world);
  expectValidShapes(world);
  expect(expectedErrors(world.wire)).toEqual([]);
  for (const { status } of world.agent.view().connectors)
    expect(['Available', 'Unavailable', 'Reserved']).toContain(status);
  return world;
}

describe('in every story', () => {
  it(`(${RUNS} of them) transactions are paired, statuses legal, shapes valid and contactors safe`, async () => {
    await fc.assert(
      fc.asyncProperty(story, async (moves) => void (await expectInvariants(moves))),
      { numRuns: RUNS, ...replayed },
    );
  }, 600_000);

  it(`(${RESUMING_RUNS} of them) the same holds where transactions go on after a loss of power, and some do`, async () => {
    let resumed = 0;
    await fc.assert(
      fc.asyncProperty(story, async (moves) => {
        const world = await expectInvariants(moves, { resumeWithinS: 90, lasting: true });
        if (world.logged.some(({ message }) => message.endsWith('goes on now'))) resumed++;
      }),
      { numRuns: RESUMING_RUNS, ...replayed },
    );
    if (PATH === undefined) expect(resumed).toBeGreaterThan(0);
  }, 600_000);
});
