/** The installed service on a real kernel: a session over GPIO, PWM and UART, and what happens when the agent hangs or dies, or the power goes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Call, Payload } from '../system/support/central-system.ts';
import { archiveOf } from '../system/support/release-machine.ts';
import { RCD } from '../system/support/wiring.ts';
import { Installed, type Seen } from './support/installed.ts';

/** Little: a second of the guest is several of the meter, which would count more energy than a connector can give. */
const CHARGING_W = 300;
/** Of this machine's time, as the bounds of `until` are: a busy one takes ten seconds for one of the guest. */
const WITHIN_MS = 180_000;

/** A release that ends at once whenever it is started. */
const BROKEN = '9.9.9';

let box: Installed;

const status = (name: string) => (payload: Payload) => payload['status'] === name && payload['connectorId'] === 1;

/** Plugs in and begins by RemoteStart; resolves once the car charges and the central system knows. */
async function charge(): Promise<Call> {
  const { central } = box;
  const from = central.calls.length;
  await box.plug();
  await central.until('StatusNotification', status('Preparing'), { from, withinMs: WITHIN_MS });
  expect(await central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' })).toEqual({
    status: 'Accepted',
  });
  const start = await central.until('StartTransaction', undefined, { from, withinMs: WITHIN_MS });
  await central.until('StatusNotification', status('Charging'), { from, withinMs: WITHIN_MS });
  expect(await box.coil()).toBe('on');
  await box.meter.load(CHARGING_W);
  return start;
}

async function leave(): Promise<void> {
  const { central } = box;
  const from = central.calls.length;
  await box.meter.load(0);
  await box.unplug();
  await central.until('StatusNotification', status('Available'), { from, withinMs: WITHIN_MS });
}

/** Of the guest, as its log has it. */
const MONOTONIC = `awk '{ print $1 }' /proc/uptime`;
const say = (what: string, seconds: number): void => console.info(`${what}: ${(seconds * 1000).toFixed(1)} ms`);

const firstAfter = (seen: readonly Seen[], at: number, what: string, value?: string): number =>
  seen.find((entry) => entry.at >= at && entry.what === what && (value === undefined || entry.value === value))?.at ??
  Number.POSITIVE_INFINITY;
const last = (seen: readonly Seen[], what: string, value: string): number =>
  seen.findLast((entry) => entry.what === what && entry.value.startsWith(value))?.at ?? Number.NEGATIVE_INFINITY;

async function opensAfter(at: number): Promise<number> {
  const open = (seen: readonly Seen[]) => firstAfter(seen, at, 'coil', '0');
  return open(await box.seen('the open contactor', (seen) => Number.isFinite(open(seen))));
}

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'broken-release-'));
  box = await Installed.open({ disk: archiveOf(folder, { version: BROKEN, program: 'exit 70' }) });
});
afterAll(async () => {
  await box?.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await box.journal());
});

describe('the installed service on a real kernel', () => {
  it('charges: remote start, meter values over the UART, remote stop; x1 goes before the open contactor', async () => {
    const { central } = box;
    const start = await charge();
    expect(start.payload).toMatchObject({ connectorId: 1, idTag: 'TAG', meterStart: 1_000_000 });
    await central.until('MeterValues', undefined, { withinMs: WITHIN_MS });
    expect(await central.call('RemoteStopTransaction', { transactionId: central.lastTransactionId })).toEqual({
      status: 'Accepted',
    });
    const stop = await central.until('StopTransaction', undefined, { withinMs: WITHIN_MS });
    expect(stop.payload).toMatchObject({ reason: 'Remote' });
    await leave();
    const opened = (seen: readonly Seen[]) => firstAfter(seen, last(seen, 'coil', '1'), 'coil', '0');
    const seen = await box.seen('the open contactor', (seen) => Number.isFinite(opened(seen)));
    const on = last(seen, 'coil', '1');
    const x1 = firstAfter(seen, on, 'duty', '1000000');
    expect(x1).toBeGreaterThan(on);
    expect(opened(seen)).toBeGreaterThan(x1);
  });

  it('opens the contactor before the frame that tells of an RCD trip', async () => {
    const { central } = box;
    await charge();
    // Nothing else is to be said meanwhile.
    await central.call('ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '0' });
    const from = central.calls.length;
    await box.pull(RCD, 1);
    await central.until('StatusNotification', status('Faulted'), { from, withinMs: WITHIN_MS });
    const since = (seen: readonly Seen[], what: string, value?: string) =>
      firstAfter(seen, last(seen, 'pull', `${RCD} 1`), what, value);
    const seen = await box.seen('contactor and frame', (seen) =>
      [since(seen, 'coil', '0'), since(seen, 'frame')].every(Number.isFinite),
    );
    const trip = last(seen, 'pull', `${RCD} 1`);
    const open = since(seen, 'coil', '0');
    const frame = since(seen, 'frame');
    say('RCD to open contactor', open - trip);
    say('RCD to frame', frame - trip);
    expect(open).toBeLessThan(frame);
    await central.until('StopTransaction', undefined, { from, withinMs: WITHIN_MS });
    await box.pull(RCD, 0);
    await box.meter.load(0);
    await box.unplug();
  });

  it('is reset: systemd starts it again, and a fault that latches is gone', async () => {
    const { central } = box;
    const from = central.calls.length;
    expect(await central.call('Reset', { type: 'Hard' })).toEqual({ status: 'Accepted' });
    await central.until('BootNotification', undefined, { from, withinMs: WITHIN_MS });
    await central.until('StatusNotification', status('Available'), { from, withinMs: WITHIN_MS });
    await central.call('ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '2' });
  });

  it('is killed: the contactor opens without it', async () => {
    const { central } = box;
    await charge();
    const from = central.calls.length;
    const at = Number(await box.guest.run(`${MONOTONIC}; systemctl kill --signal=KILL --kill-whom=main chargepoint`));
    await central.until('BootNotification', undefined, { from, withinMs: WITHIN_MS });
    const open = await opensAfter(at);
    say('SIGKILL to open contactor', open - at);
    expect(open - at).toBeLessThan(0.5);
    await central.until('StopTransaction', undefined, { from, withinMs: WITHIN_MS });
    await leave();
  });

  it('hangs: the watchdog opens the contactor', async () => {
    const { central } = box;
    await charge();
    const from = central.calls.length;
    const at = Number(await box.guest.run(`${MONOTONIC}; systemctl kill --signal=STOP --kill-whom=main chargepoint`));
    await central.until('BootNotification', undefined, { from, withinMs: WITHIN_MS });
    const open = await opensAfter(at);
    say('hang to open contactor', open - at);
    expect(open - at).toBeLessThan(3);
    await central.until('StopTransaction', undefined, { from, withinMs: WITHIN_MS });
    await leave();
  });

  it('loses the power while it charges: after the boot the transaction is ended, and nothing is lost', async () => {
    const { central } = box;
    const start = await charge();
    const from = central.calls.length;
    const sample = await central.until('MeterValues', undefined, { from, withinMs: WITHIN_MS });
    await box.guest.cutPower();
    await box.guest.boot();
    await box.wireUp('B');
    const stop = await central.until('StopTransaction', undefined, { from, withinMs: WITHIN_MS });
    expect(stop.payload).toMatchObject({ transactionId: sample.payload['transactionId'], reason: 'PowerLoss' });
    expect(Number(stop.payload['meterStop'])).toBeGreaterThanOrEqual(Number(start.payload['meterStart']));
    expect(await box.coil()).toBe('off');
    await leave();
    expect(central.complaints).toEqual([]);
  });

  it('gets a release that does not run: the old one is back by itself', async () => {
    const { central, guest } = box;
    const old = await guest.run('readlink -f /opt/chargepoint/current');
    const from = central.calls.length;
    await guest.run(
      `head -c ${guest.diskBytes} /dev/vdb >/root/release.tar.gz && /usr/lib/chargepoint/unpack-release /root/release.tar.gz`,
    );
    expect(await guest.run('readlink -f /opt/chargepoint/current')).toContain(BROKEN);
    await guest.run('systemctl restart --no-block chargepoint');
    await central.until('BootNotification', undefined, { from, withinMs: WITHIN_MS });
    expect(await guest.run('readlink -f /opt/chargepoint/current')).toBe(old);
    expect(await guest.run('cat /var/lib/chargepoint-boot/failed')).toContain(BROKEN);
  });

  it('charges over sysfs as well, and sees the pilot by a converter', async () => {
    const { central } = box;
    const from = central.calls.length;
    await box.useSysfsAndConverter();
    await central.until('StatusNotification', status('Available'), { from, withinMs: WITHIN_MS });
    await charge();
    expect(await box.guest.run('cat /sys/class/gpio/gpio529/value')).toBe('1');
    expect(await central.call('RemoteStopTransaction', { transactionId: central.lastTransactionId })).toEqual({
      status: 'Accepted',
    });
    await central.until('StopTransaction', undefined, { from, withinMs: WITHIN_MS });
    await leave();
  });
});
