/** The command line: names, options, help. Each command is loaded when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { SwitchOptions } from './central-system.ts';
import type { ForgetOptions, ShowOptions } from './config.ts';
import type { DiffOptions } from './config-diff.ts';
import type { EditOptions } from './config-edit.ts';
import type { DoctorOptions, TestOptions } from './doctor.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import type { CancelOptions, LimitsOptions, SetOptions, WithdrawOptions } from './limits.ts';
import type { ReadOptions, ScanCommandOptions, WatchOptions } from './meter.ts';
import type { RecordingsOptions } from './recordings.ts';
import type { ReplayOptions } from './replay.ts';
import type { RfidOptions } from './rfid.ts';
import type { SetupOptions } from './setup.ts';
import { addTechnician } from './technician-commands.ts';
import type { WhyOptions } from './why.ts';

const CONFIG = '--config <file>';
const CONFIG_HELP = 'configuration file';
const SOCKET_HELP = 'control socket of the agent';

const FORCE_HELP = 'dial although the running agent is connected: it may lose its link';

const JSON_HELP = 'the whole answer as JSON';

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;

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
  addDoctor(root, io, finish);
  addSetup(root, io, finish);
  addTechnician(root, io, { asking: askingFrom(root), examples, finish });
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

function addDoctor(root: Command, io: Io, finish: (code: ExitCode) => void): void {
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

function addSetup(root: Command, io: Io, finish: (code: ExitCode) => void): void {
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

function addRecordings(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const asking = askingFrom(root);
  const save = 'chargepoint recordings save';
  const recordings = root
    .command('recordings')
    .copyInheritedSettings(root)
    .description('flight recordings: what happened around a fault, to look at or to replay')
    .addHelpText('after', examples('chargepoint recordings', save));
  asking(recordings.command('list', { isDefault: true }))
    .description('which there are')
    .addHelpText('after', examples('chargepoint recordings list --json'))
    .action(async (options: RecordingsOptions) =>
      finish(await (await import('./recordings.ts')).listRecordings(io, options)),
    );
  asking(recordings.command('save'))
    .description('save what has just happened')
    .addHelpText('after', examples(save))
    .action(async (options: RecordingsOptions) =>
      finish(await (await import('./recordings.ts')).saveRecording(io, options)),
    );
}

/** `1-10,33`: the first named first. */
function units(text: string): readonly number[] {
  const ranges = /^\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*$/.test(text) ? text.split(',') : [];
  const named = ranges.flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  });
  if (named.length === 0 || named.some((unit) => unit < 1 || unit > 247))
    throw new InvalidArgumentError('Expected Modbus units from 1 to 247, like 1-10,33.');
  return [...new Set(named)];
}

function addRfid(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  askingFrom(root)(root.command('rfid'))
    .description('show each tag that is presented, as it was read and what it becomes, until Ctrl-C')
    .option('--count <tags>', 'so many, then end', whole(1, 'a number'))
    .addHelpText('after', examples('chargepoint rfid', 'chargepoint rfid --count 1 --json | jq -r .idTag'))
    .action(async (options: RfidOptions) => finish(await (await import('./rfid.ts')).rfid(io, options)));
}

/** Where meters come from the factory, if not with unit 1: SDM72CTM, MPM3PM, WM3M4. */
const USUAL_UNITS = '1-10,33,45';

function addMeter(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const scan = 'chargepoint meter scan';
  const direct = 'chargepoint meter read --port /dev/ttyUSB0 --model eastron-sdm630 --unit 1';
  const meter = root
    .command('meter')
    .copyInheritedSettings(root)
    .description('energy meters: find one on a bus, read it once, or watch it')
    .addHelpText('after', examples(scan, 'chargepoint meter read --connector 1', direct));
  const asking = askingFrom(root);
  const baud = ['--baud <rate>', 'only this rate', whole(300, 'a baud rate')] as const;
  asking(meter.command('scan'))
    .description('find baud rate, parity, unit and model of what hangs on a bus (not while an agent uses it)')
    .option('--port <path>', 'serial port; default: the only USB adapter')
    .option(...baud)
    .addOption(
      new Option('--units <list>', 'Modbus units to ask').argParser(units).default(units(USUAL_UNITS), USUAL_UNITS),
    )
    .addHelpText('after', examples(scan, 'chargepoint meter scan --port /dev/ttyAMA0 --baud 9600 --units 1-247'))
    .action(async (options: ScanCommandOptions) => finish(await (await import('./meter.ts')).scan(io, options)));
  const reading = (command: Command) =>
    asking(command)
      .option('--connector <id>', 'the meter of this connector (default: 1)', whole(1, 'a connector'))
      .option('--port <path>', 'serial port, instead of a connector')
      .option('--model <name>', 'name in config/meters, or a path')
      .option(
        '--unit <unit>',
        'Modbus unit (default: that of the factory)',
        number((unit) => Number.isInteger(unit) && unit >= 1 && unit <= 247, 'a Modbus unit from 1 to 247'),
      )
      .option('--baud <rate>', 'not that of the factory', whole(300, 'a baud rate'))
      .addOption(new Option('--parity <parity>', 'not that of the factory').choices(['none', 'even', 'odd']))
      .option('--stop-bits <count>', 'not those of the factory: 1 or 2', stopBits);
  reading(meter.command('read'))
    .description('one reading: from the running agent, else from the bus')
    .addHelpText('after', examples('chargepoint meter read --connector 2 --json', direct))
    .action(async (options: ReadOptions) => finish(await (await import('./meter.ts')).readMeter(io, options)));
  reading(meter.command('watch'))
    .description('one reading after the other, until Ctrl-C')
    .option('--every <seconds>', 'so often', whole(1, 'a time in s'), 2)
    .option('--count <readings>', 'so many, then end', whole(1, 'a number'))
    .addHelpText('after', examples('chargepoint meter watch', 'chargepoint meter watch --connector 2 --every 10'))
    .action(async (options: WatchOptions) => finish(await (await import('./meter.ts')).watchMeter(io, options)));
}

function stopBits(text: string): 1 | 2 {
  if (text !== '1' && text !== '2') throw new InvalidArgumentError('Expected 1 or 2.');
  return text === '1' ? 1 : 2;
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
    .addHelpText('after', examples('sudo EDITOR=nano chargepoint config edit'))
    .action(async (options: EditOptions) => finish(await (await import('./config-edit.ts')).editConfig(io, options)));
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

function addReplay(root: Command, io: Io, finish: (code: ExitCode) => void): void {
  const file = 'groundFault-1.jsonl';
  root
    .command('replay')
    .copyInheritedSettings(root)
    .description('play a flight recording into the simulation: does this version do what was recorded? Exit code 1: no')
    .argument('<file>', 'the recording')
    .option('--timeline', 'everything that happened, in seconds from the cause')
    .option('--connector <id>', 'show only what concerns this one', whole(1, 'a connector'))
    .option('--json', 'the same as JSON')
    .addHelpText(
      'after',
      examples(
        `chargepoint replay ${file}`,
        `chargepoint replay --timeline --connector 1 ${file} | less`,
        `chargepoint replay --json ${file} | jq .differences`,
      ),
    )
    .action(async (path: string, options: ReplayOptions) =>
      finish(await (await import('./replay.ts')).replay(io, path, options)),
    );
}
