/** What the agent costs while nothing happens, or little. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory, startInstalled } from '../lib/agents.mjs';
import { startCentralSystem } from '../lib/central-system.mjs';
import { cpuMs, rssMb, sleep, startProgram } from '../lib/processes.mjs';
import { atMost, mb, notMeasured, percent, times } from '../lib/result.mjs';
import { startSlave } from '../lib/slave.mjs';

/** V8 collects its garbage once more some 8 s after the last work. */
const SETTLED_MS = 12_000;
const emptyNode = (script) => startProgram(['-e', script]);

async function residentMemory(agent) {
  const empty = emptyNode('setInterval(() => {}, 1e6)');
  await sleep(SETTLED_MS);
  const [value, floor] = [rssMb(agent.pid), rssMb(empty.pid)];
  await empty.kill('SIGKILL');
  return {
    value: mb(value),
    floor: mb(floor),
    ratio: times(value / floor),
    checks: [atMost('ratio', value / floor, 1.5)],
    numbers: { value, floor },
  };
}

async function idleMemory() {
  const central = await startCentralSystem();
  const { program } = await startInstalled(central, 'agent');
  const row = await residentMemory(program);
  await program.kill('SIGKILL');
  await central.close();
  return row;
}

/** A board of an EVSE controller and a meter on one bus: the real drivers, and no metal. */
function controllerBoard(port) {
  const directory = join(scratchDirectory(), 'boards');
  mkdirSync(directory);
  const file = join(directory, 'controller.yaml');
  const connectors = [
    { id: 1, maxA: 32, phases: 3, evse: { driver: 'controller', bus: { port }, model: 'evse-wb-din', unit: 1 } },
  ];
  writeFileSync(file, JSON.stringify({ name: 'controller', connectors }));
  return {
    board: file,
    bench: undefined,
    acknowledgeLabUse: true,
    buses: { rs485: { port } },
    connectors: [{ id: 1, cable: 'attached', meter: { model: 'eastron-sdm630', bus: 'rs485', unit: 2 } }],
  };
}

async function memoryWithModbus() {
  const slave = await startSlave(9600);
  if (slave === undefined) return notMeasured('python3 is missing');
  const central = await startCentralSystem();
  const { program } = await startInstalled(central, 'agent', controllerBoard(slave.path));
  const row = await residentMemory(program);
  const [before, windowMs] = [cpuMs(program.pid), 10_000];
  await sleep(windowMs);
  const cpuPerPoll = (cpuMs(program.pid) - before) / (windowMs / 500);
  await program.kill('SIGKILL');
  slave.end();
  await central.close();
  return {
    ...row,
    numbers: { ...row.numbers, cpuMsPerPoll: cpuPerPoll },
    note: `EVSE controller and SDM630 on a pty, 2 polls/s at ${cpuPerPoll.toFixed(2)} ms CPU each`,
  };
}

async function call(station, count) {
  for (let done = 0; done < count; done++) await station.call('GetConfiguration', { key: ['HeartbeatInterval'] });
}

const CALLS = 10_000;

/** V8 collects old garbage only every some ten thousand calls, so the highest of the later rounds counts against that of the earlier ones. */
async function flatMemory() {
  const central = await startCentralSystem();
  const { program, station } = await startInstalled(central, 'agent');
  const measured = [];
  for (let round = 0; round < 10; round++) {
    await call(station, CALLS);
    await sleep(300);
    measured.push(rssMb(program.pid));
  }
  await program.kill('SIGKILL');
  await central.close();
  const growth = Math.max(...measured.slice(6)) - Math.max(...measured.slice(2, 6));
  return {
    value: `${mb(growth)} from rounds 3-6 to rounds 7-10 of ${CALLS} calls`,
    checks: [atMost('growth, MB', growth, 3)],
    numbers: { afterEachRoundMb: measured, callsEach: CALLS },
    note: measured.map((each) => each.toFixed(0)).join(' '),
  };
}

/** The agent's own timers while idle: the watch over the system's clock. Ping and Heartbeat are rarer than the window. */
const SAME_TIMERS = 'setInterval(() => {}, 5000); setInterval(() => {}, 30000)';

async function idleCpu({ seconds }) {
  const central = await startCentralSystem();
  const quiet = await startInstalled(central, 'quiet');
  const busy = await startInstalled(central, 'busy', {
    keys: { AuthorizeRemoteTxRequests: 'false', WebSocketPingInterval: '0' },
    bench: { host: '127.0.0.1', port: 0, inputs: { connectors: { 1: { ev: { plugged: true, mode: 'C' } } } } },
  });
  for (const key of ['HeartbeatInterval', 'MeterValueSampleInterval'])
    await busy.station.call('ChangeConfiguration', { key, value: '1' });
  const metering = busy.station.next(({ action }) => action === 'MeterValues');
  await busy.station.call('RemoteStartTransaction', { connectorId: 1, idTag: 'PERF' });
  await metering;
  const empty = emptyNode(SAME_TIMERS);
  await sleep(SETTLED_MS + seconds(20) * 1000);
  const counted = { Heartbeat: 0, MeterValues: 0 };
  busy.station.onCall(({ action }) => counted[action]++);
  const pids = [quiet, busy].map(({ program }) => program.pid).concat(empty.pid);
  const before = pids.map(cpuMs);
  const windowMs = seconds(40) * 1000;
  await sleep(windowMs);
  const [quietPercent, busyPercent, emptyPercent] = pids.map((pid, i) => (100 * (cpuMs(pid) - before[i])) / windowMs);
  await Promise.all([quiet.program, busy.program, empty].map((program) => program.kill('SIGKILL')));
  await central.close();
  return { quietPercent, busyPercent, emptyPercent, counted, windowMs };
}

/** Both rows come from one window, so that the noise of the machine is the same for all three processes. */
export function idleRows() {
  let measuring;
  const measured = (context) => {
    measuring ??= idleCpu(context);
    return measuring;
  };
  return [
    {
      name: 'RSS idle, connected, store open (mock board)',
      goal: '<= 1.5 x node -e 0',
      against: 'an empty Node process',
      gate: true,
      run: idleMemory,
    },
    {
      name: 'RSS idle, connected, store and Modbus open',
      goal: '<= 1.5 x node -e 0',
      against: 'an empty Node process',
      gate: true,
      run: memoryWithModbus,
    },
    { name: 'RSS over rounds of 10,000 calls', goal: 'flat (<= 3 MB)', gate: true, run: flatMemory },
    {
      name: 'CPU idle on the mock board',
      goal: '<= 1.3 x an empty process with the same timers',
      against: 'an empty Node process with the same timers',
      run: async (context) => {
        const { quietPercent: value, emptyPercent: floor } = await measured(context);
        return {
          value: percent(value),
          floor: percent(floor),
          ratio: times(value / floor),
          checks: [atMost('ratio', value / floor, 1.3)],
          numbers: { value, floor },
        };
      },
    },
    {
      name: 'CPU with 1 s Heartbeat and 1 s MeterValues',
      goal: '<= 0.12 %',
      against: 'an empty Node process with the same timers',
      run: async (context) => {
        const { busyPercent: value, emptyPercent: floor, counted, windowMs } = await measured(context);
        return {
          value: percent(value),
          floor: percent(floor),
          ratio: times(value / floor),
          checks: [atMost('% of a core', value, 0.12)],
          numbers: { value, floor, ...counted, windowMs },
          note: `${counted.Heartbeat} Heartbeats and ${counted.MeterValues} MeterValues in ${windowMs / 1000} s`,
        };
      },
    },
  ];
}
