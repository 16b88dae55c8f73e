import { describe, expect, it } from 'vitest';
import { readRecording } from '../../../src/bench/replay/read-recording.ts';
import { aRecording, textOf } from '../../sim/recording-builder.ts';

const lines = (...more: readonly unknown[]): string =>
  [textOf(aRecording([])).trim(), ...more.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))].join(
    '\n',
  );

const PILOT = { at: 10, what: 'pilot', connector: 1, pilot: 'B' };

describe('readRecording', () => {
  it('reads what was written', () => {
    const recording = aRecording([
      { at: 10, what: 'pilot', connector: 1, pilot: 'B' },
      { at: 10, what: 'proximity', connector: 1, cableA: null },
      { at: 11.25, what: 'frame', direction: 'rx', text: '[3,"1",{}]' },
    ]);
    expect(readRecording(textOf(recording))).toEqual({ ok: true, recording, warnings: [] });
  });

  it.each([
    ['an empty file', '', 1, 'this is no flight recording'],
    ['a text', 'hello', 1, 'this is no flight recording'],
    ['other JSON', '{"a":1}', 1, 'this is no flight recording'],
    ['a list', '[]', 1, 'this is no flight recording'],
  ])('refuses %s', (_what, text, line, message) => {
    expect(readRecording(text)).toMatchObject({ ok: false, problem: { line, message } });
  });

  it('refuses a format that it does not know, and says which version does', () => {
    const text = textOf(aRecording([]))
      .replace('"recording":1', '"recording":9')
      .replace('"version":"0.0.1"', '"version":"7.1"');
    const read = readRecording(text);
    expect(read.ok ? undefined : read.problem.message).toBe('the recording has format 9, this version reads format 1');
    expect(read.ok ? undefined : read.problem.hint).toContain('7.1');
  });

  it.each([
    ['no JSON in the middle', lines('{"at":', PILOT), 2, 'this is no JSON object'],
    ['an entry of another kind', lines(PILOT, { at: 11, what: 'moon' }), 3, 'what is "moon", expected one of pilot,'],
    ['a name of every object', lines({ at: 11, what: 'constructor' }), 2, 'what is "constructor"'],
    ['no time', lines({ what: 'link', open: true }), 2, 'at is undefined, expected a number'],
    ['time that falls', lines(PILOT, { ...PILOT, at: 9 }), 3, 'at is 9, which is before the entry above (10)'],
    ['a missing member', lines({ at: 1, what: 'pilot', connector: 1 }), 2, 'pilot is missing, expected one of "A"'],
    ['a wrong member', lines({ ...PILOT, pilot: 'X' }), 2, 'pilot is "X", expected one of "A"'],
    [
      'a wrong optional member',
      lines({ at: 1, what: 'frame', direction: 'tx', text: '', cut: 'yes' }),
      2,
      'cut is "yes"',
    ],
    ['a broken list', lines({ at: 1, what: 'state', connectors: [{}], mains: 'on', linked: true }), 2, 'connectors is'],
  ])('refuses %s', (_what, text, line, message) => {
    const read = readRecording(text);
    expect(read.ok ? undefined : read.problem.line).toBe(line);
    expect(read.ok ? undefined : read.problem.message).toContain(message);
    expect(read.ok ? undefined : read.problem.hint).toContain('take another copy');
  });

  it('says what is wrong with the header', () => {
    const text = textOf(aRecording([])).replace('"bootId":"boot-1",', '');
    expect(readRecording(text)).toMatchObject({
      ok: false,
      problem: { line: 1, message: 'header: bootId is missing, expected a text' },
    });
  });

  it('leaves out a last line that is not whole, and says so', () => {
    const read = readRecording(lines(PILOT, '{"at":12,"what":"li'));
    expect(read).toMatchObject({ ok: true, warnings: [{ line: 3, message: 'the last line is not whole' }] });
    expect(read.ok && read.recording.entries).toEqual([PILOT]);
  });

  it('takes what a later version of the same format adds to an entry', () => {
    expect(readRecording(lines({ ...PILOT, millivolts: 9000 })).ok).toBe(true);
  });
});
