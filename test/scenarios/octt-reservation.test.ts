/** The Reservation cases of the compliance test tool, each with every frame of its story (octt.md). */
import { describe, expect, it } from 'vitest';
import type { Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const QUIET = { MeterValueSampleInterval: '0' };
const ONE: WorldOptions = { keys: QUIET };
const TWO: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: QUIET,
};

/** For MINE, reservation 7, an hour from the beginning of the world. */
const reserve = (more: Payload = {}) =>
  play.call('ReserveNow', {
    connectorId: 1,
    expiryDate: '2026-01-05T09:00:00Z',
    idTag: 'MINE',
    reservationId: 7,
    ...more,
  });
const cancel = (reservationId = 7) => play.call('CancelReservation', { reservationId });
const remoteStart = (idTag: string) => play.call('RemoteStartTransaction', { idTag, connectorId: 1 });
const fault = ({ board }: World): void => {
  for (const { id } of board.connectors) board.inputs.setFault(id, 'groundFault', {});
};
const switchOff = (connectorId: number) => play.call('ChangeAvailability', { connectorId, type: 'Inoperative' });
const plugAll = (world: World): void => {
  for (const { id } of world.board.connectors) play.plugIn(id)(world);
};

const reserved = ['0 < ReserveNow = Accepted', '0 > StatusNotification 1 Reserved'];

describe('a reservation of a connector', () => {
  it('TC_046_1: local start: a foreign tag does nothing, the reserved one charges with its reservationId', async () => {
    const world = await World.start(ONE);
    const log = await story(
      world,
      [
        [0, reserve()],
        [10, play.tag('OTHER')],
        [20, play.tag('MINE')],
        [30, play.plugIn()],
      ],
      60,
    );
    expect(log).toEqual([
      ...reserved,
      '20 > Authorize MINE = Accepted',
      '20 > StatusNotification 1 Preparing',
      '30 > StartTransaction 1 MINE 7 = Accepted',
      '31 > StatusNotification 1 Charging',
    ]);
  });

  it('TC_046_2: remote start with the tag', async () => {
    const world = await World.start(ONE);
    const log = await story(
      world,
      [
        [0, reserve()],
        [10, remoteStart('OTHER')],
        [20, remoteStart('MINE')],
        [30, play.plugIn()],
      ],
      60,
    );
    expect(log).toEqual([
      ...reserved,
      '10 < RemoteStartTransaction 1 OTHER = Rejected',
      '20 < RemoteStartTransaction 1 MINE = Accepted',
      '20 > StatusNotification 1 Preparing',
      '30 > StartTransaction 1 MINE 7 = Accepted',
      '31 > StatusNotification 1 Charging',
    ]);
  });

  it('TC_047: expires on its second, and then another tag charges', async () => {
    const world = await World.start(ONE);
    const log = await story(
      world,
      [
        // The story begins at 08:00:00.1.
        [0, reserve({ expiryDate: '2026-01-05T08:01:00.100Z' })],
        [59.9, play.tag('OTHER')],
        [70, play.tag('OTHER')],
        [80, play.plugIn()],
      ],
      100,
    );
    expect(log).toEqual([
      ...reserved,
      '60 > StatusNotification 1 Available',
      '70 > Authorize OTHER = Accepted',
      '70 > StatusNotification 1 Preparing',
      '80 > StartTransaction 1 OTHER = Accepted',
      '81 > StatusNotification 1 Charging',
    ]);
  });

  it.each<[string, string, (world: World) => unknown, readonly string[]]>([
    ['TC_048_1', 'Faulted', fault, ['0 > StatusNotification 1 Faulted GroundFailure']],
    ['TC_048_2', 'Occupied', play.plugIn(), ['0 > StatusNotification 1 Preparing']],
    [
      'TC_048_3',
      'Unavailable',
      switchOff(1),
      ['0 < ChangeAvailability = Accepted', '0 > StatusNotification 1 Unavailable'],
    ],
  ])('%s: of a connector that is %s', async (_, status, prepare, before) => {
    const world = await World.start(ONE);
    const log = await story(
      world,
      [
        [0, prepare],
        [5, reserve()],
        [10, cancel()],
      ],
      60,
    );
    expect(log).toEqual([...before, `5 < ReserveNow = ${status}`, '10 < CancelReservation = Rejected']);
  });

  it('TC_048_4: is Rejected by a charge point that takes none', async () => {
    const world = await World.start({ keys: { ...QUIET, SupportedFeatureProfiles: 'Core' } });
    expect(await story(world, [[0, reserve()]], 60)).toEqual(['0 < ReserveNow = Rejected']);
  });

  it('TC_051: is cancelled', async () => {
    const world = await World.start(ONE);
    expect(
      await story(
        world,
        [
          [0, reserve()],
          [10, cancel()],
        ],
        60,
      ),
    ).toEqual([...reserved, '10 < CancelReservation = Accepted', '10 > StatusNotification 1 Available']);
  });

  it('TC_052: stays when an unknown one is cancelled', async () => {
    const world = await World.start(ONE);
    expect(
      await story(
        world,
        [
          [0, reserve()],
          [10, cancel(8)],
          [20, play.tag('OTHER')],
        ],
        60,
      ),
    ).toEqual([...reserved, '10 < CancelReservation = Rejected']);
  });

  it('TC_053: is used by another tag of the same group', async () => {
    const world = await World.start(ONE);
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted', parentIdTag: 'FAMILY' } }));
    const log = await story(
      world,
      [
        [0, reserve({ parentIdTag: 'FAMILY' })],
        [10, play.tag('SISTER')],
        [20, play.plugIn()],
      ],
      60,
    );
    expect(log).toEqual([
      ...reserved,
      '10 > Authorize SISTER = Accepted',
      '10 > StatusNotification 1 Preparing',
      '20 > StartTransaction 1 SISTER 7 = Accepted',
      '21 > StatusNotification 1 Charging',
    ]);
  });
});

describe('a reservation of the charge point', () => {
  const zero = reserve({ connectorId: 0 });

  it('TC_049: its tag charges on any connector; no connector says Reserved', async () => {
    const world = await World.start(TWO);
    expect(
      await story(
        world,
        [
          [0, zero],
          [10, play.tag('MINE', [2])],
          [20, play.plugIn(2)],
        ],
        60,
      ),
    ).toEqual([
      '0 < ReserveNow = Accepted',
      '10 > Authorize MINE = Accepted',
      '10 > StatusNotification 2 Preparing',
      '20 > StartTransaction 2 MINE 7 = Accepted',
      '21 > StatusNotification 2 Charging',
    ]);
  });

  it.each<[string, string, (world: World) => unknown, readonly string[]]>([
    [
      'TC_050_1',
      'Faulted',
      fault,
      ['0 > StatusNotification 1 Faulted GroundFailure', '0 > StatusNotification 2 Faulted GroundFailure'],
    ],
    ['TC_050_2', 'Occupied', plugAll, ['0 > StatusNotification 1 Preparing', '0 > StatusNotification 2 Preparing']],
    [
      'TC_050_3',
      'Unavailable',
      switchOff(0),
      [
        '0 < ChangeAvailability = Accepted',
        '0 > StatusNotification 0 Unavailable',
        '0 > StatusNotification 1 Unavailable',
        '0 > StatusNotification 2 Unavailable',
      ],
    ],
  ])('%s: of which all connectors are %s', async (_, status, prepare, before) => {
    const world = await World.start(TWO);
    expect(
      await story(
        world,
        [
          [0, prepare],
          [5, zero],
        ],
        60,
      ),
    ).toEqual([...before, `5 < ReserveNow = ${status}`]);
  });

  it('TC_050_4: is Rejected without ReserveConnectorZeroSupported', async () => {
    const world = await World.start({ ...TWO, keys: { ...QUIET, ReserveConnectorZeroSupported: 'false' } });
    expect(await story(world, [[0, zero]], 60)).toEqual(['0 < ReserveNow = Rejected']);
  });
});
