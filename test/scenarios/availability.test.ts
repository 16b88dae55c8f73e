/** ChangeAvailability, UnlockConnector and the statuses between (OCPP 1.6 sections 4.9, 5.2 and 5.18; octt.md). */
import { describe, expect, it } from 'vitest';
import * as play from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const SOCKET: WorldOptions = { connectors: [{ id: 1, cable: 'socket' }], keys: { MeterValueSampleInterval: '0' } };
const PAIR: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: { MeterValueSampleInterval: '0' },
};

const change = (world: World, connectorId: number, type: string) =>
  world.central.call('ChangeAvailability', { connectorId, type });
const unlock = (world: World, connectorId = 1) => world.central.call('UnlockConnector', { connectorId });

async function charging(options: WorldOptions, connectorId = 1): Promise<World> {
  const world = await World.start(options);
  world.plugIn(connectorId);
  await world.clock.advance(seconds(1));
  await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId });
  await world.clock.advance(seconds(5));
  return world;
}

/** What the charge point says while `action` runs and `ms` after it. */
async function said(world: World, action: () => unknown, ms = seconds(5)): Promise<readonly string[]> {
  const before = world.central.calls().length;
  await action();
  await world.clock.advance(ms);
  return world.story().slice(before);
}

describe('ChangeAvailability', () => {
  it('makes an idle connector Unavailable, and Available again', async () => {
    const world = await World.start(PAIR);
    expect(await said(world, () => change(world, 1, 'Inoperative'))).toEqual(['StatusNotification(1 Unavailable)']);
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 })).toEqual({
      status: 'Rejected',
    });
    expect(await said(world, () => change(world, 1, 'Operative'))).toEqual(['StatusNotification(1 Available)']);
  });

  it('of connector 0 changes all (TC_034 before the power failure)', async () => {
    const world = await World.start(PAIR);
    const lines = await said(world, () => change(world, 0, 'Inoperative'));
    expect(lines.toSorted()).toEqual([
      'StatusNotification(0 Unavailable)',
      'StatusNotification(1 Unavailable)',
      'StatusNotification(2 Unavailable)',
    ]);
  });

  it('survives a loss of power (TC_034)', async () => {
    const world = await World.start(PAIR);
    await change(world, 0, 'Inoperative');
    await world.powerCut();
    const lines = await said(world, () => world.boot());
    expect(lines).toEqual([
      'BootNotification',
      'StatusNotification(0 Unavailable)',
      'StatusNotification(1 Unavailable)',
      'StatusNotification(2 Unavailable)',
    ]);
  });

  it.each(['Hard', 'Soft'])('survives a %s reset without a transaction (TC_013, TC_014)', async (type) => {
    const world = await World.start(PAIR);
    await change(world, 1, 'Inoperative');
    expect(await world.central.call('Reset', { type })).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(1));
    expect(world.exits).toEqual(['reset']);
    await world.kill();
    const lines = await said(world, () => world.boot());
    expect(lines).toEqual([
      'BootNotification',
      'StatusNotification(0 Available)',
      'StatusNotification(1 Unavailable)',
      'StatusNotification(2 Available)',
    ]);
    expect(await said(world, () => change(world, 1, 'Operative'))).toEqual(['StatusNotification(1 Available)']);
  });

  it('is Scheduled while a transaction runs, and happens after it', async () => {
    const world = await charging(PAIR);
    expect(
      await said(world, async () => expect(await change(world, 1, 'Inoperative')).toEqual({ status: 'Scheduled' })),
    ).toEqual([]);
    const lines = await said(world, () => world.central.call('RemoteStopTransaction', { transactionId: 1 }));
    expect(lines).toEqual(['StatusNotification(1 Finishing)', 'StopTransaction', 'StatusNotification(1 Unavailable)']);
  });

  it.each<[string, number, (world: World) => unknown]>([
    ['on the first connector', 1, () => {}],
    ['on the last connector', 2, () => {}],
    ['over a loss of power', 1, play.restart('powerCut', 5, [1])],
  ])('of connector 0 is said of it when the transaction %s has ended (section 5.2)', async (_, id, meanwhile) => {
    const world = await charging({ ...PAIR, resumeWithinS: 90, lasting: true }, id);
    expect(
      await said(world, async () => expect(await change(world, 0, 'Inoperative')).toEqual({ status: 'Scheduled' })),
    ).toEqual([`StatusNotification(${3 - id} Unavailable)`]);
    const until = await said(world, () => meanwhile(world), minutes(1));
    expect(until).not.toContain('StatusNotification(0 Unavailable)');
    expect(world.central.received('StopTransaction')).toEqual([]);
    const stopped = await said(world, () => world.central.call('RemoteStopTransaction', { transactionId: 1 }));
    expect(stopped.toSorted()).toEqual([
      'StatusNotification(0 Unavailable)',
      `StatusNotification(${id} Finishing)`,
      `StatusNotification(${id} Unavailable)`,
      'StopTransaction',
    ]);
    expect(stopped.indexOf('StatusNotification(0 Unavailable)')).toBeGreaterThan(stopped.indexOf('StopTransaction'));
  });

  it('that is scheduled can be taken back', async () => {
    const world = await charging(PAIR);
    await change(world, 1, 'Inoperative');
    expect(await change(world, 1, 'Operative')).toEqual({ status: 'Accepted' });
    await world.central.call('RemoteStopTransaction', { transactionId: 1 });
    await world.clock.advance(seconds(10));
    expect(world.story().at(-1)).toBe('StopTransaction');
  });

  it('passes Available on the way from Preparing', async () => {
    const world = await World.start(PAIR);
    world.present('ABC', [1]);
    await world.clock.advance(seconds(1));
    expect(await said(world, () => change(world, 1, 'Inoperative'))).toEqual([
      'StatusNotification(1 Available)',
      'StatusNotification(1 Unavailable)',
    ]);
  });

  it('of an unknown connector is Rejected, and of a state it is in already Accepted', async () => {
    const world = await World.start(PAIR);
    expect(await change(world, 3, 'Inoperative')).toEqual({ status: 'Rejected' });
    expect(
      await said(world, async () => expect(await change(world, 2, 'Operative')).toEqual({ status: 'Accepted' })),
    ).toEqual([]);
  });

  it('that cannot be stored is Rejected and changes nothing', async () => {
    const world = await World.start(PAIR);
    world.disk.failWrites(true);
    expect(
      await said(world, async () => expect(await change(world, 1, 'Inoperative')).toEqual({ status: 'Rejected' })),
    ).toEqual([]);
  });
});

describe('UnlockConnector', () => {
  it('without a session unlocks (TC_017_1)', async () => {
    const world = await World.start(SOCKET);
    expect(await unlock(world)).toEqual({ status: 'Unlocked' });
  });

  it('of an attached cable or an unknown connector is NotSupported (TC_017_2, TC_031)', async () => {
    const world = await World.start(PAIR);
    expect(await unlock(world, 1)).toEqual({ status: 'NotSupported' });
    expect(await unlock(world, 9)).toEqual({ status: 'NotSupported' });
    expect(await unlock(world, 0)).toEqual({ status: 'NotSupported' });
  });

  it('with a session stops, unlocks and answers, in this order (TC_018_1)', async () => {
    const world = await charging(SOCKET);
    const before = world.central.calls().length;
    const answer = unlock(world);
    await world.clock.advance(seconds(10));
    expect(await answer).toEqual({ status: 'Unlocked' });
    expect(world.central.received('StopTransaction')).toMatchObject([{ reason: 'UnlockCommand' }]);
    expect(world.board.connector(1).observe()).toMatchObject({ contactor: 'open', locked: false });
    world.unplug();
    await world.clock.advance(seconds(1));
    expect(world.story().slice(before)).toEqual([
      'StatusNotification(1 Finishing)',
      'StopTransaction',
      'StatusNotification(1 Available)',
    ]);
  });

  it('with a session on an attached cable is NotSupported and the session goes on (TC_018_2)', async () => {
    const world = await charging(PAIR);
    expect(await unlock(world)).toEqual({ status: 'NotSupported' });
    await world.clock.advance(minutes(1));
    expect(world.board.connector(1).observe().contactor).toBe('closed');
  });

  it('with a jammed lock is UnlockFailed (TC_030)', async () => {
    const world = await charging(SOCKET);
    world.board.inputs.patchConnector(1, { jam: 'unlock' });
    await world.central.call('RemoteStopTransaction', { transactionId: 1 });
    await world.clock.advance(seconds(10));
    const answer = unlock(world);
    await world.clock.advance(seconds(10));
    expect(await answer).toEqual({ status: 'UnlockFailed' });
  });

  it('never lets go of a plug under a welded contactor', async () => {
    const world = await charging(SOCKET);
    world.board.inputs.patchConnector(1, { jam: 'welded' });
    const answer = unlock(world);
    await world.clock.advance(seconds(20));
    expect(await answer).toEqual({ status: 'UnlockFailed' });
    expect(world.board.connector(1).observe().locked).toBe(true);
  });
});

describe('a plug that nobody authorises', () => {
  it('is Finishing after ConnectionTimeOut where one reader serves several connectors (errata 3.20)', async () => {
    const world = await World.start({ ...PAIR, keys: { ...PAIR.keys, ConnectionTimeOut: '30' } });
    expect(await said(world, () => world.plugIn(), seconds(31))).toEqual([
      'StatusNotification(1 Preparing)',
      'StatusNotification(1 Finishing)',
    ]);
  });

  it('stays Preparing where there is only one connector', async () => {
    const world = await World.start({ ...SOCKET, keys: { ConnectionTimeOut: '30' } });
    expect(await said(world, () => world.plugIn(), minutes(5))).toEqual(['StatusNotification(1 Preparing)']);
  });
});

describe('a cable that is pulled at the car (socket outlet)', () => {
  const pull = (world: World) => world.board.inputs.patchConnector(1, { ev: { plugged: false, end: 'car' } });
  const takeAway = (world: World) => world.board.inputs.patchConnector(1, { ev: { plugged: false, end: 'cable' } });
  const keys = (stop: boolean, unlockIt: boolean) => ({
    MeterValueSampleInterval: '0',
    StopTransactionOnEVSideDisconnect: String(stop),
    UnlockConnectorOnEVSideDisconnect: String(unlockIt),
  });

  it('stops, says so, and is unlocked (TC_005_1)', async () => {
    const world = await charging({ ...SOCKET, keys: keys(true, true) });
    expect(await said(world, () => pull(world))).toEqual(['StatusNotification(1 Finishing)', 'StopTransaction']);
    expect(world.central.received('StopTransaction')).toMatchObject([{ reason: 'EVDisconnected' }]);
    expect(world.central.received('StatusNotification').at(-1)).toMatchObject({ info: 'EV side disconnected' });
    expect(world.board.connector(1).observe().locked).toBe(false);
    expect(await said(world, () => takeAway(world))).toEqual(['StatusNotification(1 Available)']);
  });

  it('stays locked until UnlockConnector without UnlockConnectorOnEVSideDisconnect (TC_005_2)', async () => {
    const world = await charging({ ...SOCKET, keys: keys(true, false) });
    expect(await said(world, () => pull(world))).toEqual(['StatusNotification(1 Finishing)', 'StopTransaction']);
    expect(world.board.connector(1).observe().locked).toBe(true);
    expect(await unlock(world)).toEqual({ status: 'Unlocked' });
    expect(await said(world, () => takeAway(world))).toEqual(['StatusNotification(1 Available)']);
  });

  it('is SuspendedEV, until a remote stop, without StopTransactionOnEVSideDisconnect (TC_005_3)', async () => {
    const world = await charging({ ...SOCKET, keys: keys(false, false) });
    expect(await said(world, () => pull(world))).toEqual(['StatusNotification(1 SuspendedEV)']);
    expect(await said(world, () => world.central.call('RemoteStopTransaction', { transactionId: 1 }))).toEqual([
      'StatusNotification(1 Finishing)',
      'StopTransaction',
    ]);
    expect(world.central.received('StopTransaction')).toMatchObject([{ reason: 'Remote' }]);
  });

  it('charges on when it is plugged in again without StopTransactionOnEVSideDisconnect', async () => {
    const world = await charging({ ...SOCKET, keys: keys(false, false) });
    await said(world, () => pull(world));
    expect(await said(world, () => world.plugIn(), seconds(10))).toEqual([
      // No longer because it is away.
      'StatusNotification(1 SuspendedEV)',
      'StatusNotification(1 Charging)',
    ]);
    expect(world.central.received('StartTransaction')).toHaveLength(1);
  });
});
