/** What the commands of the command line have in common: names of options, their help, numbers, examples. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ExitCode } from '../platform/system.ts';

export const CONFIG = '--config <file>';
export const CONFIG_HELP = 'configuration file';
export const SOCKET_HELP = 'control socket of the agent';
export const FORCE_HELP = 'dial although the running agent is connected: it may lose its link';
export const JSON_HELP = 'the whole answer as JSON';

export const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;

/** Takes the exit code of the command that was called. */
export type Finish = (code: ExitCode) => void;

/** What every command takes that asks the running agent. */
export const askingFrom = (root: Command) => (command: Command) =>
  command
    .copyInheritedSettings(root)
    .option(CONFIG, CONFIG_HELP)
    .option('--socket <path>', SOCKET_HELP)
    .option('--json', JSON_HELP);

/** A number of the command line. */
export const number =
  (isIt: (value: number) => boolean, expected: string) =>
  (text: string): number => {
    if (!/^\d{1,9}(\.\d{1,9})?$/.test(text) || !isIt(Number(text)))
      throw new InvalidArgumentError(`Expected ${expected}.`);
    return Number(text);
  };
export const whole = (least: number, what: string) =>
  number((value) => Number.isInteger(value) && value >= least, `${what}, a whole number from ${least} on`);
