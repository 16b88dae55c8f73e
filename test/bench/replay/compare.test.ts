import { describe, expect, it } from 'vitest';
import { type Comparison, compare } from '../../../src/bench/replay/compare.ts';
import type { Output } from '../../../src/bench/replay/output.ts';
import type { RecordedEntry } from '../../../src/recorder/recording.ts';

const offer = (at: number, amps: number) =>
  ({ at, what: 'offer', connector: 1, offer: amps, dutyPercent: 10 }) as const;
const permit = (at: number, given: boolean) => ({ at, what: 'permit', connector: 1, given }) as const;
const sent = (at: number, ...frame: readonly unknown[]) =>
  ({ at, what: 'frame', direction: 'tx', text: JSON.stringify(frame) }) as const;
const status = (at: number, id: string, name: string, members: object = {}) =>
  sent(at, 2, id, 'StatusNotification', { connectorId: 1, status: name, timestamp: timeOf(at), ...members });
const timeOf = (at: number): string => new Date(Date.UTC(2026, 0, 5) + at).toISOString();

const comparing = (then: readonly RecordedEntry[], now: readonly Output[], isPart = false): Comparison =>
  compare({ from: 0, skippedMs: 0, to: 60_000, isPart, entries: then, outputs: now });
const kinds = (then: readonly RecordedEntry[], now: readonly Output[], isPart = false): readonly string[] =>
  comparing(then, now, isPart).differences.map(({ kind, at }) => `${kind} ${at}`);

describe('compare', () => {
  it.each<[what: string, then: readonly RecordedEntry[], now: readonly Output[]]>([
    ['the same', [offer(1000, 16), permit(2000, true)], [offer(1000, 16), permit(2000, true)]],
    ['another message id', [status(1000, 'a', 'Charging')], [status(1000, 'b', 'Charging')]],
    ['times that are close', [status(1000, 'a', 'Charging')], [status(1900, 'b', 'Charging')]],
    ['heartbeats', [sent(1000, 2, 'a', 'Heartbeat', {})], []],
    [
      'members in another order',
      [sent(1, 2, 'a', 'X', { a: 1, b: [{ c: 2 }] })],
      [sent(1, 2, 'b', 'X', { b: [{ c: 2 }], a: 1 })],
    ],
    ['what comes from outside', [{ at: 1, what: 'pilot', connector: 1, pilot: 'B' }], []],
    ['what the interlock does', [{ at: 1, what: 'contactor', connector: 1, command: 'open' }], []],
    ['what is done just after the recording ends', [], [offer(59_500, 16)]],
  ])('finds no difference in %s', (_what, then, now) => {
    expect(kinds(then, now)).toEqual([]);
  });

  it.each<[what: string, then: readonly RecordedEntry[], now: readonly Output[], found: readonly string[]]>([
    ['another offer', [offer(1000, 16)], [offer(1000, 10)], ['different 1000']],
    ['a permit that is not withdrawn', [permit(1000, false)], [], ['missing 1000']],
    ['a message more', [], [status(1000, 'a', 'Charging')], ['additional 1000']],
    ['another status', [status(1000, 'a', 'Charging')], [status(1000, 'a', 'Faulted')], ['different 1000']],
    ['the same much later', [offer(1000, 16)], [offer(3000, 16)], ['time 1000']],
    [
      'another time in a message',
      [status(1000, 'a', 'A', { timestamp: timeOf(9000) })],
      [status(1000, 'b', 'A')],
      ['different 1000'],
    ],
    ['a member less', [sent(1, 2, 'a', 'X', { a: 1 })], [sent(1, 2, 'b', 'X', {})], ['different 1']],
    [
      'another answer',
      [sent(1, 3, 'cs', { status: 'Accepted' })],
      [sent(1, 3, 'cs', { status: 'Rejected' })],
      ['different 1'],
    ],
    [
      'an error instead of an answer',
      [sent(1, 3, 'cs', {})],
      [sent(1, 4, 'cs', 'InternalError', '', {})],
      ['different 1'],
    ],
    [
      'another connector',
      [offer(1000, 16)],
      [{ ...offer(1000, 16), connector: 2 }],
      ['missing 1000', 'additional 1000'],
    ],
  ])('finds %s', (_what, then, now, found) => {
    expect(kinds(then, now)).toEqual(found);
  });

  it('shows both sides', () => {
    expect(comparing([offer(1000, 16)], [offer(1100, 10)]).differences).toMatchObject([
      { recorded: { at: 1000, offer: 16 }, replayed: { at: 1100, offer: 10 } },
    ]);
  });

  it('finds one difference where one is missing in a row, and not all that follow', () => {
    const row = [6, 7, 8, 9, 10, 11].map((amps, index) => offer(5000 * index, amps));
    expect(
      kinds(
        row,
        row.filter(({ offer: amps }) => amps !== 8),
      ),
    ).toEqual(['missing 10000']);
    expect(
      kinds(
        row.filter(({ offer: amps }) => amps !== 8),
        row,
      ),
    ).toEqual(['additional 10000']);
  });

  it('finds a status that goes out before the permit is withdrawn', () => {
    const [withdrawn, faulted] = [permit(1000, false), status(1000, 'a', 'Faulted')];
    expect(kinds([withdrawn, faulted], [withdrawn, faulted])).toEqual([]);
    expect(kinds([withdrawn, faulted], [faulted, withdrawn])).toEqual(['order 1000']);
    // It was so when it was recorded.
    expect(kinds([faulted, withdrawn], [faulted, withdrawn])).toEqual([]);
  });

  it('compares what is left of a frame that was cut', () => {
    const whole = sent(1, 2, 'a', 'MeterValues', { timestamp: timeOf(1), values: ['abcdef'.repeat(9)] });
    const cut = { ...whole, text: whole.text.slice(0, 100), cut: whole.text.length };
    const now = sent(2, 2, 'b', 'MeterValues', { timestamp: timeOf(2), values: ['abcdef'.repeat(9)] });
    const other = sent(2, 2, 'b', 'MeterValues', { timestamp: timeOf(2), values: ['abcxef'.repeat(9)] });
    expect(kinds([cut], [now])).toEqual([]);
    expect(kinds([cut], [other])).toEqual(['different 1']);
  });

  it('leaves alone what was begun before the recording, and only where it begins in the middle', () => {
    const stop = (members: object) => sent(9000, 2, 'a', 'StopTransaction', { transactionId: 1, ...members });
    const then = [status(500, 'x', 'Charging'), stop({ transactionData: [1] })];
    expect(kinds(then, [stop({})], true)).toEqual([]);
    expect(kinds(then, [stop({})])).toEqual(['missing 500', 'different 9000']);
    // An offer is made at once, whatever was before.
    expect(kinds([offer(500, 16)], [], true)).toEqual(['missing 500']);
  });
});
