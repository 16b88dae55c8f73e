/** Lines of a file of the log ring that belong to a stretch of time, with times and levels for people. */
import { readFile } from 'node:fs/promises';
import type { TimeRange } from '../../ports.ts';
import type { Pauses } from './pauses.ts';

/** How pino begins a line. */
const HEAD = /^\{"level":(\d+),"time":(\d+)/;
const LEVELS: Readonly<Record<string, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const LINE_FEED = 0x0a;
/** Asked so often whether the slice is used up. */
const LINES_AT_ONCE = 16;

/** Lines cut by a loss of power are left out. A file that the ring has just deleted is empty. */
export async function logLines(path: string, { from, to }: TimeRange, pauses: Pauses): Promise<Uint8Array> {
  const content = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return Buffer.alloc(0);
    throw cause;
  });
  const kept: Buffer[] = [];
  let lines: string[] = [];
  for (let start = 0, end = 0; start < content.length; start = end + 1) {
    end = content.indexOf(LINE_FEED, start);
    if (end < 0) break;
    const line = within(content.toString('utf8', start, end), from ?? 0, to ?? Number.POSITIVE_INFINITY);
    if (line !== undefined) lines.push(line);
    if (lines.length < LINES_AT_ONCE) continue;
    kept.push(Buffer.from(lines.join('')));
    lines = [];
    await pauses.take();
  }
  return Buffer.concat([...kept, Buffer.from(lines.join(''))]);
}

function within(line: string, from: number, to: number): string | undefined {
  const [head, level = '', time = ''] = HEAD.exec(line) ?? [];
  if (head === undefined || !line.endsWith('}')) return undefined;
  const wall = Number(time);
  if (wall < from || wall > to || !(Math.abs(wall) <= 8.64e15)) return undefined;
  const moment = new Date(wall).toISOString();
  return `{"time":"${moment}","level":"${LEVELS[level] ?? level}"${line.slice(head.length)}\n`;
}
