/** From an event to what follows from it: pins, contactor and wire. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory, startBare, startWatched } from '../lib/agents.mjs';
import { startCentralSystem } from '../lib/central-system.mjs';
import { nowMs, sleep } from '../lib/processes.mjs';
import { atLeast, latency, times } from '../lib/result.mjs';
import { median } from '../lib/statistics.mjs';

const PAUSE_MS = 4;
/** `[2,` begins a call. */
const FIGURE_TWO = 0x32;
const isCall = (name) => (call) => call.action === name;

/** An agent and its floor on one central system, and the end of all three. */
async function pair(measure) {
  const central = await startCentralSystem();
  const stateDir = scratchDirectory();
  const agent = await startWatched(central, 'agent', stateDir);
  const bare = await startBare(central);
  await sleep(500);
  try {
    return await measure({ central, agent, bare, stateDir });
  } finally {
    await Promise.all([agent, bare].map(({ program }) => program.kill('SIGKILL')));
    await central.close();
  }
}

async function plugIn({ program, station }, byte = 'P', status = 'Preparing') {
  const told = station.next((call) => isCall('StatusNotification')(call) && call.payload.status === status);
  program.poke(byte);
  await told;
}

const remoteStart = (station) => station.call('RemoteStartTransaction', { connectorId: 1, idTag: 'PERF' });

/** Ends the session by unplugging, and waits until everything about it has been said. */
async function unplug(agent) {
  const stopped = agent.station.next(isCall('StopTransaction'));
  await plugIn(agent, 'U', 'Available');
  await stopped;
  await sleep(PAUSE_MS);
  agent.program.moments.forget();
}

async function remoteStartRows({ samples }) {
  return pair(async ({ agent, bare }) => {
    const response = [];
    const floor = [];
    const contactor = [];
    for (let round = 0; round < samples(200); round++) {
      floor.push((await remoteStart(bare.station)).tookMs);
      await plugIn(agent);
      await sleep(PAUSE_MS);
      const closing = agent.program.moments.next('closed');
      const { tookMs, sentAt } = await remoteStart(agent.station);
      response.push(tookMs);
      contactor.push((await closing) - sentAt);
      await sleep(PAUSE_MS);
      await unplug(agent);
    }
    return { response, floor, contactor };
  });
}

async function statusNotification({ samples }) {
  return pair(async ({ agent, bare }) => {
    const ours = [];
    const floor = [];
    const next = (station) => station.next(isCall('StatusNotification'));
    for (let round = 0; round < samples(400); round++) {
      for (const [{ program, station }, byte, kept] of [
        [bare, 'S', floor],
        [agent, round % 2 === 0 ? 'P' : 'U', ours],
      ]) {
        const arriving = next(station);
        const poked = program.poke(byte);
        kept.push((await arriving).at - poked);
        await sleep(PAUSE_MS);
      }
    }
    return latency(ours, floor, { p50Ratio: 1.5, p99Ratio: 3 });
  });
}

async function floorTrip({ program }) {
  const at = program.poke('T');
  const tookMs = (await program.moments.next('open')) - at;
  await sleep(PAUSE_MS);
  return tookMs;
}

/** A fault and the loss of the pilot in turn. The transaction goes on all the time. */
async function ownTrip({ program }, round) {
  const [trip, undo] = round % 2 === 0 ? ['T', 'R'] : ['E', 'C'];
  const at = program.poke(trip);
  const tookMs = (await program.moments.next('open')) - at;
  await sleep(PAUSE_MS);
  program.poke(undo);
  await program.moments.next('closed');
  await sleep(PAUSE_MS);
  return tookMs;
}

async function floorTrips(bare, rounds) {
  const taken = [];
  for (let round = 0; round < rounds; round++) taken.push(await floorTrip(bare));
  return taken;
}

async function ownTrips(agent, rounds) {
  const taken = [];
  for (let round = 0; round < rounds; round++) taken.push(await ownTrip(agent, round));
  return taken;
}

async function trips({ agent, bare }, rounds, whileRunning = () => true) {
  const ours = [];
  const floor = [];
  for (let round = 0; round < rounds && whileRunning(); round++) {
    floor.push(await floorTrip(bare));
    ours.push(await ownTrip(agent, round));
  }
  return { ours, floor };
}

async function charging(agent) {
  await plugIn(agent);
  await remoteStart(agent.station);
  await agent.program.moments.next('closed');
  await sleep(200);
}

/** GetConfiguration at a steady rate, answers counted. */
function flood(station, rate) {
  const begun = nowMs();
  let sent = 0;
  let answered = 0;
  station.onText = (data, at) => {
    // The agent goes on talking about its trips.
    if (data[1] === FIGURE_TWO) station.receive(data, at);
    else answered++;
  };
  const send = () => {
    const due = ((nowMs() - begun) * rate) / 1000;
    for (; sent < due; sent++) station.send(`[2,"f${sent}","GetConfiguration",{"key":["HeartbeatInterval"]}]`);
  };
  const timer = setInterval(send, 1);
  return () => {
    clearInterval(timer);
    station.onText = undefined;
    return (1000 * answered) / (nowMs() - begun);
  };
}

const TRIP_LIMITS = { p50Ratio: 1.5, p99Ms: 2, maxMs: 10 };

const tripIdle = ({ samples }) =>
  pair(async (both) => {
    await charging(both.agent);
    const { ours, floor } = await trips(both, samples(500));
    return latency(ours, floor, TRIP_LIMITS);
  });

/** The goal is a ratio to a floor in peace; how a floor does that answers as many calls is remarked. */
const tripUnderCalls = ({ samples }) =>
  pair(async ({ agent, bare }) => {
    await charging(agent);
    const measured = { ours: [], floor: [], busyFloor: [] };
    const rates = [];
    for (let block = 0; block < 8; block++) {
      const rounds = samples(400) / 8;
      measured.floor.push(...(await floorTrips(bare, rounds)));
      const endFloor = flood(bare.station, 5000);
      await sleep(200);
      measured.busyFloor.push(...(await floorTrips(bare, rounds)));
      endFloor();
      const end = flood(agent.station, 5000);
      await sleep(200);
      measured.ours.push(...(await ownTrips(agent, rounds)));
      rates.push(end());
    }
    const busyRatio = median(measured.ours) / median(measured.busyFloor);
    return {
      ...latency(measured.ours, measured.floor, TRIP_LIMITS),
      note: `${Math.round(median(rates))} calls answered each second; ${times(busyRatio)} a floor that answers as many`,
    };
  });

const tripDuringDrain = ({ samples }) =>
  pair(async (both) => {
    const { agent } = both;
    await charging(agent);
    const all = samples(12_000);
    await agent.program.ask('queue', all);
    let drained = 0;
    agent.station.onCall(({ action }) => {
      if (action === 'MeterValues') drained++;
    });
    const begun = nowMs();
    const { ours, floor } = await trips(both, samples(400), () => drained < all);
    const rate = (1000 * drained) / (nowMs() - begun);
    return { ...latency(ours, floor, TRIP_LIMITS), note: `${Math.round(rate)} messages drained each second meanwhile` };
  });

/** LevelDB writes down each compaction in its LOG. */
function compactions(stateDir) {
  const store = join(stateDir, 'store');
  const logs = existsSync(store) ? readdirSync(store).filter((name) => name.startsWith('LOG')) : [];
  return logs
    .map((name) => readFileSync(join(store, name), 'utf8').match(/Compacting \d+@/g)?.length ?? 0)
    .reduce((sum, each) => sum + each, 0);
}

const tripDuringCompaction = ({ samples }) =>
  pair(async (both) => {
    await charging(both.agent);
    await both.agent.program.ask('churn', true);
    await sleep(1000);
    const before = compactions(both.stateDir);
    const { ours, floor } = await trips(both, samples(400));
    const count = compactions(both.stateDir) - before;
    await both.agent.program.ask('churn', false);
    const row = latency(ours, floor, TRIP_LIMITS);
    return {
      ...row,
      checks: [...row.checks, atLeast('compactions', count, 1)],
      note: `${count} compactions meanwhile`,
    };
  });

const trip = (name, run) => ({
  name: `trip or pilot loss -> contactor-open command, ${name}`,
  goal: 'p50 <= 1.5 x floor, p99 <= 2 ms, max <= 10 ms',
  against: 'pipe event -> write in Node, in turn with the trips',
  realtime: true,
  gate: true,
  run,
});

export function latencyRows() {
  let measuring;
  const started = (context) => {
    measuring ??= remoteStartRows(context);
    return measuring;
  };
  return [
    {
      name: 'RemoteStart -> response',
      goal: 'p50 <= 1.3 x, p99 <= 2 x bare client',
      against: 'node + ws, unvalidated',
      realtime: true,
      run: async (context) => {
        const { response, floor } = await started(context);
        return latency(response, floor, { p50Ratio: 1.3, p99Ratio: 2 });
      },
    },
    {
      name: 'RemoteStart -> contactor command, transaction durable first',
      goal: 'p50 <= 1.5 ms, p99 <= 5 ms',
      realtime: true,
      run: async (context) => latency((await started(context)).contactor, undefined, { p50Ms: 1.5, p99Ms: 5 }),
    },
    {
      name: 'state change -> StatusNotification on the wire',
      goal: 'p50 <= 1.5 x, p99 <= 3 x floor',
      against: 'pipe event -> ws frame in Node',
      realtime: true,
      run: statusNotification,
    },
    trip('idle', tripIdle),
    trip('under 5,000 calls/s', tripUnderCalls),
    trip('during a drain', tripDuringDrain),
    trip('during compaction', tripDuringCompaction),
  ];
}
