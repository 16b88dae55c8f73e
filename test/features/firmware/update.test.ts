/** What follows from how far an update has come, as plain data. */
import { describe, expect, it } from 'vitest';
import {
  AT_REST,
  ended,
  type FirmwareState,
  isInForce,
  moved,
  type Phase,
  standingOf,
  type Update,
} from '../../../src/features/firmware/update.ts';

const SIGNED = { requestId: 5, certificate: 'pem', signature: 'base64' };
const update = (more: Partial<Update> = {}): Update => ({
  id: 'u1',
  location: 'https://files.example/image',
  retrieveAt: 0,
  retries: 0,
  phase: 'accepted',
  attempt: 0,
  ...more,
});
const state = (more: Partial<Update> = {}): FirmwareState => ({ ...AT_REST, update: update(more), image: true });

describe('a step', () => {
  it('is of the update that takes it, and of no other', () => {
    const before = state();
    expect(moved(before, 'u2', { phase: 'downloading' }, 'Downloading')).toBe(before);
    expect(ended(before, 'u2', 'Installed')).toBe(before);
    expect(moved(before, 'u1', { phase: 'downloading', attempt: 1 }, 'Downloading')).toMatchObject({
      update: { phase: 'downloading', attempt: 1 },
      unsaid: [{ signed: false, status: 'Downloading' }],
    });
  });

  it('says what OCPP 1.6 has a word for, and everything with a requestId', () => {
    expect(moved(state(), 'u1', { phase: 'scheduled' }, 'DownloadScheduled').unsaid).toEqual([]);
    expect(moved(state({ signed: SIGNED }), 'u1', { phase: 'scheduled' }, 'DownloadScheduled').unsaid).toEqual([
      { signed: true, status: 'DownloadScheduled', requestId: 5 },
    ]);
  });

  it('does not say twice in a row what has not been heard once', () => {
    const once = moved(state(), 'u1', { attempt: 1 }, 'Downloading');
    expect(moved(once, 'u1', { attempt: 2 }, 'Downloading').unsaid).toHaveLength(1);
    const heard = { ...once, unsaid: [] };
    expect(moved(heard, 'u1', { attempt: 2 }, 'Downloading').unsaid).toHaveLength(1);
  });

  it('that ends it leaves no location behind', () => {
    expect(JSON.stringify(ended(state(), 'u1', 'DownloadFailed'))).not.toContain('files.example');
  });
});

describe('after a restart in the middle of an installation', () => {
  it.each<[Phase, string | undefined, string | undefined, boolean]>([
    ['installing', '1', '1', false],
    ['installing', '1', '2', true],
    ['installing', undefined, undefined, false],
    ['installing', '1', undefined, false],
    ['rebooting', '1', '1', false],
    ['rebooting', '1', '2', true],
    ['rebooting', undefined, undefined, true],
    ['rebooting', undefined, '2', true],
    ['trial', '1', '2', true],
    ['trial', '1', '1', false],
  ])('%s, %s before and %s now: in force %s', (phase, before, running, expected) => {
    expect(isInForce(update({ phase, ...(before === undefined ? {} : { before }) }), running)).toBe(expected);
  });
});

describe('the status on request', () => {
  it.each<[Phase, string]>([
    ['accepted', 'Idle'],
    ['scheduled', 'Idle'],
    ['downloading', 'Downloading'],
    ['downloaded', 'Downloaded'],
    ['ready', 'Downloaded'],
    ['waiting', 'Downloaded'],
    ['installing', 'Installing'],
    ['rebooting', 'Installing'],
    ['trial', 'Installing'],
  ])('of OCPP 1.6 while %s: %s', (phase, status) => {
    expect(standingOf(state({ phase }))).toEqual({ plain: status, signed: { status: 'Idle' } });
  });

  it('of a signed update before its first status is that of none', () => {
    const earlier = { signed: true, status: 'InvalidSignature', requestId: 4 } as const;
    expect(standingOf({ ...state({ signed: SIGNED }), last: earlier }).signed).toEqual({ status: 'Idle' });
  });
});
