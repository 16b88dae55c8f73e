/** The Remote Trigger cases of the compliance test tool: the answer first, then the message, and nothing else (octt.md). */
import { describe, expect, it } from 'vitest';
import { frames } from '../sim/frames.ts';
import type { Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { asking, BEGINNING, story } from '../sim/transcript.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const TWO: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
  keys: { MeterValueSampleInterval: '0', MeterValuesSampledData: 'Energy.Active.Import.Register' },
};

const trigger = (world: World, requestedMessage: string, connectorId?: number, forMs?: number) =>
  asking(
    world,
    'TriggerMessage',
    { requestedMessage, ...(connectorId === undefined ? {} : { connectorId }) },
    forMs ?? seconds(60),
  );
const accepted = '0 < TriggerMessage = Accepted';
const rejected = '0 < TriggerMessage = Rejected';

const valuesOf = ({ meterValue }: Payload) =>
  (meterValue as readonly { sampledValue: readonly Payload[] }[]).flatMap(({ sampledValue }) => sampledValue);

describe('TriggerMessage', () => {
  it('TC_054: MeterValues of every connector, or of the one that is named', async () => {
    const world = await World.start(TWO);
    expect(await trigger(world, 'MeterValues')).toEqual([accepted, '0 > MeterValues', '0 > MeterValues']);
    expect(await trigger(world, 'MeterValues', 2)).toEqual([accepted, '0 > MeterValues']);
    const reports = world.central.received('MeterValues');
    expect(reports.map(({ connectorId, transactionId }) => [connectorId, transactionId])).toEqual([
      [1, undefined],
      [2, undefined],
      [2, undefined],
    ]);
    expect(reports.flatMap(valuesOf).map(({ context, measurand }) => [context, measurand])).toEqual(
      reports.map(() => ['Trigger', 'Energy.Active.Import.Register']),
    );
  });

  it('TC_054: MeterValues in a transaction carry its id', async () => {
    const world = await World.start(TWO);
    await story(
      world,
      [
        [0, play.plugIn()],
        [1, play.tag('ABC', [1])],
      ],
      10,
    );
    expect(await trigger(world, 'MeterValues', 1)).toEqual([accepted, '0 > MeterValues']);
    expect(world.central.received('MeterValues')).toMatchObject([{ connectorId: 1, transactionId: 1 }]);
  });

  it('TC_054: Heartbeat, which does not change the rhythm of the others', async () => {
    const world = await World.start({ ...TWO, keys: { ...TWO.keys } });
    await world.central.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '30' });
    expect(await story(world, [[10, play.call('TriggerMessage', { requestedMessage: 'Heartbeat' })]], 65)).toEqual([
      '10 < TriggerMessage = Accepted',
      '10 > Heartbeat',
      '30 > Heartbeat',
      '60 > Heartbeat',
    ]);
  });

  it.each([
    [undefined, ['0 Available', '1 Preparing', '2 Available']],
    [0, ['0 Available']],
    [1, ['1 Preparing']],
    [2, ['2 Available']],
  ])('TC_054: StatusNotification of connector %s says what is true now', async (connectorId, told) => {
    const world = await World.start(TWO);
    await story(world, [[0, play.plugIn()]], 5);
    expect(await trigger(world, 'StatusNotification', connectorId)).toEqual([
      accepted,
      ...told.map((status) => `0 > StatusNotification ${status}`),
    ]);
  });

  it('TC_054: BootNotification leaves a running transaction and the statuses alone', async () => {
    const world = await World.start(TWO);
    await story(
      world,
      [
        [0, play.plugIn()],
        [1, play.tag('ABC', [1])],
      ],
      10,
    );
    expect(await trigger(world, 'BootNotification')).toEqual([accepted, '0 > BootNotification = Accepted']);
    expect(world.board.connector(1).observe().contactor).toBe('closed');
  });

  it('TC_054: BootNotification while Pending is the one that gets us in', async () => {
    const answers = [{ status: 'Pending', interval: 300 }];
    const world = await World.start({
      ...TWO,
      prepare: (central) =>
        central.answer('BootNotification', () => ({
          ...(answers.shift() ?? { status: 'Accepted', interval: 3600 }),
          currentTime: '2026-03-01T10:00:00Z',
        })),
    });
    const triggerBoot = play.call('TriggerMessage', { requestedMessage: 'BootNotification' });
    await story(world, [[4.9, triggerBoot]], 600);
    expect(frames(world, BEGINNING)).toEqual([
      '0 > BootNotification = Pending',
      '5 < TriggerMessage = Accepted',
      '5 > BootNotification = Accepted',
      '5 > StatusNotification 0 Available',
      '5 > StatusNotification 1 Available',
      '5 > StatusNotification 2 Available',
    ]);
  });

  it.each(['DiagnosticsStatusNotification', 'FirmwareStatusNotification'])(
    'TC_054: %s is NotImplemented as long as the FirmwareManagement profile is off',
    async (requestedMessage) => {
      const world = await World.start({
        ...TWO,
        keys: { ...TWO.keys, SupportedFeatureProfiles: 'Core,RemoteTrigger' },
      });
      expect(await trigger(world, requestedMessage)).toEqual(['0 < TriggerMessage = NotImplemented']);
    },
  );

  it('TC_054: DiagnosticsStatusNotification is Idle while nothing is uploaded', async () => {
    const world = await World.start(TWO);
    world.central.answer('DiagnosticsStatusNotification', () => ({}));
    expect(await trigger(world, 'DiagnosticsStatusNotification')).toEqual([
      accepted,
      '0 > DiagnosticsStatusNotification Idle',
    ]);
  });

  it.each([
    ['MeterValues', 3],
    ['MeterValues', 0],
    ['StatusNotification', 3],
    ['StatusNotification', -1],
  ])('TC_055: %s for connector %i, which has none, is Rejected and nothing is sent', async (message, connectorId) => {
    const world = await World.start(TWO);
    expect(await trigger(world, message, connectorId)).toEqual([rejected]);
  });

  it('without the RemoteTrigger profile is NotSupported', async () => {
    const world = await World.start({ ...TWO, keys: { ...TWO.keys, SupportedFeatureProfiles: 'Core' } });
    expect(await trigger(world, 'Heartbeat')).toEqual(['0 < TriggerMessage = CALLERROR NotSupported']);
  });
});
