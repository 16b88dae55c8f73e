/** Random stories of a charge point: what can happen to it, as data that fast-check can shrink. */
import fc from 'fast-check';
import type { World } from './world.ts';

export type Move =
  | { readonly type: 'plug' | 'unplug' | 'pullAtTheCar' | 'fault' | 'repair'; readonly connector: number }
  | { readonly type: 'tag'; readonly idTag: string; readonly connector: number }
  | { readonly type: 'remoteStart'; readonly idTag: string; readonly connector: number }
  | { readonly type: 'remoteStop'; readonly nth: number }
  | { readonly type: 'availability'; readonly connector: number; readonly operative: boolean }
  | { readonly type: 'reserve'; readonly connector: number; readonly idTag: string; readonly id: number }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'unlock'; readonly connector: number }
  | { readonly type: 'cut' | 'restore' | 'powerCut' | 'kill' | 'softReset' | 'hardReset' | 'closeSocket' }
  | { readonly type: 'jump'; readonly ms: number }
  | { readonly type: 'key'; readonly key: string; readonly value: string }
  | { readonly type: 'wait'; readonly ms: number };

const connector = fc.integer({ min: 1, max: 2 });
const idTag = fc.constantFrom('ALICE', 'BOB', 'INVALID-EVE');
const flag = fc.constantFrom('true', 'false');

/** Weights so that most stories charge now and then, and each rare thing happens in some. */
const MOVES: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Move>])[] = [
  [8, fc.record({ type: fc.constant('plug' as const), connector })],
  [4, fc.record({ type: fc.constantFrom('unplug' as const, 'pullAtTheCar' as const), connector })],
  [8, fc.record({ type: fc.constant('tag' as const), idTag, connector })],
  [8, fc.record({ type: fc.constant('remoteStart' as const), idTag, connector })],
  [4, fc.record({ type: fc.constant('remoteStop' as const), nth: fc.integer({ min: 0, max: 2 }) })],
  [2, fc.record({ type: fc.constantFrom('fault' as const, 'repair' as const), connector })],
  [
    1,
    fc.record({
      type: fc.constant('availability' as const),
      connector: fc.integer({ min: 0, max: 2 }),
      operative: fc.boolean(),
    }),
  ],
  [
    1,
    fc.record({
      type: fc.constant('reserve' as const),
      connector: fc.integer({ min: 0, max: 2 }),
      idTag,
      id: fc.integer({ min: 1, max: 3 }),
    }),
  ],
  [1, fc.record({ type: fc.constant('cancel' as const), id: fc.integer({ min: 1, max: 3 }) })],
  [1, fc.record({ type: fc.constant('unlock' as const), connector })],
  [3, fc.record({ type: fc.constantFrom('cut' as const, 'restore' as const, 'closeSocket' as const) })],
  [
    2,
    fc.record({
      type: fc.constantFrom('powerCut' as const, 'kill' as const, 'softReset' as const, 'hardReset' as const),
    }),
  ],
  [1, fc.record({ type: fc.constant('jump' as const), ms: fc.integer({ min: -3_600_000, max: 3_600_000 }) })],
  [
    1,
    fc.record({
      type: fc.constant('key' as const),
      key: fc.constantFrom(
        'StopTransactionOnEVSideDisconnect',
        'UnlockConnectorOnEVSideDisconnect',
        'StopTransactionOnInvalidId',
        'AuthorizeRemoteTxRequests',
        'AllowOfflineTxForUnknownId',
      ),
      value: flag,
    }),
  ],
  [10, fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 150_000 }) })],
];

export const story: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(...MOVES.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  { minLength: 4, maxLength: 40 },
);

/** Carries one move out and lets it settle. */
export async function play(world: World, move: Move): Promise<void> {
  const { board, central, network, clock } = world;
  switch (move.type) {
    case 'plug':
      board.inputs.patchConnector(move.connector, { ev: { plugged: true, end: 'cable' } });
      break;
    case 'unplug':
      board.inputs.patchConnector(move.connector, { ev: { plugged: false, end: 'cable' } });
      break;
    case 'pullAtTheCar':
      board.inputs.patchConnector(move.connector, { ev: { plugged: false, end: 'car' } });
      break;
    case 'fault':
      board.inputs.setFault(move.connector, 'groundFault', {});
      break;
    case 'repair':
      board.inputs.setFault(move.connector, 'groundFault', null);
      break;
    case 'tag':
      board.inputs.present(move.idTag, [move.connector]);
      break;
    case 'remoteStart':
      call(world, 'RemoteStartTransaction', { idTag: move.idTag, connectorId: move.connector });
      break;
    case 'remoteStop':
      call(world, 'RemoteStopTransaction', { transactionId: central.transactions.at(-1 - move.nth)?.id ?? 0 });
      break;
    case 'availability':
      call(world, 'ChangeAvailability', {
        connectorId: move.connector,
        type: move.operative ? 'Operative' : 'Inoperative',
      });
      break;
    case 'reserve':
      call(world, 'ReserveNow', {
        connectorId: move.connector,
        idTag: move.idTag,
        reservationId: move.id,
        expiryDate: new Date(clock.wall(clock.now()) + 300_000).toISOString(),
      });
      break;
    case 'cancel':
      call(world, 'CancelReservation', { reservationId: move.id });
      break;
    case 'unlock':
      call(world, 'UnlockConnector', { connectorId: move.connector });
      break;
    case 'key':
      call(world, 'ChangeConfiguration', { key: move.key, value: move.value });
      break;
    case 'cut':
      network.cut();
      break;
    case 'restore':
      network.restore();
      break;
    case 'closeSocket':
      central.close();
      break;
    case 'powerCut':
    case 'kill':
      await restart(world, move.type);
      break;
    case 'softReset':
    case 'hardReset':
      call(world, 'Reset', { type: move.type === 'softReset' ? 'Soft' : 'Hard' });
      break;
    case 'jump':
      clock.jumpTo(clock.wall(clock.now()) + move.ms);
      break;
    case 'wait':
      await clock.advance(move.ms);
      break;
  }
  // No two facts of one connector have the same millisecond, so that each can be told from its repetition.
  await world.clock.advance(1);
  if (world.exits.length > 0) await restart(world, 'kill');
}

/** A call whose answer nobody waits for: the link may be down. */
function call({ central }: World, action: string, payload: Record<string, unknown>): void {
  if (central.connected) void central.call(action, payload);
}

const BOOT_MS = 3000;

/** The cars stay where they are; where the world does not see to that by itself, they are there a moment after the boot. */
async function restart(world: World, how: 'powerCut' | 'kill'): Promise<void> {
  const plugged = world.agent.view().connectors.map(({ id }) => ({
    id,
    isPlugged: world.board.connector(id).observe().pilot !== 'A',
  }));
  world.exits.length = 0;
  await world[how]();
  await world.clock.advance(BOOT_MS);
  await world.boot();
  for (const { id, isPlugged } of plugged) {
    if (isPlugged && world.options.lasting !== true) world.board.inputs.patchConnector(id, { ev: { plugged: true } });
  }
  await world.clock.advance(0);
}
