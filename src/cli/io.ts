/** What a command needs from the terminal and the process; in tests two arrays of lines. */

/** That of the service. */
export const DEFAULT_CONFIG = '/etc/chargepoint/chargepoint.yaml';

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** The file that Node was started with; the installation is found from there. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** Asks the person at the terminal; undefined once the signal says that nobody waits any more. Absent where nobody sits there. */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string | undefined>;
}

/** The last place where an escape sequence of somebody outside can be held back. Lines and columns stay, and the one place of a progress. */
const harmless = (text: string): string => text.replace(/(?![\t\n\r])\p{Cc}/gu, '?');

export const processIo = (): Io => ({
  out: (text) => {
    process.stdout.write(harmless(text));
  },
  err: (text) => {
    process.stderr.write(harmless(text));
  },
  script: process.argv[1] ?? '.',
  environment: process.env,
  isTerminal: process.stdout.isTTY === true,
  ...(process.stdin.isTTY === true && process.stdout.isTTY === true ? { ask } : {}),
});

async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline/promises');
  // Not as a terminal of its own: Ctrl-C has to reach the process as a signal.
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  try {
    return await lines.question(question, { signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    lines.close();
  }
}
