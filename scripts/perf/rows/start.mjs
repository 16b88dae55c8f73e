/** From nothing to safe outputs and BootNotification. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BARE, configurationFile, LAUNCHER, root, runProgram, scratchDirectory } from '../lib/agents.mjs';
import { startCentralSystem } from '../lib/central-system.mjs';
import { nowMs, startProgram } from '../lib/processes.mjs';
import { atMost, ms, notMeasured, times } from '../lib/result.mjs';
import { median } from '../lib/statistics.mjs';

const SAFE_OUTPUTS = join(root, 'scripts/perf/programs/safe-outputs.cjs');

async function untilBoot(central, identity, start) {
  const connecting = central.station(identity);
  const begun = nowMs();
  const program = start();
  const station = await connecting;
  const { at } = await station.next(({ action }) => action === 'BootNotification');
  await program.kill('SIGKILL');
  return at - begun;
}

async function coldStart({ samples }) {
  const central = await startCentralSystem();
  // As in production, where there is no bench to open a second server for.
  const file = await configurationFile(central.url, 'agent', { bench: undefined });
  const benchFile = await configurationFile(central.url, 'benched');
  const starts = {
    bare: () => startProgram([BARE, 'bare', central.url, scratchDirectory()]),
    agent: () => runProgram(file),
    benched: () => runProgram(benchFile),
  };
  const took = { bare: [], agent: [], benched: [] };
  // The first of each fills the disk cache and makes the store.
  for (let round = 0; round <= samples(25); round++)
    for (const [name, start] of Object.entries(starts)) took[name].push(await untilBoot(central, name, start));
  await central.close();
  const [bareMs, value, benchedMs] = Object.values(took).map((each) => median(each.slice(1)));
  return {
    value: ms(value),
    floor: ms(bareMs),
    ratio: times(value / bareMs),
    checks: [atMost('ratio', value / bareMs, 1.6)],
    numbers: { value, floor: bareMs, withBench: benchedMs },
    note: `with a bench server ${ms(benchedMs)}, ${times(benchedMs / bareMs)}`,
  };
}

/** A stage of /sys and /run that only these processes see. */
const STAGE = 'mount -t tmpfs none /run && mount -t tmpfs none /sys && exec "$@"';

/** The board need not be there: what the last process left on is switched off before the configuration is read. */
async function outputsSafe({ samples }) {
  const file = join(scratchDirectory(), 'chargepoint.yaml');
  writeFileSync(file, JSON.stringify({ board: 'not-the-mock-one' }));
  const program = startProgram(
    ['-m', 'sh', '-c', STAGE, 'sh', process.execPath, SAFE_OUTPUTS, LAUNCHER, file, String(samples(24) + 1)],
    { command: 'unshare' },
  );
  const text = await program.output;
  if (text === '') return notMeasured(`no mount namespace: ${program.complaint.trim()}`);
  const { ours, floor } = JSON.parse(text);
  const [value, empty] = [median(ours), median(floor)];
  return {
    value: ms(value),
    floor: ms(empty),
    ratio: times(value / empty),
    checks: [atMost('ratio', value / empty, 1.3)],
    numbers: { value, floor: empty },
  };
}

export const startRows = [
  {
    name: 'cold start: spawn to BootNotification, median',
    goal: '<= 1.6 x bare client',
    against: 'node + ws',
    realtime: true,
    run: coldStart,
  },
  {
    name: 'outputs driven safe after spawn',
    goal: '<= 1.3 x node -e 0',
    against: 'node -e 0, spawn to exit',
    realtime: true,
    run: outputsSafe,
  },
];
