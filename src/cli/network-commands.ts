/** The command line of the way to the central system: doctor, outbox, central-system. */
import { type Command, Option } from 'commander';
import type { SwitchOptions } from './central-system.ts';
import {
  askingFrom,
  CONFIG,
  CONFIG_HELP,
  examples,
  type Finish,
  FORCE_HELP,
  JSON_HELP,
  SOCKET_HELP,
} from './command.ts';
import type { DoctorOptions, TestOptions } from './doctor.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';

export function addDoctor(root: Command, io: Io, finish: Finish): void {
  const network = 'chargepoint doctor --only network';
  root
    .command('doctor')
    .copyInheritedSettings(root)
    .description(
      'test everything, from the configuration to the answer of the central system: one sheet. Exit code 1: a FAIL',
    )
    .option(CONFIG, CONFIG_HELP, DEFAULT_CONFIG)
    .option('--socket <path>', SOCKET_HELP)
    .addOption(new Option('--only <part>', 'leave the rest out').choices(['network', 'hardware']))
    .option('--yes', 'the contactor may close for 0.3 s: the outlet gets live')
    .option('--force', FORCE_HELP)
    .option('--json', JSON_HELP)
    .addHelpText(
      'after',
      examples(
        'chargepoint doctor',
        network,
        'chargepoint doctor --only hardware --yes',
        'chargepoint doctor --json | jq .lines',
      ),
    )
    .action(async (options: DoctorOptions) => finish(await (await import('./doctor.ts')).doctor(io, options)));
}

export function addOutbox(root: Command, io: Io, finish: Finish): void {
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

export function addCentralSystem(root: Command, io: Io, finish: Finish): void {
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
    .option('--json', JSON_HELP)
    .addHelpText('after', examples(example))
    .action(async (options: SwitchOptions) =>
      finish(await (await import('./central-system.ts')).switchTo(io, options)),
    );
  centralSystem
    .command('test')
    .copyInheritedSettings(root)
    .description('why there is no connection: clock, DNS, TCP, TLS, login, BootNotification. Exit code 1: a FAIL')
    .option(CONFIG, CONFIG_HELP, DEFAULT_CONFIG)
    .option('--socket <path>', SOCKET_HELP)
    .option('--force', FORCE_HELP)
    .option('--json', JSON_HELP)
    .addHelpText('after', examples('chargepoint central-system test', 'chargepoint central-system test --json'))
    .action(async (options: TestOptions) => finish(await (await import('./doctor.ts')).testCentralSystem(io, options)));
}
