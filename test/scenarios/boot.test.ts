/** BootNotification and Heartbeat (OCPP 1.6 sections 4.2 and 4.6). */
import { describe, expect, it } from 'vitest';
import { EXTENDED_MESSAGE_TRIGGERS, MESSAGE_TRIGGERS } from '../../src/ocpp/messages/types/trigger.ts';
import type { Answer, Payload } from '../sim/network.ts';
import { asking } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

const CURRENT_TIME = '2026-03-01T10:00:00Z';
const accepted = { status: 'Accepted', currentTime: CURRENT_TIME, interval: 3600 };

/** Answers the n-th BootNotification with the n-th of these, and then always Accepted. */
const bootAnswers = (...answers: Answer[]) => ({
  prepare: (central: World['central']) => central.answer('BootNotification', (): Answer => answers.shift() ?? accepted),
});

const times = (world: World, action: string): readonly number[] =>
  world.central.calls().flatMap(({ t, frame }) => (frame[2] === action ? [t] : []));

describe('BootNotification', () => {
  it('says who we are, on the url with the identity', async () => {
    const world = await World.start();
    expect(world.central.dials).toEqual([{ t: 0, url: 'ws://central.example/cp001' }]);
    expect(world.central.received('BootNotification')).toEqual([{ chargePointVendor: 'Acme', chargePointModel: 'Pi' }]);
  });

  it.each(['Pending', 'Rejected'])(
    'is repeated exactly after the interval while %s, and nothing else is sent',
    async (status) => {
      const waiting = { status, currentTime: CURRENT_TIME, interval: 20 };
      const world = await World.start(bootAnswers(waiting, waiting));
      await world.clock.advance(seconds(39));
      expect(world.story()).toEqual(['BootNotification', 'BootNotification']);
      await world.clock.advance(seconds(2));
      expect(times(world, 'BootNotification')).toEqual([0, 20_000, 40_000]);
      expect(world.story().slice(3)).toEqual(['StatusNotification(0 Available)', 'StatusNotification(1 Available)']);
    },
  );

  it.each([
    ['a CALLERROR', ['callError', 'InternalError'], 60_000],
    ['silence', 'silence', 90_000],
    ['interval 0', { status: 'Rejected', currentTime: CURRENT_TIME, interval: 0 }, 60_000],
  ] as const)('is repeated in our own time after %s', async (_, answer, next) => {
    const world = await World.start(bootAnswers(answer));
    await world.clock.advance(minutes(2));
    expect(times(world, 'BootNotification')).toEqual([0, next]);
  });

  it('is not sent again on a mere reconnect', async () => {
    const world = await World.start();
    world.network.cut();
    await world.clock.advance(minutes(1));
    world.network.restore();
    await world.clock.advance(minutes(1));
    expect(times(world, 'BootNotification')).toEqual([0]);
    expect(world.story().slice(3)).toEqual([]);
  });

  it('waits for the interval of Rejected over a reconnect too', async () => {
    const world = await World.start(bootAnswers({ status: 'Rejected', currentTime: CURRENT_TIME, interval: 300 }));
    world.central.close();
    await world.clock.advance(minutes(6));
    expect(times(world, 'BootNotification')).toEqual([0, 300_000]);
  });

  it.each<[string, string, readonly string[]]>([
    ['while it was Pending', 'StatusNotification', ['Pending']],
    ['before it was Pending again', 'BootNotification', ['Accepted', 'Pending']],
  ])('that is Accepted is followed by all statuses, also those said %s (errata 3.22)', async (_, asked, answers) => {
    const connectors = [1, 2].map((id) => ({ id, cable: 'attached' as const }));
    const confirmed = answers.map((status) => ({ status, currentTime: CURRENT_TIME, interval: 20 }));
    const world = await World.start({ ...bootAnswers(...confirmed), connectors });
    await world.central.call('TriggerMessage', { requestedMessage: asked });
    await world.clock.advance(seconds(60));
    expect(world.story().slice(-4)).toEqual([
      'BootNotification',
      ...[0, 1, 2].map((id) => `StatusNotification(${id} Available)`),
    ]);
    expect(world.agent.view().boot).toBe('Accepted');
  });

  it.each(['TriggerMessage', 'ExtendedTriggerMessage'])(
    'that is not answered yet is followed by no other request, whatever %s asks for (section 4.2)',
    async (action) => {
      const world = await World.start(bootAnswers('silence'));
      const asked = { requestedMessage: 'StatusNotification' };
      expect(await world.central.call(action, asked)).toEqual({ status: 'Rejected' });
      const [boot] = world.central.calls();
      world.central.raw(JSON.stringify([3, boot?.frame[1], { ...accepted, status: 'Rejected' }]));
      await world.clock.advance(minutes(5));
      expect(world.story()).toEqual(['BootNotification']);
    },
  );

  it('sets a clock that nobody trusts, and Heartbeat goes on setting it', async () => {
    const world = await World.start({ ...bootAnswers(), trusted: false });
    expect(world.clock.trusted).toBe(true);
    expect(world.clock.wall(0)).toBe(Date.parse(CURRENT_TIME));
  });
});

describe('while registration is Pending', () => {
  const pending = { status: 'Pending', currentTime: CURRENT_TIME, interval: 600 };

  it('answers calls, but starts and stops nothing', async () => {
    const world = await World.start(bootAnswers(pending));
    const remoteStart = await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    expect(remoteStart).toEqual({ status: 'Rejected' });
    const { configurationKey } = (await world.central.call('GetConfiguration', {
      key: ['HeartbeatInterval'],
    })) as Payload;
    expect(configurationKey).toEqual([{ key: 'HeartbeatInterval', readonly: false, value: '300' }]);
    expect(await world.central.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '77' })).toEqual({
      status: 'Accepted',
    });
  });

  it('sends a BootNotification at once when it is triggered', async () => {
    const world = await World.start(bootAnswers(pending));
    await world.clock.advance(seconds(5));
    await world.central.call('TriggerMessage', { requestedMessage: 'BootNotification' });
    await world.clock.advance(seconds(1));
    expect(world.story().slice(1, 2)).toEqual(['BootNotification']);
    expect(world.agent.view().boot).toBe('Accepted');
  });
});

describe('what is triggered while registration is Pending', () => {
  /** By another name, or not at all without a name of the operator. */
  const OTHERWISE: Readonly<Record<string, string>> = {
    FirmwareStatusNotification: 'SignedFirmwareStatusNotification',
    SignChargePointCertificate: 'SignCertificate',
  };
  it.each([
    ...MESSAGE_TRIGGERS.map((message) => ['TriggerMessage', message, message] as const),
    ...EXTENDED_MESSAGE_TRIGGERS.map(
      (message) => ['ExtendedTriggerMessage', message, OTHERWISE[message] ?? message] as const,
    ),
  ])('%s: %s is sent at once (sections 4.2 and 5.17)', async (action, requestedMessage, sent) => {
    const pending = { status: 'Pending', currentTime: CURRENT_TIME, interval: 600 };
    const world = await World.start({ ...bootAnswers(pending, pending), keys: { CpoName: 'Test CPO' } });
    const [answer, message] = await asking(world, action, { requestedMessage });
    expect(answer).toBe(`0 < ${action} = Accepted`);
    expect(message).toMatch(`0 > ${sent}`);
  });
});

describe('while registration is Rejected', () => {
  it('answers nothing', async () => {
    const world = await World.start(bootAnswers({ status: 'Rejected', currentTime: CURRENT_TIME, interval: 600 }));
    const before = world.wire.length;
    world.central.raw('[2,"1","GetConfiguration",{}]');
    world.central.raw('not even json');
    await world.clock.advance(seconds(1));
    expect(world.wire.slice(before).filter(({ dir }) => dir === 'tx')).toEqual([]);
  });
});

describe('Heartbeat', () => {
  it('beats exactly every interval of BootNotification.conf', async () => {
    const world = await World.start(bootAnswers({ ...accepted, interval: 30 }));
    await world.clock.advance(seconds(100));
    expect(times(world, 'Heartbeat')).toEqual([30_000, 60_000, 90_000]);
  });

  it('takes a new HeartbeatInterval at once', async () => {
    const world = await World.start();
    await world.central.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '10' });
    await world.clock.advance(seconds(25));
    expect(times(world, 'Heartbeat')).toEqual([10_100, 20_100]);
  });

  it('keeps its rhythm over a lost link', async () => {
    const world = await World.start(bootAnswers({ ...accepted, interval: 30 }));
    await world.clock.advance(seconds(35));
    world.network.cut();
    await world.clock.advance(seconds(40));
    world.network.restore();
    await world.clock.advance(seconds(30));
    expect(times(world, 'Heartbeat')).toEqual([30_000, 90_000]);
  });
});
