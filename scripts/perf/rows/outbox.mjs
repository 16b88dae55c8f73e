/** What is durable, how fast it gets there and away again, and that none of it is lost. */
import { createServer } from 'node:net';
import { bundled, resultOf, scratchDirectory, startBare, startInstalled, startWatched } from '../lib/agents.mjs';
import { startCentralSystem } from '../lib/central-system.mjs';
import { nowMs, sleep, startProgram } from '../lib/processes.mjs';
import { atLeast, atMost, latency, mb, ms, perSecond, times } from '../lib/result.mjs';
import { median } from '../lib/statistics.mjs';

const store = (what, stateDir, count) => resultOf([bundled('store'), what, stateDir, String(count)]);

async function single({ samples }) {
  const { ours, floor } = await store('single', scratchDirectory(), samples(1000));
  return latency(ours, floor, { p50Ratio: 1.5 });
}

const HELD = 100_000;

async function groupedAndHeld() {
  const directory = scratchDirectory();
  const { perSecond: rate } = await store('grouped', directory, HELD);
  const opened = [];
  for (let round = 0; round < 5; round++) opened.push(await store('held', directory, 0));
  return { rate, opened };
}

async function grouped(measured) {
  const { rate } = await measured;
  return { value: perSecond(rate), checks: [atLeast('per second', rate, 20_000)], numbers: { perSecond: rate } };
}

async function held(measured) {
  const { opened } = await measured;
  const openMs = median(opened.map((each) => each.openMs));
  const growthMb = median(opened.map((each) => each.growthMb));
  return {
    value: `open ${ms(openMs)}, + ${mb(growthMb)} RSS`,
    checks: [atLeast('held', Math.min(...opened.map(({ size }) => size)), HELD)],
    numbers: { openMs, growthMb },
  };
}

const DRAINED = 2000;

/** A restart with a backlog: the frames as the central system sees them. */
async function drainAgent(central) {
  const stateDir = scratchDirectory();
  await store('fill', stateDir, DRAINED);
  const { program, station, boot } = await startWatched(central, 'agent', stateDir);
  const seen = [];
  let last;
  const all = new Promise((resolve) => {
    station.onCall(({ action, payload, at }) => {
      if (action !== 'MeterValues') return;
      seen.push({ value: Number(payload.meterValue[0].sampledValue[0].value), at });
      last = at;
      if (seen.length === DRAINED) resolve();
    });
  });
  await all;
  await sleep(100);
  await program.kill('SIGKILL');
  const [{ at: first }] = seen;
  return {
    rate: (1000 * (DRAINED - 1)) / (last - first),
    firstMs: first - boot.answeredAt,
    wrong: seen.filter(({ value }, index) => value !== index).length,
  };
}

async function drainBare(central) {
  const { program } = await startBare(central);
  await sleep(200);
  const begun = program.poke('D');
  const tookMs = (await program.moments.next('drained', 60_000)) - begun;
  await program.kill('SIGKILL');
  return (1000 * DRAINED) / tookMs;
}

async function drain({ samples }) {
  const central = await startCentralSystem();
  const ours = [];
  const floor = [];
  for (let round = 0; round < samples(6); round++) {
    floor.push(await drainBare(central));
    ours.push(await drainAgent(central));
  }
  await central.close();
  return { ours, floor };
}

async function drainRate(measured) {
  const { ours, floor } = await measured;
  const [value, bare] = [median(ours.map(({ rate }) => rate)), median(floor)];
  return {
    value: perSecond(value),
    floor: perSecond(bare),
    ratio: times(value / bare),
    checks: [
      atLeast('ratio', value / bare, 0.8),
      atMost(
        'out of order, lost or twice',
        ours.reduce((sum, { wrong }) => sum + wrong, 0),
        0,
      ),
    ],
    numbers: { value, floor: bare },
  };
}

async function firstFrame(measured) {
  const { ours } = await measured;
  const all = ours.map(({ firstMs }) => firstMs);
  return {
    value: `${ms(median(all))}, max ${ms(Math.max(...all))}`,
    checks: [atMost('max ms', Math.max(...all), 20)],
    numbers: { all },
  };
}

const KILLS_EACH = 25;

/** Killed at a random moment while it writes; what it had acknowledged by then has to be there in the next process. */
async function killSeries(kills) {
  const stateDir = scratchDirectory();
  let acknowledged = 0;
  let lost = 0;
  for (let kill = 0; kill < kills; kill++) {
    const writer = startProgram([bundled('store'), 'untilKilled', stateDir]);
    const opened = Number(await writer.moments.nextName());
    lost += Math.max(0, acknowledged - opened);
    await sleep(2 + Math.random() * 30);
    await writer.kill('SIGKILL');
    const said = (await writer.output).trimEnd().split('\n');
    acknowledged = Number(said.at(-1).split(' ', 1)[0]);
  }
  const { lost: missing, kept, inOrder } = await store('survivors', stateDir, acknowledged);
  return { lost: lost + missing, acknowledged, kept, disorder: inOrder ? 0 : 1 };
}

async function loss({ kills }) {
  const series = [];
  for (let done = 0; done < kills; done += KILLS_EACH)
    series.push(await killSeries(Math.min(KILLS_EACH, kills - done)));
  const sum = (name) => series.reduce((total, each) => total + each[name], 0);
  return {
    value: `${sum('lost')} of ${sum('acknowledged')} lost in ${kills} kills`,
    checks: [
      atMost('lost', sum('lost'), 0),
      atMost('out of order', sum('disorder'), 0),
      atLeast('kills', kills, kills),
    ],
    numbers: { kills, lost: sum('lost'), acknowledged: sum('acknowledged'), kept: sum('kept') },
  };
}

const AWAY_MS = 8000;

/** The port answers, but nobody lets the agent in. */
async function knocksOnAClosedDoor(port) {
  let knocks = 0;
  const door = createServer((socket) => {
    knocks++;
    socket.destroy();
  });
  await new Promise((resolve) => door.listen(port, '127.0.0.1', resolve));
  await sleep(AWAY_MS);
  await new Promise((resolve) => door.close(resolve));
  return knocks;
}

async function reconnect({ samples }) {
  const central = await startCentralSystem();
  const { program, station } = await startInstalled(central, 'agent');
  const tries = [];
  let current = station;
  for (let round = 0; round < samples(20); round++) {
    // The central system is known to work again once something has come from it; until then the back-off goes on.
    await current.call('GetConfiguration', { key: ['HeartbeatInterval'] });
    const connecting = central.station('agent');
    const begun = nowMs();
    current.drop();
    current = await connecting;
    tries.push(nowMs() - begun);
  }
  await current.call('GetConfiguration', { key: ['HeartbeatInterval'] });
  await central.close();
  const knocks = await knocksOnAClosedDoor(central.port);
  await program.kill('SIGKILL');
  return {
    value: `first try ${ms(median(tries))}, max ${ms(Math.max(...tries))}; ${knocks} tries in ${AWAY_MS / 1000} s`,
    checks: [atMost('first try, max ms with handshake', Math.max(...tries), 330), atMost('tries', knocks, 5)],
    numbers: { tries, knocks },
  };
}

/** Several rows of one measurement. */
function once(measure) {
  let measuring;
  return (context) => {
    measuring ??= measure(context);
    return measuring;
  };
}

export function outboxRows() {
  const filled = once(groupedAndHeld);
  const drained = once(drain);
  return [
    {
      name: 'durable outbox write, one at a time',
      goal: 'p50 <= 1.5 x fdatasync',
      against: 'append of as many bytes + fdatasync in Node',
      realtime: true,
      run: single,
    },
    { name: 'durable outbox writes, grouped', goal: '>= 20,000/s', run: (context) => grouped(filled(context)) },
    { name: '100,000 messages held', goal: 'held', run: (context) => held(filled(context)) },
    { name: 'nothing acknowledged is lost by kill -9', goal: '0 of 500 kills', gate: true, run: loss },
    {
      name: 'drain: ordered, one outstanding, each .conf durable',
      goal: '>= 0.8 x a bare loop',
      against: 'one-outstanding ws loop with one fdatasync per message',
      realtime: true,
      run: (context) => drainRate(drained(context)),
    },
    {
      name: 'first queued frame after Boot accepted',
      goal: '<= 20 ms',
      run: (context) => firstFrame(drained(context)),
    },
    { name: 'reconnect', goal: 'first try <= 300 ms (30 ms more for the handshake), never a storm', run: reconnect },
  ];
}
