/** The command line of the energy meters: meter scan, read, watch. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { askingFrom, examples, type Finish, number, whole } from './command.ts';
import type { Io } from './io.ts';
import type { ReadOptions, ScanCommandOptions, WatchOptions } from './meter.ts';

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

/** Where meters come from the factory, if not with unit 1: SDM72CTM, MPM3PM, WM3M4. */
const USUAL_UNITS = '1-10,33,45';

export function addMeter(root: Command, io: Io, finish: Finish): void {
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
