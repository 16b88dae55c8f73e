/**
 * The release for the Pi on an ARM machine: installed by its own set-up, it starts as the service and charges on the mock board. ARM
 * instructions, native packages and systemd are real; the metal of a Pi is not there.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CentralSystem, type Payload } from '../system/support/central-system.ts';
import { MeterWire } from '../system/support/meter-wire.ts';
import { ArmMachine } from './support/arm64-guest.ts';

// Every instruction is emulated, and others may want this host too.
const WITHIN_MS = 180_000;
const TEST_WITHIN_MS = 600_000;
const LOAD_W = 11_000;
/** An idle Node has 48 MB. */
const SANE_MB = { least: 20, most: 200 };

let folder: string;
let central: CentralSystem;
let meter: MeterWire;
let machine: ArmMachine;

const status = (name: string) => (payload: Payload) => payload['status'] === name && payload['connectorId'] === 1;

async function timed<T>(what: string, work: Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work;
  console.info(`arm64: ${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}

/** Plugs in and begins by RemoteStart; resolves once the car charges and has been measured. */
async function charge(): Promise<Payload> {
  const from = central.calls.length;
  const within = { from, withinMs: WITHIN_MS };
  await machine.ev({ plugged: true });
  await central.until('StatusNotification', status('Preparing'), within);
  expect(await central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' }, WITHIN_MS)).toEqual({
    status: 'Accepted',
  });
  const start = await central.until('StartTransaction', undefined, within);
  await central.until('StatusNotification', status('Charging'), within);
  const transactionId = central.lastTransactionId;
  await central.until('MeterValues', (payload) => payload['transactionId'] === transactionId, within);
  return start.payload;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arm64-'));
  central = await CentralSystem.start();
  meter = await MeterWire.start(folder);
  machine = new ArmMachine({ meter: meter.port, centralPort: central.port });
  await timed('boot', machine.guest.boot());
});
afterAll(async () => {
  await machine?.guest.stop();
  await meter?.stop();
  await central?.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await machine.journal());
});

describe('the release for arm64 on an ARM machine', { timeout: TEST_WITHIN_MS }, () => {
  it('is installed by its own set-up, and brings a Node for this machine', async () => {
    await timed('tar and set-up', machine.install());
    expect(await machine.guest.run('uname -m')).toBe('aarch64');
    expect(await machine.guest.run('readlink /opt/chargepoint/current')).toBe(`releases/${machine.version}`);
    expect(await timed('first start of Node', machine.node('process.arch'))).toBe('arm64');
  });

  it('calls libc: koffi', async () => {
    const pid = 'require("koffi").load("libc.so.6").func("int getpid()")() === process.pid';
    expect(await machine.node(pid)).toBe('true');
  });

  it('reads a meter on a UART: serialport', async () => {
    await meter.load(LOAD_W);
    const read = 'chargepoint meter read --port /dev/ttyS0 --model eastron-sdm630 --unit 1 --json';
    const reading = await timed('a reading of the meter', machine.guest.run(read));
    expect(JSON.parse(reading)).toMatchObject({ values: { activePower: { sum: LOAD_W } } });
  });

  it('starts as the service and charges on the mock board: remote start, meter values, remote stop', async () => {
    const { guest } = machine;
    await guest.run(
      'sed -i -e s,ws://127.0.0.1:9000,ws://10.0.2.100:9000, -e "s/MeterValueSampleInterval: 60/MeterValueSampleInterval: 2/" /etc/chargepoint/chargepoint.yaml',
    );
    await guest.run('chargepoint check /etc/chargepoint/chargepoint.yaml');
    // It returns once the agent has said by sd_notify that it is ready.
    await timed('start of the service', guest.run('systemctl enable --now chargepoint'));
    await central.until('BootNotification', undefined, { withinMs: WITHIN_MS });
    await central.until('StatusNotification', status('Available'), { withinMs: WITHIN_MS });
    const start = await timed('plug, remote start, charging, meter values', charge());
    expect(start).toMatchObject({ connectorId: 1, idTag: 'TAG', meterStart: 0 });

    const residentMb = await machine.residentMb();
    console.info(`arm64: resident memory while it charges: ${residentMb.toFixed(1)} MB`);
    expect(residentMb).toBeGreaterThan(SANE_MB.least);
    expect(residentMb).toBeLessThan(SANE_MB.most);

    const transactionId = central.lastTransactionId;
    expect(await central.call('RemoteStopTransaction', { transactionId }, WITHIN_MS)).toEqual({ status: 'Accepted' });
    const stop = await central.until('StopTransaction', undefined, { withinMs: WITHIN_MS });
    expect(stop.payload).toMatchObject({ transactionId, reason: 'Remote' });
    expect(Number(stop.payload['meterStop'])).toBeGreaterThan(0);
    const from = central.calls.length;
    await machine.ev({ plugged: false });
    await central.until('StatusNotification', status('Available'), { from, withinMs: WITHIN_MS });
  });

  it('loses the power while it charges: its store is LevelDB, and after the boot the transaction is ended', async () => {
    const { guest } = machine;
    await charge();
    const transactionId = central.lastTransactionId;
    const from = central.calls.length;
    await guest.cutPower();
    await timed('boot', guest.boot());
    const boot = central.until('BootNotification', undefined, { from, withinMs: WITHIN_MS });
    await timed('service after the boot', boot);
    const stop = await central.until('StopTransaction', undefined, { from, withinMs: WITHIN_MS });
    expect(stop.payload).toMatchObject({ transactionId, reason: 'PowerLoss' });
    expect(await guest.run('cat /var/lib/chargepoint/store/CURRENT')).toContain('MANIFEST-');
    expect(await guest.run('systemctl show --property NRestarts --value chargepoint')).toBe('0');
    expect(central.complaints).toEqual([]);
  });
});
