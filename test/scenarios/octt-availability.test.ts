/** OCTT cases about availability, locks and resets without a transaction: each with every frame of its story (octt.md). */
import { describe, expect, it } from 'vitest';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const QUIET = { MeterValueSampleInterval: '0' };
const PAIR: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: QUIET,
};
const socket = (keys: Readonly<Record<string, string>> = {}): WorldOptions => ({
  connectors: [{ id: 1, cable: 'socket' }],
  keys: { ...QUIET, ...keys },
});

const unlock = (connectorId = 1) => play.call('UnlockConnector', { connectorId });
const reset = (type: string) => play.call('Reset', { type });
const availability = (connectorId: number, type: 'Operative' | 'Inoperative') =>
  play.call('ChangeAvailability', { connectorId, type });
const pullAtTheCar = ({ board }: World): void => board.inputs.patchConnector(1, { ev: { plugged: false, end: 'car' } });
const jam =
  (how: 'lock' | 'unlock') =>
  ({ board }: World): void =>
    board.inputs.patchConnector(1, { jam: how });
const isLocked = (world: World) => world.board.connector(1).observe().locked;
const locked =
  (is: boolean) =>
  (world: World): void =>
    expect(isLocked(world)).toBe(is);

async function charging(options: WorldOptions): Promise<World> {
  const world = await World.start(options);
  await story(
    world,
    [
      [0, play.plugIn()],
      [0, play.tag('ABC', [1])],
    ],
    5,
  );
  expect(world.board.connector(1).observe().contactor).toBe('closed');
  return world;
}

describe('the EV side is disconnected', () => {
  it('TC_005_1: with both keys true the transaction stops and the plug is unlocked; cable out is Available', async () => {
    const world = await charging(socket());
    const log = await story(
      world,
      [
        [0, pullAtTheCar],
        [5, locked(false)],
        [10, play.unplug()],
      ],
      60,
    );
    expect(log).toEqual([
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 EVDisconnected',
      '10 > StatusNotification 1 Available',
    ]);
  });

  it('TC_005_2: without UnlockConnectorOnEVSideDisconnect the plug stays locked until UnlockConnector', async () => {
    const world = await charging(socket({ UnlockConnectorOnEVSideDisconnect: 'false' }));
    const log = await story(
      world,
      [
        [0, pullAtTheCar],
        [5, locked(true)],
        [10, unlock()],
        [15, locked(false)],
        [20, play.unplug()],
      ],
      60,
    );
    expect(log).toEqual([
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 EVDisconnected',
      '10 < UnlockConnector = Unlocked',
      '20 > StatusNotification 1 Available',
    ]);
  });

  it('TC_005_3: without both the transaction stays SuspendedEV until RemoteStop', async () => {
    const keys = { StopTransactionOnEVSideDisconnect: 'false', UnlockConnectorOnEVSideDisconnect: 'false' };
    const world = await charging(socket(keys));
    const stop = play.call('RemoteStopTransaction', { transactionId: 1 });
    expect(
      await story(
        world,
        [
          [0, pullAtTheCar],
          [30, stop],
          [40, play.unplug()],
        ],
        60,
      ),
    ).toEqual([
      '0 > StatusNotification 1 SuspendedEV',
      '30 < RemoteStopTransaction 1 = Accepted',
      '30 > StatusNotification 1 Finishing',
      '30 > StopTransaction 1 Remote',
      '40 > StatusNotification 1 Available',
    ]);
  });
});

describe('Reset without a transaction', () => {
  it.each([
    ['TC_013', 'Hard'],
    ['TC_014', 'Soft'],
  ])('%s: %s keeps the connector Unavailable that was, and no other', async (_, type) => {
    const world = await World.start(PAIR);
    const log = await story(
      world,
      [
        [0, availability(1, 'Inoperative')],
        [5, reset(type)],
        [6, ({ exits }): void => expect(exits).toEqual(['reset'])],
        [10, play.restart('kill', 5)],
        [20, availability(1, 'Operative')],
      ],
      60,
    );
    expect(log).toEqual([
      '0 < ChangeAvailability = Accepted',
      '0 > StatusNotification 1 Unavailable',
      '5 < Reset = Accepted',
      '15 > BootNotification = Accepted',
      '15 > StatusNotification 0 Available',
      '15 > StatusNotification 1 Unavailable',
      '15 > StatusNotification 2 Available',
      '20 < ChangeAvailability = Accepted',
      '20 > StatusNotification 1 Available',
    ]);
  });
});

describe('UnlockConnector', () => {
  it('TC_017_1: without a session on a socket is Unlocked', async () => {
    const world = await World.start(socket());
    expect(await story(world, [[0, unlock()]], 60)).toEqual(['0 < UnlockConnector = Unlocked']);
  });

  it('TC_017_2: without a session on a fixed cable is NotSupported', async () => {
    const world = await World.start(PAIR);
    expect(await story(world, [[0, unlock()]], 60)).toEqual(['0 < UnlockConnector = NotSupported']);
  });

  it('TC_018_1: with a session stops, unlocks and then answers; unplugged it is Available', async () => {
    const world = await charging(socket());
    const order: Promise<unknown>[] = [];
    const ask = (asked: World): void => {
      order.push(asked.central.call('UnlockConnector', { connectorId: 1 }));
    };
    expect(
      await story(
        world,
        [
          [0, ask],
          [10, locked(false)],
          [20, play.unplug()],
        ],
        60,
      ),
    ).toEqual([
      '0 < UnlockConnector',
      '0 > StatusNotification 1 Finishing',
      '0 > UnlockConnector.conf Unlocked',
      '0 < StatusNotification.conf ',
      '0 > StopTransaction 1 UnlockCommand',
      '20 > StatusNotification 1 Available',
    ]);
    expect(await Promise.all(order)).toEqual([{ status: 'Unlocked' }]);
  });

  it('TC_018_2: with a session on a fixed cable is NotSupported and the session goes on until it is stopped', async () => {
    const world = await charging(PAIR);
    expect(
      await story(
        world,
        [
          [0, unlock()],
          [30, play.tag('ABC', [1])],
        ],
        60,
      ),
    ).toEqual([
      '0 < UnlockConnector = NotSupported',
      '30 > StatusNotification 1 Finishing',
      '30 > StopTransaction 1 ABC Local',
    ]);
  });

  it('TC_030: with a jammed lock is UnlockFailed', async () => {
    const world = await World.start(socket({ UnlockConnectorOnEVSideDisconnect: 'false' }));
    await story(
      world,
      [
        [0, play.plugIn()],
        [0, play.tag('ABC')],
        [10, pullAtTheCar],
      ],
      20,
    );
    expect(isLocked(world)).toBe(true);
    const log = await story(
      world,
      [
        [0, jam('unlock')],
        [1, unlock()],
        [5, locked(true)],
      ],
      60,
    );
    expect(log).toEqual([
      '1 < UnlockConnector',
      '1 > StatusNotification 1 Finishing ConnectorLockFailure',
      '1 > UnlockConnector.conf UnlockFailed',
      '1 < StatusNotification.conf ',
    ]);
  });

  it.each([0, 3])('TC_031: of connector %i, which has no plug, is refused', async (connectorId) => {
    const world = await World.start(socket());
    expect(await story(world, [[0, unlock(connectorId)]], 60)).toEqual(['0 < UnlockConnector = NotSupported']);
  });
});

describe('a power failure', () => {
  it('TC_034: what was made Unavailable is it afterwards, connector 0 and all others', async () => {
    const world = await World.start(PAIR);
    const log = await story(
      world,
      [
        [0, availability(0, 'Inoperative')],
        [10, play.restart('powerCut', 5)],
      ],
      60,
    );
    expect(log).toEqual([
      '0 < ChangeAvailability = Accepted',
      '0 > StatusNotification 0 Unavailable',
      '0 > StatusNotification 1 Unavailable',
      '0 > StatusNotification 2 Unavailable',
      '15 > BootNotification = Accepted',
      '15 > StatusNotification 0 Unavailable',
      '15 > StatusNotification 1 Unavailable',
      '15 > StatusNotification 2 Unavailable',
    ]);
  });
});
