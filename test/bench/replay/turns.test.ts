import { describe, expect, it } from 'vitest';
import { turnsOf } from '../../../src/bench/replay/play.ts';
import type { RecordedEntry } from '../../../src/recorder/recording.ts';

const pilot = (at: number, state: 'A' | 'B' | 'C'): RecordedEntry => ({
  at,
  what: 'pilot',
  connector: 1,
  pilot: state,
});
const feedback = (at: number, contactor: 'open' | 'closed', connector = 1): RecordedEntry => ({
  at,
  what: 'feedback',
  connector,
  contactor,
});
const fault = (at: number): RecordedEntry => ({ at, what: 'fault', connector: 1, code: 'groundFault', raised: true });
const offer = (at: number): RecordedEntry => ({ at, what: 'offer', connector: 1, offer: 'x1', dutyPercent: 100 });
const frame = (at: number, direction: 'tx' | 'rx'): RecordedEntry => ({
  at,
  what: 'frame',
  direction,
  text: '[3,"1",{}]',
});

const turns = (...entries: readonly RecordedEntry[]): readonly (readonly string[])[] =>
  turnsOf(entries).map((turn) => turn.entries.map(({ what }) => what));

describe('turnsOf', () => {
  it.each<[what: string, entries: readonly RecordedEntry[], played: readonly (readonly string[])[]]>([
    ['what was seen at the same moment together', [fault(1), feedback(1, 'open')], [['fault', 'feedback']]],
    ['what came later by itself', [fault(1), feedback(1.001, 'open')], [['fault'], ['feedback']]],
    ['what an output has brought about after it', [fault(1), offer(1), pilot(1, 'B')], [['fault'], ['pilot']]],
    ['each change of the same contact', [feedback(1, 'open'), feedback(1, 'closed')], [['feedback'], ['feedback']]],
    ['two connectors together', [feedback(1, 'open'), feedback(1, 'open', 2)], [['feedback', 'feedback']]],
    ['a frame by itself', [pilot(1, 'B'), frame(1, 'rx'), pilot(1, 'C')], [['pilot'], ['frame'], ['pilot']]],
    ['the work of the interlock not at all', [{ at: 1, what: 'contactor', connector: 1, command: 'open' }], []],
    ['what the agent does not at all', [offer(1), frame(1, 'tx')], []],
  ])('plays %s', (_what, entries, played) => {
    expect(turns(...entries)).toEqual(played);
  });

  it('does not play a call that was cut', () => {
    expect(turns({ at: 1, what: 'frame', direction: 'rx', text: '[2,"1","Data', cut: 9000 })).toEqual([]);
  });
});
