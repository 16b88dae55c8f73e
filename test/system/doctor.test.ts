/** `chargepoint doctor` with real drivers on a fake /sys, a meter of pymodbus on a pty, a central system of ocpp-rpc. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Line } from '../../src/cli/sheet.ts';
import { bundled } from './support/bundled.ts';
import { type Life, Site } from './support/site.ts';
import { coilOf, RCD } from './support/wiring.ts';

const ROOT = join(import.meta.dirname, '../..');
const WITHIN_MS = 20_000;
/** What a loaded machine may add to a timer. */
const LATE_MS = 150;
/** Free lines of the fake chip, for an RCD. */
const TRIPPED = 16;
const TEST = 12;

const bundles = mkdtempSync(join(ROOT, 'node_modules/.doctor-'));
const entry = join(bundles, 'entry.mjs');
let site: Site;

beforeAll(() => bundled('meter-entry.ts', entry));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));
beforeEach(async () => {
  site = await Site.open();
});
afterEach(() => site.close());

const run = (...argv: string[]) => site.run([entry, join(ROOT, 'src/main.ts'), ...argv, '--config', site.config]);

/** The report, which is there also where something has come between the lines of stdout. */
async function doctor(argv: readonly string[] = [], meanwhile: (life: Life) => Promise<void> = async () => {}) {
  const life = run('doctor', ...argv);
  await meanwhile(life);
  const { code } = await life.exit;
  const folder = join(site.folder, 'state/reports');
  const name = readdirSync(folder).find((each) => each.endsWith('.json'));
  if (name === undefined) throw new Error(life.output);
  const { lines } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { lines: readonly Line[] };
  const line = (id: string): Line => {
    const found = lines.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no line ${id}: ${life.output}`);
    return found;
  };
  return { code, line, lines, output: life.output };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + WITHIN_MS; !condition(); await delay(5))
    if (performance.now() > end) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
}

/** How long the coil was on, each time, in ms. */
function pulses(): readonly number[] {
  const seen: number[] = [];
  let since: bigint | undefined;
  for (const happened of site.machine.log) {
    const coil = coilOf(happened);
    if (coil === 'on') since ??= happened.ns;
    else if (coil === 'off' && since !== undefined) {
      seen.push(Number(happened.ns - since) / 1e6);
      since = undefined;
    }
  }
  if (since !== undefined) seen.push(Number.POSITIVE_INFINITY);
  return seen;
}

describe('chargepoint doctor on a sound charge point', { timeout: 60_000 }, () => {
  it('passes from the board to BootNotification, and has had the coil on once, for a moment', async () => {
    const { code, lines, line, output } = await doctor(['--yes']);
    expect(lines.filter(({ outcome }) => outcome === 'FAIL')).toEqual([]);
    expect(line('pilot').detail).toBe('connector 1: +12 V reads back as A, no EV');
    expect(line('contactor').detail).toMatch(/^connector 1: closed after \d+ ms, open \d+ ms after the coil was off$/);
    expect(line('bus').detail).toMatch(/^unit 1 on .* at \d+ 8N1 answers$/);
    expect(line('meter').detail).toMatch(/SDM630.*L1 2\d\d/);
    expect(line('boot').outcome).toBe('PASS');
    expect(code, output).toBe(0);
    expect(pulses()).toHaveLength(1);
    expect(pulses()[0]).toBeGreaterThan(250);
    expect(pulses()[0]).toBeLessThan(300 + LATE_MS);
    expect(site.car.coil).toBe('off');
    expect(site.central.calls.map(({ action }) => action)).toEqual(['BootNotification']);
  });

  it('touches no coil without --yes', async () => {
    const { line } = await doctor(['--only', 'hardware']);
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', next: 'Add --yes.' });
    expect(pulses()).toEqual([]);
  });

  it('leaves board, bus and link to an agent that runs, and asks it for the meter and the click', async () => {
    const agent = run('run');
    await site.central.untilConnected();
    await until('the control socket', () => readdirSync(site.folder).includes('control.sock'));
    await site.central.until('StatusNotification');
    const { line, code, output } = await doctor(['--yes']);
    expect(line('gpio')).toMatchObject({
      outcome: 'PASS',
      detail: expect.stringContaining('held by the running agent'),
    });
    expect(line('pilot').detail).toBe('connector 1: +12 V reads back as A, no EV');
    expect(line('contactor').detail).toMatch(/^connector 1: closed after \d+ ms, open \d+ ms after the coil was off$/);
    expect(line('meter')).toMatchObject({ outcome: 'PASS' });
    expect(line('boot')).toMatchObject({ outcome: 'PASS', detail: 'Accepted, by the running agent' });
    expect([code, site.central.links], output).toEqual([0, 1]);
    expect(pulses()).toHaveLength(1);
    expect(pulses()[0]).toBeLessThan(300 + LATE_MS);
    expect(site.car.coil).toBe('off');
    agent.process.kill('SIGTERM');
    expect((await agent.exit).code).toBe(0);
  });
});

describe('chargepoint doctor on a broken one', { timeout: 60_000 }, () => {
  const hardware = () => doctor(['--only', 'hardware', '--yes']);

  it('sees a contactor that does not follow', async () => {
    site.car.stuck = true;
    const { line, code } = await hardware();
    expect(line('contactor')).toMatchObject({ outcome: 'FAIL', detail: expect.stringContaining('does not close') });
    expect(code).toBe(1);
    expect(site.car.coil).toBe('off');
  });

  it('does not click with a car there', async () => {
    site.car.hungry = false;
    site.car.plug();
    const { line } = await hardware();
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', detail: 'something is plugged in' });
    expect(pulses()).toEqual([]);
  });

  it('does not click while the RCD has tripped', async () => {
    site.machine.sysfs.pull(RCD, 1);
    const { line } = await hardware();
    expect(line('faults')).toMatchObject({ outcome: 'FAIL', detail: 'groundFault at connector 1 (RCD tripped)' });
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', because: 'Faults' });
    expect(pulses()).toEqual([]);
  });

  it('opens the contactor at Ctrl-C, and ends with what it has seen until then', async () => {
    const { line, code } = await doctor(['--only', 'hardware', '--yes'], async (life) => {
      await until('the coil is on', () => site.car.coil === 'on');
      life.process.kill('SIGINT');
    });
    expect(line('pilot').outcome).toBe('PASS');
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', detail: expect.stringContaining('ended') });
    expect(line('meter')).toMatchObject({ outcome: 'SKIP', detail: 'not tried: ended before its turn' });
    // Nobody may take it for a sound one.
    expect(code).toBe(1);
    expect(site.car.coil).toBe('off');
    expect(pulses()).toHaveLength(1);
    expect(pulses()[0]).toBeLessThan(300 + LATE_MS);
  });

  it('has its outputs made safe when it is killed, by a shell that outlives it', async () => {
    const life = run('doctor', '--only', 'hardware', '--yes');
    await until('the coil is on', () => site.car.coil === 'on');
    life.process.kill('SIGKILL');
    await life.exit;
    await until('the coil is off', () => site.car.coil === 'off');
    // Not by the process, which writes the value.
    expect(site.machine.log.findLast((happened) => coilOf(happened) === 'off')?.what).toMatch(/direction$/);
  });

  it.each([
    ['passes an RCD that trips in its test and recovers', true],
    ['fails an RCD that does not trip, and does not click', false],
  ])('%s', async (_what, trips) => {
    const board = join(site.folder, 'board.yaml');
    const rcd = `    rcd: { tripped: { line: ${TRIPPED} }, test: { line: ${TEST}, recoversWithinMs: 500 } }\ninputs:`;
    writeFileSync(board, readFileSync(board, 'utf8').replace('inputs:', rcd));
    site.machine.sysfs.control(`pull ${TRIPPED} 0`, ...(trips ? [`wire ${TEST} ${TRIPPED}`] : []));
    const { line } = await hardware();
    expect(line('rcd').outcome).toBe(trips ? 'PASS' : 'FAIL');
    expect(line('contactor').outcome).toBe(trips ? 'PASS' : 'SKIP');
    expect(pulses()).toHaveLength(trips ? 1 : 0);
  });

  it('scans the bus for a meter that does not answer, and says where it is', async () => {
    writeFileSync(site.config, site.configText().replace('unit: 1 }', 'unit: 7 }'));
    const { line, code, output } = await doctor(['--only', 'hardware']);
    expect(line('bus')).toMatchObject({ outcome: 'FAIL', next: expect.stringContaining('unit: 1; in bus: baudRate:') });
    expect(line('bus').detail).toMatch(/no answer from unit 7 on .*; at 9600 8N1 there is unit 1 \(.*SDM630.*\)$/);
    expect(line('meter')).toMatchObject({ outcome: 'SKIP', because: 'Serial bus' });
    expect(code, output).toBe(1);
  });

  it('names a chip that is not there', async () => {
    const board = join(site.folder, 'board.yaml');
    writeFileSync(board, readFileSync(board, 'utf8').replace('pinctrl-fake', 'pinctrl-other'));
    const { line, code } = await hardware();
    expect(line('gpio')).toMatchObject({ outcome: 'FAIL', next: expect.stringContaining('gpiodetect') });
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', because: 'Board' });
    expect(code).toBe(1);
  });
});
