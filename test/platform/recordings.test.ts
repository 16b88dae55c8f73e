/** Flight recordings in a real directory. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingShelf } from '../../src/platform/recordings/shelf.ts';
import { FileRecordings } from '../../src/platform/recordings.ts';
import { longestTurnOfBest, MOST_MS } from '../turns.ts';

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'recordings-')), 'recordings');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const kilobytes = (n: number): readonly Uint8Array[] => Array.from({ length: n }, () => new Uint8Array(1024));
const names = async (shelf: RecordingShelf): Promise<readonly string[]> => (await shelf.list()).map(({ name }) => name);

describe('flight recordings on disk', () => {
  it('are files of their owner, whole, in the order in which they were saved', async () => {
    const recordings = new FileRecordings(directory);
    expect(await recordings.list()).toEqual([]);
    const saved = await recordings.save('20260105T080000Z-groundFault-1', [bytes('{"a":1}\n'), bytes('{"b":2}\n')]);
    const name = '000001-20260105T080000Z-groundFault-1.jsonl';
    expect(saved).toEqual({ name, file: join(directory, name), bytes: 16 });
    expect(readFileSync(saved.file, 'utf8')).toBe('{"a":1}\n{"b":2}\n');
    expect(statSync(saved.file).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    // The wall clock may stand anywhere: the number counts.
    utimesSync(saved.file, 4_000_000_000, 4_000_000_000);
    await recordings.save('19700101T000000Z-mains', [bytes('later')]);
    expect((await recordings.list()).map((each) => each.name)).toEqual([name, '000002-19700101T000000Z-mains.jsonl']);
    expect(new TextDecoder().decode(await recordings.read(name))).toBe('{"a":1}\n{"b":2}\n');
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('are 20 at most, the oldest goes first, and numbers are not used again', async () => {
    const shelf = new RecordingShelf(directory);
    for (let n = 1; n <= 23; n++) await shelf.save(`r${n}`, [bytes('x')]);
    const kept = await names(shelf);
    expect(kept).toHaveLength(20);
    expect([kept[0], kept.at(-1)]).toEqual(['000004-r4.jsonl', '000023-r23.jsonl']);
    expect(await new RecordingShelf(directory).save('next', [])).toMatchObject({ name: '000024-next.jsonl' });
  });

  it('are 8 MB at most in all', async () => {
    const shelf = new RecordingShelf(directory);
    for (let n = 1; n <= 18; n++) await shelf.save(`r${n}`, kilobytes(513));
    const kept = await shelf.list();
    expect(kept.reduce((sum, saved) => sum + saved.bytes, 0)).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(kept).toHaveLength(15);
    expect(kept.at(-1)?.name).toBe('000018-r18.jsonl');
  });

  it('make room for one that needs all of it, and count on', async () => {
    const shelf = new RecordingShelf(directory, { mostFiles: 3, mostBytes: 2048 });
    await shelf.save('a', kilobytes(1));
    await shelf.save('b', kilobytes(2));
    expect(await names(shelf)).toEqual(['000002-b.jsonl']);
    await shelf.save('c', kilobytes(2));
    expect(await names(shelf)).toEqual(['000003-c.jsonl']);
  });

  it('are saved one after the other, however many are asked for at once', async () => {
    const shelf = new RecordingShelf(directory);
    await Promise.all(['a', 'b', 'c'].map((title) => shelf.save(title, kilobytes(100))));
    expect(await names(shelf)).toEqual(['000001-a.jsonl', '000002-b.jsonl', '000003-c.jsonl']);
  });

  it('are not what a kill has left half-way, nor what somebody else has put there', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'unfinished.part'), 'half a li');
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    const shelf = new RecordingShelf(directory);
    expect(await names(shelf)).toEqual([]);
    await shelf.save('a', [bytes('whole')]);
    expect(readdirSync(directory).toSorted()).toEqual(['000001-a.jsonl', 'notes.txt']);
    expect(readFileSync(join(directory, '000001-a.jsonl'), 'utf8')).toBe('whole');
  });

  it('are read by their names only', async () => {
    const shelf = new RecordingShelf(directory);
    await shelf.save('../../etc/x', [bytes('x')]);
    expect(await names(shelf)).toEqual(['000001-______etc_x.jsonl']);
    writeFileSync(join(directory, '..', 'secret'), 'secret');
    expect(await shelf.read('../secret')).toBeUndefined();
    expect(await shelf.read('000009-gone.jsonl')).toBeUndefined();
  });

  it('fail with a StoreError, and leave nothing: older ones stay as well', async () => {
    const shelf = new RecordingShelf(directory, { mostFiles: 1, mostBytes: 1_000_000 });
    await shelf.save('a', [bytes('x')]);
    const broken = {
      get length(): number {
        return 1;
      },
    } as Uint8Array;
    await expect(shelf.save('b', [broken])).rejects.toMatchObject({ name: 'StoreError', code: 'storeBroken' });
    expect(readdirSync(directory)).toEqual(['000001-a.jsonl']);
    writeFileSync(join(directory, '..', 'occupied'), '');
    const nowhere = new FileRecordings(join(directory, '..', 'occupied', 'recordings'));
    await expect(nowhere.save('a', [])).rejects.toMatchObject({ name: 'StoreError' });
  });

  it('leave 16 MiB of the disk free', async () => {
    const shelf = new RecordingShelf(directory);
    const enormous = { length: 1e15 } as Uint8Array;
    await expect(shelf.save('a', [enormous])).rejects.toMatchObject({ name: 'StoreError', code: 'storeFull' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('hold up nobody for more than 5 ms', async () => {
    const shelf = new RecordingShelf(directory);
    const content = Array.from({ length: 8 }, () => new Uint8Array(64 * 1024));
    expect(await longestTurnOfBest(() => shelf.save('a', content))).toBeLessThan(MOST_MS);
  });
});
