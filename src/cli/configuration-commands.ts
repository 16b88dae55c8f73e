/** The command line of the configuration: setup, config. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONFIG, CONFIG_HELP, examples, type Finish, JSON_HELP, SOCKET_HELP } from './command.ts';
import type { ForgetOptions, ShowOptions } from './config.ts';
import type { DiffOptions } from './config-diff.ts';
import type { EditOptions } from './config-edit.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import type { SetupOptions } from './setup.ts';

export function addSetup(root: Command, io: Io, finish: Finish): void {
  root
    .command('setup')
    .copyInheritedSettings(root)
    .description('ask what matters and write a configuration with comments; for scripts by --answers or --answer')
    .option(CONFIG, 'file to write', DEFAULT_CONFIG)
    .option('--answers <file>', 'names and answers as YAML or JSON; nobody is asked')
    .addOption(
      new Option('--answer <name=value>', 'one answer, as often as needed')
        .argParser((pair: string, before: readonly string[]) => [...before, namedAnswer(pair)])
        .default([], 'none'),
    )
    .option('--yes', 'ask nobody: what is not answered takes its default')
    .option('--replace', 'replace a file that is there; what it was stays beside it as .bak')
    .option('--json', 'what was written, found and is to be done next, as JSON')
    .addHelpText('after', examples('sudo chargepoint setup', 'chargepoint setup --answers site.yaml --config cp.yaml'))
    .action(async (options: SetupOptions) => finish(await (await import('./setup.ts')).setup(io, options)));
}

function namedAnswer(pair: string): string {
  if (!/^[\w.]+=/.test(pair)) throw new InvalidArgumentError('Expected name=value, like connector1.maxA=16.');
  return pair;
}

export function addConfig(root: Command, io: Io, finish: Finish): void {
  const config = root
    .command('config')
    .copyInheritedSettings(root)
    .description('configuration keys: who says what they are, and how the central system is overruled')
    .addHelpText(
      'after',
      examples(
        'chargepoint config show --effective',
        'chargepoint config diff',
        'sudo chargepoint config edit',
        'chargepoint config forget HeartbeatInterval',
        'chargepoint config forget --all',
      ),
    );
  const asking = (command: Command) =>
    command.copyInheritedSettings(root).option(CONFIG, CONFIG_HELP).option('--socket <path>', SOCKET_HELP);
  asking(config.command('show', { isDefault: true }))
    .description('the keys that have not their default: value, source, since when, and what that overrides')
    .option('--effective', 'all keys')
    .option('--json', 'the same as JSON')
    .addHelpText('after', examples('chargepoint config show', 'chargepoint config show --effective --json'))
    .action(async (options: ShowOptions) => finish(await (await import('./config.ts')).showConfig(io, options)));
  asking(config.command('diff'))
    .description('what runs, against what the file says by now and the defaults. Exit code 1: it differs')
    .option('--json', JSON_HELP)
    .addHelpText('after', examples('chargepoint config diff'))
    .action(async (options: DiffOptions) => finish(await (await import('./config-diff.ts')).diffConfig(io, options)));
  config
    .command('edit')
    .copyInheritedSettings(root)
    .description('change the file in $EDITOR; it is checked before it takes the place of the old one')
    .option(CONFIG, CONFIG_HELP, DEFAULT_CONFIG)
    .option('--json', 'what has become of the file, as JSON')
    .addHelpText('after', examples('sudo EDITOR=nano chargepoint config edit'))
    .action(async (options: EditOptions) => finish(await (await import('./config-edit.ts')).editConfig(io, options)));
  asking(config.command('forget'))
    .description('forget what the central system has set: the file or the default is in force again')
    .argument('[key]', 'name of one key')
    .option('--all', 'everything that it has set')
    .option('--json', JSON_HELP)
    .addHelpText('after', examples('chargepoint config forget HeartbeatInterval', 'chargepoint config forget --all'))
    .action(async (key: string | undefined, options: ForgetOptions) =>
      finish(await (await import('./config.ts')).forgetConfig(io, key, options)),
    );
}
