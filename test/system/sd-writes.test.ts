/** The wear of the SD card: what the real process has written to disk in one charging hour, as the kernel counts it. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { BenchAgent } from './support/bench-agent.ts';
import { CentralSystem } from './support/central-system.ts';
import { CHARGEPOINT } from './support/site.ts';

const MOST_BYTES_PER_HOUR = 10_000_000;
const HOUR_MS = 3_600_000;
/** A charging hour in 8 s. */
const RATE = 450;
/** Twelve of them in 24 s. */
const LONG_RATE = 1800;
const CONNECTORS = [1, 2];
const MEASURANDS = 'Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage';

let central: CentralSystem;
let agent: BenchAgent;

beforeAll(() => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
});
afterEach(async () => {
  await agent?.close();
  await central?.stop();
});

const forBoth = <T>(value: T): Readonly<Record<string, T>> =>
  Object.fromEntries(CONNECTORS.map((id) => [String(id), value]));

/** Bytes that the process has sent towards the storage layer, whole pages. */
function writtenBytes(pid: number): number {
  const bytes = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
  if (bytes === undefined) throw new Error('the kernel does not count what is written');
  return Number(bytes);
}

/** In a real minute the kernel would have written every page out, and the next append would count it again. */
function writeOut(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.log')) continue;
    try {
      const file = openSync(join(folder, name), 'r');
      fsyncSync(file);
      closeSync(file);
    } catch {
      // LevelDB has begun another one.
    }
  }
}

/** What was written while `hours` of agent time went by, transactions under way from before to after. */
async function writtenWhileCharging(hours: number, rate: number): Promise<number> {
  const stateDir = join(agent.folder, 'state');
  const { now } = await agent.patch({ clock: { rate } });
  const end = Date.parse(now) + hours * HOUR_MS;
  const before = writtenBytes(agent.pid);
  for (let document = await agent.document(); Date.parse(document.now) < end; document = await agent.document()) {
    writeOut(stateDir);
    await delay(60_000 / rate / 2);
  }
  const { connectors } = await agent.patch({ clock: { rate: 1 } });
  expect(Object.values(connectors).map(({ out }) => out.status)).toEqual(['Charging', 'Charging']);
  return writtenBytes(agent.pid) - before;
}

async function charging(): Promise<void> {
  central = await CentralSystem.start();
  agent = new BenchAgent({
    program: CHARGEPOINT,
    centralPort: central.port,
    connectors: CONNECTORS,
    keys: {
      MeterValueSampleInterval: '60',
      ClockAlignedDataInterval: '900',
      MeterValuesSampledData: MEASURANDS,
      StopTxnSampledData: MEASURANDS,
      StopTxnAlignedData: MEASURANDS,
    },
  });
  await agent.start({ connectors: forBoth({ ev: { plugged: true, amps: 16, phases: 3 } }) });
  await agent.until('Accepted', ({ out }) => out.boot === 'Accepted');
  for (const id of CONNECTORS) await agent.tap(`TAG${id}`, id);
  await agent.until('both charge', ({ connectors }) =>
    Object.values(connectors).every(({ out }) => out.status === 'Charging' && out.transaction === 'online'),
  );
}

const samplesIn = (calls: readonly { readonly action: string }[]): number =>
  calls.filter(({ action }) => action === 'MeterValues').length;

it('is at most 10 MB for each hour with two transactions and samples every 60 s, online and offline', async () => {
  await charging();
  const online = await writtenWhileCharging(1, RATE);
  const sampled = samplesIn(central.calls);
  expect(sampled).toBeGreaterThanOrEqual(2 * 58);
  await agent.patch({ link: 'down' });
  const offline = await writtenWhileCharging(1, RATE);
  const { out } = await agent.document();
  expect(out.queue).toBeGreaterThanOrEqual(2 * 58);
  console.log(`written in one hour: online ${online} bytes, offline ${offline} bytes; ${sampled} samples`);
  expect(Math.max(online, offline)).toBeLessThanOrEqual(MOST_BYTES_PER_HOUR);
});

it('is no more for each hour of a transaction of twelve hours, its stop included', async () => {
  await charging();
  const hours = 12;
  const charged = await writtenWhileCharging(hours, LONG_RATE);
  const before = writtenBytes(agent.pid);
  await agent.patch({ connectors: forBoth({ ev: { plugged: false } }) });
  await agent.until(
    'both are over',
    ({ out, connectors }) =>
      Object.values(connectors).every(({ out }) => out.transaction === 'none') && out.queue === 0,
  );
  const stopped = writtenBytes(agent.pid) - before;
  const sampled = samplesIn(central.calls);
  console.log(`written in ${hours} hours: ${charged} bytes, and ${stopped} for both stops; ${sampled} samples`);
  expect(sampled).toBeGreaterThanOrEqual(2 * hours * 55);
  expect(charged + stopped).toBeLessThanOrEqual(hours * MOST_BYTES_PER_HOUR);
  expect(central.complaints).toEqual([]);
});
