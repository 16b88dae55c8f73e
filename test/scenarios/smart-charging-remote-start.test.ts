/** The charging profile of a RemoteStartTransaction (OCPP 1.6 sections 5.11 and 5.16.2). */
import { describe, expect, it } from 'vitest';
import { cached } from '../sim/driver.ts';
import type { Payload } from '../sim/network.ts';
import {
  ACCEPTED,
  byDefault,
  charge,
  LASTING,
  leave,
  ofAll,
  offerA,
  profile,
  REJECTED,
  remoteStart,
  set,
  start,
  starts,
  statuses,
  TWO,
  wasInstalled,
  watched,
} from '../sim/smart-charging.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import type { World } from '../sim/world.ts';

describe('a remote start with a profile', () => {
  const schedule = {
    periods: [
      [0, 10],
      [60, 8],
    ],
  } as const;

  it('before the plug comes waits for it: bounded from the first offer on, relative to the start', async () => {
    const { world, offersSince } = await watched();
    const t = world.clock.now();
    expect(await remoteStart(world, profile(schedule))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(60));
    world.plugIn();
    await world.clock.advance(seconds(70));
    expect(offersSince(t)).toEqual([
      [60, 10],
      [119.9, 8],
    ]);
  });

  it('is never offered more, also when an EV asks at once', async () => {
    const { world, offers } = await watched();
    world.board.inputs.patchConnector(1, { ev: { plugged: true, mode: 'C' } });
    await world.clock.advance(seconds(1));
    await remoteStart(world, profile({ periods: [[0, 6]] }));
    await world.clock.advance(minutes(1));
    expect(offers()).toEqual([0, 6]);
    expect(world.board.connector(1).observe()).toMatchObject({ contactor: 'closed', amps: 6 });
  });

  it('keeps it back altogether if it allows less than 6 A', async () => {
    const { world, offers } = await watched();
    const said = statuses(world);
    world.plugIn();
    await world.clock.advance(seconds(1));
    await remoteStart(world, profile({ periods: [[0, 0]] }));
    await world.clock.advance(minutes(1));
    expect(offers()).toEqual([0]);
    expect(said()).toEqual(['Preparing', 'SuspendedEVSE: TxProfile 1 allows 0 A']);
    expect(starts(world)).toHaveLength(1);
  });

  it('does not look at the transactionId that it may have (errata 3.41), and is replaced by one that names it', async () => {
    const { world, offers } = await watched();
    world.plugIn();
    await world.clock.advance(seconds(1));
    expect(await remoteStart(world, profile({ id: 1, more: { transactionId: 77 } }))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(10));
    expect(await set(world, profile({ id: 2, level: 1, periods: [[0, 6]], schedule: { duration: 30 } }))).toEqual(
      ACCEPTED,
    );
    await world.clock.advance(seconds(30));
    expect(await set(world, profile({ id: 3, periods: [[0, 16]], more: { transactionId: 1 } }))).toEqual(ACCEPTED);
    await world.clock.advance(seconds(10));
    expect(offers()).toEqual([0, 10, 6, 10, 16]);
    expect([await wasInstalled(world, 1), await wasInstalled(world, 2), await wasInstalled(world, 3)]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('goes before the TxDefaultProfile, which counts where it says nothing', async () => {
    const { world, offers } = await watched();
    await set(world, byDefault({ id: 2, periods: [[0, 6]] }), 0);
    world.plugIn();
    await world.clock.advance(seconds(1));
    await remoteStart(world, profile({ periods: [[0, 16]], schedule: { duration: 60 } }));
    await world.clock.advance(seconds(90));
    expect(offers()).toEqual([0, 16, 6]);
  });

  it('is Rejected with a profile that is no good, and says why in the log', async () => {
    const world = await start();
    expect(await remoteStart(world, profile({ periods: [[5, 10]] }))).toEqual(REJECTED);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ message: 'a remote start was rejected: the first startPeriod is not 0' }),
    );
    await charge(world);
    expect(offerA(world)).toBe(32);
  });

  it('is Rejected where no more profiles may be installed, and the next transaction is not bounded', async () => {
    const { world, offers } = await watched({ keys: { MaxChargingProfilesInstalled: '1' } });
    await set(world, ofAll({ id: 9, periods: [[0, 20]] }), 0);
    expect(await remoteStart(world, profile())).toEqual(REJECTED);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ message: 'a remote start was rejected: MaxChargingProfilesInstalled is reached' }),
    );
    await charge(world);
    expect(offers()).toEqual([0, 20]);
  });

  it('counts those that wait on other connectors, and not the one whose id it has', async () => {
    const world = await start({ connectors: TWO, keys: { MaxChargingProfilesInstalled: '1' } });
    const onTwo = (id: number) =>
      world.central.call('RemoteStartTransaction', { idTag: 'TWO', connectorId: 2, chargingProfile: profile({ id }) });
    expect(await remoteStart(world, profile({ id: 1 }))).toEqual(ACCEPTED);
    expect(await onTwo(2)).toEqual(REJECTED);
    expect(await onTwo(1)).toEqual(ACCEPTED);
  });

  it('that was Accepted bounds its transaction although there is no more room by then, and ends with it', async () => {
    const { world, offers } = await watched({ keys: { MaxChargingProfilesInstalled: '1' }, ...LASTING });
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await set(world, byDefault({ id: 9, periods: [[0, 20]] }), 0);
    world.plugIn();
    await world.clock.advance(seconds(20));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(20));
    await leave(world);
    await charge(world);
    expect(offers()).toEqual([0, 10, 0, 10, 0, 20]);
  });

  /** A local start of the same tag, long after; nothing of the remote start may be left. */
  async function expectUnbounded(world: World): Promise<void> {
    await world.clock.advance(seconds(5));
    await charge(world);
    expect([starts(world).at(-1)?.['idTag'], offerA(world)]).toEqual(['ABC', 32]);
    await world.clock.advance(seconds(5));
    expect(await wasInstalled(world, 1)).toBe(false);
  }

  it('that nobody plugs in for is forgotten with its time-out', async () => {
    const world = await start({ keys: { ConnectionTimeOut: '30' } });
    await remoteStart(world, profile());
    await world.clock.advance(seconds(31));
    expect(world.agent.view().connectors[0]?.status).toBe('Available');
    await expectUnbounded(world);
  });

  it('that the same tag gives back at the reader is forgotten', async () => {
    const world = await start();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(5));
    world.present('ABC');
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors[0]?.status).toBe('Available');
    await expectUnbounded(world);
  });

  it('that is not authorised is forgotten', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true' } });
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Blocked' } }));
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(5));
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    await expectUnbounded(world);
  });

  it('that a fault overtakes while the tag is being authorised is forgotten', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true' } });
    world.central.answer('Authorize', () => {
      world.board.inputs.setFault(1, 'groundFault', {});
      return { idTagInfo: { status: 'Accepted' } };
    });
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors[0]?.status).toBe('Faulted');
    world.board.inputs.setFault(1, 'groundFault', null);
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    await expectUnbounded(world);
  });

  it('that a loss of power overtakes before it has begun is forgotten', async () => {
    const world = await start();
    await remoteStart(world, profile());
    await world.powerCut();
    await world.boot();
    await expectUnbounded(world);
  });

  it('does not begin without its profile, which somebody in between has spent', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true', LocalPreAuthorize: 'true' } });
    await cached(world, 'BOB');
    world.central.answer('Authorize', () => 'silence');
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await cached(world, 'BOB');
    const authorize = world.central.calls().findLast(({ frame }) => frame[2] === 'Authorize');
    world.central.raw(JSON.stringify([3, authorize?.frame[1], { idTagInfo: { status: 'Accepted' } }]));
    world.plugIn();
    await world.clock.advance(seconds(5));
    expect(starts(world)).toEqual([]);
    expect(world.logged.map(({ message }) => message)).toContain(
      'a remote start does not begin: its charging profile was given up meanwhile',
    );
  });

  it.each<[string, Payload]>([
    ['without criteria', {}],
    ['by its id', { id: 1 }],
    ['by its connector, purpose and level', { connectorId: 1, chargingProfilePurpose: 'TxProfile', stackLevel: 0 }],
  ])('that waits for the plug is cleared like any other: %s (errata 3.25)', async (_, criteria) => {
    const { world, offers } = await watched();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(1));
    const other = { ...criteria, ...('id' in criteria ? { id: 2 } : { stackLevel: 1 }) };
    expect(await world.central.call('ClearChargingProfile', other)).toEqual({ status: 'Unknown' });
    expect(await world.central.call('ClearChargingProfile', criteria)).toEqual(ACCEPTED);
    expect(await world.central.call('ClearChargingProfile', criteria)).toEqual({ status: 'Unknown' });
    expect(await world.disk.read({ from: 'charging-profile', to: 'charging-profilf' })).toEqual([]);
    world.plugIn();
    await world.clock.advance(seconds(5));
    expect([starts(world).length, offers()]).toEqual([1, [0, 32]]);
  });

  it('that cannot be taken off the disk is not cleared, and bounds its transaction', async () => {
    const world = await start();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(1));
    world.disk.failWrites(true);
    expect(await world.central.call('ClearChargingProfile', {})).toEqual({ status: 'Unknown' });
    world.disk.failWrites(false);
    world.plugIn();
    await world.clock.advance(seconds(5));
    expect(offerA(world)).toBe(10);
  });

  it('that begins while its profile is being cleared goes on without it', async () => {
    const world = await start();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(1));
    // The start of the transaction goes to the disk before what the call has to write.
    world.disk.during('', () => new Promise<void>((resolve) => world.clock.after(seconds(2), resolve)));
    world.plugIn();
    await world.clock.advance(seconds(1));
    const answer = world.central.call('ClearChargingProfile', {});
    await world.clock.advance(seconds(5));
    expect([await answer, starts(world).length, offerA(world)]).toEqual([ACCEPTED, 1, 32]);
    expect(await world.disk.read({ from: 'charging-profile', to: 'charging-profilf' })).toEqual([]);
  });

  it('begins without its profile if that was cleared while the tag was being authorised: it was not given up', async () => {
    const world = await start({ keys: { AuthorizeRemoteTxRequests: 'true' } });
    world.central.answer('Authorize', () => 'silence');
    await remoteStart(world, profile());
    await world.clock.advance(seconds(1));
    expect(await world.central.call('ClearChargingProfile', {})).toEqual(ACCEPTED);
    const authorize = world.central.calls().findLast(({ frame }) => frame[2] === 'Authorize');
    world.central.raw(JSON.stringify([3, authorize?.frame[1], { idTagInfo: { status: 'Accepted' } }]));
    world.plugIn();
    await world.clock.advance(seconds(5));
    expect([starts(world).length, offerA(world)]).toEqual([1, 32]);
  });

  it('bounds no other tag that begins instead of it, nor its own tag afterwards', async () => {
    const { world, offers } = await watched({
      keys: { AuthorizeRemoteTxRequests: 'true', LocalPreAuthorize: 'true' },
    });
    await world.central.call('SendLocalList', {
      listVersion: 1,
      updateType: 'Full',
      localAuthorizationList: [{ idTag: 'OTHER', idTagInfo: { status: 'Accepted' } }],
    });
    world.central.answer('Authorize', () => 'silence');
    expect(await remoteStart(world, profile())).toEqual(ACCEPTED);
    await world.clock.advance(seconds(1));
    await charge(world, 1, 'OTHER');
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    await world.clock.advance(minutes(2));
    expect([starts(world).map(({ idTag }) => idTag), offers()]).toEqual([['OTHER'], [0, 32]]);
    await leave(world);
    await expectUnbounded(world);
  });

  it('ends with its transaction', async () => {
    const world = await start();
    world.plugIn();
    await remoteStart(world, profile());
    await world.clock.advance(seconds(5));
    expect(offerA(world)).toBe(10);
    await leave(world);
    await expectUnbounded(world);
  });
});
