/** Reservations (OCPP 1.6 sections 3.11, 5.1 and 5.13; octt.md Reservation). */
import { describe, expect, it } from 'vitest';
import type { Payload } from '../sim/network.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const ONE: WorldOptions = { keys: { MeterValueSampleInterval: '0' } };
const TWO: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: { MeterValueSampleInterval: '0' },
};

const iso = (world: World, ms: number): string => new Date(world.clock.wall(world.clock.now()) + ms).toISOString();

const reserve = (world: World, overrides: Payload = {}) =>
  world.central.call('ReserveNow', {
    connectorId: 1,
    expiryDate: iso(world, minutes(10)),
    idTag: 'MINE',
    reservationId: 7,
    ...overrides,
  });

/** What the charge point says while `action` runs and `ms` after it. */
async function said(world: World, action: () => unknown, ms = seconds(5)): Promise<readonly string[]> {
  const before = world.central.calls().length;
  await action();
  await world.clock.advance(ms);
  return world.story().slice(before);
}

const accepted = { status: 'Accepted' };

describe('ReserveNow', () => {
  it('keeps the connector for its idTag, local start (TC_046_1)', async () => {
    const world = await World.start(ONE);
    expect(await said(world, async () => expect(await reserve(world)).toEqual(accepted))).toEqual([
      'StatusNotification(1 Reserved)',
    ]);
    expect(await said(world, () => world.present('OTHER'))).toEqual([]);
    expect(await said(world, () => world.present('MINE'))).toEqual(['Authorize', 'StatusNotification(1 Preparing)']);
    expect(await said(world, () => world.plugIn())).toEqual(['StartTransaction', 'StatusNotification(1 Charging)']);
    expect(world.central.received('StartTransaction')).toMatchObject([{ idTag: 'MINE', reservationId: 7 }]);
  });

  it('lets a remote start with its idTag through (TC_046_2)', async () => {
    const world = await World.start(ONE);
    await reserve(world);
    const start = (idTag: string) => world.central.call('RemoteStartTransaction', { idTag, connectorId: 1 });
    expect(await start('OTHER')).toEqual({ status: 'Rejected' });
    await world.clock.advance(seconds(1));
    expect(await said(world, async () => expect(await start('mine')).toEqual(accepted))).toEqual([
      'StatusNotification(1 Preparing)',
    ]);
    expect(await said(world, () => world.plugIn())).toEqual(['StartTransaction', 'StatusNotification(1 Charging)']);
    expect(world.central.received('StartTransaction')).toMatchObject([{ idTag: 'mine', reservationId: 7 }]);
  });

  it('expires on the second, and then another tag may charge (TC_047)', async () => {
    const world = await World.start(ONE);
    await reserve(world, { expiryDate: iso(world, seconds(60)) });
    await world.clock.advance(seconds(59));
    expect(world.agent.view().connectors[0]?.status).toBe('Reserved');
    expect(await said(world, () => {}, seconds(2))).toEqual(['StatusNotification(1 Available)']);
    expect(await said(world, () => world.present('OTHER'))).toEqual(['Authorize', 'StatusNotification(1 Preparing)']);
  });

  it('on a faulted connector is Faulted (TC_048_1)', async () => {
    const world = await World.start(ONE);
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(1));
    expect(await reserve(world)).toEqual({ status: 'Faulted' });
  });

  it('on an occupied connector is Occupied (TC_048_2), also where it is reserved already', async () => {
    const world = await World.start(TWO);
    world.plugIn(1);
    await world.clock.advance(seconds(1));
    expect(await reserve(world)).toEqual({ status: 'Occupied' });
    expect(await reserve(world, { connectorId: 2 })).toEqual(accepted);
    expect(await reserve(world, { connectorId: 2, reservationId: 8 })).toEqual({ status: 'Occupied' });
  });

  it('on an unavailable connector is Unavailable (TC_048_3)', async () => {
    const world = await World.start(ONE);
    await world.central.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' });
    await world.clock.advance(seconds(1));
    expect(await reserve(world)).toEqual({ status: 'Unavailable' });
  });

  it('without the Reservation profile is Rejected (TC_048_4)', async () => {
    const world = await World.start({ keys: { SupportedFeatureProfiles: 'Core' } });
    expect(await reserve(world)).toEqual({ status: 'Rejected' });
  });

  it.each([
    ['an unknown connector', { connectorId: 5 }],
    ['a date that has passed', { expiryDate: '2001-01-01T00:00:00Z' }],
  ])('with %s is Rejected', async (_, overrides) => {
    const world = await World.start(ONE);
    expect(await reserve(world, overrides)).toEqual({ status: 'Rejected' });
  });

  it('that cannot be stored is Rejected', async () => {
    const world = await World.start(ONE);
    world.disk.failWrites(true);
    expect(await said(world, async () => expect(await reserve(world)).toEqual({ status: 'Rejected' }))).toEqual([]);
  });

  it('with an id that is known replaces that reservation', async () => {
    const world = await World.start(ONE);
    await reserve(world);
    expect(await reserve(world, { idTag: 'HERS' })).toEqual(accepted);
    expect(await said(world, () => world.present('MINE'))).toEqual([]);
    expect(await said(world, () => world.present('HERS'))).toEqual(['Authorize', 'StatusNotification(1 Preparing)']);
  });

  it.each<[string, WorldOptions, number, number]>([
    ['is there', ONE, 1, 5],
    ['has been there for long without anybody', TWO, 1, 90],
    ['is there, on the one connector of a reservation of connector 0', ONE, 0, 5],
  ])('with an id that is known replaces that reservation although an EV %s', async (_, options, connectorId, s) => {
    const world = await World.start(options);
    await reserve(world, { connectorId });
    world.plugIn(1);
    await world.clock.advance(seconds(s));
    expect(await reserve(world, { connectorId, reservationId: 8 })).toEqual({ status: 'Occupied' });
    expect(await reserve(world, { connectorId, idTag: 'HERS' })).toEqual(accepted);
    expect(world.agent.view().connectors[0]?.status).toBe('Reserved');
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'MINE', connectorId: 1 })).toEqual({
      status: 'Rejected',
    });
  });

  it('with an id that is known takes nothing from one of connector 0, whose tag is just being served', async () => {
    const world = await World.start(TWO);
    await reserve(world);
    await reserve(world, { connectorId: 0, idTag: 'HERS', reservationId: 8 });
    world.present('HERS', [2]);
    await world.clock.advance(seconds(1));
    expect(await reserve(world, { idTag: 'SISTER' })).toEqual(accepted);
  });

  it('with an id that is known is Occupied where another EV is', async () => {
    const world = await World.start(TWO);
    await reserve(world);
    world.plugIn(2);
    await world.clock.advance(seconds(1));
    expect(await reserve(world, { connectorId: 2 })).toEqual({ status: 'Occupied' });
  });

  it('on a connector that a reservation of connector 0 needs is Occupied', async () => {
    const world = await World.start(TWO);
    await reserve(world, { connectorId: 0 });
    const other = { connectorId: 2, idTag: 'HERS', reservationId: 8 };
    world.plugIn(1);
    await world.clock.advance(seconds(1));
    expect(await reserve(world, other)).toEqual({ status: 'Occupied' });
    world.unplug(1);
    await world.clock.advance(seconds(1));
    expect(await reserve(world, other)).toEqual(accepted);
    expect(await said(world, () => world.present('MINE', [1]))).toContain('StatusNotification(1 Preparing)');
  });

  it('on the one connector that says Reserved is Occupied, and its tag may charge', async () => {
    const world = await World.start(ONE);
    await reserve(world, { connectorId: 0 });
    expect(await reserve(world, { idTag: 'HERS', reservationId: 8 })).toEqual({ status: 'Occupied' });
    expect(await said(world, () => world.present('MINE'))).toContain('StatusNotification(1 Preparing)');
  });

  it('leaves the connector Reserved with a plug that nobody authorises, until it is unplugged and after', async () => {
    const world = await World.start(TWO);
    await reserve(world);
    await world.clock.advance(seconds(1));
    const plug = async () => {
      world.plugIn(1);
      await world.clock.advance(minutes(3));
      world.unplug(1);
    };
    expect(await said(world, plug)).toEqual([]);
  });

  it('survives a loss of power', async () => {
    const world = await World.start(ONE);
    await reserve(world);
    await world.powerCut();
    expect(await said(world, () => world.boot())).toEqual([
      'BootNotification',
      'StatusNotification(0 Available)',
      'StatusNotification(1 Reserved)',
    ]);
    expect(await said(world, () => world.clock.advance(minutes(10)))).toEqual(['StatusNotification(1 Available)']);
  });

  it.each([
    ['a fault', (world: World) => world.board.inputs.setFault(1, 'groundFault', {}), 'Faulted'],
    [
      'ChangeAvailability',
      (world: World) => world.central.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' }),
      'Unavailable',
    ],
  ])('ends by %s', async (_, action, status) => {
    const world = await World.start(ONE);
    await reserve(world);
    expect(await said(world, () => action(world))).toEqual([`StatusNotification(1 ${status})`]);
    expect(await world.central.call('CancelReservation', { reservationId: 7 })).toEqual({ status: 'Rejected' });
  });

  it('of a tag of the same group lets that tag in (TC_053)', async () => {
    const world = await World.start(ONE);
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted', parentIdTag: 'FAMILY' } }));
    await reserve(world, { parentIdTag: 'FAMILY' });
    expect(await said(world, () => world.present('SISTER'))).toEqual(['Authorize', 'StatusNotification(1 Preparing)']);
    expect(await said(world, () => world.plugIn())).toEqual(['StartTransaction', 'StatusNotification(1 Charging)']);
    expect(world.central.received('StartTransaction')).toMatchObject([{ idTag: 'SISTER', reservationId: 7 }]);
  });

  it('of another group keeps a tag out, after it has been asked about', async () => {
    const world = await World.start(ONE);
    await reserve(world, { parentIdTag: 'FAMILY' });
    expect(await said(world, () => world.present('STRANGER'))).toEqual(['Authorize']);
  });
});

describe('a reservation that is on its way to the disk', () => {
  const status = (world: World, connectorId: number) => world.agent.view().connectors[connectorId - 1]?.status;
  const stored = (world: World) => world.disk.read<unknown>({ from: 'reservation/', to: 'reservation0' });
  const fault = (connectorId: number) => (world: World) => world.board.inputs.setFault(connectorId, 'groundFault', {});
  const second = { connectorId: 2, idTag: 'HERS', reservationId: 8 };

  /** A slow disk: `action`, and half a minute. */
  const meanwhile = (world: World, action: (world: World) => unknown, what = 'reservation/'): void =>
    world.disk.during(what, async () => {
      await action(world);
      await new Promise<void>((resolve) => world.clock.after(seconds(31), resolve));
    });
  const inForce = async (world: World) => {
    await world.clock.advance(seconds(1));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    return [status(world, 1), status(world, 2)];
  };

  it.each<[string, number, (world: World) => unknown]>([
    ['a fault', 600, fault(1)],
    ['its last second', 30, () => {}],
  ])('stays although another one ends meanwhile by %s, and that one does not come back', async (_, s, end) => {
    const world = await World.start(TWO);
    await reserve(world, { expiryDate: iso(world, seconds(s)) });
    meanwhile(world, end);
    const answer = reserve(world, second);
    await world.clock.advance(seconds(32));
    expect(await answer).toEqual(accepted);
    expect(await inForce(world)).toEqual(['Available', 'Reserved']);
  });

  it('does not come back after it was refused, although the disk failed when it was to be taken off', async () => {
    const world = await World.start(TWO);
    meanwhile(world, () => {
      fault(2)(world);
      world.disk.failWrites(true);
    });
    const answer = reserve(world, second);
    await world.clock.advance(seconds(32));
    expect(await answer).toEqual({ status: 'Faulted' });
    world.board.inputs.setFault(2, 'groundFault', null);
    world.disk.failWrites(false);
    await world.clock.advance(seconds(30));
    expect(await inForce(world)).toEqual(['Available', 'Available']);
  });

  it('stays although another one is used meanwhile, and that one does not come back', async () => {
    const world = await World.start(TWO);
    await reserve(world);
    world.present('MINE', [1]);
    await world.clock.advance(seconds(1));
    // The start of the transaction is on its way before it.
    meanwhile(world, () => {}, '');
    world.plugIn(1);
    await world.clock.advance(seconds(1));
    const answer = reserve(world, second);
    await world.clock.advance(seconds(32));
    expect(await answer).toEqual(accepted);
    expect(world.central.received('StartTransaction')).toMatchObject([{ reservationId: 7 }]);
    expect(await inForce(world)).toEqual(['Available', 'Reserved']);
  });

  it.each<[string, string, (world: World) => unknown, number?]>([
    ['an EV is plugged in', 'Occupied', (world) => world.plugIn(2)],
    ['a tag is presented', 'Occupied', (world) => world.present('OTHER', [2])],
    ['a fault is raised', 'Faulted', fault(2)],
    ['its time comes', 'Rejected', () => {}, 30],
  ])('is judged again, and leaves nothing behind: %s', async (_, verdict, action, s = 600) => {
    const world = await World.start(TWO);
    meanwhile(world, action);
    const answer = reserve(world, { ...second, expiryDate: iso(world, seconds(s)) });
    await world.clock.advance(seconds(32));
    expect(await answer).toEqual({ status: verdict });
    expect(await stored(world)).toEqual([[expect.anything(), []]]);
  });

  it('leaves the one in force that it was to replace, if it comes to nothing', async () => {
    const world = await World.start(TWO);
    await reserve(world);
    world.disk.during('reservation/', () => world.plugIn(2));
    expect(await reserve(world, { ...second, reservationId: 7 })).toEqual({ status: 'Occupied' });
    expect(await stored(world)).toMatchObject([[expect.anything(), [{ id: 7, connectorId: 1, idTag: 'MINE' }]]]);
    expect(status(world, 1)).toBe('Reserved');
  });

  it('waits for the one before it: two links, two reservations', async () => {
    const world = await World.start(TWO);
    world.disk.during('reservation/', () => {
      world.central.close();
      return new Promise<void>((resolve) => world.clock.after(seconds(20), resolve));
    });
    void reserve(world);
    await world.clock.advance(seconds(10));
    const answer = reserve(world, second);
    await world.clock.advance(seconds(20));
    expect(await answer).toEqual(accepted);
    expect([status(world, 1), status(world, 2)]).toEqual(['Reserved', 'Reserved']);
    expect(await stored(world)).toMatchObject([[expect.anything(), [{ id: 7 }, { id: 8 }]]]);
  });
});

async function faultAll({ board }: World): Promise<void> {
  for (const { id } of board.connectors) board.inputs.setFault(id, 'groundFault', {});
}

async function occupyAll(world: World): Promise<void> {
  for (const { id } of world.board.connectors) world.plugIn(id);
}

async function switchAllOff({ central }: World): Promise<void> {
  await central.call('ChangeAvailability', { connectorId: 0, type: 'Inoperative' });
}

describe('a reservation of connector 0', () => {
  const zero = { connectorId: 0 };

  it('leaves one connector for its tag, whichever it is (TC_049)', async () => {
    const world = await World.start(TWO);
    expect(await said(world, async () => expect(await reserve(world, zero)).toEqual(accepted))).toEqual([]);
    expect(await said(world, () => world.present('OTHER', [1]))).toEqual([
      'Authorize',
      'StatusNotification(1 Preparing)',
    ]);
    // The last free one is kept.
    expect(await said(world, () => world.present('THIRD', [2]))).toEqual([]);
    expect(await said(world, () => world.present('MINE', [2]))).toEqual([
      'Authorize',
      'StatusNotification(2 Preparing)',
    ]);
    expect(await said(world, () => world.plugIn(2))).toEqual(['StartTransaction', 'StatusNotification(2 Charging)']);
    expect(world.central.received('StartTransaction')).toMatchObject([{ connectorId: 2, reservationId: 7 }]);
  });

  it('shows as Reserved on a charge point with one connector', async () => {
    const world = await World.start(ONE);
    expect(await said(world, () => reserve(world, zero))).toEqual(['StatusNotification(1 Reserved)']);
  });

  it('is Rejected without ReserveConnectorZeroSupported (TC_050_4)', async () => {
    const world = await World.start({ ...TWO, keys: { ReserveConnectorZeroSupported: 'false' } });
    expect(await reserve(world, zero)).toEqual({ status: 'Rejected' });
  });

  it.each([
    ['Faulted', 'TC_050_1', faultAll],
    ['Occupied', 'TC_050_2', occupyAll],
    ['Unavailable', 'TC_050_3', switchAllOff],
  ] as const)('is %s when all connectors are (%s)', async (status, _, prepare) => {
    const world = await World.start(TWO);
    await prepare(world);
    await world.clock.advance(seconds(1));
    expect(await reserve(world, zero)).toEqual({ status });
  });
});

describe('a reservation whose tag waits for the plug', () => {
  const cancel = (world: World) => world.central.call('CancelReservation', { reservationId: 7 });
  const replace = (world: World) => reserve(world, { connectorId: 2, idTag: 'HERS' });
  const expire = (world: World) => world.clock.advance(seconds(31));

  it.each<[string, number, (world: World) => unknown]>([
    ['is cancelled', 1, cancel],
    ['is cancelled', 0, cancel],
    ['expires', 1, expire],
    ['expires', 0, expire],
    ['makes room for one of somebody else', 1, replace],
    ['makes room for one of somebody else', 0, replace],
  ])('and that %s is named by no transaction (section 6.45): connector %i', async (_, connectorId, end) => {
    const world = await World.start(TWO);
    await reserve(world, { connectorId, expiryDate: iso(world, seconds(30)) });
    world.present('MINE', [1]);
    await world.clock.advance(seconds(1));
    await end(world);
    await world.clock.advance(seconds(1));
    world.plugIn(1);
    await world.clock.advance(seconds(5));
    const [started, ...more] = world.central.received('StartTransaction');
    expect([started?.['idTag'], started?.['reservationId'], more]).toEqual(['MINE', undefined, []]);
    expect(world.agent.view().connectors[1]?.status).toBe(end === replace ? 'Reserved' : 'Available');
  });
});

describe('CancelReservation', () => {
  it('frees the connector (TC_051)', async () => {
    const world = await World.start(ONE);
    await reserve(world);
    const cancel = async (): Promise<void> =>
      expect(await world.central.call('CancelReservation', { reservationId: 7 })).toEqual(accepted);
    expect(await said(world, cancel)).toEqual(['StatusNotification(1 Available)']);
  });

  it('of an unknown reservation is Rejected and the one that is there stays (TC_052)', async () => {
    const world = await World.start(ONE);
    await reserve(world);
    await world.clock.advance(seconds(1));
    const cancel = async (): Promise<void> =>
      expect(await world.central.call('CancelReservation', { reservationId: 8 })).toEqual({ status: 'Rejected' });
    expect(await said(world, cancel)).toEqual([]);
    expect(world.agent.view().connectors[0]?.status).toBe('Reserved');
  });

  it('stays cancelled although another one ends meanwhile', async () => {
    const world = await World.start(TWO);
    await reserve(world);
    await reserve(world, { connectorId: 2, idTag: 'HERS', reservationId: 8 });
    await world.clock.advance(seconds(1));
    world.disk.during('reservation/', () => world.board.inputs.setFault(2, 'groundFault', {}));
    expect(await world.central.call('CancelReservation', { reservationId: 7 })).toEqual(accepted);
    await world.clock.advance(seconds(1));
    await world.powerCut();
    expect(await said(world, () => world.boot())).toEqual([
      'BootNotification',
      ...[0, 1, 2].map((id) => `StatusNotification(${id} Available)`),
    ]);
  });

  it('of one that ends by itself while it is being cancelled is Rejected', async () => {
    const world = await World.start(ONE);
    await reserve(world);
    await world.clock.advance(seconds(1));
    world.disk.during('reservation/', () => world.board.inputs.setFault(1, 'groundFault', {}));
    expect(await world.central.call('CancelReservation', { reservationId: 7 })).toEqual({ status: 'Rejected' });
  });
});
