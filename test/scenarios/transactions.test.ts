/** Transactions across everything that can go wrong (OCPP 1.6 sections 3.5, 3.7, 4.8, 4.10, 5.11, 5.12 and 5.14). */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../sim/network.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

async function charging(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({ keys: { MeterValueSampleInterval: '0' }, ...options });
  world.plugIn();
  await world.clock.advance(seconds(1));
  await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
  await world.clock.advance(seconds(10));
  expect(world.board.connector(1).observe().contactor).toBe('closed');
  return world;
}

const starts = (world: World) => world.central.received('StartTransaction');
const stops = (world: World) => world.central.received('StopTransaction');
const coil = (world: World) => world.board.connector(1).observe().contactor;

const timestampOf = ({ timestamp }: Record<string, unknown>) => Date.parse(String(timestamp));

/** A session without a link, while nobody knows the time. */
async function unheard(): Promise<{ readonly world: World; readonly plugged: number; readonly ended: number }> {
  const world = await World.start({
    trusted: false,
    keys: { AllowOfflineTxForUnknownId: 'true', MeterValueSampleInterval: '0' },
    prepare: (central) => central.answer('BootNotification', () => 'silence'),
  });
  world.plugIn();
  const plugged = world.clock.now();
  world.present('ABC');
  await world.clock.advance(minutes(2));
  const ended = world.clock.now();
  world.present('ABC');
  await world.clock.advance(minutes(1));
  return { world, plugged, ended };
}

/** The agent starts, and the central system takes it. */
async function heard(world: World, currentTime?: string): Promise<void> {
  const now = () => new Date(world.clock.wall(world.clock.now())).toISOString();
  world.central.answer('BootNotification', () => ({
    status: 'Accepted',
    currentTime: currentTime ?? now(),
    interval: 3600,
  }));
  await world.boot();
  await world.clock.advance(seconds(30));
}

describe('a tag', () => {
  it('is authorised, begins, and stops with its own idTag', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '0' } });
    world.plugIn();
    await world.clock.advance(seconds(1));
    world.present('ABC');
    await world.clock.advance(seconds(10));
    world.present('abc');
    await world.clock.advance(seconds(10));
    expect(world.story(1)).toEqual([
      'StatusNotification(1 Preparing)',
      'Authorize',
      'StartTransaction',
      'StatusNotification(1 Charging)',
      'StatusNotification(1 Finishing)',
      'StopTransaction',
    ]);
    expect(stops(world)).toMatchObject([{ reason: 'Local', idTag: 'abc', transactionId: 1 }]);
  });

  it('that is not accepted begins nothing', async () => {
    const world = await World.start();
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Blocked' } }));
    world.plugIn();
    world.present('BAD');
    await world.clock.advance(minutes(1));
    expect(starts(world)).toEqual([]);
    expect(world.board.contactorHistory(1)).toEqual(['open']);
  });

  it('that is foreign neither stops nor is asked about', async () => {
    const world = await charging();
    const before = world.clock.now();
    world.present('XYZ');
    await world.clock.advance(seconds(5));
    expect(world.story(before)).toEqual([]);
  });

  it('of the same group stops', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '0' } });
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted', parentIdTag: 'FAMILY' } }));
    world.plugIn();
    world.present('MUM');
    await world.clock.advance(seconds(10));
    world.present('DAD');
    await world.clock.advance(seconds(10));
    expect(stops(world)).toMatchObject([{ idTag: 'DAD', reason: 'Local' }]);
  });

  it('before the plug waits for ConnectionTimeOut', async () => {
    const world = await World.start({ keys: { ConnectionTimeOut: '30' } });
    const begin = world.clock.now();
    world.present('ABC');
    await world.clock.advance(seconds(31));
    expect(world.story(begin)).toEqual([
      'Authorize',
      'StatusNotification(1 Preparing)',
      'StatusNotification(1 Available)',
    ]);
  });
});

describe('without a link', () => {
  it('charges, and reports in order when the link returns', async () => {
    const world = await World.start({ keys: { AllowOfflineTxForUnknownId: 'true', MeterValueSampleInterval: '60' } });
    world.network.cut();
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(minutes(3) + seconds(30));
    world.present('ABC');
    await world.clock.advance(seconds(10));
    const before = world.wire.length;
    world.network.restore();
    await world.clock.advance(seconds(5));
    expect(world.wire.length).toBeGreaterThan(before);
    const [start] = starts(world);
    const [stop] = stops(world);
    const facts = world.story(1).filter((line) => !line.startsWith('Status'));
    expect(facts).toEqual(['StartTransaction', 'MeterValues', 'MeterValues', 'MeterValues', 'StopTransaction']);
    expect(Date.parse(String(stop?.['timestamp'])) - Date.parse(String(start?.['timestamp']))).toBe(210_000);
    expect(world.central.received('MeterValues').map((payload) => payload['transactionId'])).toEqual([1, 1, 1]);
  });

  it('does not begin for an unknown idTag unless that is allowed', async () => {
    const world = await World.start();
    world.network.cut();
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(seconds(10));
    expect(coil(world)).toBe('open');
  });

  it('goes on charging when the link is lost in the middle', async () => {
    const world = await charging();
    world.network.cut();
    await world.clock.advance(minutes(10));
    expect(coil(world)).toBe('closed');
    world.network.restore();
    await world.clock.advance(seconds(5));
    expect(world.story().slice(-1)).toEqual(['StatusNotification(1 Charging)']);
  });
});

describe('a loss of power', () => {
  it('ends the transaction with PowerLoss after the boot, with the register of the same meter', async () => {
    const world = await charging({ meterSerial: 'SAME', keys: { MeterValueSampleInterval: '60' } });
    await world.clock.advance(minutes(2));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'PowerLoss' }]);
    expect(coil(world)).toBe('open');
    expect(world.story().filter((line) => line === 'StartTransaction')).toHaveLength(1);
  });

  it('loses no start that nobody has confirmed', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '0' } });
    world.central.answer('StartTransaction', () => 'silence');
    world.plugIn();
    await world.clock.advance(seconds(1));
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(seconds(5));
    await world.powerCut();
    world.central.answer('StartTransaction', () => ({ transactionId: -7, idTagInfo: { status: 'Accepted' } }));
    await world.boot();
    await world.clock.advance(seconds(5));
    const [first, second] = starts(world);
    expect(second).toEqual(first);
    expect(stops(world)).toMatchObject([{ transactionId: -7, reason: 'PowerLoss' }]);
  });

  it('repeats what was under way with the same time, though the clock was set between the fact and its first sending', async () => {
    const currentTime = '2026-03-01T10:00:00Z';
    const answers: Answer[] = ['silence'];
    const world = await World.start({
      trusted: false,
      keys: { AllowOfflineTxForUnknownId: 'true', MeterValueSampleInterval: '0' },
      prepare: (central) => {
        central.answer(
          'BootNotification',
          () => answers.shift() ?? { status: 'Accepted', currentTime, interval: 3600 },
        );
        central.answer('StartTransaction', () => 'silence');
      },
    });
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(minutes(2));
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    const [first, second] = starts(world);
    expect(Math.abs(Date.parse(String(first?.['timestamp'])) - Date.parse(currentTime))).toBeLessThan(minutes(2));
    expect(second).toEqual(first);
  });

  it.each(['kill', 'powerCut'] as const)(
    'of a whole session before anybody knew the time: NTP tells it, and only after a %s does the central system hear of it, with the true times',
    async (how) => {
      const { world, plugged, ended } = await unheard();
      const truth = Date.parse('2026-03-01T10:00:00Z');
      world.clock.jumpTo(truth);
      const origin = truth - world.clock.now();
      await world.clock.advance(minutes(60));
      await world[how]();
      await heard(world);
      expect(starts(world).map(timestampOf)).toEqual([origin + plugged]);
      expect(stops(world).map(timestampOf)).toEqual([origin + ended]);
    },
  );

  it('within one boot of the machine corrects also what a process before it has seen', async () => {
    const { world, plugged, ended } = await unheard();
    const { bootId } = world.clock;
    await world.kill();
    Object.assign(world.clock, { bootId });
    await world.clock.advance(minutes(60));
    const now = world.clock.now();
    await heard(world, '2026-03-01T10:00:00Z');
    const origin = world.clock.wall(now) - now;
    expect(starts(world).map(timestampOf)).toEqual([origin + plugged]);
    expect(stops(world).map(timestampOf)).toEqual([origin + ended]);
  });

  it('that is announced opens the contactor before anything is sent and says PowerLoss', async () => {
    const world = await charging();
    world.board.inputs.setMains('failing');
    expect(coil(world)).toBe('open');
    await world.clock.advance(seconds(5));
    expect(stops(world)).toMatchObject([{ reason: 'PowerLoss' }]);
    expect(world.story().slice(-2)).toContain('StatusNotification(1 Finishing)');
  });
});

describe('Reset', () => {
  it('Soft stops, waits for the confirmation of the stop, and ends the process', async () => {
    const world = await charging();
    expect(await world.central.call('Reset', { type: 'Soft' })).toEqual({ status: 'Accepted' });
    expect(world.board.connector(1).observe().pwm).toBe(100);
    await world.clock.advance(seconds(8));
    expect(stops(world)).toMatchObject([{ reason: 'SoftReset' }]);
    expect(world.exits).toEqual(['reset']);
  });

  it('Soft gives up waiting after 15 s', async () => {
    const world = await charging();
    world.central.answer('StopTransaction', () => 'silence');
    await world.central.call('Reset', { type: 'Soft' });
    await world.clock.advance(seconds(14));
    expect(world.exits).toEqual([]);
    await world.clock.advance(seconds(2));
    expect(world.exits).toEqual(['reset']);
  });

  it('Hard opens the contactor in the same turn, and ends within 3 s', async () => {
    const world = await charging();
    world.central.answer('StopTransaction', () => 'silence');
    await world.central.call('Reset', { type: 'Hard' });
    expect(coil(world)).toBe('open');
    await world.clock.advance(seconds(3));
    expect(stops(world)).toMatchObject([{ reason: 'HardReset' }]);
    expect(world.exits).toEqual(['reset']);
  });
});

describe('the end of the process', () => {
  it('opens the contactor at once, stops with Reboot and is over within 3 s', async () => {
    const world = await charging();
    let ended = false;
    void world.agent.stop('Reboot').then(() => {
      ended = true;
    });
    expect(coil(world)).toBe('open');
    await world.clock.advance(seconds(3));
    expect(ended).toBe(true);
    expect(stops(world)).toMatchObject([{ reason: 'Reboot' }]);
  });
});

describe('StartTransaction.conf that is not Accepted', () => {
  it.each([
    ['true', ['DeAuthorized'], 'Finishing'],
    ['false', [], 'SuspendedEVSE'],
  ])('with StopTransactionOnInvalidId=%s stops with %s', async (value, reasons, status) => {
    const world = await World.start({ keys: { StopTransactionOnInvalidId: value, MeterValueSampleInterval: '0' } });
    world.central.answer('StartTransaction', () => ({ transactionId: 5, idTagInfo: { status: 'Invalid' } }));
    world.plugIn();
    await world.clock.advance(seconds(1));
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(seconds(20));
    expect(stops(world).map(({ reason }) => reason)).toEqual(reasons);
    expect(world.agent.view().connectors[0]?.status).toBe(status);
    expect(coil(world)).toBe('open');
  });
});

describe('a central system that does not process a message', () => {
  it('gets it again TransactionMessageAttempts times, later and later, and then the stop with -1', async () => {
    const world = await World.start({
      keys: { TransactionMessageAttempts: '3', TransactionMessageRetryInterval: '10', MeterValueSampleInterval: '0' },
    });
    world.central.answer('StartTransaction', () => ['callError', 'InternalError']);
    world.plugIn();
    await world.clock.advance(seconds(1));
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(minutes(1));
    const sent = world.central.calls().flatMap(({ t, frame }) => (frame[2] === 'StartTransaction' ? [t] : []));
    expect(sent.map((t) => t - (sent[0] ?? 0))).toEqual([0, 10_000, 30_000]);
    expect(new Set(world.central.calls().map(({ frame }) => frame[1])).size).toBe(world.central.calls().length);
    world.unplug();
    await world.clock.advance(seconds(5));
    expect(stops(world)).toMatchObject([{ transactionId: -1, reason: 'EVDisconnected' }]);
    expect(await world.agent.outbox.deadLetters(10)).toHaveLength(1);
  });
});

describe('a store that fails', () => {
  it('lets nothing begin: remote start Rejected, tag refused', async () => {
    const world = await World.start();
    world.disk.failWrites(true);
    await world.central.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '10' });
    world.plugIn();
    await world.clock.advance(seconds(1));
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 })).toEqual({
      status: 'Rejected',
    });
    world.present('ABC');
    await world.clock.advance(seconds(5));
    expect(coil(world)).toBe('open');
    expect(starts(world)).toEqual([]);
  });

  it('at the very start of a transaction leaves the contactor open and the connector Preparing', async () => {
    const world = await World.start();
    world.plugIn();
    await world.clock.advance(seconds(1));
    const answer = world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    world.disk.failWrites(true);
    await answer;
    await world.clock.advance(seconds(5));
    expect(coil(world)).toBe('open');
    expect(world.agent.view().connectors[0]?.status).toBe('Preparing');
  });

  it('in the middle lets the transaction go on to its end and reports it', async () => {
    const world = await charging();
    world.disk.failWrites(true);
    await world.central.call('RemoteStopTransaction', { transactionId: 1 });
    await world.clock.advance(seconds(10));
    expect(stops(world)).toMatchObject([{ transactionId: 1, reason: 'Remote' }]);
  });
});

describe('remote calls that cannot be carried out', () => {
  it.each([
    ['RemoteStartTransaction', { idTag: 'ABC', connectorId: 0 }],
    ['RemoteStartTransaction', { idTag: 'ABC', connectorId: 2 }],
    ['RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 }],
    ['RemoteStopTransaction', { transactionId: 99 }],
  ])('%s %j is Rejected while a transaction runs', async (action, payload) => {
    const world = await charging();
    expect(await world.central.call(action, payload)).toEqual({ status: 'Rejected' });
    expect(coil(world)).toBe('closed');
  });

  it('a remote start on a faulted connector is Rejected', async () => {
    const world = await World.start();
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(1));
    expect(await world.central.call('RemoteStartTransaction', { idTag: 'A', connectorId: 1 })).toEqual({
      status: 'Rejected',
    });
  });
});

describe('calls of the other kind', () => {
  it.each([
    ['NoSuchAction', {}, 'NotImplemented'],
    ['GetDiagnostics', { location: '' }, 'PropertyConstraintViolation'],
    ['RemoteStartTransaction', {}, 'OccurenceConstraintViolation'],
    ['RemoteStartTransaction', { idTag: 5 }, 'TypeConstraintViolation'],
    ['Reset', { type: 'Warm' }, 'PropertyConstraintViolation'],
    ['RemoteStartTransaction', { idTag: 'A'.repeat(21) }, 'PropertyConstraintViolation'],
  ])('%s %j gets %s and the link stays up', async (action, payload, code) => {
    const world = await World.start();
    expect(await world.central.call(action, payload)).toBe(code);
    expect(world.central.connected).toBe(true);
  });

  it('DataTransfer of an unknown vendor gets UnknownVendorId', async () => {
    const world = await World.start();
    expect(await world.central.call('DataTransfer', { vendorId: 'nobody' })).toEqual({ status: 'UnknownVendorId' });
  });

  it.each(['Heartbeat', 'StatusNotification', 'MeterValues', 'BootNotification'])(
    'TriggerMessage(%s) answers before it sends',
    async (requestedMessage) => {
      const world = await World.start();
      const before = world.wire.length;
      expect(await world.central.call('TriggerMessage', { requestedMessage, connectorId: 1 })).toEqual({
        status: 'Accepted',
      });
      await world.clock.advance(seconds(1));
      const sent = world.wire
        .slice(before)
        .filter(({ dir }) => dir === 'tx')
        .map(({ frame }) => (frame[0] === 3 ? 'conf' : frame[2]));
      expect(sent.slice(0, 2)).toEqual(['conf', requestedMessage]);
    },
  );

  it('TriggerMessage for an unknown connector is Rejected, and for what no room sends NotImplemented', async () => {
    const world = await World.start({ keys: { SupportedFeatureProfiles: 'Core,RemoteTrigger' } });
    expect(await world.central.call('TriggerMessage', { requestedMessage: 'MeterValues', connectorId: 9 })).toEqual({
      status: 'Rejected',
    });
    expect(await world.central.call('TriggerMessage', { requestedMessage: 'FirmwareStatusNotification' })).toEqual({
      status: 'NotImplemented',
    });
    expect(await world.central.call('TriggerMessage', { requestedMessage: 'LogStatusNotification' })).toEqual({
      status: 'NotImplemented',
    });
  });
});

describe('faults', () => {
  it('open the contactor before the status is sent, and charging goes on when they clear', async () => {
    const world = await charging();
    const begin = world.clock.now();
    world.board.inputs.setFault(1, 'groundFault', { info: 'RCD tripped' });
    expect(coil(world)).toBe('open');
    await world.clock.advance(seconds(5));
    world.board.inputs.setFault(1, 'groundFault', null);
    await world.clock.advance(seconds(24.9));
    const paused = ['StatusNotification(1 Faulted)', 'StatusNotification(1 SuspendedEVSE)'];
    expect([coil(world), world.story(begin)]).toEqual(['open', paused]);
    await world.clock.advance(seconds(1));
    expect(world.story(begin)).toEqual([...paused, 'StatusNotification(1 Charging)']);
    expect(world.central.received('StatusNotification').at(-3)).toMatchObject({
      errorCode: 'GroundFailure',
      info: 'RCD tripped',
    });
    expect(stops(world)).toEqual([]);
  });

  it('of the whole charge point make connector 0 Faulted too', async () => {
    const world = await World.start();
    const begin = world.clock.now();
    world.board.inputs.setFault(0, 'emergencyStop', {});
    await world.clock.advance(seconds(1));
    expect(world.story(begin).toSorted()).toEqual(['StatusNotification(0 Faulted)', 'StatusNotification(1 Faulted)']);
  });

  it('a missing diode is found while PWM runs', async () => {
    const world = await charging();
    world.board.inputs.patchConnector(1, { ev: { diode: false } });
    expect(coil(world)).toBe('open');
    await world.clock.advance(seconds(1));
    expect(world.central.received('StatusNotification').at(-1)).toMatchObject({
      status: 'Faulted',
      errorCode: 'GroundFailure',
      vendorErrorCode: 'DiodeFault',
    });
  });
});

describe('configuration', () => {
  it('survives a restart, and an edited file wins over it', async () => {
    const world = await World.start({ keys: { ConnectionTimeOut: '30' } });
    expect(await world.central.call('ChangeConfiguration', { key: 'connectiontimeout', value: ' 45 ' })).toEqual({
      status: 'Accepted',
    });
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(1));
    const value = async () =>
      (
        (await world.central.call('GetConfiguration', { key: ['ConnectionTimeOut'] })) as {
          configurationKey: { value: string }[];
        }
      ).configurationKey[0]?.value;
    expect(await value()).toBe('45');
  });

  it.each([
    ['NoSuchKey', '1', 'NotSupported'],
    ['MeterValueSampleInterval', '-1', 'Rejected'],
    ['MeterValueSampleInterval', 'often', 'Rejected'],
    ['NumberOfConnectors', '4', 'Rejected'],
    ['MeterValuesSampledData', 'Voltage,NoSuchMeasurand', 'Rejected'],
    ['MeterValuesSampledData', 'Voltage', 'Accepted'],
  ])('ChangeConfiguration %s=%s is %s', async (key, value, status) => {
    const world = await World.start();
    expect(await world.central.call('ChangeConfiguration', { key, value })).toEqual({ status });
  });

  it('names unknown keys', async () => {
    const world = await World.start();
    expect(
      await world.central.call('GetConfiguration', { key: ['Nope', 'NumberOfConnectors', 'AuthorizationKey'] }),
    ).toEqual({
      configurationKey: [{ key: 'NumberOfConnectors', readonly: true, value: '1' }],
      unknownKey: ['Nope'],
    });
  });
});
