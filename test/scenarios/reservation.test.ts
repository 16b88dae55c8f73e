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
});
