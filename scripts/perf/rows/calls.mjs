/** What the central system may ask in a second. */
import { startBare, startWatched } from '../lib/agents.mjs';
import { startCentralSystem } from '../lib/central-system.mjs';
import { nowMs, sleep } from '../lib/processes.mjs';
import { atLeast, perSecond, times } from '../lib/result.mjs';
import { median } from '../lib/statistics.mjs';

/** Keeps so many calls in flight for so long. */
function callsPerSecond(station, inFlight, windowMs) {
  return new Promise((resolve) => {
    let sent = 0;
    let answered = 0;
    const send = () => station.send(`[2,"${sent++}","GetConfiguration",{"key":["HeartbeatInterval"]}]`);
    const begun = nowMs();
    station.onText = (_text, at) => {
      answered++;
      if (at - begun < windowMs) send();
      else if (answered === sent) {
        station.onText = undefined;
        resolve((1000 * answered) / (nowMs() - begun));
      }
    };
    for (let lane = 0; lane < inFlight; lane++) send();
  });
}

async function rate(inFlight, goal, { seconds }) {
  const central = await startCentralSystem();
  const agent = await startWatched(central);
  const bare = await startBare(central);
  await sleep(500);
  const ours = [];
  const floor = [];
  for (let round = 0; round < 4; round++) {
    const windowMs = seconds(2) * 1000;
    const [bareRate, rate] = [
      await callsPerSecond(bare.station, inFlight, windowMs),
      await callsPerSecond(agent.station, inFlight, windowMs),
    ];
    // The first round warms both up.
    if (round === 0) continue;
    floor.push(bareRate);
    ours.push(rate);
  }
  await Promise.all([agent, bare].map(({ program }) => program.kill('SIGKILL')));
  await central.close();
  const [value, bareRate] = [median(ours), median(floor)];
  return {
    value: perSecond(value),
    floor: perSecond(bareRate),
    ratio: times(value / bareRate),
    checks: [atLeast('per second', value, goal)],
    numbers: { value, floor: bareRate },
  };
}

export const callRows = [
  {
    name: 'validated inbound calls, one after the other',
    goal: '>= 5,000/s',
    against: 'ws echo, unvalidated',
    run: (context) => rate(1, 5000, context),
  },
  {
    name: 'validated inbound calls, 16 in flight',
    goal: '>= 22,000/s',
    against: 'ws echo, unvalidated',
    run: (context) => rate(16, 22_000, context),
  },
];
