/** Archives in a real directory, read back by tar itself. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileArchives } from '../../src/platform/archives.ts';
import { silentLog } from '../sim/world.ts';
import { longestTurnOfBest, MOST_MS } from '../turns.ts';

const EIGHT = Date.UTC(2026, 0, 5, 8);
const MINUTE_MS = 60_000;

let folder: string;
let logFiles: string[];
let archives: FileArchives;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archives-'));
  logFiles = [];
  archives = open(join(folder, 'uploads'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (directory: string): FileArchives =>
  new FileArchives({ directory, logFiles: async () => logFiles, version: '1.2.3', log: silentLog });

function logFile(name: string, lines: readonly string[]): void {
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'));
  logFiles.push(path);
}
const line = (minute: number, message: string, level = 30): string =>
  JSON.stringify({ level, time: EIGHT + minute * MINUTE_MS, msg: message });

/** What tar makes of it: content by name. */
function unpacked(file: string): Readonly<Record<string, string>> {
  const target = mkdtempSync(join(folder, 'unpacked-'));
  execFileSync('tar', ['-xzf', file, '-C', target]);
  return Object.fromEntries(
    readdirSync(target, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(target, name)).isFile())
      .map((name) => [name, readFileSync(join(target, name), 'utf8')]),
  );
}
const request = (range = {}, documents: Record<string, unknown> = {}) => ({
  fileName: 'cp001-20260105T080000Z.tar.gz',
  range,
  documents,
});

describe('an archive of diagnostics', () => {
  it('is one tar.gz with the documents, the log and what this is', async () => {
    logFile('000001.log', [line(0, 'first'), line(1, 'second', 50), '']);
    const { file, bytes } = await archives.diagnostics(request({}, { hardware: { faults: [] } }));
    expect(bytes).toBe(statSync(file).size);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const content = unpacked(file);
    expect(Object.keys(content).toSorted()).toEqual(
      ['about.json', 'hardware.json', 'log/000001.log'].map((name) => `cp001-20260105T080000Z/${name}`),
    );
    expect(JSON.parse(content['cp001-20260105T080000Z/hardware.json'] ?? '')).toEqual({ faults: [] });
    expect(JSON.parse(content['cp001-20260105T080000Z/about.json'] ?? '')).toMatchObject({
      version: '1.2.3',
      node: process.version,
    });
    expect(content['cp001-20260105T080000Z/log/000001.log']).toBe(
      '{"time":"2026-01-05T08:00:00.000Z","level":"info","msg":"first"}\n' +
        '{"time":"2026-01-05T08:01:00.000Z","level":"error","msg":"second"}\n',
    );
  });

  it.each([
    [{}, ['0', '1', '2', '3']],
    [{ from: EIGHT + MINUTE_MS }, ['1', '2', '3']],
    [{ to: EIGHT + MINUTE_MS }, ['0', '1']],
    [{ from: EIGHT + MINUTE_MS, to: EIGHT + 2 * MINUTE_MS }, ['1', '2']],
    [{ from: EIGHT + 10 * MINUTE_MS }, []],
  ])('holds the lines of %j, both ends included', async (range, messages) => {
    logFile('000001.log', [line(0, '0'), line(1, '1'), '']);
    logFile('000002.log', [line(2, '2'), line(3, '3'), '']);
    const content = unpacked((await archives.diagnostics(request(range))).file);
    const lines = Object.entries(content).flatMap(([name, text]) =>
      name.includes('/log/') ? text.trimEnd().split('\n') : [],
    );
    expect(lines.map((text) => (JSON.parse(text) as { msg: string }).msg)).toEqual(messages);
  });

  it('leaves out what a loss of power has cut or garbled, and a file that has just gone', async () => {
    logFile('000001.log', [
      '{"level":30,"time":17',
      '\0\0\0\0',
      line(1, 'whole'),
      '{"level":30,"time":1767600000000,"ms',
    ]);
    logFiles.push(join(folder, 'gone.log'));
    const content = unpacked((await archives.diagnostics(request())).file);
    expect(Object.values(content).filter((text) => text.includes('"msg"'))).toEqual([
      '{"time":"2026-01-05T08:01:00.000Z","level":"info","msg":"whole"}\n',
    ]);
  });

  it('masks secrets in the documents, whoever has put them there', async () => {
    const documents = {
      configuration: { keys: { AuthorizationKey: 'CANARY1' }, url: 'ftp://user:CANARY2@host/' },
      keys: [{ key: 'AuthorizationKey', value: 'CANARY3' }],
    };
    const content = unpacked((await archives.diagnostics(request({}, documents))).file);
    expect(JSON.stringify(content)).toContain('user:***@host');
    expect(JSON.stringify(content)).not.toContain('CANARY');
  });

  it('holds whole files as they are, under names of any length that there are, and does without what is gone', async () => {
    const name = `recorder/000123-20260105T080000Z-${'x'.repeat(50)}.jsonl`;
    const files = [
      { name, bytes: 8, read: async () => new TextEncoder().encode('{"a":1}\n') },
      { name: 'recorder/gone.jsonl', bytes: 8, read: async () => undefined },
      { name: 'recorder/broken.jsonl', bytes: 8, read: () => Promise.reject(new Error('EIO')) },
      { name: 'recorder/now.jsonl', bytes: 3, read: async () => new TextEncoder().encode('now') },
    ];
    const folder = `${'i'.repeat(40)}-20260105T080000Z-2147483647`;
    const content = unpacked((await archives.diagnostics({ ...request(), fileName: `${folder}.tar.gz`, files })).file);
    expect(content[`${folder}/${name}`]).toBe('{"a":1}\n');
    expect(Object.keys(content).toSorted()).toEqual(
      ['about.json', name, 'recorder/now.jsonl'].map((file) => `${folder}/${file}`),
    );
  });

  it('is not begun if the whole files would leave too little of the disk free', async () => {
    const files = [{ name: 'recorder/now.jsonl', bytes: 1e15, read: async () => new Uint8Array(0) }];
    await expect(archives.diagnostics({ ...request(), files })).rejects.toMatchObject({ code: 'storeFull' });
  });

  it('is gone after the upload, and with the next process if there was none', async () => {
    const first = await archives.diagnostics(request());
    await first.remove();
    expect(existsSync(first.file)).toBe(false);
    const second = await archives.text(['a']);
    expect(existsSync(second.file)).toBe(true);
    await open(join(folder, 'uploads')).tidy();
    expect(existsSync(second.file)).toBe(false);
  });

  it('rejects with a StoreError where nothing can be written, and leaves nothing', async () => {
    writeFileSync(join(folder, 'occupied'), '');
    const failed = open(join(folder, 'occupied', 'uploads'));
    await expect(failed.diagnostics(request())).rejects.toMatchObject({ name: 'StoreError', code: 'storeBroken' });
    await expect(failed.text([])).rejects.toMatchObject({ name: 'StoreError' });
    logFiles.push('/proc/self/mem');
    await expect(archives.diagnostics(request())).rejects.toMatchObject({ name: 'StoreError' });
    expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
  });

  it('takes no slice of more than 5 ms, however much there is in the log', async () => {
    mkdirSync(join(folder, 'big'));
    const lines = Array.from({ length: 5_000 }, (_, n) => line(n, `tx [2,"${n}","MeterValues",{${'x'.repeat(150)}}]`));
    for (let n = 1; n <= 8; n++) logFile(`00000${n}.log`, [...lines, '']);
    const best = await longestTurnOfBest(async () => {
      const archive = await archives.diagnostics(request());
      expect(archive.bytes).toBeGreaterThan(100_000);
      await archive.remove();
    });
    expect(best).toBeLessThan(MOST_MS);
  });
});

describe('a text', () => {
  it('has each line with its line feed, in order, without secrets', async () => {
    const lines = Array.from({ length: 1_000 }, (_, n) => `{"type":"event ${n}"}`);
    const { file } = await archives.text([...lines, 'ftp://user:CANARY@host/']);
    expect(readFileSync(file, 'utf8')).toBe(`${lines.join('\n')}\nftp://user:***@host/\n`);
  });
});
