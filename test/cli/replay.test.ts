/** `chargepoint replay` on files: what it prints, and with which exit code. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';
import { typed } from './support/typed.ts';

let directory: string;
let recording: string;

/** What a virtual charge point saves by itself when connector 1 trips. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'replay-'));
  const world = await World.start({
    connectors: [
      { id: 1, cable: 'attached' },
      { id: 2, cable: 'attached' },
    ],
  });
  world.plugIn();
  await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
  await world.clock.advance(seconds(30));
  world.plugIn(2);
  world.board.inputs.setFault(1, 'groundFault', { info: 'RCD has tripped' });
  await world.clock.advance(seconds(15));
  recording = [...world.recordings.files.values()][0] ?? '';
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(directory, 'groundFault.jsonl');
  writeFileSync(path, text);
  return path;
}

const replay = (...argv: readonly string[]) => typed(['replay', ...argv]);

const lines = (text: string): readonly string[] => text.split('\n');

describe('chargepoint replay', () => {
  it('says that the agent does the same', async () => {
    const { code, out, err } = await replay(file(recording));
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Recording {2}groundFault, connector 1\n/);
    expect(out).toContain('The agent of this version does the same.\n');
  });

  it('shows the first difference with both sides, and ends with 1', async () => {
    const { code, out } = await replay(file(recording.replace('"offer":32', '"offer":20')));
    expect(code).toBe(1);
    expect(out).toContain('There is 1 difference, in seconds\nfrom the cause:\n');
    expect(out).toMatch(
      /\n-\d+\.\d{3} s {2}connector 1 {2}something else\n {2}recorded -\S+ s: offer 20 A\n {2}now -\S+ s: offer 32 A\n/,
    );
    expect(lines(out).every((line) => line.length <= 80)).toBe(true);
  });

  it('shows everything in a timeline, in 80 columns', async () => {
    const { code, out } = await replay('--timeline', file(recording));
    expect(code).toBe(0);
    const shown = lines(out);
    expect(shown.every((line) => line.length <= 80)).toBe(true);
    const of = (text: RegExp): number => shown.findIndex((line) => text.test(line));
    const [fault, opened, withdrawn, faulted] = [
      of(/^ +\+0\.000 {2}1 {2}fault groundFault raised: RCD has tripped/),
      of(/^ +\+0\.000 {2}1 {2}contactor told to open/),
      of(/^= +\+0\.000 {2}1 {2}permit withdrawn/),
      of(/^= +\+0\.000 {2}1 {2}sent StatusNotification Faulted/),
    ];
    expect(fault).toBeGreaterThan(0);
    expect([fault, opened, withdrawn, faulted]).toEqual([fault, opened, withdrawn, faulted].toSorted((a, b) => a - b));
    expect(shown.some((line) => / 2 {2}pilot B/.test(line))).toBe(true);
  });

  it('marks in the timeline what only one side has', async () => {
    const { out } = await replay('--timeline', file(recording.replace('"offer":32', '"offer":20')));
    expect(out).toMatch(/\n! .* 1 {2}offer 20 A\n/);
    const without = lines(recording).filter((line) => !line.includes('"what":"offer"'));
    expect((await replay('--timeline', file(without.join('\n')))).out).toMatch(/\n\+ .* 1 {2}offer 32 A\n/);
  });

  it('shows only one connector', async () => {
    const { out } = await replay('--timeline', '--connector', '1', file(recording));
    expect(out).toMatch(/ 1 {2}pilot B/);
    expect(out).not.toMatch(/ 2 {2}pilot B/);
  });

  it('gives the same as JSON', async () => {
    const { code, out } = await replay('--json', '--timeline', file(recording.replace('"offer":32', '"offer":20')));
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      recording: { cause: 'groundFault, connector 1' },
      same: false,
      differences: [{ kind: 'different', recorded: { offer: 20 }, replayed: { offer: 32 } }],
    });
    expect(JSON.parse(out).timeline).toContainEqual(expect.objectContaining({ mark: '=', text: 'permit withdrawn' }));
  });

  it('says where a file is no recording', async () => {
    const path = file('hello\n');
    expect(await replay(path)).toEqual({
      code: 78,
      out: '',
      err: expect.stringMatching(`^${path}:1: this is no flight recording\n  a recording begins with`),
    });
    const broken = file(recording.replace('"pilot":"B"', '"pilot":"X"'));
    expect((await replay(broken)).err).toMatch(/groundFault\.jsonl:\d+: pilot is "X", expected one of "A"/);
  });

  it('goes on with a warning where the last line is not whole', async () => {
    const { code, out, err } = await replay(file(recording.trimEnd().slice(0, -5)));
    expect(err).toMatch(/:\d+: the last line is not whole\n/);
    expect([code, out.includes('does the same')]).toEqual([0, true]);
  });

  it('says that there is no such file, or that it is a directory', async () => {
    expect(await replay(join(directory, 'none.jsonl'))).toMatchObject({
      code: 78,
      err: expect.stringContaining('there is no such file'),
    });
    expect(await replay(directory)).toMatchObject({ code: 78, err: expect.stringContaining('this is a directory') });
  });

  it('explains itself with examples', async () => {
    const { code, out } = await replay('--help');
    expect(code).toBe(0);
    expect(out).toContain('$ chargepoint replay --timeline');
    expect(lines(out).every((line) => line.length <= 80)).toBe(true);
  });
});
