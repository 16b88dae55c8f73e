/** The judge of the soak sees each kind of violation that is planted in a sound story. */
import { describe, expect, it } from 'vitest';
import type { Call, Frame, Payload } from '../system/support/central-system.ts';
import { judge } from './verdict.ts';

const at = (minute: number): string => new Date(Date.UTC(2027, 0, 1, 0, minute)).toISOString();

interface Story {
  readonly calls: readonly Call[];
  readonly frames: readonly Frame[];
}

/** Each StartTransaction is confirmed with the id given. */
function story(
  ...steps: readonly (readonly [action: string, payload: Payload, link?: number, given?: number])[]
): Story {
  const calls = steps.map(([action, payload, link = 1], index) => ({
    ns: BigInt(index),
    link,
    id: `id-${index}`,
    action,
    payload,
  }));
  const frames = steps.flatMap(([, , link = 1, given], index) =>
    given === undefined
      ? []
      : [{ ns: 0n, link, from: 'centralSystem' as const, message: [3, `id-${index}`, { transactionId: given }] }],
  );
  return { calls, frames };
}

const verdictOf = ({ calls, frames }: Story): readonly string[] => judge(calls, frames).violations;

const status = (name: string, link = 1) => ['StatusNotification', { connectorId: 1, status: name }, link] as const;
const start = (given: number, minute: number, link = 1) =>
  ['StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 100, timestamp: at(minute) }, link, given] as const;
const sample = (transactionId: number, minute: number, wh: number) => {
  const sampledValue = [{ value: String(wh) }];
  return [
    'MeterValues',
    { connectorId: 1, transactionId, meterValue: [{ timestamp: at(minute), sampledValue }] },
  ] as const;
};
const stop = (transactionId: number, minute: number, meterStop: number, link = 1) =>
  ['StopTransaction', { transactionId, meterStop, timestamp: at(minute), reason: 'Remote' }, link] as const;

describe('the judge of the soak', () => {
  it('finds nothing in a sound story, repetitions on a new link included', () => {
    const sound = story(
      status('Preparing'),
      start(1, 0),
      start(2, 0, 2),
      status('Charging', 2),
      sample(2, 1, 150),
      stop(2, 2, 200, 2),
      stop(2, 2, 200, 3),
      status('Preparing', 3),
      start(3, 5, 3),
      stop(3, 6, 100, 3),
    );
    expect(judge(sound.calls, sound.frames)).toEqual({
      violations: [],
      transactions: 2,
      samples: 1,
      statuses: 3,
      repeated: 2,
      reasons: { Remote: 2 },
    });
  });

  it.each<[string, Story, string]>([
    ['a start without a stop', story(start(1, 0)), 'never stopped'],
    ['two starts in a row', story(start(1, 0), start(2, 1), stop(2, 2, 100)), 'a start before the stop'],
    ['a stop of nothing', story(stop(7, 0, 0)), 'unknown transaction 7'],
    ['two different stops', story(start(1, 0), stop(1, 1, 100), stop(1, 2, 100)), 'after the stop'],
    ['a sample after the stop', story(start(1, 0), stop(1, 1, 100), sample(1, 2, 100)), 'after the stop'],
    ['another transaction id', story(start(1, 0), sample(9, 1, 100), stop(1, 2, 100)), 'unknown transaction 9'],
    ['a register that goes back', story(start(1, 0), sample(1, 1, 150), stop(1, 2, 149)), 'from 150 to 149'],
    ['more energy than can be', story(start(1, 0), stop(1, 1, 2000)), '1900 Wh'],
    ['a stop before its start', story(start(1, 5), stop(1, 4, 100)), 'before the start'],
    ['a status that may not follow', story(status('Charging'), status('Preparing')), 'Charging, then Preparing'],
    ['a repetition on one link', story(start(1, 0), stop(1, 1, 100), stop(1, 1, 100)), 'repeated on one link'],
  ])('sees %s', (_, planted, seen) => {
    expect(verdictOf(planted).join('\n')).toContain(seen);
  });
});
