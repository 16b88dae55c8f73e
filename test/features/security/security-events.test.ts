/** The security log on a disk: rolling, durable, read by time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SecurityEventLog } from '../../../src/features/security/security-events.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { DEFAULT_WALL_START, hours, seconds, VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

let disk: MemoryDisk;
let clock: VirtualClock;

beforeEach(() => {
  disk = new MemoryDisk();
  clock = new VirtualClock();
});

async function open(): Promise<SecurityEventLog> {
  const log = new SecurityEventLog({ store: disk.open(), clock, log: silentLog });
  await log.open();
  return log;
}

describe('the security log', () => {
  it('keeps the newest 1000, over restarts', async () => {
    let log = await open();
    for (let n = 1; n <= 700; n++) log.report('InvalidMessages', String(n));
    await clock.advance(1);
    await disk.kill();
    log = await open();
    for (let n = 701; n <= 1400; n++) log.report('InvalidMessages', String(n));
    await clock.advance(1);
    const entries = await log.entries();
    expect(entries).toHaveLength(1000);
    expect([entries[0]?.techInfo, entries.at(-1)?.techInfo]).toEqual(['401', '1400']);
  });

  it('is read between two times, both inclusive', async () => {
    const log = await open();
    const began = clock.wall(0);
    for (let n = 0; n < 5; n++) {
      log.report('InvalidMessages', String(n));
      await clock.advance(seconds(1));
    }
    const between = await log.entries(began + seconds(1), began + seconds(3));
    expect(between.map(({ techInfo }) => techInfo)).toEqual(['1', '2', '3']);
    expect(between[0]).toEqual({ wall: began + seconds(1), type: 'InvalidMessages', techInfo: '1' });
  });

  it('syncs what is critical, and nothing else', async () => {
    const log = await open();
    log.report('InvalidMessages');
    log.report('StartupOfTheDevice');
    await clock.advance(1);
    expect(disk.durableBatches).toBe(0);
    log.report('FirmwareUpdated');
    await clock.advance(1);
    expect(disk.durableBatches).toBe(1);
  });

  it('keeps the time of what happened while the clock was trusted', async () => {
    const log = await open();
    const began = clock.wall(0);
    log.report('FirmwareUpdated');
    clock.jumpTo(began + seconds(1000));
    expect(log.first?.wall).toBe(began);
  });

  it('tells of what happened before the time was known with the true time, also after a power cut', async () => {
    clock = clock.untrusted();
    let log = await open();
    log.report('FirmwareUpdated', 'first');
    await clock.advance(seconds(10));
    log.report('FirmwareUpdated', 'second');
    await clock.advance(seconds(10));
    clock.jumpTo(DEFAULT_WALL_START + hours(1000));
    const [first, second] = [clock.wall(0), clock.wall(seconds(10))];
    await clock.advance(1);
    await disk.powerCut();
    clock = new VirtualClock({ bootId: 'boot-2', start: clock.now() });
    log = await open();
    expect(log.first).toMatchObject({ wall: first, techInfo: 'first' });
    log.told(log.first?.number ?? 0);
    expect(log.first).toMatchObject({ wall: second, techInfo: 'second' });
  });

  it('cuts type and techInfo to what the message takes', async () => {
    const log = await open();
    log.report('t'.repeat(60), 'i'.repeat(300));
    expect(log.first).toMatchObject({ type: 't'.repeat(50), techInfo: 'i'.repeat(255) });
  });

  it('goes on in memory when the store takes nothing', async () => {
    const log = await open();
    disk.failWrites(true);
    log.report('FirmwareUpdated');
    await clock.advance(1);
    expect(log.first?.type).toBe('FirmwareUpdated');
  });

  it('forgets what was told, over a restart', async () => {
    const log = await open();
    log.report('FirmwareUpdated', 'first');
    log.report('FirmwareUpdated', 'second');
    log.told(log.first?.number ?? 0);
    await clock.advance(1);
    await disk.kill();
    const again = await open();
    expect(again.first?.techInfo).toBe('second');
    expect(await again.entries()).toHaveLength(2);
  });
});
