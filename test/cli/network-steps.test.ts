/** The steps of the way to the central system that need no server: clock, time difference, and what is left to a running agent. */
import { describe, expect, it } from 'vitest';
import type { BootAnswer, Visit } from '../../src/cli/central-system-visit.ts';
import { NETWORK_STEPS, type NetworkContext } from '../../src/cli/network-steps.ts';
import type { Result } from '../../src/cli/sheet.ts';

const NOW = Date.UTC(2026, 5, 1, 12);

const unreachable = (): never => expect.unreachable('it was dialled');
const run = async (id: string, change: Partial<NetworkContext> = {}): Promise<Result> => {
  const step = NETWORK_STEPS.find((each) => each.id === id);
  if (step === undefined) throw new Error(`no step ${id}`);
  return step.run({
    dial: { url: 'ws://127.0.0.1:9000/cp001', handshakeTimeoutMs: 1000 },
    force: false,
    synchronised: true,
    wall: () => NOW,
    visit: unreachable,
    ...change,
  });
};

const answering = (answer: BootAnswer): Pick<NetworkContext, 'visit'> => {
  const visit: Visit = { boot: async () => answer, close: () => {} };
  return { visit: async () => visit };
};
const accepted = (currentTime: string): BootAnswer => ({
  status: 'Accepted',
  currentTime,
  interval: 60,
  ms: 3,
  receivedAt: NOW,
});

describe('the clock step', () => {
  it('passes a clock that NTP has set', async () => {
    expect(await run('clock')).toEqual({ outcome: 'PASS', detail: '2026-06-01T12:00:00Z, set by NTP' });
  });

  it('passes one that may be right, and says that nobody vouches for it', async () => {
    expect(await run('clock', { synchronised: false })).toMatchObject({
      outcome: 'PASS',
      next: expect.stringContaining('timedatectl'),
    });
  });

  it('fails one that still stands at its first second', async () => {
    expect(await run('clock', { wall: () => 0, synchronised: false })).toMatchObject({
      outcome: 'FAIL',
      detail: '1970-01-01T00:00:00Z: no certificate is valid then',
    });
  });
});

describe('the time difference', () => {
  it.each([
    ['2026-06-01T12:00:00Z', 'PASS', 'less than 1 s'],
    ['2026-06-01T12:00:09Z', 'PASS', 'ours is 9 s behind'],
    ['2026-06-01T12:00:10Z', 'FAIL', 'ours is 10 s behind'],
    ['2026-06-01T14:00:00+01:00', 'FAIL', 'ours is 3600 s behind'],
    ['2026-06-01T11:59:30Z', 'FAIL', 'ours is 30 s ahead'],
    ['yesterday', 'FAIL', 'currentTime yesterday is no time'],
  ])('to %s is a %s', async (currentTime, outcome, detail) => {
    expect(await run('offset', answering(accepted(currentTime)))).toMatchObject({ outcome, detail });
  });

  it('is the fault of the central system only if NTP has set ours', async () => {
    const told = answering(accepted('2026-06-01T13:00:00Z'));
    expect((await run('offset', told)).next).toContain('clock of the central system is wrong');
    expect((await run('offset', { ...told, synchronised: false })).next).toContain('set-ntp');
  });
});

describe('beside a running agent that is connected', () => {
  const agent = { connected: true, boot: 'Accepted', busy: [] };

  it('nothing is dialled', async () => {
    for (const id of ['upgrade', 'subprotocol', 'boot']) expect((await run(id, { agent })).outcome).toBe('PASS');
    expect((await run('offset', { agent })).outcome).toBe('SKIP');
  });

  it.each(['Pending', 'Rejected', undefined])('its registration %s is a FAIL', async (boot) => {
    const { boot: _, ...connected } = agent;
    const standing = { ...connected, ...(boot === undefined ? {} : { boot }) };
    expect((await run('boot', { agent: standing })).outcome).toBe('FAIL');
  });

  it('which may not be asked, nothing is claimed', async () => {
    const silent = { agent: { ...agent, silent: 'no permission' } };
    for (const id of ['upgrade', 'subprotocol', 'boot', 'offset'])
      expect(await run(id, silent)).toMatchObject({
        outcome: 'SKIP',
        detail: expect.stringContaining('no permission'),
      });
  });

  it('it is dialled where that is wanted', async () => {
    const { outcome } = await run('boot', { agent, force: true, ...answering(accepted('2026-06-01T12:00:00Z')) });
    expect(outcome).toBe('PASS');
  });
});
