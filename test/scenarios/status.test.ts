/** MinimumStatusDuration: only what stays is said (OCPP 1.6 sections 4.9 and 9.1.20). */
import { describe, expect, it } from 'vitest';
import { byDefault } from '../sim/smart-charging.ts';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { World } from '../sim/world.ts';

const start = (): Promise<World> =>
  World.start({ keys: { MeterValueSampleInterval: '0', MinimumStatusDuration: '5' } });
const triggerStatus = play.call('TriggerMessage', { requestedMessage: 'StatusNotification', connectorId: 1 });

describe('with MinimumStatusDuration 5 a status', () => {
  it('is said when it has lasted so long; messages of the transaction do not wait for it', async () => {
    const world = await start();
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [20, play.tag('ABC')],
          [40, play.unplug()],
        ],
        60,
      ),
    ).toEqual([
      '5 > StatusNotification 1 Preparing',
      '20 > Authorize ABC = Accepted',
      '20 > StartTransaction 1 ABC = Accepted',
      '26 > StatusNotification 1 Charging',
      '40 > StopTransaction 1 EVDisconnected',
      '45 > StatusNotification 1 Available',
    ]);
  });

  it('that has gone again is not said, nor is the one that was said before', async () => {
    const world = await start();
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [4, play.unplug()],
        ],
        60,
      ),
    ).toEqual([]);
  });

  it('begins to last when it changes, not when the first of many changes did', async () => {
    const world = await start();
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [3, play.tag('ABC')],
        ],
        60,
      ),
    ).toEqual([
      '3 > Authorize ABC = Accepted',
      '3 > StartTransaction 1 ABC = Accepted',
      '9 > StatusNotification 1 Charging',
    ]);
  });

  it('is said in time although what goes with it changes all the time (section 9.1.20)', async () => {
    const world = await start();
    const bound = (limitA: number) => (w: World) =>
      play.call('SetChargingProfile', { connectorId: 1, csChargingProfiles: byDefault({ periods: [[0, limitA]] }) })(w);
    const log = await story(
      world,
      [[0, play.plugIn()], [1, play.tag('ABC')], ...[0, 1, 2, 3, 4].map((a) => [20 + 3 * a, bound(a)] as const)],
      40,
    );
    expect(log.filter((line) => line.includes('SuspendedEVSE'))).toEqual([
      '25 > StatusNotification 1 SuspendedEVSE',
      // What goes with it now; then the last of them.
      '31 > StatusNotification 1 SuspendedEVSE',
      '37 > StatusNotification 1 SuspendedEVSE',
    ]);
  });

  it('is said at once when somebody asks, and then not again', async () => {
    const world = await start();
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [2, triggerStatus],
        ],
        60,
      ),
    ).toEqual(['2 < TriggerMessage = Accepted', '2 > StatusNotification 1 Preparing']);
  });

  it('that lasts over a time without a link is said once', async () => {
    const world = await start();
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [2, play.cut],
          [30, play.restore],
        ],
        60,
      ),
    ).toEqual(['35 > StatusNotification 1 Preparing']);
  });

  it('that was waiting when the link went is history, though facts are still being delivered on the next one', async () => {
    const world = await World.start({
      connectors: [
        { id: 1, cable: 'attached' },
        { id: 2, cable: 'attached' },
      ],
      keys: { MeterValueSampleInterval: '0', MinimumStatusDuration: '5' },
    });
    await story(
      world,
      [
        [0, play.plugIn()],
        [0, play.tag('ABC', [1])],
      ],
      20,
    );
    world.central.answer('StopTransaction', () => 'silence');
    const log = await story(
      world,
      [
        [0, play.plugIn(2)],
        [1, play.cut],
        [1, play.tag('ABC', [1])],
        [2, play.unplug(2)],
        [3, play.restore],
      ],
      60,
    );
    // The stop that is not answered holds back what is not urgent.
    expect(log).toEqual(['3 > StopTransaction 1 ABC Local', '33 > StatusNotification 1 Finishing']);
  });

  it('that was waiting when we are accepted once more is said at once (errata 3.22)', async () => {
    const world = await start();
    const answers = ['Pending', 'Accepted'].map((status) => ({
      status,
      currentTime: '2026-03-01T10:00:00Z',
      interval: 2,
    }));
    world.central.answer('BootNotification', () => answers.shift() ?? {});
    const log = await story(
      world,
      [
        [0, play.plugIn()],
        [1, play.call('TriggerMessage', { requestedMessage: 'BootNotification' })],
      ],
      20,
    );
    expect(log.filter((line) => !line.includes('Heartbeat'))).toEqual([
      '1 < TriggerMessage = Accepted',
      '1 > BootNotification = Pending',
      '3 > BootNotification = Accepted',
      '3 > StatusNotification 0 Available',
      '3 > StatusNotification 1 Preparing',
    ]);
  });

  it('is said at once after the boot', async () => {
    const world = await start();
    expect(world.story()).toEqual([
      'BootNotification',
      'StatusNotification(0 Available)',
      'StatusNotification(1 Available)',
    ]);
  });
});

describe('a socket', () => {
  it('that is unplugged while it charges never says that there is no current to offer', async () => {
    const world = await World.start({
      connectors: [{ id: 1, cable: 'socket' }],
      keys: { MeterValueSampleInterval: '0' },
    });
    expect(
      await story(
        world,
        [
          [0, play.plugIn()],
          [1, play.tag('ABC')],
          [20, play.unplug()],
        ],
        30,
      ),
    ).toEqual([
      '0 > StatusNotification 1 Preparing',
      '1 > Authorize ABC = Accepted',
      '1 > StartTransaction 1 ABC = Accepted',
      '2 > StatusNotification 1 Charging',
      '20 > StatusNotification 1 Finishing',
      '20 > StopTransaction 1 EVDisconnected',
      '20 > StatusNotification 1 Available',
    ]);
  });
});
