/** The tape: order of cause and effect, states in between, and what goes wrong hurts nobody. */
import { describe, expect, it } from 'vitest';
import type { Log } from '../../src/ports.ts';
import type { Note, RecordedEntry } from '../../src/recorder/recording.ts';
import { type Standing, Tape } from '../../src/recorder/tape.ts';
import { minutes, seconds, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';
import { textOf, wordsOf } from './support.ts';

const STANDING: Standing = { connectors: [], mains: 'on', linked: false };
const pilot = (pilot: 'A' | 'B' | 'C'): Note => ({ what: 'pilot', connector: 1, pilot });
const permit = (): Note => ({ what: 'permit', connector: 1, given: true });

function setUp({
  standing = () => STANDING,
  size,
}: {
  standing?: () => Standing;
  size?: { stretchBytes: number; mostStretches: number };
} = {}) {
  const clock = new VirtualClock();
  const warned: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => void warned.push(message) };
  const tape = new Tape({ clock, log, noted: () => {}, ...(size && { size }) });
  const entries = (): readonly RecordedEntry[] =>
    textOf(tape.content)
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as RecordedEntry);
  const words = (): readonly string[] => entries().map(wordsOf);
  return { clock, tape, entries, words, warned, begin: () => tape.begin(standing) };
}

describe('the tape', () => {
  it('is empty until it begins, and begins with a state', () => {
    const { tape, words, begin } = setUp();
    tape.note(pilot('B'));
    tape.hold()(permit);
    expect(words()).toEqual([]);
    begin();
    tape.note(pilot('C'));
    expect(words()).toEqual(['state', 'pilot C']);
  });

  it('brings what was held after the note that it belongs to, at the times at which it happened', async () => {
    const { clock, tape, entries, words, begin } = setUp();
    begin();
    await clock.advance(1);
    const release = tape.hold();
    tape.note(pilot('C'));
    const inner = tape.hold();
    tape.note(pilot('B'));
    inner(() => ({ what: 'mains', mains: 'on' }));
    release(permit);
    tape.note(pilot('A'));
    expect(words()).toEqual(['state', 'permit true', 'pilot C', 'mains on', 'pilot B', 'pilot A']);
    expect(entries().map(({ at }) => at)).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it('brings what was held also without the note, if that has not come to pass or cannot be made', () => {
    const { tape, words, warned, begin } = setUp();
    begin();
    const first = tape.hold();
    tape.note(pilot('B'));
    first();
    const second = tape.hold();
    tape.note(pilot('C'));
    second(() => {
      throw new RangeError('no such duty cycle');
    });
    expect(words()).toEqual(['state', 'pilot B', 'pilot C']);
    expect(warned).toHaveLength(1);
  });

  it('says where everything stands once a minute while something happens, and not while nothing does', async () => {
    const { clock, tape, words, begin } = setUp();
    begin();
    await clock.advance(seconds(59));
    tape.note(pilot('B'));
    await clock.advance(minutes(30));
    tape.note(pilot('C'));
    expect(words()).toEqual(['state', 'pilot B', 'state', 'pilot C']);
  });

  it('begins with a state, whatever it has forgotten', () => {
    const { tape, words, begin } = setUp({ size: { stretchBytes: 400, mostStretches: 2 } });
    begin();
    for (let n = 0; n < 100; n++) tape.note(pilot(n % 2 === 0 ? 'B' : 'C'));
    expect(words()[0]).toBe('state');
    expect(words().length).toBeLessThan(20);
    expect(words().at(-1)).toBe('pilot C');
  });

  it('does not throw when the state cannot be told, and says so once', async () => {
    const fails = (): Standing => {
      throw new Error('not yet');
    };
    const { clock, tape, warned, begin } = setUp({ standing: fails });
    begin();
    tape.note(pilot('B'));
    await clock.advance(minutes(2));
    tape.note(pilot('C'));
    expect(warned).toEqual(['the flight recorder could not note something']);
  });
});
