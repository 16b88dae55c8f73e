/** Lines to a descriptor whose reader may be slow, stuck or gone: the control loop never waits for the log. */
import { fstatSync, write, writeSync } from 'node:fs';

export interface LineWriter {
  /** Never blocks and never throws. `line` ends with its newline. */
  readonly write: (line: string) => void;
  /** Resolves once everything has been handed over, or after `withinMs`. */
  flushed(withinMs: number): Promise<void>;
}

/** What may wait for a slow reader, in characters; then lines are dropped and counted. */
const MOST_WAITING = 1024 * 1024;
const AGAIN_MS = 20;

/**
 * Node writes to pipes and sockets synchronously: a stuck journal would stop the safety loop with them. So the lines of one turn go
 * together to the thread pool, one write at a time. Files and terminals do not get stuck and are written at once.
 */
export function lineWriter(descriptor: number): LineWriter {
  if (!mayGetStuck(descriptor))
    return { write: (line) => writeNow(descriptor, line), flushed: () => Promise.resolve() };
  let waiting: string[] = [];
  let size = 0;
  let dropped = 0;
  let isBusy = false;
  let isScheduled = false;
  const listeners = new Set<() => void>();

  const takeAll = (): string => {
    const note = dropped === 0 ? '' : `${dropped} lines of the log were dropped: nobody read them\n`;
    const text = waiting.join('') + note;
    waiting = [];
    size = 0;
    dropped = 0;
    return text;
  };
  const next = (): void => {
    isScheduled = false;
    if (isBusy) return;
    const text = takeAll();
    if (text === '') {
      for (const listener of [...listeners]) listener();
      return;
    }
    isBusy = true;
    writeWhole(descriptor, Buffer.from(text), () => {
      isBusy = false;
      next();
    });
  };
  // What is left at the very end goes the blocking way: the outputs are safe by then.
  process.on('exit', () => writeNow(descriptor, takeAll()));

  return {
    write: (line) => {
      if (size + line.length > MOST_WAITING) {
        dropped++;
        return;
      }
      waiting.push(line);
      size += line.length;
      if (isBusy || isScheduled) return;
      isScheduled = true;
      setImmediate(next);
    },
    flushed: (withinMs) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          listeners.delete(done);
          resolve();
        };
        const timer = setTimeout(done, withinMs);
        listeners.add(done);
        setImmediate(next);
      }),
  };
}

function mayGetStuck(descriptor: number): boolean {
  try {
    const what = fstatSync(descriptor);
    return what.isFIFO() || what.isSocket();
  } catch {
    return false;
  }
}

function writeNow(descriptor: number, text: string): void {
  if (text === '') return;
  try {
    writeSync(descriptor, text);
  } catch {
    // A reader that went away, or a full disk, is no reason to stop charging.
  }
}

function writeWhole(descriptor: number, bytes: Buffer, done: () => void): void {
  write(descriptor, bytes, (error, written) => {
    if (error?.code === 'EAGAIN') setTimeout(() => writeWhole(descriptor, bytes, done), AGAIN_MS);
    else if (error !== null && error !== undefined) done();
    else if (written < bytes.length) writeWhole(descriptor, bytes.subarray(written), done);
    else done();
  });
}
