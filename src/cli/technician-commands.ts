/** The command line of the tools for whoever stands at the charge point: inputs, pilot, lock, contactor, faults, sessions, logs, RFID. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { askingFrom, examples, type Finish, whole } from './command.ts';
import type { ContactorOptions } from './contactor.ts';
import type { FaultsOptions } from './faults.ts';
import type { InputsOptions } from './inputs.ts';
import type { Io } from './io.ts';
import type { LockOptions } from './lock.ts';
import type { LogsOptions } from './logs.ts';
import type { PilotOptions } from './pilot.ts';
import type { RfidOptions } from './rfid.ts';
import type { SessionsOptions } from './sessions.ts';

export function addTechnician(root: Command, io: Io, finish: Finish): void {
  addInputs(root, io, finish);
  addPilot(root, io, finish);
  addLock(root, io, finish);
  addContactor(root, io, finish);
  addFaults(root, io, finish);
  addSessions(root, io, finish);
  addLogs(root, io, finish);
}

const wholeWithin =
  (least: number, most: number, what: string) =>
  (text: string): number => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least || Number(text) > most)
      throw new InvalidArgumentError(`Expected ${what}, a whole number from ${least} to ${most}.`);
    return Number(text);
  };
const connector = wholeWithin(1, 64, 'a connector');
const CONNECTOR_HELP = 'number of the connector';

function addInputs(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('inputs'))
    .description('every input with its level and what it stands for; pilot, plug, lock and mirror contact')
    .option('--watch', 'then each change, until Ctrl-C')
    .addOption(
      new Option('--seconds <count>', 'with --watch: so long').argParser(wholeWithin(1, 86_400, 'a time in s')),
    )
    .addHelpText('after', examples('chargepoint inputs', 'chargepoint inputs --watch'))
    .action(async (options: InputsOptions) => finish(await (await import('./inputs.ts')).inputs(io, options)));
}

/** IEC 61851-1: what the duty cycle can say. */
function offer(text: string): number | 'x1' | 'F' {
  if (text === 'x1' || text === 'F') return text;
  if (!/^\d{1,2}(\.\d)?$/.test(text) || Number(text) < 6 || Number(text) > 80)
    throw new InvalidArgumentError('Expected x1, F, or a current from 6 to 80 A.');
  return Number(text);
}

function addPilot(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('pilot'))
    .description('the control pilot: what it says; or signal something and see what an EV answers, contactor open')
    .argument('<connector>', CONNECTOR_HELP, connector)
    .argument('[signal]', 'x1, F, or a current in A', offer)
    .option('--seconds <count>', 'so long, then x1', wholeWithin(1, 600, 'a time in s'), 30)
    .addHelpText(
      'after',
      examples('chargepoint pilot 1', 'chargepoint pilot 1 16', 'chargepoint pilot 1 F --seconds 10'),
    )
    .action(async (id: number, signal: number | 'x1' | 'F' | undefined, options: PilotOptions) =>
      finish(await (await import('./pilot.ts')).pilot(io, id, signal, options)),
    );
}

const oneOf =
  <T extends string>(...words: readonly T[]) =>
  (text: string): T => {
    const word = words.find((each) => each === text);
    if (word === undefined) throw new InvalidArgumentError(`Expected ${words.join(' or ')}.`);
    return word;
  };

function addLock(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('lock'))
    .description('the lock of the plug: whether it holds; or move it')
    .argument('<connector>', CONNECTOR_HELP, connector)
    .argument('[command]', 'lock (for a while) or unlock', oneOf('lock', 'unlock'))
    .option('--seconds <count>', 'locked so long, then unlocked', wholeWithin(1, 600, 'a time in s'), 10)
    .addHelpText('after', examples('chargepoint lock 1', 'chargepoint lock 1 lock', 'chargepoint lock 1 unlock'))
    .action(async (id: number, command: 'lock' | 'unlock' | undefined, options: LockOptions) =>
      finish(await (await import('./lock.ts')).lock(io, id, command, options)),
    );
}

function addContactor(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('contactor'))
    .description(
      'the contactor: its mirror contact; or click it, or close it for an EV while no agent runs. THE OUTLET GETS LIVE',
    )
    .argument('<connector>', CONNECTOR_HELP, connector)
    .argument('[command]', 'click (300 ms, no EV there) or close (pilot C)', oneOf('click', 'close'))
    .option('--amps <A>', 'close: the current that is offered', wholeWithin(6, 80, 'a current in A'), 6)
    // With the 3 s in which the EV may let go: 10 s.
    .option('--seconds <count>', 'close: so long', wholeWithin(1, 7, 'a time in s'), 3)
    .option('--wait <count>', 'close: for the EV to ask for power, in s', wholeWithin(1, 600, 'a time in s'), 60)
    .addHelpText(
      'after',
      examples('chargepoint contactor 1', 'sudo chargepoint contactor 1 click', 'sudo chargepoint contactor 1 close'),
    )
    .action(async (id: number, command: 'click' | 'close' | undefined, options: ContactorOptions) =>
      finish(await (await import('./contactor.ts')).contactor(io, id, command, options)),
    );
}

function addFaults(root: Command, io: Io, finish: Finish): void {
  const asking = askingFrom(root);
  const faults = root
    .command('faults')
    .copyInheritedSettings(root)
    .description('faults: which are raised, and the reset of those that are latched')
    .addHelpText('after', examples('chargepoint faults', 'chargepoint faults reset', 'chargepoint faults reset 1'));
  asking(faults.command('list', { isDefault: true }))
    .description('which are raised, what each one stops and how it goes away. Exit code 1: there is one')
    .addHelpText('after', examples('chargepoint faults', 'chargepoint faults --json'))
    .action(async (options: FaultsOptions) => finish(await (await import('./faults.ts')).listFaults(io, options)));
  asking(faults.command('reset'))
    .description('reset those whose cause is gone, in the running agent. Exit code 1: one is left')
    .argument('[connector]', 'only those of this one; 0: all', wholeWithin(0, 64, 'a connector'), 0)
    .addHelpText('after', examples('chargepoint faults reset', 'chargepoint faults reset 1'))
    .action(async (id: number, options: FaultsOptions) =>
      finish(await (await import('./faults.ts')).resetFaults(io, id, options)),
    );
}

function addSessions(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('sessions'))
    .description('the last transactions: when, how much, why they ended, and whether the central system knows')
    .option('--last <count>', 'so many', wholeWithin(1, 200, 'a number'), 20)
    .addHelpText('after', examples('chargepoint sessions', 'chargepoint sessions --last 200 --json'))
    .action(async (options: SessionsOptions) => finish(await (await import('./sessions.ts')).sessions(io, options)));
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `1h`, `2d`. */
function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = UNITS[unit];
  if (count === undefined || ms === undefined)
    throw new InvalidArgumentError('Expected a time as in 90s, 15m, 1h or 2d.');
  return Number(count) * ms;
}

function addLogs(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('logs'))
    .description('the log that is kept on disk; what is secret is masked in it')
    .option('--since <time>', 'only what is younger: 90s, 15m, 1h, 2d', duration)
    .addOption(
      new Option('--level <level>', 'this and what is worse')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('debug'),
    )
    .option('--follow', 'then what comes, until Ctrl-C')
    .addOption(
      new Option('--seconds <count>', 'with --follow: so long').argParser(wholeWithin(1, 86_400, 'a time in s')),
    )
    .addHelpText('after', examples('chargepoint logs --since 1h --level warn', 'chargepoint logs --follow'))
    .action(async (options: LogsOptions) => finish(await (await import('./logs.ts')).logs(io, options)));
}

export function addRfid(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('rfid'))
    .description('show each tag that is presented, as it was read and what it becomes, until Ctrl-C')
    .option('--count <tags>', 'so many, then end', whole(1, 'a number'))
    .addHelpText('after', examples('chargepoint rfid', 'chargepoint rfid --count 1 --json | jq -r .idTag'))
    .action(async (options: RfidOptions) => finish(await (await import('./rfid.ts')).rfid(io, options)));
}
