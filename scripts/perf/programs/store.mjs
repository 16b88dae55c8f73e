/** The outbox on the real store, without an agent. Arguments: what to do, the state directory, a number. Prints one JSON line on descriptor 3. */
import { closeSync, fdatasync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { factsFrom } from '../../../src/ocpp/outbox/fact.ts';
import { Outbox } from '../../../src/ocpp/outbox.ts';
import { platformClock } from '../../../src/platform/clock.ts';
import { nodeRandom } from '../../../src/platform/random.ts';
import { openStore } from '../../../src/platform/store.ts';

const RESULT = 3;
const [what, stateDir, parameter] = process.argv.slice(2);
const count = Number(parameter);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

async function open() {
  const clock = platformClock(nodeRandom.uuid());
  const { store } = await openStore(join(stateDir, 'store'), silent);
  const outbox = new Outbox({
    store,
    clock,
    log: silent,
    send: () => new Promise(() => {}),
    render: () => ({}),
    delivered() {},
    attempts: () => 3,
    retryIntervalS: () => 60,
    gaveUp() {},
  });
  await outbox.open();
  return { store, outbox };
}

const fact = (index) => ({
  action: 'MeterValues',
  transaction: 'perf',
  content: {
    connectorId: 1,
    values: [{ value: String(index), measurand: 'Energy.Active.Import.Register', unit: 'Wh' }],
    stamp: {
      bootId: 'b6d1f5a2-7f0e-4a3b-9a57-6a1f5f0c2e11',
      at: index,
      wall: 1_795_000_000_000 + index,
      trusted: true,
    },
  },
});

/** Each waits for the one before: the outbox, and an append with fdatasync of as many bytes, in turn. */
async function single() {
  const { outbox } = await open();
  const file = openSync(join(stateDir, 'append.log'), 'a');
  const line = Buffer.from(JSON.stringify(fact(0)));
  const ours = [];
  const floor = [];
  for (let index = 0; index < count; index++) {
    const begun = nowMs();
    await outbox.add([fact(index)]);
    const between = nowMs();
    writeSync(file, line);
    await new Promise((resolve) => fdatasync(file, resolve));
    floor.push(nowMs() - between);
    ours.push(between - begun);
  }
  closeSync(file);
  return { ours, floor };
}

/** All at once, as when many connectors report together. */
async function grouped() {
  const { outbox } = await open();
  const begun = nowMs();
  const lanes = Array.from({ length: 512 }, async (_, lane) => {
    for (let index = lane; index < count; index += 512) await outbox.add([fact(index)]);
  });
  await Promise.all(lanes);
  return { perSecond: (1000 * count) / (nowMs() - begun) };
}

/** Opened in a fresh process: how long it takes, and what it costs in memory. */
async function held() {
  const rssMb = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1.024e-3;
  const before = rssMb();
  const begun = nowMs();
  const { outbox } = await open();
  const openMs = nowMs() - begun;
  const oldest = await outbox.pending(100);
  return { openMs, size: outbox.size, oldest: oldest.length, growthMb: rssMb() - before };
}

/** A backlog of a transaction that the central system knows as 1. */
async function fill() {
  const { outbox, store } = await open();
  const facts = Array.from({ length: count }, (_, index) => fact(index));
  await outbox.adopt({ facts, deadLetters: [], bindings: [['perf', 1]] });
  await store.close();
  return {};
}

/** Says how many there are; then adds for ever, some at a time, and says after each how many have been acknowledged. It is killed. */
async function untilKilled() {
  const { outbox } = await open();
  writeSync(RESULT, `${outbox.size} 0\n`);
  for (let next = outbox.size; ; next += 3) {
    await Promise.all([0, 1, 2].map((offset) => outbox.add([fact(next + offset)])));
    writeSync(RESULT, `${next + 3} 0\n`);
  }
}

/** After a kill: is every fact there, once, in order? `parameter`: how many had been acknowledged. */
async function survivors() {
  const { store, outbox } = await open();
  const rows = await store.list(factsFrom(0));
  const values = rows.map(([, { content }]) => Number(content.values[0].value));
  const inOrder = values.every((value, index) => value === index);
  await outbox.close();
  await store.close();
  return { lost: Math.max(0, count - values.length), kept: values.length, inOrder };
}

const result = await { single, grouped, held, fill, untilKilled, survivors }[what]();
writeSync(RESULT, `${JSON.stringify(result)}\n`);
process.exit(0);
