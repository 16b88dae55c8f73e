/** The log's way out, with a real pipe whose reader does as it likes. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineWriter } from '../../src/platform/line-writer.ts';

let directory = '';
let pipe = -1;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lines-'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  // Open for both, so that it never waits for the other end; what is written stays until somebody reads.
  pipe = openSync(join(directory, 'pipe'), constants.O_RDWR);
});

afterEach(() => {
  closeSync(pipe);
  rmSync(directory, { recursive: true });
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Reads until the text ends with `end`; what is not there yet is waited for by turns. */
async function readUntil(end: string): Promise<string> {
  const reader = openSync(join(directory, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(65_536);
  let text = '';
  const until = performance.now() + 10_000;
  while (!text.endsWith(end) && performance.now() < until) {
    try {
      text += buffer.toString('utf8', 0, readSync(reader, buffer));
    } catch {
      await turn();
    }
  }
  closeSync(reader);
  return text;
}

describe('the lines of the log', () => {
  it('arrive whole and in order', async () => {
    const { write, flushed } = lineWriter(pipe);
    for (let n = 0; n < 100; n++) write(`line ${n}\n`);
    await flushed(1000);
    const text = await readUntil('line 99\n');
    expect(text).toBe(Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join(''));
  });

  it('never hold up the loop when nobody reads, and say how many were dropped', async () => {
    const { write, flushed } = lineWriter(pipe);
    const line = `${'x'.repeat(1023)}\n`;
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 1000; n++) write(line);
      await turn();
    }
    const before = performance.now();
    await flushed(50);
    expect(performance.now() - before).toBeLessThan(5000);
    const text = await readUntil('nobody read them\n');
    const kept = text.split('\n').filter((kept) => kept.startsWith('x')).length;
    const dropped = Number(/(\d+) lines of the log were dropped/.exec(text)?.[1]);
    expect(kept + dropped).toBe(3000);
    expect(dropped).toBeGreaterThan(500);
  });

  it('go to a file at once', () => {
    const file = join(directory, 'file');
    const descriptor = openSync(file, 'w');
    lineWriter(descriptor).write('now\n');
    expect(readFileSync(file, 'utf8')).toBe('now\n');
    closeSync(descriptor);
  });

  it('are no reason to fail when the reader has gone', () => {
    const closed = openSync(join(directory, 'gone'), 'w');
    closeSync(closed);
    expect(() => lineWriter(closed).write('nobody\n')).not.toThrow();
  });
});
