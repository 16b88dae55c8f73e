/** The person at the terminal: lines with editing, secrets without echo, Ctrl-C as an answer. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Asker } from './dialogue.ts';

export interface Terminal extends Asker {
  /** While something else runs, Ctrl-C is a signal again. */
  aside<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

/** Undefined where nobody sits at a terminal. */
export function openTerminal(): Terminal | undefined {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined;
  let isMuted = false;
  // The questions go where they do not mix with a `--json` summary.
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      if (!isMuted) stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
  /** Typed ahead, or pasted. */
  const waiting: string[] = [];
  let hasEnded = false;
  let answer: ((text: string | undefined) => void) | undefined;
  const settle = (text: string | undefined): void => {
    const waiter = answer;
    answer = undefined;
    waiter?.(text);
  };
  lines.on('line', (text) => {
    if (answer === undefined) waiting.push(text);
    else settle(text);
  });
  const end = (): void => {
    hasEnded = true;
    settle(undefined);
  };
  lines.on('SIGINT', end);
  lines.on('close', end);
  const next = (): Promise<string | undefined> => {
    const typed = waiting.shift();
    if (typed !== undefined || hasEnded) return Promise.resolve(typed);
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  return {
    line: (prompt) => {
      if (hasEnded) return Promise.resolve(undefined);
      lines.setPrompt(prompt);
      lines.prompt();
      return next();
    },
    secret: async (prompt) => {
      if (hasEnded) return undefined;
      stderr.write(prompt);
      isMuted = true;
      lines.setPrompt('');
      try {
        return await next();
      } finally {
        isMuted = false;
        stderr.write('\n');
      }
    },
    say: (text) => {
      stderr.write(text);
    },
    aside: async (work) => {
      lines.pause();
      stdin.setRawMode(false);
      try {
        return await work();
      } finally {
        stdin.setRawMode(true);
        lines.resume();
      }
    },
    close: () => lines.close(),
  };
}
