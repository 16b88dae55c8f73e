/** An EV that sleeps in B although a current is offered: the pilot wakes it, and the central system hears no more of it than before. */
import { describe, expect, it } from 'vitest';
import type { OwnPilotEvse } from '../../hal/own-pilot-evse.ts';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { World } from '../sim/world.ts';

const ev = (mode: 'auto' | 'B') => (world: World) => {
  world.board.inputs.patchConnector(1, { ev: { mode } });
};

describe('an EV that sleeps (IEC 61851-1 annex A.5.3)', () => {
  it('is woken once; it is SuspendedEV from the 30th second until it charges', async () => {
    const world = await World.start({ keys: { MeterValueSampleInterval: '0' }, wakeUps: 1 });
    const evse = world.board.connectors[0]?.evse as OwnPilotEvse;
    const seen: string[] = [];
    const look = (world_: World) => {
      seen.push(`${Math.round(world_.clock.now() / 1000)}: ${evse.signalled}`);
    };
    const lines = await story(
      world,
      [
        [0, ev('B')],
        [1, play.plugIn()],
        [2, play.tag('ABC')],
        [31, look],
        [33, look],
        [36.5, look],
        [38, look],
        [50, ev('auto')],
      ],
      120,
    );
    expect(lines).toEqual([
      '1 > StatusNotification 1 Preparing',
      '2 > Authorize ABC = Accepted',
      '2 > StartTransaction 1 ABC = Accepted',
      '32 > StatusNotification 1 SuspendedEV',
      '50 > StatusNotification 1 Charging',
    ]);
    expect(seen.map((text) => text.replace(/^\d+: /, ''))).toEqual(['32', 'F', 'x1', '32']);
  });
});
