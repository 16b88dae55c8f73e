/** `chargepoint run` without a bench: real drivers on a fake /sys, a meter of pymodbus on a pty, a central system of ocpp-rpc. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Happened } from './rigs/fake-sysfs.ts';
import type { Call } from './support/central-system.ts';
import { CentralSystem } from './support/central-system.ts';
import { chanceFrom, seedOf } from './support/chance.ts';
import { MISDEEDS, NONSENSE, RudeCentralSystem, RudePort } from './support/rude-central-system.ts';
import { CHARGEPOINT, type Life, Site } from './support/site.ts';
import { coilOf, drives, pilotOf, RCD } from './support/wiring.ts';

const WITHIN_MS = 20_000;

let site: Site;
let life: Life;

async function open(): Promise<void> {
  site = await Site.open();
  life = site.run();
}

async function until(what: string, condition: () => boolean, withinMs = WITHIN_MS): Promise<void> {
  for (const end = performance.now() + withinMs; !condition(); await delay(5)) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}\n${life.output}`);
  }
}

const status = (name: string) => (payload: { readonly [member: string]: unknown }) =>
  payload['status'] === name && payload['connectorId'] === 1;

/** Plugs in and begins by RemoteStart. Resolves once the contactor is closed and the central system knows. */
async function charge(): Promise<Call> {
  const { central, car } = site;
  await central.until('StatusNotification', status('Available'), { withinMs: WITHIN_MS });
  car.plug();
  await central.until('StatusNotification', status('Preparing'));
  expect(await central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' })).toEqual({
    status: 'Accepted',
  });
  const start = await central.until('StartTransaction', undefined, { withinMs: WITHIN_MS });
  await central.until('StatusNotification', status('Charging'), { withinMs: WITHIN_MS });
  expect(car.coil).toBe('on');
  return start;
}

/** When the coil was last told this, on the machine's monotonic clock. */
const lastCoil = (told: 'on' | 'off') => site.machine.log.findLast((entry) => coilOf(entry) === told)?.ns ?? -1n;
const firstAfter = (ns: bigint, fits: (entry: Happened) => boolean) =>
  site.machine.log.find((entry) => entry.ns > ns && fits(entry))?.ns ?? -1n;
const lastPilot = (told: 'x1' | 'x2') => site.machine.log.findLast((entry) => pilotOf(entry) === told)?.ns ?? -1n;

beforeAll(() => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
});
afterEach(() => site.close());

describe('one session on real drivers', () => {
  it('starts remotely, charges, samples and stops remotely; x1 goes before the open contactor', async () => {
    await open();
    const { central, car, machine } = site;
    const start = await charge();
    expect(start.payload).toMatchObject({ connectorId: 1, idTag: 'TAG', meterStart: 1_000_000 });
    const second = await central.until('MeterValues', ({ meterValue }) => energyOf(meterValue) > 1_000_000);
    const third = await central.until(
      'MeterValues',
      ({ meterValue }) => energyOf(meterValue) > energyOf(second.payload['meterValue']),
    );
    expect(third.payload['transactionId']).toBe(1);

    expect(await central.call('RemoteStopTransaction', { transactionId: 1 })).toEqual({ status: 'Accepted' });
    const stop = await central.until('StopTransaction');
    expect(stop.payload).toMatchObject({ transactionId: 1, reason: 'Remote' });
    expect(stop.payload['meterStop']).toBeGreaterThan(Number(start.payload['meterStart']));
    expect(stop.payload['meterStop']).toBeGreaterThanOrEqual(energyOf(third.payload['meterValue']));
    await central.until('StatusNotification', status('Finishing'));
    car.unplug();
    await central.until('StatusNotification', status('Available'), { from: central.calls.length - 1 });

    expect(car.coil).toBe('off');
    const x1 = firstAfter(lastPilot('x2'), (entry) => pilotOf(entry) === 'x1');
    const off = firstAfter(lastCoil('on'), (entry) => coilOf(entry) === 'off');
    expect(lastCoil('on')).toBeLessThan(x1);
    expect(x1).toBeLessThan(off);
    expect(stop.ns).toBeGreaterThan(off);
    expect(machine.log.filter((entry) => coilOf(entry) === 'on')).toHaveLength(1);
    expect(central.complaints).toEqual([]);
    const actions = count(central.calls.map(({ action }) => action));
    console.log('session', { ...actions, x1ToOpenMs: Number(off - x1) / 1e6 });
  });

  it('opens the contactor for a tripped RCD before any frame leaves, and ends the transaction after the grace time', async () => {
    await open();
    const { central, machine } = site;
    await charge();
    const before = central.calls.length;
    machine.sysfs.pull(RCD, 1);
    const faulted = await central.until('StatusNotification', status('Faulted'), { from: before });
    expect(faulted.payload).toMatchObject({ errorCode: 'GroundFailure', info: 'RCD tripped' });
    const pulled = machine.log.findLast(({ what }) => what === `pull ${RCD}`)?.ns ?? -1n;
    const off = firstAfter(pulled, (entry) => coilOf(entry) === 'off');
    expect(off).toBeGreaterThan(pulled);
    for (const { ns } of central.frames.filter(({ ns, from }) => from === 'chargePoint' && ns > pulled)) {
      expect(ns).toBeGreaterThan(off);
    }
    const stop = await central.until('StopTransaction', undefined, { from: before });
    expect(stop.payload).toMatchObject({ transactionId: 1, reason: 'Other' });
    // Neither the central system nor the car brings the contactor back while the RCD is out.
    expect(await central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' })).toEqual({
      status: 'Rejected',
    });
    expect(site.car.coil).toBe('off');
    expect(central.complaints).toEqual([]);
    const ms = (from: bigint, to: bigint) => Number(to - from) / 1e6;
    console.log('trip', { pullToOpenMs: ms(pulled, off), openToFrameMs: ms(off, faulted.ns) });
  });
});

describe('the end of a process', () => {
  it('SIGTERM while charging: contactor open, x1, the stop delivered, exit 0 within 3 s', async () => {
    await open();
    const { central, car } = site;
    const start = await charge();
    const began = performance.now();
    life.process.kill('SIGTERM');
    expect(await life.exit).toEqual({ code: 0, signal: null });
    const tookMs = performance.now() - began;
    expect(tookMs).toBeLessThan(3_000);
    expect(car.coil).toBe('off');
    expect(lastPilot('x1')).toBeGreaterThan(lastPilot('x2'));
    const stop = await central.until('StopTransaction');
    expect(stop.payload).toMatchObject({ reason: 'Reboot' });
    expect(stop.payload['meterStop']).toBeGreaterThanOrEqual(Number(start.payload['meterStart']));
    console.log('SIGTERM', { tookMs });
  });

  it('a second process beside a charging one is refused and touches nothing', async () => {
    await open();
    await charge();
    const logged = site.machine.log.length;
    const second = site.run();
    expect(await second.exit).toEqual({ code: 70, signal: null });
    expect(second.output).toContain('already running');
    expect(site.machine.log.slice(logged).filter(drives)).toEqual([]);
    expect(life.ended).toBe(false);
  });

  it('a wrong configuration after a crash: says file, line and column, exits 78, and opens what was left closed', async () => {
    await open();
    await charge();
    life.process.kill('SIGKILL');
    await life.exit;
    expect(site.car.coil).toBe('on');
    const wrong = readFileSync(site.config, 'utf8').replace('maxA: 32, phases: 3', 'maxA: 320, phases: 3');
    writeFileSync(site.config, wrong);
    const line = wrong.split('\n').findIndex((text) => text.includes('maxA: 320')) + 1;
    const column = (wrong.split('\n')[line - 1] ?? '').indexOf('maxA') + 1;
    const links = site.central.links;
    life = site.run();
    expect(await life.exit).toEqual({ code: 78, signal: null });
    expect(life.output).toContain(`${site.config}:${line}:${column}`);
    expect(site.car.coil).toBe('off');
    expect(lastPilot('x1')).toBeGreaterThan(lastPilot('x2'));
    expect(site.central.links).toBe(links);
    console.log('wrong configuration', life.output.split('\n')[0]);
  });
});

describe('a central system that misbehaves', () => {
  const chance = chanceFrom(seedOf('rude central systems'));
  const MISBEHAVES_MS = 1_500;

  const rudeness: readonly (readonly [string, () => Promise<RudeCentralSystem | RudePort>])[] = [
    ...Object.entries(MISDEEDS).map(
      ([name, misdeed]) => [name, () => RudeCentralSystem.start(misdeed, chance)] as const,
    ),
    ['never answers the handshake', () => RudePort.start(undefined)],
    ['is no web server', () => RudePort.start('SSH-2.0-OpenSSH_9.2\r\n')],
    ['is a web server and nothing else', () => RudePort.start('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')],
  ];

  it.each(rudeness)(
    '%s: the agent lives, the contactor stays open, and a proper one is served afterwards',
    async (name, start) => {
      const rude = await start();
      const { port } = rude;
      let stopped = false;
      const stop = async (): Promise<void> => {
        if (!stopped) await rude.stop();
        stopped = true;
      };
      try {
        site = await Site.open({ centralPort: port });
        site.car.plug();
        life = site.run();
        await until('the first connection', () => rude.links > 0);
        await delay(MISBEHAVES_MS);
        await stop();
        expect(life.ended).toBe(false);
        expect(site.machine.log.filter((entry) => coilOf(entry) === 'on')).toEqual([]);

        const central = await CentralSystem.start(port);
        site.adopt(central);
        await central.untilConnected();
        // It may have been told, or have decided, to wait with its next BootNotification.
        await central.call('TriggerMessage', { requestedMessage: 'BootNotification' });
        await central.until('StatusNotification', status('Preparing'));
        expect(await central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' })).toEqual({
          status: 'Accepted',
        });
        await central.until('StatusNotification', status('Charging'));
        expect(central.complaints).toEqual([]);
        console.log(name, { links: rude.links, heard: 'heard' in rude ? rude.heard : 0, peakMb: peakMb() });
      } finally {
        await stop();
      }
    },
  );

  it('in the middle of a session: charging goes on, a trip is as fast as ever, and nothing closes the contactor again', async () => {
    await open();
    const { central, car, machine } = site;
    await charge();
    for (let time = 0; time < 5; time++) {
      for (const text of NONSENSE) central.sendRaw(text);
      await delay(chance() * 100);
      central.cut();
      await central.untilConnected();
    }
    expect(car.coil).toBe('on');
    const before = central.frames.length;
    for (let frame = 0; frame < 3_000; frame++) central.sendRaw(`[2,"f${frame}","DataTransfer",{"vendorId":"flood"}]`);
    await delay(20);
    machine.sysfs.pull(RCD, 1);
    await until('open', () => car.coil === 'off');
    const pulled = machine.log.findLast(({ what }) => what === `pull ${RCD}`)?.ns ?? -1n;
    const off = firstAfter(pulled, (entry) => coilOf(entry) === 'off');
    const openMs = Number(off - pulled) / 1e6;
    expect(openMs).toBeLessThan(70);
    for (const text of NONSENSE) central.sendRaw(text);
    await delay(1_000);
    // The flood was on when the RCD tripped.
    expect(central.frames.filter(({ ns, from }) => from === 'chargePoint' && ns > off).length).toBeGreaterThan(1_000);
    expect(life.ended).toBe(false);
    expect(car.coil).toBe('off');
    console.log('rude in a session', {
      openMs,
      frames: central.frames.length - before,
      links: central.links,
      peakMb: peakMb(),
    });
  });
});

/** The most memory that the agent has had. */
function peakMb(): number {
  const text = readFileSync(`/proc/${life.process.pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(text)?.[1]) / 1024);
}

function energyOf(meterValue: unknown): number {
  const [{ sampledValue } = { sampledValue: [] }] = meterValue as [{ sampledValue: Record<string, string>[] }];
  const sample = sampledValue.find(({ measurand = 'Energy.Active.Import.Register', phase }) => {
    return measurand === 'Energy.Active.Import.Register' && phase === undefined;
  });
  return Number(sample?.['value']);
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
