/** From nothing to BootNotification. */
import { BARE, configurationFile, runProgram, scratchDirectory } from '../lib/agents.mjs';
import { startCentralSystem } from '../lib/central-system.mjs';
import { nowMs, startProgram } from '../lib/processes.mjs';
import { atMost, ms, notBuilt, times } from '../lib/result.mjs';
import { median } from '../lib/statistics.mjs';

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
  const file = await configurationFile(central.url, 'agent');
  const bare = () => startProgram([BARE, 'bare', central.url, scratchDirectory()]);
  const agent = () => runProgram(file);
  const ours = [];
  const floor = [];
  // The first of each fills the disk cache and makes the store.
  for (let round = 0; round <= samples(25); round++) {
    floor.push(await untilBoot(central, 'bare', bare));
    ours.push(await untilBoot(central, 'agent', agent));
  }
  await central.close();
  const [value, bareMs] = [median(ours.slice(1)), median(floor.slice(1))];
  return {
    value: ms(value),
    floor: ms(bareMs),
    ratio: times(value / bareMs),
    checks: [atMost('ratio', value / bareMs, 1.6)],
    numbers: { value, floor: bareMs },
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
    run: async () => notBuilt(6),
  },
];
