/** The command line: names, options, help. Each command is loaded when it is called. */
import { Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { CONFIG, CONFIG_HELP, examples, JSON_HELP, SOCKET_HELP } from './command.ts';
import { addConfig, addSetup } from './configuration-commands.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import { addDelay, addLimits, addWhy } from './limits-commands.ts';
import { addMeter } from './meter-commands.ts';
import { addCentralSystem, addDoctor, addOutbox } from './network-commands.ts';
import { addRecordings, addReplay } from './recording-commands.ts';
import { addRfid, addTechnician } from './technician-commands.ts';

/** `pilot <connector> [signal]`. That each has options is no news. */
const subcommandTerm = (command: Command): string =>
  [
    command.name(),
    ...command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    ),
  ].join(' ');

/**
 * Runs one command. Resolves to the exit code: 0 ok, 1 a replay differs or a sheet has a FAIL, 70 internal, 78 configuration or command line. What is thrown beyond
 * that is the caller's to report.
 */
export async function program(io: Io, argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const root = new Command('chargepoint')
    .description('OCPP 1.6J charge-point agent')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    // Commander wraps nothing that would be narrower than 40, and a term with [options] leaves less.
    .configureHelp({ helpWidth: 80, minWidthToWrap: 20, subcommandTerm })
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
    .option('--json', JSON_HELP)
    .addHelpText('after', examples('chargepoint check chargepoint.yaml', 'chargepoint check --json | jq .warnings'))
    .action(async (file: string, options: { json?: boolean }) => {
      code = await (await import('./check.ts')).check(io, file, options);
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
  addDoctor(root, io, finish);
  addSetup(root, io, finish);
  addTechnician(root, io, finish);
  addWhy(root, io, finish);
  addLimits(root, io, finish);
  addDelay(root, io, finish);
  addMeter(root, io, finish);
  addRfid(root, io, finish);
  addOutbox(root, io, finish);
  addRecordings(root, io, finish);
  addConfig(root, io, finish);
  addCentralSystem(root, io, finish);
  addReplay(root, io, finish);
  inherited('version')
    .description('versions of the agent and of Node')
    .option('--json', JSON_HELP)
    .addHelpText('after', examples('chargepoint version', 'chargepoint version --json | jq -r .version'))
    .action(async (options: { json?: boolean }) => {
      code = (await import('./version.ts')).version(io, options);
    });

  try {
    await root.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.config;
  }
  return code;
}
