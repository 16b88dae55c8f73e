/** The Core cases of the compliance test tool that no other scenario covers: each one with every frame of its story (octt.md). */
import { describe, expect, it } from 'vitest';
import type { Board } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import { frames } from '../sim/frames.ts';
import type { Answer } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { BEGINNING, story } from '../sim/transcript.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const CURRENT_TIME = '2026-03-01T10:00:00Z';
const QUIET = { MeterValueSampleInterval: '0' };
const TWO: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: QUIET,
};
const SOCKET: WorldOptions = { connectors: [{ id: 1, cable: 'socket' }], keys: QUIET };

const boots = (...answers: Answer[]): WorldOptions => ({
  ...TWO,
  prepare: (central) =>
    central.answer('BootNotification', () => {
      return answers.shift() ?? { status: 'Accepted', currentTime: CURRENT_TIME, interval: 30 };
    }),
});
const notYet = (status: 'Pending' | 'Rejected') => ({ status, currentTime: CURRENT_TIME, interval: 20 });
const BOOTED = [
  'StatusNotification 0 Available',
  'StatusNotification 1 Available',
  'StatusNotification 2 Available',
] as const;
const bootedAt = (s: number): readonly string[] => BOOTED.map((frame) => `${s} > ${frame}`);

const remoteStart = (connectorId = 1) => play.call('RemoteStartTransaction', { idTag: 'ABC', connectorId });
const remoteStop = (transactionId = 1) => play.call('RemoteStopTransaction', { transactionId });
const statuses = (world: World) => world.agent.view().connectors.map(({ status }) => status);
const coil = (world: World) => world.board.connector(1).observe().contactor;

/** A transaction that runs on connector 1 for 5 s already. */
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
  expect(coil(world)).toBe('closed');
  return world;
}

describe('a cold boot', () => {
  it('TC_001: after Rejected the next BootNotification comes after the interval; then statuses, and Heartbeat every interval', async () => {
    const world = await World.start(boots(notYet('Rejected')));
    await world.clock.advance(seconds(119.9));
    expect(frames(world, BEGINNING)).toEqual([
      '0 > BootNotification = Rejected',
      '20 > BootNotification = Accepted',
      ...bootedAt(20),
      '50 > Heartbeat',
      '80 > Heartbeat',
      '110 > Heartbeat',
    ]);
  });

  it('TC_002: while Pending only calls are answered; after Accepted it is as ever', async () => {
    const world = await World.start(boots(notYet('Pending'), notYet('Pending')));
    await story(
      world,
      [
        [4.9, play.call('GetConfiguration')],
        [9.9, play.call('ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '30' })],
        [11.9, play.plugIn()],
        [12.9, play.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 })],
      ],
      69.9,
    );
    expect(frames(world, BEGINNING)).toEqual([
      '0 > BootNotification = Pending',
      '5 < GetConfiguration',
      '10 < ChangeConfiguration MeterValueSampleInterval 30 = Accepted',
      '13 < RemoteStartTransaction 1 ABC = Rejected',
      '20 > BootNotification = Pending',
      '40 > BootNotification = Accepted',
      '40 > StatusNotification 0 Available',
      '40 > StatusNotification 1 Preparing',
      '40 > StatusNotification 2 Available',
      '70 > Heartbeat',
    ]);
  });
});

describe('a regular session', () => {
  it('TC_003: plugin first', async () => {
    const world = await World.start(TWO);
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [5, play.tag('ABC', [1])],
        ],
        60,
      ),
    ).toEqual([
      '0 > StatusNotification 1 Preparing',
      '5 > Authorize ABC = Accepted',
      '5 > StartTransaction 1 ABC = Accepted',
      '6 > StatusNotification 1 Charging',
    ]);
  });

  it('TC_004_1: identification first', async () => {
    const world = await World.start(TWO);
    expect(
      await story(
        world,
        [
          [0, play.tag('ABC', [1])],
          [5, play.plugIn()],
        ],
        60,
      ),
    ).toEqual([
      '0 > Authorize ABC = Accepted',
      '0 > StatusNotification 1 Preparing',
      '5 > StartTransaction 1 ABC = Accepted',
      '6 > StatusNotification 1 Charging',
    ]);
  });

  it('TC_004_2: identification first, and no plug within ConnectionTimeOut', async () => {
    const world = await World.start({ ...TWO, keys: { ...QUIET, ConnectionTimeOut: '30' } });
    expect(await story(world, [[0, play.tag('ABC', [1])]], 300)).toEqual([
      '0 > Authorize ABC = Accepted',
      '0 > StatusNotification 1 Preparing',
      '30 > StatusNotification 1 Available',
    ]);
  });
});

describe('remote start and stop', () => {
  it('TC_010: cable first, on the connector and with the tag that were named', async () => {
    const world = await World.start({ ...TWO, keys: { ...QUIET, AuthorizeRemoteTxRequests: 'true' } });
    expect(
      await story(
        world,
        [
          [0, play.plugIn(2)],
          [5, remoteStart(2)],
        ],
        60,
      ),
    ).toEqual([
      '0 > StatusNotification 2 Preparing',
      '5 < RemoteStartTransaction 2 ABC = Accepted',
      '5 > Authorize ABC = Accepted',
      '5 > StartTransaction 2 ABC = Accepted',
      '6 > StatusNotification 2 Charging',
    ]);
  });

  it('TC_012: a remote stop ends the session; the connector is Finishing until the cable is out', async () => {
    const world = await charging();
    expect(
      await story(
        world,
        [
          [0, remoteStop()],
          [10, play.unplug()],
        ],
        60,
      ),
    ).toEqual([
      '0 < RemoteStopTransaction 1 = Accepted',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 Remote',
      '10 > StatusNotification 1 Available',
    ]);
  });

  it('TC_026: a remote start on a busy connector is Rejected', async () => {
    const world = await charging();
    expect(await story(world, [[0, remoteStart()]], 60)).toEqual(['0 < RemoteStartTransaction 1 ABC = Rejected']);
  });

  it('TC_027: a remote start on connector 0 is Rejected, though others are free', async () => {
    const world = await World.start(TWO);
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [5, remoteStart(0)],
        ],
        60,
      ),
    ).toEqual(['0 > StatusNotification 1 Preparing', '5 < RemoteStartTransaction 0 ABC = Rejected']);
  });

  it('TC_028: a remote stop of an unknown transaction is Rejected and the session goes on', async () => {
    const world = await charging();
    expect(await story(world, [[0, remoteStop(77)]], 60)).toEqual(['0 < RemoteStopTransaction 77 = Rejected']);
    expect(coil(world)).toBe('closed');
  });
});

describe('Reset with a transaction', () => {
  const after = [
    '10 > BootNotification = Accepted',
    '10 > StatusNotification 0 Available',
    '10 > StatusNotification 1 Preparing',
    '10 > StatusNotification 2 Available',
  ];
  const reset = (type: string) => play.call('Reset', { type });
  const again = play.restart('kill', 5, [1]);

  it('TC_015: Hard stops with HardReset; after the boot the connector is Preparing', async () => {
    const world = await charging();
    expect(
      await story(
        world,
        [
          [0, reset('Hard')],
          [5, again],
        ],
        60,
      ),
    ).toEqual([
      '0 < Reset = Accepted',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 HardReset',
      ...after,
    ]);
  });

  it('TC_015: Hard does not wait for the central system; what it has not confirmed goes after the boot', async () => {
    const world = await charging();
    world.central.answer('StopTransaction', () => 'silence');
    const log = await story(
      world,
      [
        [0, reset('Hard')],
        [3, (): void => expect(world.exits).toEqual(['reset'])],
        [3, (): void => world.central.answer('StopTransaction', () => ({}))],
        [5, again],
      ],
      60,
    );
    expect(log).toEqual([
      '0 < Reset = Accepted',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 HardReset',
      '10 > BootNotification = Accepted',
      '10 > StopTransaction 1 HardReset',
      '10 > StatusNotification 0 Available',
      '10 > StatusNotification 1 Preparing',
      '10 > StatusNotification 2 Available',
    ]);
  });

  it('TC_016: Soft stops with SoftReset, and the process ends after the confirmation', async () => {
    const world = await charging();
    expect(
      await story(
        world,
        [
          [0, reset('Soft')],
          [5, again],
        ],
        60,
      ),
    ).toEqual([
      '0 < Reset = Accepted',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 SoftReset',
      ...after,
    ]);
  });
});

describe('a Reset that hangs', () => {
  const meterThatHangs = (board: MockBoard): Board => ({
    ...board,
    connectors: board.connectors.map((hardware) => ({
      ...hardware,
      meter: { ...hardware.meter, offers: hardware.meter.offers, read: () => new Promise<never>(() => undefined) },
    })),
  });

  it.each([
    ['Hard', 0, 2.5],
    ['Hard', 2, 7.5],
    ['Soft', 0, 20],
    ['Soft', 1, 40],
  ])('%s with ResetRetries=%i happens all the same, after %f s', async (type, ResetRetries, exitAfterS) => {
    const world = await World.start({
      connectors: [{ id: 1, cable: 'attached' }],
      keys: { ...QUIET, ResetRetries: String(ResetRetries) },
      furnish: meterThatHangs,
    });
    await story(
      world,
      [
        [0, play.plugIn()],
        [1, remoteStart()],
      ],
      5,
    );
    const exits = (): void => expect(world.exits).toEqual([]);
    await story(
      world,
      [
        [0, play.call('Reset', { type })],
        [exitAfterS - 0.1, exits],
      ],
      exitAfterS,
    );
    expect(world.exits).toEqual(['reset']);
  });
});

describe('a start that fails', () => {
  it('TC_024: a plug that cannot be locked is ConnectorLockFailure, without a transaction', async () => {
    const world = await World.start(SOCKET);
    world.board.inputs.patchConnector(1, { jam: 'lock' });
    expect(
      await story(
        world,
        [
          [0, remoteStart()],
          [5, play.plugIn()],
        ],
        300,
      ),
    ).toEqual([
      '0 < RemoteStartTransaction 1 ABC = Accepted',
      '0 > StatusNotification 1 Preparing',
      '5 > StatusNotification 1 Faulted ConnectorLockFailure',
    ]);
    expect(world.board.contactorHistory(1)).toEqual(['open']);
  });

  it.each([
    ['cable first', [[0, play.plugIn()]]],
    ['cable later', [[60, play.plugIn()]]],
  ] as const)('TC_041: nothing begins on a faulted connector, %s', async (_, plugged) => {
    const world = await World.start({ ...TWO, connectors: [{ id: 1, cable: 'attached' }] });
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(1));
    expect(world.central.received('StatusNotification').at(-1)).toMatchObject({
      connectorId: 1,
      status: 'Faulted',
      errorCode: 'GroundFailure',
    });
    const log = await story(world, [...plugged, [70, play.tag('ABC')], [80, remoteStart()]], 300);
    expect(log).toEqual(['80 < RemoteStartTransaction 1 ABC = Rejected']);
    expect(world.board.contactorHistory(1)).toEqual(['open']);
  });
});

describe('a power failure', () => {
  it('TC_032_1: with back-up power the stop goes out before the end; after the boot the connector is Preparing', async () => {
    const world = await charging();
    const failing = ({ board }: World): void => board.inputs.setMains('failing');
    expect(
      await story(
        world,
        [
          [0, failing],
          [5, play.restart('powerCut', 5, [1])],
        ],
        60,
      ),
    ).toEqual([
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 PowerLoss',
      '10 > BootNotification = Accepted',
      '10 > StatusNotification 0 Available',
      '10 > StatusNotification 1 Preparing',
      '10 > StatusNotification 2 Available',
    ]);
  });

  it('TC_032_2: without back-up power the stop goes out after the boot', async () => {
    const world = await charging();
    expect(await story(world, [[0, play.restart('powerCut', 10, [1])]], 60)).toEqual([
      '10 > BootNotification = Accepted',
      '10 > StopTransaction 1 PowerLoss',
      '10 > StatusNotification 0 Available',
      '10 > StatusNotification 1 Preparing',
      '10 > StatusNotification 2 Available',
    ]);
  });
});

describe('the link is lost', () => {
  it('TC_035: while idle; nothing is sent on the reconnect, and heartbeats go on at their interval', async () => {
    const world = await World.start({ ...TWO, keys: { ...QUIET, HeartbeatInterval: '30' } });
    await world.central.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '30' });
    expect(
      await story(
        world,
        [
          [40, play.cut],
          [70, play.restore],
        ],
        125,
      ),
    ).toEqual(['30 > Heartbeat', '90 > Heartbeat', '120 > Heartbeat']);
  });

  it('TC_036: in a transaction; every sample of that time arrives in order before new ones, exactly spaced', async () => {
    const world = await charging({ ...TWO, keys: { MeterValueSampleInterval: '20' } });
    expect(
      await story(
        world,
        [
          [20, play.cut],
          [80, play.restore],
        ],
        100,
      ),
    ).toEqual(['15 > MeterValues', '80 > MeterValues', '80 > MeterValues', '80 > MeterValues', '95 > MeterValues']);
    const samples = world.central.received('MeterValues').map(({ transactionId, meterValue }) => {
      const [{ timestamp, sampledValue }] = meterValue as [{ timestamp: string; sampledValue: { context: string }[] }];
      return [transactionId, (Date.parse(timestamp) - world.clock.wall(0)) / 1000, sampledValue[0]?.context];
    });
    expect(samples).toEqual([20.1, 40.1, 60.1, 80.1, 100.1].map((s) => [1, s, 'Sample.Periodic']));
  });

  it('TC_038: a transaction that is stopped then is reported when the link is back', async () => {
    const world = await charging();
    expect(
      await story(
        world,
        [
          [0, play.cut],
          [20, play.tag('ABC', [1])],
          [60, play.restore],
        ],
        100,
      ),
    ).toEqual(['60 > StopTransaction 1 ABC Local', '60 > StatusNotification 1 Finishing']);
    const [stop] = world.central.received('StopTransaction');
    expect((Date.parse(String(stop?.['timestamp'])) - world.clock.wall(0)) / 1000).toBe(25.1);
  });

  it('TC_039: a transaction that is started and stopped then is reported whole, with the id of its start', async () => {
    const world = await World.start({ ...TWO, keys: { ...QUIET, AllowOfflineTxForUnknownId: 'true' } });
    world.central.nextTransaction = 41;
    const log = await story(
      world,
      [
        [0, play.cut],
        [10, play.plugIn()],
        [10, play.tag('ABC', [1])],
        [40, play.tag('ABC', [1])],
        [50, play.unplug()],
        [60, play.restore],
      ],
      100,
    );
    expect(log).toEqual(['60 > StartTransaction 1 ABC = Accepted', '60 > StopTransaction 41 ABC Local']);
    expect(statuses(world)).toEqual(['Available', 'Available']);
  });
});

/** Sections 9.1 to 9.4, and what the errata add (3.81, 3.83, 3.84, 3.91); the last one is ours. */
const KEYS: Readonly<Record<string, 'R' | 'RW'>> = {
  AllowOfflineTxForUnknownId: 'RW',
  AuthorizationCacheEnabled: 'RW',
  AuthorizeRemoteTxRequests: 'RW',
  ClockAlignedDataInterval: 'RW',
  ConnectionTimeOut: 'RW',
  ConnectorPhaseRotation: 'RW',
  ConnectorPhaseRotationMaxLength: 'R',
  GetConfigurationMaxKeys: 'R',
  HeartbeatInterval: 'RW',
  LocalAuthorizeOffline: 'RW',
  LocalPreAuthorize: 'RW',
  MaxEnergyOnInvalidId: 'RW',
  MessageTimeout: 'RW',
  MeterValuesAlignedData: 'RW',
  MeterValuesAlignedDataMaxLength: 'R',
  MeterValuesSampledData: 'RW',
  MeterValuesSampledDataMaxLength: 'R',
  MeterValueSampleInterval: 'RW',
  MinimumStatusDuration: 'RW',
  NumberOfConnectors: 'R',
  ResetRetries: 'RW',
  StopTransactionOnEVSideDisconnect: 'RW',
  StopTransactionOnInvalidId: 'RW',
  StopTxnAlignedData: 'RW',
  StopTxnAlignedDataMaxLength: 'R',
  StopTxnSampledData: 'RW',
  StopTxnSampledDataMaxLength: 'R',
  SupportedFeatureProfiles: 'R',
  SupportedFeatureProfilesMaxLength: 'R',
  TransactionMessageAttempts: 'RW',
  TransactionMessageRetryInterval: 'RW',
  UnlockConnectorOnEVSideDisconnect: 'R',
  WebSocketPingInterval: 'RW',
  LocalAuthListEnabled: 'RW',
  LocalAuthListMaxLength: 'R',
  SendLocalListMaxLength: 'R',
  ReserveConnectorZeroSupported: 'R',
  ChargeProfileMaxStackLevel: 'R',
  ChargingScheduleAllowedChargingRateUnit: 'R',
  ChargingScheduleMaxPeriods: 'R',
  ConnectorSwitch3to1PhaseSupported: 'R',
  MaxChargingProfilesInstalled: 'R',
  SupportedMeasurands: 'R',
  SupportedFileTransferProtocols: 'R',
  AdditionalRootCertificateCheck: 'R',
  CertificateSignedMaxChainSize: 'R',
  CertificateStoreMaxLength: 'R',
  CpoName: 'RW',
  SecurityProfile: 'RW',
  CentralSystemUrl: 'RW',
};

describe('configuration', () => {
  const change = (key: string, value: string) => play.call('ChangeConfiguration', { key, value });

  const all = async (world: World) => {
    const { configurationKey } = (await world.central.call('GetConfiguration')) as {
      configurationKey: { key: string; readonly: boolean; value: string }[];
    };
    return configurationKey;
  };

  it('TC_019: all keys of each profile are there, readable only or writable as section 9 has it', async () => {
    const world = await World.start({ ...TWO, keys: { AuthorizationKey: 'a secret of mine, 1234' } });
    const keys = await all(world);
    expect(Object.fromEntries(keys.map(({ key, readonly }) => [key, readonly ? 'R' : 'RW']))).toEqual(KEYS);
    expect(keys.find(({ key }) => key === 'SupportedFeatureProfiles')?.value.split(',')).toEqual([
      'Core',
      'FirmwareManagement',
      'LocalAuthListManagement',
      'RemoteTrigger',
      'Reservation',
      'SmartCharging',
    ]);
    expect(JSON.stringify(world.wire)).not.toContain('secret');
  });

  it('TC_019: the keys of a profile that is off are not there', async () => {
    const world = await World.start({ ...TWO, keys: { SupportedFeatureProfiles: 'Core' } });
    const names = (await all(world)).map(({ key }) => key);
    const absent = ['LocalAuthListEnabled', 'LocalAuthListMaxLength', 'ReserveConnectorZeroSupported'];
    expect(names.filter((name) => absent.includes(name))).toEqual([]);
    expect(await world.central.call('GetConfiguration', { key: absent })).toEqual({
      configurationKey: [],
      unknownKey: absent,
    });
  });

  it.each(Object.keys(KEYS))('TC_019: %s alone is just that key', async (name) => {
    const world = await World.start(TWO);
    expect(await world.central.call('GetConfiguration', { key: [name] })).toEqual({
      configurationKey: [{ key: name, readonly: KEYS[name] === 'R', value: expect.any(String) }],
    });
  });

  it('TC_021: every writable key takes back what it says, at once, and no other key takes anything', async () => {
    const world = await World.start(TWO);
    for (const { key, readonly, value } of await all(world)) {
      expect([key, await world.central.call('ChangeConfiguration', { key, value })]).toEqual([
        key,
        // A security profile can only be raised (A05.FR.01).
        { status: readonly || key === 'SecurityProfile' ? 'Rejected' : 'Accepted' },
      ]);
    }
  });

  it('TC_021: a changed key is read back', async () => {
    const world = await World.start(TWO);
    expect(await story(world, [[0, change('MeterValueSampleInterval', '30')]], 5)).toEqual([
      '0 < ChangeConfiguration MeterValueSampleInterval 30 = Accepted',
    ]);
    expect(await world.central.call('GetConfiguration', { key: ['MeterValueSampleInterval'] })).toEqual({
      configurationKey: [{ key: 'MeterValueSampleInterval', readonly: false, value: '30' }],
    });
  });

  it('TC_040_1: an unknown key is NotSupported', async () => {
    const world = await World.start(TWO);
    expect(await story(world, [[0, change('UnheardOf', '1')]], 60)).toEqual([
      '0 < ChangeConfiguration UnheardOf 1 = NotSupported',
    ]);
  });

  it('TC_040_2: an invalid value is Rejected and changes nothing', async () => {
    const world = await World.start({ ...TWO, keys: { MeterValueSampleInterval: '45' } });
    expect(await story(world, [[0, change('MeterValueSampleInterval', '-1')]], 60)).toEqual([
      '0 < ChangeConfiguration MeterValueSampleInterval -1 = Rejected',
    ]);
    expect(await world.central.call('GetConfiguration', { key: ['MeterValueSampleInterval'] })).toEqual({
      configurationKey: [{ key: 'MeterValueSampleInterval', readonly: false, value: '45' }],
    });
  });
});
