/** The command line of what bounds the current: why, limits, delay. */
import { type Command, Option } from 'commander';
import { askingFrom, examples, type Finish, number, whole } from './command.ts';
import type { Io } from './io.ts';
import type { CancelOptions, LimitsOptions, SetOptions, WithdrawOptions } from './limits.ts';
import type { WhyOptions } from './why.ts';

export function addWhy(root: Command, io: Io, finish: Finish): void {
  askingFrom(root)(root.command('why'))
    .description('why each connector offers what it offers, and all that bounds it, the lowest first')
    .option('--connector <id>', 'only this one', whole(1, 'a connector'))
    .addHelpText('after', examples('chargepoint why', 'chargepoint why --connector 1'))
    .action(async (options: WhyOptions) => finish(await (await import('./why.ts')).why(io, options)));
}

export function addLimits(root: Command, io: Io, finish: Finish): void {
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

export function addDelay(root: Command, io: Io, finish: Finish): void {
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
