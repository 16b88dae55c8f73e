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
}

export const processIo = (): Io => ({
  out: (text) => {
    process.stdout.write(text);
  },
  err: (text) => {
    process.stderr.write(text);
  },
  script: process.argv[1] ?? '.',
  environment: process.env,
  isTerminal: process.stdout.isTTY === true,
});
