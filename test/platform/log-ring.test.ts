/** The log on disk, in a real directory: bounded, batched, and never in anybody's way. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { platformLog } from '../../src/platform/log.ts';
import { LogRing, type LogRingOptions } from '../../src/platform/log-ring.ts';
import type { Log } from '../../src/ports.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const INFO = 30;
const WARN = 40;

let folder: string;
let directory: string;
let clock: VirtualClock;
let said: string[];
let log: Log;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ring-'));
  directory = join(folder, 'log');
  clock = new VirtualClock();
  said = [];
  const say = (message: string) => void said.push(message);
  log = { debug: say, info: say, warn: say, error: say, child: () => log };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const make = (options: Partial<LogRingOptions> = {}): LogRing =>
  new LogRing({ directory, after: (ms, action) => clock.after(ms, action), ...options });
const names = (): readonly string[] => readdirSync(directory).toSorted();
const text = (): string =>
  names()
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');

function readAvailable(descriptor: number, buffer: Buffer): number {
  try {
    return readSync(descriptor, buffer);
  } catch {
    return 0;
  }
}

describe('the log ring', () => {
  it('touches no disk before it is opened, and then writes what waited', async () => {
    const ring = make();
    ring.keep('early\n', WARN);
    await ring.flush();
    await clock.advance(60_000);
    expect(readdirSync(folder)).toEqual([]);
    ring.open(log);
    await ring.flush();
    expect(text()).toBe('early\n');
  });

  it('writes at most twice a minute, and bad news within a second', async () => {
    const ring = make();
    ring.open(log);
    const seen = (): string => (readdirSync(folder).includes('log') ? text() : '');
    for (let second = 0; second < 29; second++) {
      ring.keep('a\n', INFO);
      await clock.advance(1_000);
    }
    await ring.files();
    const first = seen();
    expect(first).toBe('a\n'.repeat(29));
    ring.keep('b\n', INFO);
    await clock.advance(1_000);
    expect(seen()).toBe(first);
    ring.keep('c\n', WARN);
    await clock.advance(1_000);
    await ring.flush();
    expect(seen()).toBe(`${first}b\nc\n`);
  });

  it('keeps the last files only, each no larger than it may be, readable for its owner only', async () => {
    const ring = make({ mostFiles: 3, fileBytes: 100 });
    ring.open(log);
    for (let n = 10; n < 40; n++) {
      ring.keep(`line ${n} ${'x'.repeat(31)}\n`, INFO);
      await ring.flush();
    }
    expect(names()).toEqual(['000013.log', '000014.log', '000015.log']);
    for (const name of names()) {
      const { size, mode } = statSync(join(directory, name));
      expect(size).toBeLessThanOrEqual(100);
      expect(mode & 0o777).toBe(0o600);
    }
    expect(text().match(/line \d+/g)).toEqual(['line 34', 'line 35', 'line 36', 'line 37', 'line 38', 'line 39']);
    expect(await ring.files()).toEqual(names().map((name) => join(directory, name)));
  });

  it('goes on in the file of the last process, whose last line may be cut', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, '000007.log'), 'whole\ncut o');
    const ring = make();
    ring.open(log);
    ring.keep('new\n', INFO);
    await ring.flush();
    expect(names()).toEqual(['000007.log']);
    expect(text()).toBe('whole\ncut o\nnew\n');
  });

  it('drops lines where the disk does not take them, says so once, and again when it does', async () => {
    writeFileSync(directory, 'a file where the folder should be');
    const ring = make();
    ring.open(log);
    for (let n = 0; n < 5; n++) {
      ring.keep(`lost ${n}\n`, INFO);
      await ring.flush();
      await clock.advance(1);
    }
    expect(said).toEqual(['the log cannot be kept on disk']);
    rmSync(directory);
    ring.keep('kept\n', INFO);
    await ring.flush();
    expect(text()).toBe('kept\n');
    expect(said).toEqual(['the log cannot be kept on disk', 'the log is kept on disk again']);
  });

  it('bounds what waits in memory while nothing is written', async () => {
    const ring = make();
    ring.open(log);
    for (let n = 0; n < 10_000; n++) ring.keep(`${'x'.repeat(99)}\n`, INFO);
    await clock.advance(1);
    expect(said).toEqual(['the log comes faster than the disk takes it']);
    await ring.flush();
    expect(text().length).toBeLessThanOrEqual(256 * 1024);
    expect(text().length).toBeGreaterThan(200 * 1024);
  });

  it('waits for nobody: a write that is stuck gets no queue, and what comes meanwhile is bounded', async () => {
    mkdirSync(directory);
    const pipe = join(directory, '000001.log');
    // Opening it for writing does not return before somebody reads.
    execFileSync('mkfifo', [pipe]);
    const ring = make();
    ring.open(log);
    const line = `${'x'.repeat(99)}\n`;
    for (let second = 0; second < 300; second++) {
      for (let n = 0; n < 20; n++) ring.keep(line, WARN);
      await clock.advance(1_000);
    }
    expect(said).toEqual(['the log comes faster than the disk takes it']);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const buffer = Buffer.alloc(65_536);
    let bytes = 0;
    const flushed = ring.flush().then(() => 'flushed');
    const turn = () => new Promise<string>((resolve) => void setImmediate(() => resolve('not yet')));
    while ((await Promise.race([flushed, turn()])) !== 'flushed') bytes += readAvailable(reader, buffer);
    bytes += readAvailable(reader, buffer);
    closeSync(reader);
    expect(bytes).toBeGreaterThan(250_000);
    expect(bytes).toBeLessThan(2 * 256 * 1024);
    expect(said).toEqual(['the log comes faster than the disk takes it', 'the log is kept on disk again']);
  });

  it('holds what the log says, with its wall time, and no secret', async () => {
    const ring = make();
    ring.open(log);
    const spoken = platformLog({
      level: 'info',
      style: 'plain',
      wall: () => 1_767_600_000_000,
      write: () => {},
      keep: (line, level) => ring.keep(line, level),
    });
    spoken.info('tx [2,"1","GetDiagnostics",{"location":"ftp://user:CANARY@host/"}]', { authorizationKey: 'CANARY' });
    spoken.debug('not asked for');
    await ring.flush();
    expect(text()).toMatch(/^\{"level":30,"time":1767600000000,.*GetDiagnostics.*\}\n$/);
    expect(text()).not.toContain('CANARY');
  });
});
