/** The command line of the flight recorder: recordings, replay. */
import type { Command } from 'commander';
import { askingFrom, examples, type Finish, whole } from './command.ts';
import type { Io } from './io.ts';
import type { RecordingsOptions } from './recordings.ts';
import type { ReplayOptions } from './replay.ts';

export function addRecordings(root: Command, io: Io, finish: Finish): void {
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

export function addReplay(root: Command, io: Io, finish: Finish): void {
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
