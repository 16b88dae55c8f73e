/** What systemd is told, and when: virtual time, and a socket that takes notes. */
import { describe, expect, it } from 'vitest';
import { type Service, serviceOf } from '../../src/platform/service.ts';
import { socketAddress } from '../../src/platform/systemd.ts';
import { minutes, seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';

const PID = 42;
const WATCHDOG = { WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(PID) };
const FED = 'WATCHDOG=1\nSTATUS=1 Charging';

function started(environment: Readonly<Record<string, string>> = WATCHDOG, { errno = 0, koffi = true } = {}) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const logged: string[] = [];
  const hardware = { watched: true };
  const keep = (message: string) => logged.push(message);
  const service = serviceOf({
    environment: { NOTIFY_SOCKET: '/run/notify', ...environment },
    pid: PID,
    clock,
    log: { info: keep, warn: keep, error: keep },
    open: async () => {
      if (!koffi) throw new Error('no koffi');
      return (text) => {
        told.push(text);
        return errno;
      };
    },
  });
  if (service === undefined) throw new Error('no service');
  const health = { watched: () => hardware.watched, status: () => '1 Charging' };
  return { clock, told, logged, hardware, service, health };
}

async function ready(...options: Parameters<typeof started>) {
  const world = started(...options);
  await world.service.ready(world.health);
  return world;
}

describe('the service', () => {
  it('is none where systemd does not listen', () => {
    const { clock, service } = started();
    const options = { pid: PID, clock, log: { info() {}, warn() {}, error() {} } };
    expect(service).toBeDefined();
    expect(serviceOf({ ...options, environment: {} })).toBeUndefined();
    expect(serviceOf({ ...options, environment: { NOTIFY_SOCKET: '' } })).toBeUndefined();
  });

  it('is ready, says what the connectors do, and feeds the watchdog every 500 ms', async () => {
    const { clock, told } = await ready();
    expect(told).toEqual(['READY=1\nSTATUS=1 Charging', FED]);
    await clock.advance(499);
    expect(told).toHaveLength(2);
    await clock.advance(1);
    expect(told.slice(2)).toEqual([FED]);
    await clock.advance(seconds(10));
    expect(told).toHaveLength(3 + 20);
  });

  it('stops feeding as soon as nobody watches the hardware, though its timer still goes off, and says so', async () => {
    const { clock, told, logged, hardware } = await ready();
    hardware.watched = false;
    told.length = 0;
    await clock.advance(seconds(3));
    expect(new Set(told)).toEqual(new Set(['STATUS=the hardware is not watched']));
    expect(logged).toEqual(['the hardware is not watched any more: the watchdog is not fed']);
    hardware.watched = true;
    told.length = 0;
    await clock.advance(500);
    expect([told, logged.at(-1)]).toEqual([[FED], 'the hardware is watched again']);
  });

  it.each([
    ['a shorter watchdog three times within its time', { WATCHDOG_USEC: '600000' }, 5],
    ['a longer one every 500 ms all the same', { WATCHDOG_USEC: '30000000' }, 2],
  ])('feeds %s', async (_, environment, feeds) => {
    const { clock, told } = await ready(environment);
    told.length = 0;
    await clock.advance(seconds(1));
    expect(told.filter((text) => text.startsWith('WATCHDOG=1'))).toHaveLength(feeds);
  });

  it.each([
    ['without a watchdog', {}],
    ['with one that is meant for another process', { ...WATCHDOG, WATCHDOG_PID: '43' }],
    ['with one of no length', { WATCHDOG_USEC: 'x' }],
  ])('shows its status only %s', async (_, environment) => {
    const { clock, told } = await ready(environment);
    await clock.advance(seconds(1));
    expect(told.slice(1)).toEqual(['STATUS=1 Charging', 'STATUS=1 Charging', 'STATUS=1 Charging']);
  });

  it('asks for more time while the store is opened, but not for ever', async () => {
    const { clock, told, service, health } = started();
    service.starting();
    await clock.advance(seconds(4));
    expect(told).toEqual([]);
    await clock.advance(seconds(7));
    await settle();
    expect(told).toEqual(Array(2).fill('EXTEND_TIMEOUT_USEC=15000000\nSTATUS=starting'));
    await service.ready(health);
    told.length = 0;
    await clock.advance(seconds(20));
    expect(told.every((text) => text === FED)).toBe(true);

    const endless = started();
    endless.service.starting();
    await endless.clock.advance(minutes(60));
    expect(endless.told).toHaveLength(120);
  });

  it('stops, and is fed to its end whatever the hardware says', async () => {
    const { clock, told, hardware, service } = await ready();
    hardware.watched = false;
    told.length = 0;
    service.stopping();
    service.stopping();
    await clock.advance(1_000);
    expect(told).toEqual([
      'STOPPING=1\nSTATUS=ending: the contactors are open',
      'WATCHDOG=1',
      'WATCHDOG=1',
      'WATCHDOG=1',
    ]);
  });

  it('is never ready once it stops', async () => {
    const { told, service, health } = started();
    service.stopping();
    await service.ready(health);
    expect(told).toEqual([]);
  });

  it('cannot be ready where systemd cannot be told', async () => {
    const of = ({ service, health }: { service: Service; health: Parameters<Service['ready']>[0] }) =>
      service.ready(health);
    await expect(of(started(WATCHDOG, { koffi: false }))).rejects.toThrow('no koffi');
    await expect(of(started(WATCHDOG, { errno: 111 }))).rejects.toThrow(/errno 111 on \/run\/notify/);
  });
});

describe('the address of NOTIFY_SOCKET', () => {
  it('is a path with its end, or an abstract name without', () => {
    expect(socketAddress('/run/n').toString('latin1')).toBe('\x01\x00/run/n\x00');
    expect(socketAddress('@abc').toString('latin1')).toBe('\x01\x00\x00abc');
  });

  it.each(['run/notify', 'vsock:2:1234', `/${'x'.repeat(107)}`])('is not %s', (path) => {
    expect(() => socketAddress(path)).toThrow(/NOTIFY_SOCKET/);
  });
});
