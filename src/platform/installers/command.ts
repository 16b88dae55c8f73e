/** Runs the program that installs: no shell, bounded in time, what it says goes to the log, its exit status decides. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Log } from '../../ports.ts';

/** EX_DATAERR of sysexits.h: the image itself is no good, and nothing was begun. */
export const SAYS_NO = 65;
/** Of what it says so much reaches the log. */
const MOST_LINES = 200;
const LONGEST_LINE = 500;

export interface RunOptions {
  readonly timeoutMs: number;
  readonly log: Log;
}

/** `code`: its exit status, if it had one. */
export type Ran = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly code?: number };

/** Never rejects. */
export function runBounded(command: readonly string[], { timeoutMs, log }: RunOptions): Promise<Ran> {
  const [executable = '', ...args] = command;
  log.info(`runs ${executable}`, { args });
  return new Promise((resolve) => {
    // A group of its own, so that what it has started ends with it.
    const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child);
    }, timeoutMs);
    listen(child, executable, log);
    const end = (ran: Ran): void => {
      clearTimeout(timer);
      resolve(ran);
    };
    child.once('error', (cause: NodeJS.ErrnoException) =>
      end({ ok: false, reason: `${executable} cannot be run: ${cause.code ?? cause.message}` }),
    );
    // `exit` and not `close`: a process that it has left behind may keep the pipes open.
    child.once('exit', (code, signal) => {
      if (isLate) end({ ok: false, reason: `${executable} took longer than ${timeoutMs} ms` });
      else if (code === 0) end({ ok: true });
      else if (code === null) end({ ok: false, reason: `${executable} was ended by ${signal}` });
      else end({ ok: false, reason: `${executable} ended with status ${code}`, code });
    });
  });
}

function listen(child: ChildProcess, executable: string, log: Log): void {
  let lines = 0;
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue;
    createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      lines += 1;
      if (lines <= MOST_LINES) log.info(`${executable}: ${line.slice(0, LONGEST_LINE)}`);
      if (lines === MOST_LINES) log.warn(`${executable} says more than is logged`);
    });
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
