/** What real central systems do: the rows of interop.md (sections 2 and 4) that concern these profiles, each with its test. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { asking, story } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

/** Section and row, the file under test/, and a part of the test's name. */
const ROWS: readonly (readonly [row: string, file: string, name: string])[] = [
  ['2.1', 'ocpp/link', 'is noticed to be half-open with WebSocketPingInterval %i too'],
  ['2.2', 'scenarios/transactions', 'goes on charging when the link is lost in the middle'],
  ['2.3', 'scenarios/interop', 'is one of now for what has changed, not what has been'],
  ['2.4', 'scenarios/interop', 'is one of now for what has changed, not what has been'],
  ['2.5', 'ocpp/link', 'goes on backing off when a link opens but never settles'],
  ['2.6', 'ocpp/link', 'is dropped after two missed pongs, 20 s after the first ping, however long the interval is'],
  ['2.7', 'scenarios/interop', 'has a ping interval of 30 s, whatever HeartbeatInterval says'],
  ['2.8', 'ocpp/link', 'pings every WebSocketPingInterval, and lives as long as pongs come'],
  ['2.10', 'ocpp/link', 'backs off 1, 2, 4, 8, 16, 32, 60, 60 s and half of the random range'],
  ['2.11', 'scenarios/octt-remote-trigger', 'TC_054: MeterValues of every connector'],
  ['2.12', 'scenarios/authorization', 'gets over a central system that takes one call at a time'],
  ['2.13', 'scenarios/transactions', 'loses no start that nobody has confirmed'],
  ['2.14', 'scenarios/octt-core', 'TC_032_2: without back-up power the stop goes out after the boot'],
  ['2.14', 'scenarios/resumption', 'goes on as Charging without a new start, and the tag that began it stops it'],
  ['2.15', 'scenarios/octt-core', 'TC_039: a transaction that is started and stopped then is reported whole'],
  ['2.16', 'ocpp/outbox', 'goes on where it stood, without what was confirmed'],
  ['2.17', 'scenarios/transactions', 'gets it again TransactionMessageAttempts times, later and later'],
  ['2.18', 'scenarios/reference-suites', 'is sent TransactionMessageAttempts times, the interval times n apart'],
  ['2.19', 'scenarios/interop', 'is echoed as it came: %i, idTag %s'],
  ['2.20', 'scenarios/interop', 'is echoed as it came: %i, idTag %s'],
  ['2.21', 'ocpp/outbox', 'gives up a fact that cannot be rendered, and goes on'],
  ['2.22', 'scenarios/transactions', 'repeats what was under way with the same time'],
  ['2.25', 'scenarios/interop', 'begins another one from Finishing, by %s'],
  ['2.26', 'scenarios/interop', 'is SuspendedEV when the EV does not ask, and says so'],
  ['2.27', 'core/connector/transitions', 'have a legal way between any two'],
  ['2.31', 'scenarios/authorization', 'begins with the plug, asks nobody, and ends with it'],
  ['2.33', 'scenarios/interop', 'has the idTag of nobody when a reset ends it'],
  ['2.34', 'scenarios/meter-data', 'choose from SupportedMeasurands'],
  ['2.35', 'scenarios/metering', 'say what is measured, with the phases of the specification'],
  ['2.37', 'scenarios/meter-data', 'never decreases from start over samples and triggers to stop'],
  ['2.38', 'scenarios/meter-data', 'stays in order, and nothing follows the stop, when the meter is slow at the end'],
  ['2.39', 'scenarios/meter-data', 'that falls is not believed: the last journalled one is reported, and logged once'],
  ['2.40', 'scenarios/meter-data', 'reads the meter once a second at most, whether or not it answers'],
  ['2.42', 'scenarios/transactions', 'a missing diode is found while PWM runs'],
  ['4.3', 'ocpp/tolerance', 'repairs %s'],
  ['4.11', 'ocpp/link', 'needs no ping of its own while the other side is heard'],
  ['4.12', 'scenarios/interop', 'is no reason to say anything'],
  ['4.13', 'scenarios/octt-core', 'TC_002: while Pending only calls are answered'],
  ['4.14', 'scenarios/boot', 'is repeated in our own time after %s'],
  ['4.15', 'scenarios/interop', 'keeps asking while Pending for a day, and charges whom it knows meanwhile'],
  ['4.16', 'ocpp/tolerance', 'leaves times of any offset and any number of digits as they are'],
  ['4.17', 'scenarios/interop', 'does not move a clock that is trusted'],
  ['4.18', 'ocpp/tolerance', 'drops null for a required member, which is then answered as missing'],
  ['4.19', 'ocpp/tolerance', 'reports a bounded number of bounded lines, but drops everything unknown'],
  ['4.20', 'scenarios/stories', 'shapes valid'],
  ['4.21', 'ocpp/peer', 'are answered with the id they came with'],
  ['4.22', 'ocpp/peer', 'reaches him on the next link too'],
  ['4.23', 'scenarios/authorization', 'gets over a central system that takes one call at a time'],
  ['4.24', 'ocpp/peer', 'carry the code of a CALLERROR, whatever it is'],
  ['4.25', 'scenarios/security-events', 'is told once to a central system that does not know it'],
  ['4.26', 'scenarios/data-transfer', '%j gets %j'],
  ['4.27', 'scenarios/interop', 'takes measurands one by one and then a list, without a reboot'],
  ['4.28', 'scenarios/interop', '%s=%s is taken as %s'],
  ['4.30', 'scenarios/interop', 'with %j gives all keys'],
  ['4.31', 'scenarios/interop', 'to what everything is already changes nothing and says nothing'],
  ['4.32', 'scenarios/interop', 'takes %s'],
  ['4.33', 'scenarios/interop', 'waits for the plug, and ignores a charging profile that it cannot use'],
  ['4.34', 'scenarios/interop', 'asks nobody about a remote start by default'],
  ['4.35', 'scenarios/octt-remote-trigger', 'TC_054: StatusNotification of connector %s says what is true now'],
  ['4.36', 'scenarios/meter-data', 'reads the meter once a second at most, whether or not it answers'],
  ['4.37', 'scenarios/interop', 'is echoed as it came: %i, idTag %s'],
  ['4.38', 'scenarios/interop', 'does not end when the idTag expires, or had expired before'],
  ['4.39', 'scenarios/transactions', 'is authorised, begins, and stops with its own idTag'],
  ['4.40', 'scenarios/interop', 'takes a list of 500 idTags in one frame, and refuses one of 20,000 without a word'],
  ['4.43', 'scenarios/availability', 'with a session on an attached cable is NotSupported and the session goes on'],
];

const QUIET = { MeterValueSampleInterval: '0' };
const TWO: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: QUIET,
};

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

const remoteStart = (payload: Payload = {}) => play.call('RemoteStartTransaction', { idTag: 'ABC', ...payload });
const change = (world: World, key: string, value: unknown) => world.central.call('ChangeConfiguration', { key, value });
const shown = async (world: World, key: string) => {
  const answer = await world.central.call('GetConfiguration', { key: [key] });
  return (answer as { configurationKey: { value: string }[] }).configurationKey[0]?.value;
};

it.each(ROWS)('row %s is tested in test/%s.test.ts: %s', (row, file, name) => {
  const source = readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8');
  // The table itself stands in this file.
  const tests = file === 'scenarios/interop' ? source.slice(source.indexOf('const QUIET')) : source;
  expect(tests.includes(name), `interop.md ${row}`).toBe(true);
});

describe('the status after a time without a link', () => {
  it('is one of now for what has changed, not what has been', async () => {
    const world = await World.start(TWO);
    const log = await story(
      world,
      [
        [0, play.cut],
        [10, play.plugIn()],
        [20, play.unplug()],
        [30, play.plugIn(2)],
        [60, play.restore],
      ],
      120,
    );
    expect(log).toEqual(['60 > StatusNotification 2 Preparing']);
    expect(world.central.received('StatusNotification').at(-1)?.['timestamp']).toBe('2026-01-05T08:01:00.100Z');
  });
});

describe('an idle link', () => {
  it('has a ping interval of 30 s, whatever HeartbeatInterval says', async () => {
    const world = await World.start({ ...TWO, keys: { HeartbeatInterval: '86400' } });
    expect(await shown(world, 'WebSocketPingInterval')).toBe('30');
    expect(await change(world, 'WebSocketPingInterval', '-1')).toEqual({ status: 'Rejected' });
  });

  it.each(['', '  ', '\n'])('%j is no reason to say anything', async (text) => {
    const world = await World.start(TWO);
    const before = world.central.calls().length;
    world.central.raw(text);
    await world.clock.advance(minutes(1));
    expect(world.central.calls()).toHaveLength(before);
    expect(world.wire.filter(({ dir, frame }) => dir === 'tx' && frame[0] !== 2)).toEqual([]);
    expect(world.central.connected).toBe(true);
  });
});

describe('registration', () => {
  it('keeps asking while Pending for a day, and charges whom it knows meanwhile', async () => {
    const world = await World.start({
      ...TWO,
      keys: { ...QUIET, AllowOfflineTxForUnknownId: 'true' },
      prepare: (central) =>
        central.answer('BootNotification', () => ({
          status: 'Pending',
          currentTime: '2026-01-05T08:00:00Z',
          interval: 3600,
        })),
    });
    const log = await story(
      world,
      [
        [10, play.plugIn()],
        [11, play.tag('ABC', [1])],
      ],
      24 * 3600,
    );
    expect(log).toEqual(
      Array.from({ length: 24 }, (_, hour) => `${3600 * (hour + 1) - 0.1} > BootNotification = Pending`),
    );
    expect(world.board.connector(1).observe().contactor).toBe('closed');
  });

  it('does not move a clock that is trusted', async () => {
    const world = await World.start(TWO);
    const wall = world.clock.wall(0);
    world.central.answer('Heartbeat', () => ({ currentTime: '2026-01-05T17:30:00Z' }));
    await story(world, [[0, play.call('TriggerMessage', { requestedMessage: 'Heartbeat' })]], 10);
    expect(world.clock.wall(0)).toBe(wall);
  });
});

describe('the id of a transaction', () => {
  it.each([
    [0, 'Accepted'],
    [-7, 'Accepted'],
    [2 ** 31, 'Accepted'],
    [Number.MAX_SAFE_INTEGER, 'Accepted'],
    [0, 'ConcurrentTx'],
  ])('is echoed as it came: %i, idTag %s', async (transactionId, status) => {
    const world = await World.start({ ...TWO, keys: { ...QUIET, StopTransactionOnInvalidId: 'false' } });
    world.central.answer('StartTransaction', () => ({ transactionId, idTagInfo: { status } }));
    await story(
      world,
      [
        [0, play.plugIn()],
        [0, play.tag('ABC', [1])],
      ],
      5,
    );
    await world.central.call('TriggerMessage', { requestedMessage: 'MeterValues', connectorId: 1 });
    expect(await world.central.call('RemoteStopTransaction', { transactionId })).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(10));
    expect(world.central.received('MeterValues')).toMatchObject([{ transactionId }]);
    expect(world.central.received('StopTransaction')).toMatchObject([{ transactionId, reason: 'Remote' }]);
  });
});

describe('a session', () => {
  it.each([
    ['remote start', remoteStart({ connectorId: 1 }), ['0 < RemoteStartTransaction 1 ABC = Accepted']],
    ['tag', play.tag('ABC', [1]), ['0 > Authorize ABC = Accepted']],
  ])('begins another one from Finishing, by %s', async (_, begin, first) => {
    const world = await charging();
    await story(world, [[0, play.call('RemoteStopTransaction', { transactionId: 1 })]], 10);
    expect(await story(world, [[0, begin]], 60)).toEqual([
      ...first,
      '0 > StatusNotification 1 Preparing',
      '0 > StartTransaction 1 ABC = Accepted',
      '1 > StatusNotification 1 Charging',
    ]);
  });

  it('is SuspendedEV when the EV does not ask, and says so', async () => {
    const world = await World.start(TWO);
    world.board.inputs.patchConnector(1, { ev: { mode: 'B' } });
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [5, play.tag('ABC', [1])],
        ],
        120,
      ),
    ).toEqual([
      '0 > StatusNotification 1 Preparing',
      '5 > Authorize ABC = Accepted',
      '5 > StartTransaction 1 ABC = Accepted',
      '35 > StatusNotification 1 SuspendedEV',
    ]);
    expect(world.central.received('StatusNotification').at(-1)).toMatchObject({
      errorCode: 'NoError',
      info: 'EV has not asked for power yet',
    });
  });

  it.each(['Hard', 'Soft'])('has the idTag of nobody when a reset ends it (%s)', async (type) => {
    const world = await charging();
    await story(world, [[0, play.call('Reset', { type })]], 20);
    expect(world.central.received('StopTransaction')).toMatchObject([{ reason: `${type}Reset` }]);
    expect(world.central.received('StopTransaction')[0]).not.toHaveProperty('idTag');
  });

  it('does not end when the idTag expires, or had expired before', async () => {
    const world = await World.start(TWO);
    const expired = { status: 'Accepted', expiryDate: '2020-01-01T00:00:00Z' };
    world.central.answer('StartTransaction', () => ({ transactionId: 1, idTagInfo: expired }));
    await story(
      world,
      [
        [0, play.plugIn()],
        [0, play.tag('ABC', [1])],
      ],
      3600,
    );
    expect(world.central.received('StopTransaction')).toEqual([]);
    expect(world.board.connector(1).observe().contactor).toBe('closed');
  });
});

describe('ChangeConfiguration', () => {
  it('takes measurands one by one and then a list, without a reboot', async () => {
    const world = await World.start(TWO);
    const probes = ['Current.Import', 'Voltage', 'Temperature', 'SoC', 'RPM', 'Energy.Active.Import.Register'];
    for (const measurand of probes) {
      const { status } = (await change(world, 'MeterValuesSampledData', measurand)) as Payload;
      expect(['Accepted', 'Rejected']).toContain(status);
      if (status === 'Accepted') expect(await shown(world, 'MeterValuesSampledData')).toBe(measurand);
    }
    const all = 'Voltage,Current.Import';
    expect(await change(world, 'MeterValuesSampledData', all)).toEqual({ status: 'Accepted' });
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await shown(world, 'MeterValuesSampledData')).toBe(all);
  });

  it.each([
    ['heartbeatinterval', '60', '60'],
    [' HeartbeatInterval ', ' 060 ', '60'],
    ['HeartbeatInterval', 60, '60'],
    ['LocalPreAuthorize', 'TRUE', 'true'],
    ['LocalPreAuthorize', ' True ', 'true'],
    ['LocalPreAuthorize', true, 'true'],
    ['LocalPreAuthorize', 'False', 'false'],
    ['MeterValuesSampledData', ' voltage , current.import ', 'Voltage,Current.Import'],
    ['MeterValuesSampledData', '', ''],
    ['ConnectorPhaseRotation', '0.RST, 1.rst , 2.NotApplicable', '0.RST,1.RST,2.NotApplicable'],
    ['ConnectorPhaseRotation', '', ''],
  ])('%s=%s is taken as %s', async (key, value, canonical) => {
    const world = await World.start(TWO);
    expect(await change(world, key, value)).toEqual({ status: 'Accepted' });
    expect(await shown(world, key)).toBe(canonical);
  });

  it.each([
    ['HeartbeatInterval', ''],
    ['HeartbeatInterval', '1.5'],
    ['HeartbeatInterval', '0x10'],
    ['HeartbeatInterval', '1e3'],
    ['HeartbeatInterval', '99999999999999999999'],
    ['LocalPreAuthorize', '1'],
    ['LocalPreAuthorize', 'yes'],
    ['LocalPreAuthorize', ''],
    ['ConnectionTimeOut', '0'],
    ['ConnectorPhaseRotation', 'RST'],
    ['ConnectorPhaseRotation', '1.RST,1.RTS'],
    ['ConnectorPhaseRotation', '1.XYZ'],
    ['ConnectorPhaseRotation', '3.RST'],
    ['ConnectorPhaseRotation', '0.RST,1.RST,2.RST,'],
    ['ConnectorPhaseRotation', '-1.RST'],
    ['MessageTimeout', '0'],
    ['ResetRetries', '-1'],
    ['MeterValuesSampledData', 'Voltage,Voltage'],
    ['SupportedFeatureProfiles', 'Core'],
    ['LocalAuthListMaxLength', '5'],
    ['UnlockConnectorOnEVSideDisconnect', 'true'],
  ])('%s=%s is Rejected and changes nothing', async (key, value) => {
    const world = await World.start(TWO);
    const before = await shown(world, key);
    expect(await change(world, key, value)).toEqual({ status: 'Rejected' });
    expect(await shown(world, key)).toBe(before);
  });

  it('of UnlockConnectorOnEVSideDisconnect is possible where a connector is a socket (errata 3.84)', async () => {
    const world = await World.start({
      connectors: [
        { id: 1, cable: 'attached' },
        { id: 2, cable: 'socket' },
      ],
    });
    expect(await shown(world, 'UnlockConnectorOnEVSideDisconnect')).toBe('true');
    expect(await change(world, 'UnlockConnectorOnEVSideDisconnect', 'false')).toEqual({ status: 'Accepted' });
  });

  it.each([
    [[{ id: 1, cable: 'attached' as const }], '1.Unknown', '2'],
    [
      [
        { id: 1, cable: 'attached' as const, phases: 1 as const },
        { id: 2, cable: 'socket' as const, phases: 3 as const },
      ],
      '1.NotApplicable,2.Unknown',
      '3',
    ],
  ])('has no need of ConnectorPhaseRotation for %j', async (connectors, rotation, most) => {
    const world = await World.start({ connectors });
    expect(await shown(world, 'ConnectorPhaseRotation')).toBe(rotation);
    expect(await shown(world, 'ConnectorPhaseRotationMaxLength')).toBe(most);
    expect(await change(world, 'ConnectorPhaseRotation', '1.SRT')).toEqual({ status: 'Accepted' });
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await shown(world, 'ConnectorPhaseRotation')).toBe('1.SRT');
  });

  it('and a preset make no difference to a key that the build decides (errata 3.85)', async () => {
    const world = await World.start({ ...TWO, keys: { UnlockConnectorOnEVSideDisconnect: 'true' } });
    expect(await world.central.call('GetConfiguration', { key: ['UnlockConnectorOnEVSideDisconnect'] })).toEqual({
      configurationKey: [{ key: 'UnlockConnectorOnEVSideDisconnect', readonly: true, value: 'false' }],
    });
  });

  it('of MessageTimeout counts for the next call', async () => {
    const world = await World.start(TWO);
    await change(world, 'MessageTimeout', '5');
    world.central.answer('Heartbeat', () => 'silence');
    const log = await story(
      world,
      [
        [0, play.call('TriggerMessage', { requestedMessage: 'Heartbeat' })],
        [1, play.call('TriggerMessage', { requestedMessage: 'Heartbeat' })],
      ],
      10,
    );
    expect(log).toEqual([
      '0 < TriggerMessage = Accepted',
      '0 > Heartbeat',
      '1 < TriggerMessage = Accepted',
      '5 > Heartbeat',
    ]);
  });
});

describe('GetConfiguration', () => {
  const names = async (world: World, payload: Payload) => {
    const { configurationKey, ...rest } = (await world.central.call('GetConfiguration', payload)) as Payload;
    return { names: (configurationKey as { key: string }[]).map(({ key }) => key), ...rest };
  };

  it.each([[{}], [{ key: [] }], [{ key: null }]])('with %j gives all keys', async (payload) => {
    const world = await World.start({ ...TWO, keys: { GetConfigurationMaxKeys: '2' } });
    const answer = await names(world, payload);
    expect(answer.names.length).toBeGreaterThan(30);
    expect(answer).not.toHaveProperty('unknownKey');
  });

  it('gives what was asked for, each once, known or not, up to GetConfigurationMaxKeys', async () => {
    const world = await World.start({ ...TWO, keys: { GetConfigurationMaxKeys: '3' } });
    const key = ['HeartbeatInterval', 'heartbeatinterval', 'Unheard', 'ResetRetries', 'ConnectionTimeOut'];
    expect(await names(world, { key: ['HeartbeatInterval', 'HeartbeatInterval', 'Unheard', 'ResetRetries'] })).toEqual({
      names: ['HeartbeatInterval', 'ResetRetries'],
      unknownKey: ['Unheard'],
    });
    expect((await names(world, { key })).names).toEqual(['HeartbeatInterval', 'ResetRetries']);
  });
});

describe('ChangeAvailability', () => {
  it('to what everything is already changes nothing and says nothing', async () => {
    const world = await charging();
    const operative = play.call('ChangeAvailability', { connectorId: 0, type: 'Operative' });
    expect(
      await story(
        world,
        [
          [0, operative],
          [1, operative],
        ],
        60,
      ),
    ).toEqual(['0 < ChangeAvailability = Accepted', '1 < ChangeAvailability = Accepted']);
    expect(world.board.connector(1).observe().contactor).toBe('closed');
  });
});

describe('RemoteStartTransaction', () => {
  const started = (world: World) => world.central.received('StartTransaction').map(({ connectorId }) => connectorId);
  const findFirst = (first: boolean, reject = false): WorldOptions => ({
    ...TWO,
    options: {
      remoteStartTransactionWithoutConnectorIdFindFirst: first,
      rejectRemoteStartTransactionWithoutConnectorId: reject,
    },
  });

  it.each<[string, WorldOptions, readonly number[], string, readonly number[]]>([
    ['the connector with an EV, if it may choose', findFirst(true), [2], 'Accepted', [2]],
    ['the first of two with an EV, if it may choose', findFirst(true), [1, 2], 'Accepted', [1]],
    ['the only one with an EV, which is no choice', TWO, [2], 'Accepted', [2]],
    ['none, if there are two and nobody said that it may choose', TWO, [1, 2], 'Rejected', []],
    ['none, if a connectorId is wanted', findFirst(true, true), [1], 'Rejected', []],
  ])('takes %s', async (_, options, plugged, status, connectors) => {
    const world = await World.start(options);
    for (const id of plugged) world.plugIn(id);
    await world.clock.advance(seconds(1));
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'ABC' })).toEqual({ status });
    await world.clock.advance(seconds(5));
    expect(started(world)).toEqual(connectors);
  });

  it('waits for the plug, and ignores a charging profile that it cannot use', async () => {
    const world = await World.start(TWO);
    const chargingProfile = {
      chargingProfileId: 1,
      transactionId: 99,
      stackLevel: 0,
      chargingProfilePurpose: 'TxProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] },
    };
    const log = await story(
      world,
      [
        [0, remoteStart({ connectorId: 1, chargingProfile })],
        [100, play.plugIn()],
      ],
      110,
    );
    expect(log).toEqual([
      '0 < RemoteStartTransaction 1 ABC = Accepted',
      '0 > StatusNotification 1 Preparing',
      '100 > StartTransaction 1 ABC = Accepted',
      '101 > StatusNotification 1 Charging',
    ]);
  });

  it('asks nobody about a remote start by default', async () => {
    const world = await World.start(TWO);
    expect(await shown(world, 'AuthorizeRemoteTxRequests')).toBe('false');
    await story(
      world,
      [
        [0, play.plugIn()],
        [1, remoteStart({ connectorId: 1 })],
      ],
      5,
    );
    expect(world.central.received('Authorize')).toEqual([]);
  });
});

describe('SendLocalList', () => {
  const list = (length: number) => ({
    listVersion: 1,
    updateType: 'Full',
    localAuthorizationList: Array.from({ length }, (_, index) => ({
      idTag: `TAG-${index}`,
      idTagInfo: { status: 'Accepted', expiryDate: '2030-01-01T00:00:00Z', parentIdTag: 'FAMILY' },
    })),
  });

  it('takes a list of 500 idTags in one frame, and refuses one of 20,000 without a word', async () => {
    const world = await World.start(TWO);
    expect(JSON.stringify(list(20_000)).length).toBeGreaterThan(2 ** 20);
    expect(await asking(world, 'SendLocalList', list(500))).toEqual(['0 < SendLocalList Full 1 = Accepted']);
    expect(await asking(world, 'SendLocalList', list(20_000))).toEqual(['0 < SendLocalList Full 1 = Failed']);
    expect(world.central.connected).toBe(true);
    expect(await world.central.call('GetLocalListVersion')).toEqual({ listVersion: 1 });
  });
});
