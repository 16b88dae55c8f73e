/** Who may charge, on the wire: readers, remote starts, starts without a link, stops, free vend (facts/octt.md), each frame named. */
import { describe, expect, it } from 'vitest';
import {
  coil,
  entry,
  full,
  lock,
  plug,
  SOCKET,
  says,
  send,
  start,
  startSays,
  TWO,
  tag,
  unplug,
} from '../sim/driver.ts';
import type { Payload } from '../sim/network.ts';
import { asking, during } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import type { World } from '../sim/world.ts';

describe('one reader for two connectors', () => {
  const at = (world: World, idTag: string) => during(world, seconds(5), () => world.present(idTag, [1, 2]));
  const plugAt = (world: World, id: number) => during(world, seconds(5), () => world.plugIn(id));

  it('TC_006: each session starts and stops on its own connector with its own tag', async () => {
    const world = await start({}, { connectors: TWO });
    expect(await plugAt(world, 1)).toEqual(['0 > StatusNotification 1 Preparing']);
    expect(await at(world, 'A')).toEqual([
      '0 > Authorize A = Accepted',
      '0 > StartTransaction 1 A = Accepted',
      '1 > StatusNotification 1 Charging',
    ]);
    expect(await plugAt(world, 2)).toEqual(['0 > StatusNotification 2 Preparing']);
    expect(await at(world, 'B')).toEqual([
      '0 > Authorize B = Accepted',
      '0 > StartTransaction 2 B = Accepted',
      '1 > StatusNotification 2 Charging',
    ]);
    expect(await at(world, 'A')).toEqual(['0 > StatusNotification 1 Finishing', '0 > StopTransaction 1 A Local']);
    expect(await at(world, 'B')).toEqual(['0 > StatusNotification 2 Finishing', '0 > StopTransaction 2 B Local']);
  });

  it('TC_006: the plug may go into the other connector than the one that waits for it', async () => {
    const world = await start({}, { connectors: TWO });
    expect(await at(world, 'A')).toEqual(['0 > Authorize A = Accepted', '0 > StatusNotification 1 Preparing']);
    expect(await plugAt(world, 2)).toEqual([
      '0 > StatusNotification 2 Preparing',
      '0 > StatusNotification 1 Available',
      '0 > StartTransaction 2 A = Accepted',
      '1 > StatusNotification 2 Charging',
    ]);
  });

  it('TC_006: a plug does not take over what was authorised at the reader of one connector only', async () => {
    const world = await start({}, { connectors: TWO });
    await during(world, seconds(5), () => world.present('A', [1]));
    expect(await plugAt(world, 2)).toEqual(['0 > StatusNotification 2 Preparing']);
  });

  it('a tag begins where an EV waits rather than where none is', async () => {
    const world = await start({}, { connectors: TWO });
    await plugAt(world, 2);
    expect((await at(world, 'A'))[1]).toBe('0 > StartTransaction 2 A = Accepted');
  });

  it('a tag begins where it has reserved rather than where an EV waits', async () => {
    const world = await start({}, { connectors: TWO });
    const expiryDate = new Date(world.clock.wall(world.clock.now()) + minutes(10)).toISOString();
    await world.central.call('ReserveNow', { connectorId: 2, expiryDate, idTag: 'A', reservationId: 7 });
    await plugAt(world, 1);
    expect(await at(world, 'A')).toEqual(['0 > Authorize A = Accepted', '0 > StatusNotification 2 Preparing']);
    expect(await plugAt(world, 2)).toEqual([
      '0 > StartTransaction 2 A 7 = Accepted',
      '1 > StatusNotification 2 Charging',
    ]);
  });

  it('a reservation of the charge point goes with the plug to the other connector', async () => {
    const world = await start({}, { connectors: TWO });
    const expiryDate = new Date(world.clock.wall(world.clock.now()) + minutes(10)).toISOString();
    await world.central.call('ReserveNow', { connectorId: 0, expiryDate, idTag: 'A', reservationId: 7 });
    await at(world, 'A');
    expect((await plugAt(world, 2)).slice(0, 3)).toEqual([
      '0 > StatusNotification 2 Preparing',
      '0 > StatusNotification 1 Available',
      '0 > StartTransaction 2 A 7 = Accepted',
    ]);
  });

  it('a plug in a connector that is reserved for somebody else takes nothing over', async () => {
    const world = await start({}, { connectors: TWO });
    const expiryDate = new Date(world.clock.wall(world.clock.now()) + minutes(10)).toISOString();
    await world.central.call('ReserveNow', { connectorId: 2, expiryDate, idTag: 'B', reservationId: 7 });
    await at(world, 'A');
    expect(await plugAt(world, 2)).toEqual([]);
  });

  it('a tag that is presented again while the central system thinks is one tag', async () => {
    const world = await start({}, { connectors: TWO });
    world.central.answer('Authorize', () => 'silence');
    const log = await during(world, minutes(1), () => {
      world.present('A', [1, 2]);
      world.present('a', [1, 2]);
    });
    expect(log).toEqual(['0 > Authorize A']);
  });
});

describe('a tag that is presented once more', () => {
  it('while its transaction ends begins nothing on the next connector', async () => {
    const world = await start({}, { connectors: TWO });
    const at = (idTag: string) => during(world, seconds(1), () => world.present(idTag, [1, 2]));
    await plug(world);
    await at('A');
    // An EV that does not let go: the contactor opens after 6 s.
    world.board.inputs.patchConnector(1, { ev: { mode: 'C' } });
    expect(await at('A')).toEqual(['0 > StatusNotification 1 Finishing']);
    expect(await at('A')).toEqual([]);
    expect(await during(world, seconds(5), () => {})).toEqual(['4 > StopTransaction 1 A Local']);
  });
});

describe('a remote start', () => {
  const remote = (world: World) => asking(world, 'RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
  const accepted = '0 < RemoteStartTransaction 1 ABC = Accepted';
  const asked = { AuthorizeRemoteTxRequests: 'true' };

  it.each([
    ['false', []],
    ['true', ['0 > Authorize ABC = Accepted']],
  ])('TC_010: cable first, AuthorizeRemoteTxRequests=%s', async (AuthorizeRemoteTxRequests, authorize) => {
    const world = await start({ AuthorizeRemoteTxRequests });
    expect(await plug(world)).toEqual(['0 > StatusNotification 1 Preparing']);
    expect(await remote(world)).toEqual([
      accepted,
      ...authorize,
      '0 > StartTransaction 1 ABC = Accepted',
      '1 > StatusNotification 1 Charging',
    ]);
  });

  it.each([
    ['false', []],
    ['true', ['0 > Authorize ABC = Accepted']],
  ])('TC_011_1: remote first, AuthorizeRemoteTxRequests=%s', async (AuthorizeRemoteTxRequests, authorize) => {
    const world = await start({ AuthorizeRemoteTxRequests });
    expect(await remote(world)).toEqual([accepted, ...authorize, '0 > StatusNotification 1 Preparing']);
    expect(await plug(world)).toEqual(['0 > StartTransaction 1 ABC = Accepted', '1 > StatusNotification 1 Charging']);
  });

  it('TC_011_2: without a plug it is over after ConnectionTimeOut', async () => {
    const world = await start(asked);
    expect(await asking(world, 'RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 }, minutes(2))).toEqual([
      accepted,
      '0 > Authorize ABC = Accepted',
      '0 > StatusNotification 1 Preparing',
      '30 > StatusNotification 1 Available',
    ]);
    expect(await plug(world)).toEqual(['0 > StatusNotification 1 Preparing']);
  });

  it.each(['Blocked', 'Expired', 'Invalid', 'ConcurrentTx'])('of a tag that is %s begins nothing', async (status) => {
    const world = await start(asked);
    says(world, status);
    await plug(world);
    expect(await remote(world)).toEqual([accepted, `0 > Authorize ABC = ${status}`]);
    expect(coil(world)).toBe('open');
    says(world, 'Accepted');
    expect((await remote(world)).slice(0, 2)).toEqual([accepted, '0 > Authorize ABC = Accepted']);
  });

  it('of somebody in the group of a reservation is authorised whatever the keys say: only that tells the group', async () => {
    const world = await start();
    const expiryDate = new Date(world.clock.wall(world.clock.now()) + minutes(10)).toISOString();
    const reservation = { connectorId: 1, expiryDate, idTag: 'MUM', parentIdTag: 'FAMILY', reservationId: 7 };
    await asking(world, 'ReserveNow', reservation);
    says(world, 'Accepted', { parentIdTag: 'NEIGHBOURS' });
    expect(await remote(world)).toEqual([accepted, '0 > Authorize ABC = Accepted']);
    says(world, 'Accepted', { parentIdTag: 'family' });
    await remote(world);
    expect(await plug(world)).toEqual(['0 > StartTransaction 1 ABC 7 = Accepted', '1 > StatusNotification 1 Charging']);
  });

  it('is Rejected while the central system has not accepted us', async () => {
    const world = await start(
      {},
      {
        prepare: (central) =>
          central.answer('BootNotification', () => ({
            status: 'Pending',
            currentTime: '2026-01-05T08:00:00Z',
            interval: 60,
          })),
      },
    );
    expect(await remote(world)).toEqual(['0 < RemoteStartTransaction 1 ABC = Rejected']);
  });

  it('looks into list and cache like a reader does', async () => {
    const world = await start({ ...asked, LocalPreAuthorize: 'true' });
    await send(world, full(1, entry('abc')));
    expect(await remote(world)).toEqual([accepted, '0 > StatusNotification 1 Preparing']);
  });

  it('TC_026: is Rejected while another one waits for its verdict', async () => {
    const world = await start(asked);
    world.central.answer('Authorize', () => 'silence');
    expect(await remote(world)).toEqual([accepted, '0 > Authorize ABC']);
    expect(await remote(world)).toEqual(['0 < RemoteStartTransaction 1 ABC = Rejected']);
  });

  it('gets over a central system that takes one call at a time', async () => {
    const world = await start(asked);
    let refusals = 1;
    world.central.answer('Authorize', () =>
      refusals-- > 0 ? ['callError', 'RpcFrameworkError'] : { idTagInfo: { status: 'Accepted' } },
    );
    expect(await remote(world)).toEqual([
      accepted,
      '0 > Authorize ABC = CALLERROR RpcFrameworkError',
      '0.3 > Authorize ABC = Accepted',
      '0.3 > StatusNotification 1 Preparing',
    ]);
  });
});

describe('a tag that is not accepted', () => {
  it.each(['Invalid', 'Blocked', 'Expired', 'ConcurrentTx'])('TC_023: %s begins nothing', async (status) => {
    const world = await start();
    says(world, status);
    expect(await tag(world, 'ABC')).toEqual([`0 > Authorize ABC = ${status}`]);
    expect(await plug(world, minutes(5))).toEqual(['0 > StatusNotification 1 Preparing']);
    expect(world.board.contactorHistory(1)).toEqual(['open']);
  });
});

describe('a start without a link', () => {
  /** Cut, tag, plug, ten seconds, and back: what is said then. */
  async function offline(world: World, idTag = 'ABC'): Promise<readonly string[]> {
    world.network.cut();
    world.present(idTag);
    await world.clock.advance(seconds(1));
    world.plugIn();
    await world.clock.advance(seconds(9));
    return during(world, seconds(5), () => world.network.restore());
  }

  it('TC_037_1: a valid idTag charges, and StartTransaction says when', async () => {
    const world = await start();
    await send(world, full(1, entry('ABC')));
    const began = world.clock.wall(world.clock.now()) + seconds(1);
    expect(await offline(world)).toEqual([
      '0 > StartTransaction 1 ABC = Accepted',
      '0 > StatusNotification 1 Charging',
    ]);
    expect(world.central.received('StartTransaction')).toMatchObject([{ timestamp: new Date(began).toISOString() }]);
    expect(coil(world)).toBe('closed');
  });

  it('TC_037_2: an invalid idTag with StopTransactionOnInvalidId=false gets no energy; the transaction ends locally', async () => {
    const world = await start({ StopTransactionOnInvalidId: 'false', AllowOfflineTxForUnknownId: 'true' });
    startSays(world, 'Invalid');
    expect(await offline(world)).toEqual([
      '0 > StartTransaction 1 ABC = Invalid',
      '0 > StatusNotification 1 SuspendedEVSE',
    ]);
    expect(coil(world)).toBe('open');
    expect(await tag(world, 'ABC')).toEqual(['0 > StatusNotification 1 Finishing', '0 > StopTransaction 1 ABC Local']);
  });

  it('TC_037_2: MaxEnergyOnInvalidId lets so many Wh through before that', async () => {
    const world = await start({
      StopTransactionOnInvalidId: 'false',
      AllowOfflineTxForUnknownId: 'true',
      MaxEnergyOnInvalidId: '100',
    });
    startSays(world, 'Invalid');
    world.board.inputs.patchConnector(1, { meter: { watts: 3600 } });
    expect(await offline(world)).toEqual(['0 > StartTransaction 1 ABC = Invalid', '0 > StatusNotification 1 Charging']);
    // One watt-hour per second, looked at every second since StartTransaction.conf five seconds ago.
    expect(await during(world, minutes(5), () => {})).toEqual(['95 > StatusNotification 1 SuspendedEVSE']);
    expect(coil(world)).toBe('open');
  });

  it('TC_037_3: an invalid idTag with StopTransactionOnInvalidId=true ends the transaction', async () => {
    const world = await start({ AllowOfflineTxForUnknownId: 'true' });
    startSays(world, 'Invalid');
    expect(await offline(world)).toEqual([
      '0 > StartTransaction 1 ABC = Invalid',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 DeAuthorized',
    ]);
  });

  it.each([
    ['the same tag', 'abc', []],
    ['a tag of its group', 'DAD', ['0 > Authorize DAD = Accepted']],
  ])('TC_037_3: the cable stays locked until %s comes (errata 3.5)', async (_, idTag, authorize) => {
    const world = await start({ AllowOfflineTxForUnknownId: 'true' }, { connectors: SOCKET });
    says(world, 'Accepted', { parentIdTag: 'FAMILY' });
    startSays(world, 'Blocked', { parentIdTag: 'FAMILY' });
    await offline(world);
    expect(lock(world)).toBe(true);
    says(world, 'Accepted', { parentIdTag: 'NEIGHBOURS' });
    expect(await tag(world, 'XYZ')).toEqual(['0 > Authorize XYZ = Accepted']);
    expect(lock(world)).toBe(true);
    says(world, 'Accepted', { parentIdTag: 'family' });
    expect(await tag(world, idTag)).toEqual(authorize);
    expect(lock(world)).toBe(false);
    expect(await unplug(world)).toEqual(['0 > StatusNotification 1 Available']);
  });

  it('is refused for an unknown idTag, and for one on the list that is not Accepted whatever the keys say', async () => {
    const world = await start();
    expect(await offline(world)).toEqual(['0 > StatusNotification 1 Preparing']);
    const lenient = await start({ AllowOfflineTxForUnknownId: 'true' });
    await send(lenient, full(1, entry('ABC', 'Expired')));
    expect(await offline(lenient)).toEqual(['0 > StatusNotification 1 Preparing']);
  });

  it('counts a central system that does not answer as none', async () => {
    const world = await start({ AllowOfflineTxForUnknownId: 'true' });
    world.central.answer('Authorize', () => 'silence');
    expect(await tag(world, 'ABC', minutes(1))).toEqual([
      '0 > Authorize ABC',
      '30 > StatusNotification 1 Preparing',
      '60 > StatusNotification 1 Available',
    ]);
  });
});

describe('stopping', () => {
  async function charging(world: World, idTag = 'ABC'): Promise<World> {
    await plug(world);
    await tag(world, idTag);
    expect(coil(world)).toBe('closed');
    return world;
  }

  it('TC_068: another tag neither stops nor is asked about; the same tag stops', async () => {
    const world = await charging(await start());
    expect(await tag(world, 'XYZ')).toEqual([]);
    expect(await tag(world, 'abc')).toEqual(['0 > StatusNotification 1 Finishing', '0 > StopTransaction 1 abc Local']);
  });

  it('TC_069: a tag of the same group stops, with its own idTag', async () => {
    const world = await start();
    says(world, 'Accepted', { parentIdTag: 'FAMILY' });
    await charging(world, 'MUM');
    expect(await tag(world, 'DAD')).toEqual([
      '0 > Authorize DAD = Accepted',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 DAD Local',
    ]);
  });

  it('TC_069: the group may be known from StartTransaction.conf alone', async () => {
    const world = await start();
    startSays(world, 'Accepted', { parentIdTag: 'FAMILY' });
    await charging(world, 'MUM');
    says(world, 'ConcurrentTx', { parentIdTag: 'family' });
    expect(await tag(world, 'DAD')).toEqual([
      '0 > Authorize DAD = ConcurrentTx',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 DAD Local',
    ]);
  });

  it.each([
    ['of another group', 'Accepted', 'NEIGHBOURS'],
    ['of the group that is blocked', 'Blocked', 'FAMILY'],
  ])('TC_069: a tag %s is asked about and does not stop', async (_, status, parentIdTag) => {
    const world = await start();
    says(world, 'Accepted', { parentIdTag: 'FAMILY' });
    await charging(world, 'MUM');
    says(world, status, { parentIdTag });
    expect(await tag(world, 'XYZ')).toEqual([`0 > Authorize XYZ = ${status}`]);
    expect(coil(world)).toBe('closed');
  });

  it('TC_069: the name of the group is no tag of it (section 3.10)', async () => {
    const world = await start();
    says(world, 'Accepted', { parentIdTag: 'FAMILY' });
    await charging(world, 'MUM');
    says(world, 'Accepted');
    expect(await tag(world, 'FAMILY')).toEqual(['0 > Authorize FAMILY = Accepted']);
    expect(coil(world)).toBe('closed');
  });

  it('TC_069: works without a link, with what the local list knows', async () => {
    const world = await start();
    await send(
      world,
      full(1, entry('MUM', 'Accepted', { parentIdTag: 'F' }), entry('DAD', 'Accepted', { parentIdTag: 'F' })),
    );
    world.network.cut();
    await charging(world, 'MUM');
    world.present('DAD');
    await world.clock.advance(seconds(5));
    expect(coil(world)).toBe('open');
  });
});

describe('free vend', () => {
  const free = { freeVend: { idTag: 'FREE' } };

  it('begins with the plug, asks nobody, and ends with it', async () => {
    const world = await start({}, free);
    expect(await plug(world)).toEqual([
      '0 > StatusNotification 1 Preparing',
      '0 > StartTransaction 1 FREE = Accepted',
      '1 > StatusNotification 1 Charging',
    ]);
    expect(await tag(world, 'ABC')).toEqual([]);
    expect(await unplug(world)).toEqual([
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 EVDisconnected',
      '0 > StatusNotification 1 Available',
    ]);
  });

  it('does not begin again with the same plug', async () => {
    const world = await start({}, free);
    await plug(world);
    expect(await asking(world, 'RemoteStopTransaction', { transactionId: 1 }, minutes(5))).toEqual([
      '0 < RemoteStopTransaction 1 = Accepted',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 Remote',
    ]);
  });

  it('begins when the fault is gone that kept it from beginning', async () => {
    const world = await start({}, free);
    world.board.inputs.setFault(1, 'groundFault', {});
    await plug(world);
    const log = await during(world, seconds(5), () => world.board.inputs.setFault(1, 'groundFault', null));
    expect(log).toEqual([
      '0 > StatusNotification 1 Preparing',
      '0 > StartTransaction 1 FREE = Accepted',
      '1 > StatusNotification 1 Charging',
    ]);
  });

  describe('where somebody has reserved (section 5.13)', () => {
    const reserve = (world: World, more: Payload = {}) =>
      world.central.call('ReserveNow', {
        connectorId: 1,
        expiryDate: new Date(world.clock.wall(world.clock.now()) + minutes(1)).toISOString(),
        idTag: 'MINE',
        reservationId: 7,
        ...more,
      });

    it.each([1, 0])('begins only when that is over: connector %i', async (connectorId) => {
      const world = await start({}, free);
      await reserve(world, { connectorId });
      await world.clock.advance(seconds(1));
      expect([await plug(world), world.agent.view().connectors[0]?.status]).toEqual([[], 'Reserved']);
      const log = await during(world, minutes(1), () => {});
      expect(log.map((line) => line.replace(/^\S+ /, ''))).toEqual([
        '> StatusNotification 1 Preparing',
        '> StartTransaction 1 FREE = Accepted',
        '> StatusNotification 1 Charging',
      ]);
    });

    it('begins at once for its own idTag, and names the reservation', async () => {
      const world = await start({}, free);
      await reserve(world, { idTag: 'FREE' });
      expect(await plug(world)).toContain('0 > StartTransaction 1 FREE 7 = Accepted');
    });
  });

  it('begins nothing that cannot be stored, and does not try for ever', async () => {
    const world = await start({}, free);
    world.disk.failWrites(true);
    expect(await plug(world)).toEqual(['0 > StatusNotification 1 Preparing']);
    expect(coil(world)).toBe('open');
  });
});

it('a text that cannot be an idTag is ignored', async () => {
  const world = await start({ AllowOfflineTxForUnknownId: 'true' });
  world.network.cut();
  world.plugIn();
  for (const text of ['A'.repeat(21), '']) {
    world.present(text);
    await world.clock.advance(seconds(5));
    expect(coil(world)).toBe('open');
  }
  world.present('A'.repeat(20));
  await world.clock.advance(seconds(5));
  expect(coil(world)).toBe('closed');
});
