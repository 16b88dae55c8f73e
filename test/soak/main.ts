/** `npm run test:soak [-- --sessions 1000 --seed 1]`: charging sessions over real sockets, and what they leave behind in the process. */
import { cpSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchAgent } from '../system/support/bench-agent.ts';
import { CentralSystem } from '../system/support/central-system.ts';
import { chanceFrom } from '../system/support/chance.ts';
import { Sessions } from './sessions.ts';
import { judge } from './verdict.ts';

/** From the first look on one process lives to the end, and nothing in it may grow. */
const LOOK_EACH = 200;
/** All of them before the first look. */
const RESETS = 20;
const RATE = 200;
const CONNECTORS = [1, 2];
const PROGRESS_EACH = 50;
/** The heap after a garbage collection holds what is needed, and 1 MB of code that V8 still compiles. */
const MOST_HEAP_GROWTH = 1.5e6;
/** Resident memory includes what V8 keeps for later: between two looks it goes up and down by as much as 17 MB. */
const MOST_RSS_GROWTH = 20e6;
const MOST_MORE_RESOURCES = 2;

const KEYS = {
  // Agent time: at this rate 50 real milliseconds.
  MeterValueSampleInterval: '10',
  HeartbeatInterval: '600',
  ConnectionTimeOut: '7200',
  AllowOfflineTxForUnknownId: 'true',
  LocalAuthorizeOffline: 'true',
  StopTxnSampledData: 'Energy.Active.Import.Register',
};

/** What test/soak/probe.cjs tells. */
interface Held {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly resources: Readonly<Record<string, number>>;
}

function argument(name: string, otherwise: number): number {
  const index = process.argv.indexOf(name);
  const value = index === -1 ? otherwise : Number(process.argv[index + 1]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} takes a whole number above 0`);
  return value;
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const described = ({ rss, heapUsed, resources }: Held): string =>
  `RSS ${mb(rss)}, heap ${mb(heapUsed)}, ${JSON.stringify(resources)}`;

/** Idle and settled, so that two looks compare the same state. */
async function heldBy(agent: BenchAgent): Promise<Held> {
  await delay(1_000);
  return (await agent.message('tell')) as Held;
}

function growth(held: readonly Held[]): readonly string[] {
  const [before, after] = [held[0], held.at(-1)];
  if (before === undefined || after === undefined) return ['nobody has looked'];
  const violations: string[] = [];
  const heap = after.heapUsed - before.heapUsed;
  const rss = after.rss - before.rss;
  if (heap > MOST_HEAP_GROWTH) violations.push(`the heap has grown by ${mb(heap)}`);
  if (rss > MOST_RSS_GROWTH) violations.push(`resident memory has grown by ${mb(rss)}`);
  for (const [name, count] of Object.entries(after.resources)) {
    const more = count - (before.resources[name] ?? 0);
    if (more > MOST_MORE_RESOURCES) violations.push(`${more} more open ${name}`);
  }
  return violations;
}

async function soak(agent: BenchAgent, central: CentralSystem, count: number, seed: number): Promise<boolean> {
  const began = performance.now();
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0);
  await agent.start({ clock: { rate: RATE, offsetMs: 0 } });
  await agent.until('Accepted', ({ out }) => out.boot === 'Accepted');
  const sessions = new Sessions({ agent, central, chance: chanceFrom(seed), rate: RATE });
  let done = 0;
  const onDone = (): void => {
    done++;
    if (done % PROGRESS_EACH === 0) console.log(`${done} of ${count} sessions, ${seconds()} s`);
  };
  const held: Held[] = [];
  while (done < count) {
    await sessions.run(CONNECTORS, Math.min(LOOK_EACH, count - done), held.length === 0 ? RESETS : 0, onDone);
    const now = await heldBy(agent);
    held.push(now);
    console.log(`after ${done} sessions: ${described(now)}`);
  }
  const { code } = await agent.end();
  const { violations, ...counts } = judge(central.calls, central.frames);
  const all = [
    ...violations,
    ...growth(held),
    ...central.complaints.map((complaint) => `ocpp-rpc: ${complaint}`),
    ...(code === 0 ? [] : [`the agent ended with ${code}`]),
    ...(counts.transactions < done ? ['sessions without a start'] : []),
  ];
  console.log(sessions.tally);
  console.log({ ...counts, calls: central.calls.length, frames: central.frames.length, links: central.links });
  for (const violation of all) console.error(`violation: ${violation}`);
  console.log(`${done} sessions in ${seconds()} s: ${all.length} violations`);
  return all.length === 0;
}

const count = argument('--sessions', 1000);
const seed = argument('--seed', 1 + Math.trunc(Math.random() * (2 ** 32 - 1)));
console.log(`${count} sessions, --seed ${seed}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`);
// A copy: another build must not change the program that runs.
const folder = join('.cache', `soak-${process.pid}`);
cpSync('dist', folder, { recursive: true });
const removeCopy = (): void => rmSync(folder, { recursive: true, force: true });
process.once('exit', removeCopy);
const central = await CentralSystem.start();
const agent = new BenchAgent({
  program: join(folder, 'chargepoint.cjs'),
  centralPort: central.port,
  connectors: CONNECTORS,
  keys: KEYS,
  nodeArguments: ['--expose-gc', '--require', join(process.cwd(), 'test/soak/probe.cjs')],
});
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => reject(new Error(`ended by ${signal}`)));
});
let isGood = false;
try {
  isGood = await Promise.race([soak(agent, central, count, seed), interrupted]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
}
console.log(isGood ? 'good' : `not good; replay with --seed ${seed}`);
await agent.close();
await central.stop();
process.exit(isGood ? 0 : 1);
