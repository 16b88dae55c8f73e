/** The command line: names, options, help. Each command is loaded when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { SwitchOptions } from './central-system.ts';
import type { ForgetOptions, ShowOptions } from './config.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import type { CancelOptions, LimitsOptions, SetOptions, WithdrawOptions } from './limits.ts';
import type { WhyOptions } from './why.ts';

const CONFIG = '--config <file>';
const CONFIG_HELP = 'configuration file';
const SOCKET_HELP = 'control socket of the agent';

const JSON_HELP = 'the whole answer as JSON';

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;

/**
 * Runs one command. Resolves to the exit code: 0 ok, 70 internal, 78 configuration or command line. What is thrown beyond that is the
 * caller's to report.
 */
export async function program(io: Io, argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const root = new Command('chargepoint')
    .description('OCPP 1.6J charge-point agent')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText(
      'after',
      examples('chargepoint check chargepoint.yaml', 'chargepoint run --config chargepoint.yaml', 'chargepoint status'),
    );
  const inherited = (name: string) => root.command(name).copyInheritedSettings(root);

  inherited('run')
    .description('run the agent until it is stopped or told to reboot')
    .option(CONFIG, CONFIG_HELP, DEFAULT_CONFIG)
    .addHelpText('after', examples('chargepoint run --config /etc/chargepoint/chargepoint.yaml'))
    .action(async ({ config }: { config: string }) => {
      code = await (await import('./run.ts')).run(io, config);
    });
  inherited('check')
    .description('say what is wrong with a configuration, or what would be used')
    .argument('[file]', CONFIG_HELP, DEFAULT_CONFIG)
    .addHelpText('after', examples('chargepoint check chargepoint.yaml'))
    .action(async (file: string) => {
      code = await (await import('./check.ts')).check(io, file);
    });
  inherited('bench')
    .description('try it all on this machine: mock board and embedded central system')
    .option(CONFIG, CONFIG_HELP)
    .addHelpText('after', examples('chargepoint bench', 'curl http://127.0.0.1:9001/bench'))
    .action(async (options: { config?: string }) => {
      code = await (await import('./bench.ts')).bench(io, options);
    });
  inherited('status')
    .description('what the running agent is doing')
    .option(CONFIG, CONFIG_HELP)
    .option('--socket <path>', SOCKET_HELP)
    .option('--json', JSON_HELP)
    .addHelpText('after', examples('chargepoint status', 'chargepoint status --json | jq .connectors'))
    .action(async (options: { config?: string; socket?: string; json?: boolean }) => {
      code = await (await import('./status.ts')).status(io, options);
    });
  const finish = (next: ExitCode): void => {
    code = next;
  };
  addWhy(root, io, finish);
  addLimits(root, io, finish);
  addDelay(root, io, finish);
  addOutbox(root, io, finish);
  addConfig(root, io, finish);
  addCentralSystem(root, io, finish);
  inherited('version')
    .description('versions of the agent and of Node')
    .action(async () => {
      code = (await import('./version.ts')).version(io);
    });

  try {
    await root.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.config;
  }
  return code;
}

/** What every command takes that asks the running agent. */
const askingFrom = (root: Command) => (command: Command) =>
  command
    .copyInheritedSettings(root)
    .option(CONFIG, CONFIG_HELP)
    .option('--socket <path>', SOCKET_HELP)
    .option('--json', JSON_HELP);

/** A number of the command line. */
const number =
  (isIt: (value: number) => boolean, expected: string) =>
  (text: string): number => {
    if (!/^\d{1,9}(\.\d{1,9})?$/.test(text) || !isIt(Number(text)))
      throw new InvalidArgumentError(`Expected ${expected}.`);
    return Number(text);
  };
const whole = (least: number, what: string) =>
  number((value) => Number.isInteger(value) && value >= least, `${what}, a whole number from ${least} on`);

function addWhy(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  askingFrom(root)(root.command('why'))
    .description('why each connector offers what it offers, and all that bounds it, the lowest first')
    .option('--connector <id>', 'only this one', whole(1, 'a connector'))
    .addHelpText('after', examples('chargepoint why', 'chargepoint why --connector 1'))
    .action(async (options: WhyOptions) => finish(await (await import('./why.ts')).why(io, options)));
}

function addLimits(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const asking = askingFrom(root);
  const source = ['--source <name>', 'who sets it, a name of your choice'] as const;
  const connector = ['--connector <id>', 'for this one; 0: all of them together', whole(0, 'a connector'), 0] as const;
  const set = 'chargepoint limits set --source ems --amps 10 --ttl 60';
  const withdraw = 'chargepoint limits withdraw --source ems';
  const limits = root
    .command('limits')
    .copyInheritedSettings(root)
    .description('what somebody in the house allows besides the central system: less, never more')
    .addHelpText('after', examples('chargepoint limits', set, withdraw));
  asking(limits.command('list', { isDefault: true }))
    .description('what is set, and for how long')
    .addHelpText('after', examples('chargepoint limits list'))
    .action(async (options: LimitsOptions) => finish(await (await import('./limits.ts')).listLimits(io, options)));
  asking(limits.command('set'))
    .description('set a limit, or set it again before it expires: after that the safe current counts')
    .requiredOption(...source)
    .requiredOption(
      '--amps <A>',
      'for each phase; below 6 nothing is offered',
      number(() => true, 'a current in A'),
    )
    .option(...connector)
    .option('--ttl <seconds>', 'how long it is known', whole(1, 'a time in s'), 60)
    .addOption(new Option('--phases <count>', 'charge on so many').choices(['1', '3']))
    .addHelpText('after', examples(set, 'chargepoint limits set --source solar --amps 16 --connector 1 --phases 1'))
    .action(async ({ phases, ...options }: Omit<SetOptions, 'phases'> & { phases?: '1' | '3' }) => {
      const chosen: Pick<SetOptions, 'phases'> = phases === undefined ? {} : { phases: phases === '1' ? 1 : 3 };
      finish(await (await import('./limits.ts')).setLimit(io, { ...options, ...chosen }));
    });
  asking(limits.command('withdraw'))
    .description('take a limit back: the source is no longer expected to say anything')
    .requiredOption(...source)
    .option(...connector)
    .addHelpText('after', examples(withdraw))
    .action(async (options: WithdrawOptions) => finish(await (await import('./limits.ts')).withdrawLimit(io, options)));
}

function addDelay(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const cancel = 'chargepoint delay cancel --connector 1';
  const delay = root
    .command('delay')
    .copyInheritedSettings(root)
    .description('the random delay before an increase')
    .addHelpText('after', examples(cancel));
  askingFrom(root)(delay.command('cancel'))
    .description('do not wait for it, this time')
    .option('--connector <id>', 'only this one; default: all', whole(0, 'a connector'))
    .addHelpText('after', examples('chargepoint delay cancel', cancel))
    .action(async (options: CancelOptions) => finish(await (await import('./limits.ts')).cancelDelay(io, options)));
}

function addOutbox(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  type Options = { config?: string; socket?: string; json?: boolean };
  const outbox = root
    .command('outbox')
    .copyInheritedSettings(root)
    .description('messages about transactions that the central system has not confirmed')
    .addHelpText(
      'after',
      examples(
        'chargepoint outbox',
        'chargepoint outbox dead',
        'chargepoint outbox recover /var/lib/chargepoint/store.broken-1',
      ),
    );
  const asking = askingFrom(root);
  asking(outbox.command('list', { isDefault: true }))
    .description('what waits, oldest first')
    .action(async (options: Options) => finish(await (await import('./outbox.ts')).outbox(io, options)));
  asking(outbox.command('dead'))
    .description('what was given up, oldest first')
    .action(async (options: Options) => finish(await (await import('./outbox.ts')).deadLetters(io, options)));
  outbox
    .command('recover')
    .copyInheritedSettings(root)
    .description('read a store that was moved aside; with --config, queue what it held again (no agent may run)')
    .argument('<path>', 'directory of the store')
    .option(CONFIG, CONFIG_HELP)
    .option('--json', 'everything that was found as JSON')
    .action(async (path: string, options: Options) =>
      finish(await (await import('./outbox.ts')).recoverOutbox(io, path, options)),
    );
}

function addConfig(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const config = root
    .command('config')
    .copyInheritedSettings(root)
    .description('configuration keys: who says what they are, and how the central system is overruled')
    .addHelpText(
      'after',
      examples(
        'chargepoint config show --effective',
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
  asking(config.command('forget'))
    .description('forget what the central system has set: the file or the default is in force again')
    .argument('[key]', 'name of one key')
    .option('--all', 'everything that it has set')
    .addHelpText('after', examples('chargepoint config forget HeartbeatInterval', 'chargepoint config forget --all'))
    .action(async (key: string | undefined, options: ForgetOptions) =>
      finish(await (await import('./config.ts')).forgetConfig(io, key, options)),
    );
}

function addCentralSystem(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const example = 'chargepoint central-system switch --url wss://new.example/ocpp --yes';
  const centralSystem = root
    .command('central-system')
    .copyInheritedSettings(root)
    .description('which central system the charge point belongs to')
    .addHelpText('after', examples(example));
  centralSystem
    .command('switch')
    .copyInheritedSettings(root)
    .description('move to another central system: nothing of the old one is taken along')
    .requiredOption('--url <url>', 'its address, without the identity')
    .option('--identity <identity>', 'what the charge point is called there; default: as now')
    .option('--yes', 'do it; without this it is only explained')
    .option(CONFIG, CONFIG_HELP, DEFAULT_CONFIG)
    .option('--socket <path>', SOCKET_HELP)
    .addHelpText('after', examples(example))
    .action(async (options: SwitchOptions) =>
      finish(await (await import('./central-system.ts')).switchTo(io, options)),
    );
}
