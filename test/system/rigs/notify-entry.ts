/**
 * `chargepoint run` on the mock board, with a witness at its contactors and a loop of the hardware that can be made to stand.
 * usage: notify-entry run --config CONFIG   (SIGUSR2: from now on the board is not watched)
 * Writes to the file WITNESS a line `NS open|close` (CLOCK_MONOTONIC) for each command that has reached a contactor.
 */
import { appendFileSync } from 'node:fs';
import type { Board, Evse } from '../../../hal/contract.ts';
import { processIo } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/run.ts';

const [, , , , config = ''] = process.argv;
const witness = process.env['WITNESS'] ?? '/dev/null';
let stands = false;
process.on('SIGUSR2', () => {
  stands = true;
});

const seen = (evse: Evse): Evse => {
  let last = evse.state.contactor;
  evse.onState(({ contactor }) => {
    if (contactor === last) return;
    last = contactor;
    appendFileSync(witness, `${process.hrtime.bigint()} ${contactor}\n`);
  });
  return evse;
};

const watching = (board: Board): Board => {
  for (const { evse } of board.connectors) seen(evse);
  return Object.create(board, { watched: { get: () => !stands && board.watched } }) as Board;
};

process.exit(await run(processIo(), config, { board: watching }));
