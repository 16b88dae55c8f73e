/** Where reference suites differ, one behaviour satisfies all: the numbered rows of octt.md, as far as these profiles go. */
import { describe, expect, it } from 'vitest';
import { frames } from '../sim/frames.ts';
import type { Answer, Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { asking, BEGINNING, story } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const QUIET = { MeterValueSampleInterval: '0' };
const PAIR = [
  { id: 1, cable: 'attached' },
  { id: 2, cable: 'attached' },
] as const;
const TWO: WorldOptions = { connectors: PAIR, keys: QUIET };
const accepted = { idTagInfo: { status: 'Accepted' } };

/** A transaction of ABC that runs on connector 1 for 5 s already. */
async function charging(options: WorldOptions = TWO): Promise<World> {
  const world = await World.start(options);
  await story(
    world,
    [
      [0, play.plugIn()],
      [0, play.tag('ABC', [1])],
    ],
    5,
  );
  return world;
}

const sent = (world: World, from: number): readonly Payload[] =>
  world.central.calls().flatMap(({ t, frame }) => (t >= from ? [frame[3] as Payload] : []));

describe('1: StopTransaction', () => {
  const stops: readonly (readonly [reason: string, stop: (world: World) => unknown])[] = [
    ['Local', play.tag('ABC', [1])],
    ['Remote', play.call('RemoteStopTransaction', { transactionId: 1 })],
    ['EVDisconnected', play.unplug()],
    ['PowerLoss', play.restart('kill', 5)],
  ];

  it.each(stops)('says its reason, %s, and carries transactionData', async (reason, stop) => {
    const register = 'Energy.Active.Import.Register';
    const world = await charging({
      ...TWO,
      keys: { MeterValueSampleInterval: '60', StopTxnSampledData: register, MeterValuesSampledData: '' },
    });
    await story(world, [[61, stop]], 90);
    const [request] = world.central.received('StopTransaction');
    const { transactionData } = request as { transactionData: { sampledValue: { context: string }[] }[] };
    expect(request).toMatchObject({ transactionId: 1, reason });
    expect(transactionData.map(({ sampledValue }) => sampledValue.map(({ context }) => context))).toEqual([
      ['Transaction.Begin'],
      ['Sample.Periodic'],
      ['Transaction.End'],
    ]);
  });

  it('has no transactionData while both lists are empty', async () => {
    const world = await charging();
    await story(world, [[60, play.tag('ABC', [1])]], 90);
    expect(world.central.received('StopTransaction').map((stop) => 'transactionData' in stop)).toEqual([false]);
  });
});

describe('2: the version of the local list', () => {
  const version = (world: World) => world.central.call('GetLocalListVersion');

  it('stays 0 for an empty full list, and is -1 with the profile off', async () => {
    const world = await World.start(TWO);
    const empty = { listVersion: 7, updateType: 'Full', localAuthorizationList: [] };
    expect(await world.central.call('SendLocalList', empty)).toEqual({ status: 'Accepted' });
    expect(await version(world)).toEqual({ listVersion: 0 });
    const without = await World.start({ ...TWO, keys: { SupportedFeatureProfiles: 'Core,RemoteTrigger' } });
    expect(await version(without)).toEqual({ listVersion: -1 });
  });
});

describe('3: what is not possible', () => {
  const CORE_ONLY: WorldOptions = { ...TWO, keys: { ...QUIET, SupportedFeatureProfiles: 'Core' } };
  const inAnHour = '2026-01-05T09:00:00Z';

  it.each([
    ['UnlockConnector', { connectorId: 1 }, { status: 'NotSupported' }],
    ['UnlockConnector', { connectorId: 9 }, { status: 'NotSupported' }],
    ['ChangeAvailability', { connectorId: 9, type: 'Operative' }, { status: 'Rejected' }],
    ['ChangeConfiguration', { key: 'LocalAuthListEnabled', value: 'true' }, { status: 'NotSupported' }],
    ['DataTransfer', { vendorId: 'org.example' }, { status: 'UnknownVendorId' }],
    ['SendLocalList', { listVersion: 1, updateType: 'Full' }, { status: 'NotSupported' }],
    ['GetLocalListVersion', {}, { listVersion: -1 }],
    ['ReserveNow', { connectorId: 1, expiryDate: inAnHour, idTag: 'ABC', reservationId: 1 }, { status: 'Rejected' }],
    ['CancelReservation', { reservationId: 1 }, { status: 'Rejected' }],
  ])('%s %j is answered by a status: %j', async (action, payload, answer) => {
    const world = await World.start(CORE_ONLY);
    expect(await world.central.call(action, payload)).toEqual(answer);
  });

  it('has no status in SmartCharging and FirmwareManagement while they are off: CALLERROR', async () => {
    const world = await World.start(CORE_ONLY);
    expect(await world.central.call('UpdateFirmware', { location: 'ftp://h/f', retrieveDate: inAnHour })).toBe(
      'NotSupported',
    );
  });
});

describe('4: BootNotification', () => {
  it.each<[string, Answer, number]>([
    ['Rejected', { status: 'Rejected', currentTime: '2026-01-05T08:00:00Z', interval: 7 }, 7],
    ['a CALLERROR', ['callError', 'InternalError'], 60],
    ['no answer', 'silence', 90],
  ])('answered by %s is sent again, and everything goes on as ever', async (_, answer, againS) => {
    const answers: Answer[] = [answer];
    const world = await World.start({
      ...TWO,
      prepare: (central) =>
        central.answer(
          'BootNotification',
          () => answers.shift() ?? { status: 'Accepted', currentTime: '2026-01-05T08:00:00Z', interval: 3600 },
        ),
    });
    await world.clock.advance(minutes(10));
    expect(frames(world, BEGINNING).slice(1)).toEqual([
      `${againS} > BootNotification = Accepted`,
      `${againS} > StatusNotification 0 Available`,
      `${againS} > StatusNotification 1 Available`,
      `${againS} > StatusNotification 2 Available`,
    ]);
  });
});

describe('5: an EV that leaves with StopTransactionOnEVSideDisconnect=false', () => {
  it('is SuspendedEV, and the transaction stays until it is stopped', async () => {
    const world = await charging({ ...TWO, keys: { ...QUIET, StopTransactionOnEVSideDisconnect: 'false' } });
    expect(
      await story(
        world,
        [
          [0, play.unplug()],
          [60, play.tag('ABC', [1])],
        ],
        300,
      ),
    ).toEqual([
      '0 > StatusNotification 1 SuspendedEV',
      '60 > StatusNotification 1 Finishing',
      '60 > StopTransaction 1 ABC Local',
      '60 > StatusNotification 1 Available',
    ]);
  });
});

describe('7: a foreign tag at a reader', () => {
  const foreign = (world: World, connectors: readonly number[]) => story(world, [[0, play.tag('XYZ', connectors)]], 60);

  it('is ignored while every connector of the reader is in a transaction of no known group', async () => {
    const world = await charging();
    expect(await foreign(world, [1])).toEqual([]);
  });

  it('is asked about while some connector is free', async () => {
    const world = await charging();
    expect(await foreign(world, [1, 2])).toEqual([
      '0 > Authorize XYZ = Accepted',
      '0 > StatusNotification 2 Preparing',
    ]);
  });

  it.each(['Authorize', 'StartTransaction'])(
    'is asked about while a transaction has a parentIdTag from %s.conf, and does not stop it for another group',
    async (action) => {
      const withParent = { idTagInfo: { status: 'Accepted', parentIdTag: 'FAMILY' } };
      const world = await World.start(TWO);
      world.central.answer(action, () => ({ ...withParent, ...(action === 'Authorize' ? {} : { transactionId: 1 }) }));
      await story(
        world,
        [
          [0, play.plugIn()],
          [0, play.tag('ABC', [1])],
        ],
        5,
      );
      world.central.answer('Authorize', () => accepted);
      expect(await foreign(world, [1])).toEqual(['0 > Authorize XYZ = Accepted']);
      world.central.answer('Authorize', () => withParent);
      expect(await foreign(world, [1])).toEqual([
        '0 > Authorize XYZ = Accepted',
        '0 > StatusNotification 1 Finishing',
        '0 > StopTransaction 1 XYZ Local',
      ]);
    },
  );
});

describe('8: statuses', () => {
  it('always carry an errorCode, and connector 0 is reported at boot', async () => {
    const world = await charging();
    await story(
      world,
      [
        [0, play.tag('ABC', [1])],
        [5, play.unplug()],
      ],
      10,
    );
    const told = world.central.received('StatusNotification');
    expect(told.map(({ errorCode }) => errorCode)).toEqual(told.map(() => 'NoError'));
    expect(told[0]).toMatchObject({ connectorId: 0, status: 'Available' });
  });

  it('after a mere reconnect come only if they changed, after what was queued', async () => {
    const world = await charging();
    const log = await story(
      world,
      [
        [0, play.cut],
        [10, play.plugIn(2)],
        [20, play.unplug(2)],
        [30, play.tag('ABC', [1])],
        [60, play.restore],
      ],
      120,
    );
    expect(log).toEqual(['60 > StopTransaction 1 ABC Local', '60 > StatusNotification 1 Finishing']);
  });
});

describe('9: calls', () => {
  it('of the central system are accepted within a second of the boot, and answered before what they bring about', async () => {
    const world = await World.start(TWO);
    expect(world.clock.now()).toBeLessThan(seconds(1));
    expect(await asking(world, 'RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 })).toEqual([
      '0 < RemoteStartTransaction 1 ABC = Accepted',
      '0 > StatusNotification 1 Preparing',
    ]);
    expect(await asking(world, 'ChangeAvailability', { connectorId: 2, type: 'Inoperative' })).toEqual([
      '0 < ChangeAvailability = Accepted',
      '0 > StatusNotification 2 Unavailable',
    ]);
  });

  it('of ours are one at a time, however slowly they are answered', async () => {
    const world = await World.start({ ...TWO, keys: { MeterValueSampleInterval: '1' } });
    for (const action of ['Authorize', 'StartTransaction', 'StatusNotification', 'MeterValues', 'StopTransaction'])
      world.central.answer(action, () => 'silence');
    await story(
      world,
      [
        [0, play.plugIn()],
        [0, play.plugIn(2)],
        [1, play.tag('ABC', [1])],
      ],
      600,
    );
    const calls = world.central.calls().slice(4);
    const gaps = calls.map(({ t }, index) => t - (calls[index - 1]?.t ?? 0)).slice(1);
    expect(calls.length).toBeGreaterThan(4);
    expect(gaps.filter((gap) => gap < seconds(30))).toEqual([]);
  });
});

describe('10: a transaction message that gets a CALLERROR', () => {
  it('is sent TransactionMessageAttempts times, the interval times n apart, and its StopTransaction is still sent', async () => {
    const keys = { ...QUIET, TransactionMessageAttempts: '3', TransactionMessageRetryInterval: '10' };
    const world = await World.start({ ...TWO, keys });
    world.central.answer('StartTransaction', () => ['callError', 'GenericError']);
    const log = await story(
      world,
      [
        [0, play.plugIn()],
        [0, play.tag('ABC', [1])],
        [60, play.unplug()],
      ],
      120,
    );
    expect(log).toEqual([
      '0 > StatusNotification 1 Preparing',
      '0 > Authorize ABC = Accepted',
      '0 > StartTransaction 1 ABC = CALLERROR GenericError',
      '1 > StatusNotification 1 Charging',
      '10 > StartTransaction 1 ABC = CALLERROR GenericError',
      '30 > StartTransaction 1 ABC = CALLERROR GenericError',
      '60 > StatusNotification 1 Finishing',
      '60 > StopTransaction -1 EVDisconnected',
      '60 > StatusNotification 1 Available',
    ]);
    expect(await world.agent.outbox.deadLetters(10)).toHaveLength(1);
  });
});

describe('11: unparsable JSON', () => {
  const answers = (world: World, from: number) =>
    world.wire.flatMap(({ t, dir, frame }) => (dir === 'tx' && t >= from && frame[0] !== 2 ? [frame.slice(0, 3)] : []));

  it('gets GenericError if an id can be found, else silence', async () => {
    const world = await World.start(TWO);
    const from = world.clock.now();
    world.central.raw('[2,"id-1","Reset",{"type":"Soft"');
    world.central.raw('nothing at all');
    await world.clock.advance(seconds(5));
    expect(answers(world, from)).toEqual([[4, 'id-1', 'GenericError']]);
    expect(world.exits).toEqual([]);
  });

  it('like any call gets no answer while registration is Rejected', async () => {
    const world = await World.start({
      ...TWO,
      prepare: (central) =>
        central.answer('BootNotification', () => ({
          status: 'Rejected',
          currentTime: '2026-01-05T08:00:00Z',
          interval: 600,
        })),
    });
    world.central.raw('[2,"id-1","Reset",{"type":"Soft"');
    world.central.raw('[2,"id-2","Reset",{"type":"Soft"}]');
    await world.clock.advance(seconds(5));
    expect(answers(world, 0)).toEqual([]);
    expect(sent(world, 1)).toEqual([]);
  });
});

describe('13: a charge point with one connector', () => {
  it('reports a reservation of connector 0 as connector 1 Reserved', async () => {
    const world = await World.start({ keys: QUIET });
    const expiryDate = '2026-01-05T08:10:00Z';
    expect(await asking(world, 'ReserveNow', { connectorId: 0, expiryDate, idTag: 'ABC', reservationId: 1 })).toEqual([
      '0 < ReserveNow = Accepted',
      '0 > StatusNotification 1 Reserved',
    ]);
  });
});
