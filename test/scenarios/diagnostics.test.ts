/** Uploads to the operator: retries, time range, cancelling, the end of a process in the middle, disks and servers that fail. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TransferErrorCode } from '../../src/errors.ts';
import type { UploadOptions } from '../../src/ports.ts';
import { Authority } from '../sim/authority.ts';
import type { Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { during, story } from '../sim/transcript.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const URL = 'https://files.example/logs/';
const OPTIONS: WorldOptions = {
  keys: { MeterValueSampleInterval: '0' },
  prepare: (central) => {
    for (const action of ['DiagnosticsStatusNotification', 'LogStatusNotification', 'SecurityEventNotification'])
      central.answer(action, () => ({}));
  },
};

const start = (options: WorldOptions = {}): Promise<World> => World.start({ ...OPTIONS, ...options });
const getDiagnostics = (more: Payload = {}) => play.call('GetDiagnostics', { location: URL, ...more });
const getLog = (requestId: number, more: Payload = {}, log: Payload = {}) =>
  play.call('GetLog', { logType: 'DiagnosticsLog', requestId, log: { remoteLocation: URL, ...log }, ...more });
const trigger = (requestedMessage: string) => play.call('TriggerMessage', { requestedMessage });
const extendedTrigger = (requestedMessage: string) => play.call('ExtendedTriggerMessage', { requestedMessage });

/** Uploads end only when this is called, or when they are given up. */
function holdUploads({ transfers }: World): () => void {
  const waiting: (() => void)[] = [];
  transfers.onUpload = (_, { signal }: UploadOptions) =>
    new Promise((resolve, reject) => {
      waiting.push(resolve);
      signal?.addEventListener('abort', () => reject(new Error('given up')));
    });
  return () => {
    for (const end of waiting.splice(0)) end();
  };
}

const statusesIn = (world: World, action = 'DiagnosticsStatusNotification'): readonly unknown[] =>
  world.central.received(action).map(({ status }) => status);

describe('GetDiagnostics (OCPP 1.6 section 5.9)', () => {
  it('tries as often as it is told, so far apart, each with its own Uploading, and stops when it works', async () => {
    const world = await start();
    world.transfers.refused.set(URL, 'timeout');
    const log = await story(
      world,
      [
        [0, getDiagnostics({ retries: 3, retryInterval: 20 })],
        [30, ({ transfers }) => transfers.refused.clear()],
      ],
      100,
    );
    expect(log).toEqual([
      '0 < GetDiagnostics',
      '0 > DiagnosticsStatusNotification Uploading',
      '20 > DiagnosticsStatusNotification Uploading',
      '40 > DiagnosticsStatusNotification Uploading',
      '40 > DiagnosticsStatusNotification Uploaded',
    ]);
    expect(world.archives.requests).toHaveLength(1);
    expect(world.archives.files.size).toBe(0);
  });

  it('tries at once again with a retryInterval of 0', async () => {
    const world = await start();
    world.transfers.refused.set(URL, 'failed');
    await story(world, [[0, getDiagnostics({ retries: 2, retryInterval: 0 })]], 5);
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploading', 'Uploading', 'UploadFailed']);
  });

  it.each<TransferErrorCode>(['badUrl', 'unsupported'])('does not try again what cannot work (%s)', async (code) => {
    const world = await start();
    world.transfers.refused.set(URL, code);
    await story(world, [[0, getDiagnostics({ retries: 5, retryInterval: 1 })]], 60);
    expect(statusesIn(world)).toEqual(['Uploading', 'UploadFailed']);
  });

  it('asks for the log lines of startTime to stopTime', async () => {
    const world = await start();
    await getDiagnostics({ startTime: '2026-01-05T07:00:00Z', stopTime: '2026-01-05T09:30:00+01:00' })(world);
    await world.clock.advance(seconds(1));
    expect(world.archives.requests[0]?.range).toEqual({
      from: Date.UTC(2026, 0, 5, 7),
      to: Date.UTC(2026, 0, 5, 8, 30),
    });
  });

  it('has no fileName where startTime is after stopTime: there is nothing to be had', async () => {
    const world = await start();
    const range = { startTime: '2026-01-05T09:00:00Z', stopTime: '2026-01-05T08:00:00Z' };
    expect(await getDiagnostics(range)(world)).toEqual({});
    await world.clock.advance(seconds(10));
    expect(statusesIn(world)).toEqual([]);
  });

  it('goes on with the upload under way: the same request gets its fileName, another one none', async () => {
    const world = await start();
    const finish = holdUploads(world);
    const first = await getDiagnostics()(world);
    await world.clock.advance(seconds(30));
    expect(await getDiagnostics()(world)).toEqual(first);
    expect(await getDiagnostics({ location: 'https://elsewhere.example/' })(world)).toEqual({});
    finish();
    await world.clock.advance(seconds(1));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploaded']);
    expect(world.transfers.uploads).toHaveLength(1);
    expect(await getDiagnostics()(world)).toEqual({ fileName: 'cp001-20260105T080031Z.tar.gz' });
  });

  it('says UploadFailed where the disk is full, and leaves nothing on it', async () => {
    const world = await start();
    world.archives.failure = 'storeFull';
    await story(world, [[0, getDiagnostics()]], 5);
    expect(statusesIn(world)).toEqual(['Uploading', 'UploadFailed']);
    expect(world.transfers.uploads).toEqual([]);
  });

  it('tells the end of an upload even if its note cannot be stored', async () => {
    const world = await start();
    world.disk.failWrites(true);
    await story(world, [[0, getDiagnostics()]], 5);
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploaded']);
  });

  it('reports in order after the link was away, each once', async () => {
    const world = await start();
    const finish = holdUploads(world);
    const log = await story(
      world,
      [
        [0, getDiagnostics()],
        [10, play.cut],
        [20, finish],
        [30, play.restore],
      ],
      60,
    );
    expect(log.filter((line) => line.includes('Diagnostics'))).toEqual([
      '0 < GetDiagnostics',
      '0 > DiagnosticsStatusNotification Uploading',
      '30 > DiagnosticsStatusNotification Uploaded',
    ]);
  });

  it('says once, when the link is there again, that it was trying all the time', async () => {
    const world = await start();
    world.transfers.refused.set(URL, 'unreachable');
    const log = await story(
      world,
      [
        [0, getDiagnostics({ retries: 3, retryInterval: 10 })],
        [5, play.cut],
        [40, play.restore],
      ],
      60,
    );
    expect(log.filter((line) => line.includes('Diagnostics'))).toEqual([
      '0 < GetDiagnostics',
      '0 > DiagnosticsStatusNotification Uploading',
      '40 > DiagnosticsStatusNotification Uploading',
      '40 > DiagnosticsStatusNotification UploadFailed',
    ]);
    expect(world.transfers.uploads).toHaveLength(4);
  });

  it('tells a report again, at once, that the link has taken along', async () => {
    const world = await start();
    let silent = true;
    world.central.answer('DiagnosticsStatusNotification', () => (silent ? 'silence' : {}));
    await getDiagnostics()(world);
    await world.clock.advance(seconds(1));
    play.cut(world);
    silent = false;
    await world.clock.advance(seconds(1));
    play.restore(world);
    await world.clock.advance(seconds(10));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploading', 'Uploaded']);
  });

  it('gives a report up that gets no answer three times', async () => {
    const world = await start();
    world.central.answer('DiagnosticsStatusNotification', () => 'silence');
    await getDiagnostics()(world);
    await world.clock.advance(seconds(3600));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploading', 'Uploading', 'Uploaded', 'Uploaded', 'Uploaded']);
  });

  it('tells a report that got no answer again', async () => {
    const world = await start();
    let silent = true;
    world.central.answer('DiagnosticsStatusNotification', () => (silent ? 'silence' : {}));
    await getDiagnostics()(world);
    await world.clock.advance(seconds(40));
    silent = false;
    await world.clock.advance(seconds(120));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploading', 'Uploaded']);
  });

  it.each(['kill', 'powerCut'] as const)('is UploadFailed, told once, after a %s in the middle', async (how) => {
    const world = await start();
    holdUploads(world);
    await getDiagnostics({ retries: 3 })(world);
    await world.clock.advance(seconds(10));
    await play.restart(how, 5)(world);
    await world.clock.advance(seconds(30));
    expect(statusesIn(world)).toEqual(['Uploading', 'UploadFailed']);
    await play.restart(how, 5)(world);
    await world.clock.advance(seconds(30));
    expect(statusesIn(world)).toEqual(['Uploading', 'UploadFailed']);
  });

  it('is UploadFailed after an orderly end in the middle, told by the next process', async () => {
    const world = await start();
    holdUploads(world);
    await getDiagnostics()(world);
    await world.clock.advance(seconds(1));
    const stopping = world.agent.stop('Reboot');
    await world.clock.advance(seconds(3));
    await stopping;
    expect(world.transfers.uploads[0]?.options.signal?.aborted).toBe(true);
    expect(world.archives.files.size).toBe(0);
    await play.restart('kill', 5)(world);
    await world.clock.advance(seconds(30));
    expect(statusesIn(world)).toEqual(['Uploading', 'UploadFailed']);
  });

  it('tells after a restart how it ended, if nobody could be told before', async () => {
    const world = await start();
    const finish = holdUploads(world);
    await getDiagnostics()(world);
    await world.clock.advance(seconds(1));
    play.cut(world);
    finish();
    await world.clock.advance(seconds(1));
    await play.restart('powerCut', 5)(world);
    play.restore(world);
    await world.clock.advance(seconds(30));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploaded']);
  });

  it('begins while the registration is Pending, and tells once it is Accepted', async () => {
    let status = 'Pending';
    const world = await start({
      prepare: (central) => {
        OPTIONS.prepare?.(central);
        central.answer('BootNotification', () => ({ status, currentTime: '2026-01-05T08:00:00Z', interval: 10 }));
      },
    });
    await getDiagnostics()(world);
    await world.clock.advance(seconds(5));
    expect(world.transfers.uploads).toHaveLength(1);
    expect(statusesIn(world)).toEqual([]);
    status = 'Accepted';
    await world.clock.advance(seconds(10));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploaded']);
  });

  it('is CALLERROR NotSupported while the profile is off, and GetLog stays on', async () => {
    const world = await start({ keys: { SupportedFeatureProfiles: 'Core,RemoteTrigger' } });
    expect(await getDiagnostics()(world)).toBe('NotSupported');
    expect(await getLog(1)(world)).toMatchObject({ status: 'Accepted' });
  });
});

describe('TriggerMessage for DiagnosticsStatusNotification', () => {
  it('sends Idle, Uploading while an upload runs or waits for its next try, and Idle again', async () => {
    const world = await start();
    world.transfers.refused.set(URL, 'failed');
    const log = await story(
      world,
      [
        [0, trigger('DiagnosticsStatusNotification')],
        [10, getDiagnostics({ retries: 1, retryInterval: 20 })],
        [20, trigger('DiagnosticsStatusNotification')],
        [40, trigger('DiagnosticsStatusNotification')],
      ],
      50,
    );
    expect(log).toEqual([
      '0 < TriggerMessage = Accepted',
      '0 > DiagnosticsStatusNotification Idle',
      '10 < GetDiagnostics',
      '10 > DiagnosticsStatusNotification Uploading',
      '20 < TriggerMessage = Accepted',
      '20 > DiagnosticsStatusNotification Uploading',
      '30 > DiagnosticsStatusNotification Uploading',
      '30 > DiagnosticsStatusNotification UploadFailed',
      '40 < TriggerMessage = Accepted',
      '40 > DiagnosticsStatusNotification Idle',
    ]);
  });
});

describe('GetLog (security whitepaper N01)', () => {
  it('uploads the same diagnostics as GetDiagnostics, within the time range (N01.FR.04)', async () => {
    const world = await start();
    const range = { oldestTimestamp: '2026-01-05T07:00:00Z', latestTimestamp: '2026-01-05T07:30:00Z' };
    expect(await getLog(5, {}, range)(world)).toEqual({
      status: 'Accepted',
      filename: 'cp001-20260105T080000Z-5.tar.gz',
    });
    await world.clock.advance(seconds(1));
    expect(world.archives.requests).toMatchObject([
      { range: { from: Date.UTC(2026, 0, 5, 7), to: Date.UTC(2026, 0, 5, 7, 30) } },
    ]);
  });

  it.each<[TransferErrorCode, string]>([
    ['refused', 'PermissionDenied'],
    ['badUrl', 'BadMessage'],
    ['unsupported', 'NotSupportedOperation'],
    ['unreachable', 'UploadFailure'],
    ['tls', 'UploadFailure'],
    ['truncated', 'UploadFailure'],
  ])('says of an upload that is %s: %s (N01.FR.10)', async (code, status) => {
    const world = await start();
    world.transfers.refused.set(URL, code);
    await story(world, [[0, getLog(3)]], 5);
    expect(world.central.received('LogStatusNotification')).toEqual([
      { status: 'Uploading', requestId: 3 },
      { status, requestId: 3 },
    ]);
  });

  it('tries again, each try with its own Uploading', async () => {
    const world = await start();
    world.transfers.refused.set(URL, 'refused');
    const log = await story(world, [[0, getLog(3, { retries: 2, retryInterval: 7 })]], 60);
    expect(log).toEqual([
      '0 < GetLog = Accepted',
      '0 > LogStatusNotification Uploading 3',
      '7 > LogStatusNotification Uploading 3',
      '14 > LogStatusNotification Uploading 3',
      '14 > LogStatusNotification PermissionDenied 3',
    ]);
  });

  it('uploads the security events of the time range, a line of JSON each (N01.FR.03)', async () => {
    const world = await start();
    const finish = holdUploads(world);
    await getLog(6, { logType: 'SecurityLog' })(world);
    await world.clock.advance(seconds(1));
    const lines = [...world.archives.files.values()].join('').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ type: 'StartupOfTheDevice', timestamp: expect.stringMatching(/^2026-01-05T08:00:00/) }),
    );
    finish();
    await world.clock.advance(seconds(1));
    await getLog(7, { logType: 'SecurityLog' }, { latestTimestamp: '2026-01-05T07:59:59Z' })(world);
    await world.clock.advance(seconds(1));
    expect([...world.archives.files.values()]).toEqual(['']);
  });

  it('takes the place of the upload under way, which says nothing more (N01.FR.11)', async () => {
    const world = await start();
    const finish = holdUploads(world);
    const log = await story(
      world,
      [
        [0, getLog(1)],
        [10, getLog(2)],
        [20, finish],
      ],
      30,
    );
    expect(log).toEqual([
      '0 < GetLog = Accepted',
      '0 > LogStatusNotification Uploading 1',
      '10 < GetLog = AcceptedCanceled',
      '10 > LogStatusNotification Uploading 2',
      '20 > LogStatusNotification Uploaded 2',
    ]);
    expect(world.transfers.uploads.map(({ options }) => options.signal?.aborted)).toEqual([true, false]);
    expect(world.archives.files.size).toBe(0);
    await play.restart('powerCut', 5)(world);
    await world.clock.advance(seconds(30));
    expect(world.central.received('LogStatusNotification')).toHaveLength(3);
  });

  it('takes the place of one whose file is being made, which is then not sent', async () => {
    const world = await start();
    const waiting: (() => void)[] = [];
    world.archives.onMake = () => new Promise((resolve) => void waiting.push(resolve));
    await getLog(1)(world);
    await world.clock.advance(seconds(1));
    expect(await getLog(2)(world)).toMatchObject({ status: 'AcceptedCanceled' });
    await world.clock.advance(seconds(1));
    expect(world.archives.requests).toHaveLength(1);
    for (const _ of [1, 2]) {
      for (const end of waiting.splice(0)) end();
      await world.clock.advance(seconds(1));
    }
    expect(world.transfers.uploads.map(({ options }) => options.fileName)).toEqual(['cp001-20260105T080001Z-2.tar.gz']);
    expect(statusesIn(world, 'LogStatusNotification')).toEqual(['Uploading', 'Uploading', 'Uploaded']);
    expect(world.archives.files.size).toBe(0);
  });

  it('takes the place of one that waits for its next try', async () => {
    const world = await start();
    world.transfers.refused.set(URL, 'unreachable');
    const log = await story(
      world,
      [
        [0, getLog(1, { retries: 5, retryInterval: 60 })],
        [10, ({ transfers }) => transfers.refused.clear()],
        [20, getLog(2)],
      ],
      200,
    );
    expect(log).toEqual([
      '0 < GetLog = Accepted',
      '0 > LogStatusNotification Uploading 1',
      '20 < GetLog = AcceptedCanceled',
      '20 > LogStatusNotification Uploading 2',
      '20 > LogStatusNotification Uploaded 2',
    ]);
  });

  it('trusts the servers that the roots of the central system vouch for (N01.FR.15)', async () => {
    const { pem } = Authority.root('CPO root');
    const world = await start({ centralSystem: { certificateAuthorities: [pem] } });
    await getLog(1)(world);
    await world.clock.advance(seconds(1));
    const roots = world.transfers.uploads[0]?.options.certificateAuthorities ?? [];
    expect(roots.map((root) => new X509Certificate(root).subject)).toEqual([new X509Certificate(pem).subject]);
  });

  it('runs beside GetDiagnostics', async () => {
    const world = await start();
    const finish = holdUploads(world);
    await getDiagnostics()(world);
    expect(await getLog(1)(world)).toMatchObject({ status: 'Accepted' });
    await world.clock.advance(seconds(1));
    finish();
    await world.clock.advance(seconds(1));
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploaded']);
    expect(statusesIn(world, 'LogStatusNotification')).toEqual(['Uploading', 'Uploaded']);
  });

  it('is UploadFailure with its requestId, told once, after a power cut in the middle', async () => {
    const world = await start();
    holdUploads(world);
    await getLog(9)(world);
    await world.clock.advance(seconds(10));
    for (const _ of [1, 2]) {
      await play.restart('powerCut', 5)(world);
      await world.clock.advance(seconds(30));
    }
    expect(world.central.received('LogStatusNotification')).toEqual([
      { status: 'Uploading', requestId: 9 },
      { status: 'UploadFailure', requestId: 9 },
    ]);
  });

  it('is Rejected where oldestTimestamp is after latestTimestamp, and the upload under way goes on', async () => {
    const world = await start();
    const finish = holdUploads(world);
    await getLog(1)(world);
    const range = { oldestTimestamp: '2026-01-05T09:00:00Z', latestTimestamp: '2026-01-05T08:00:00Z' };
    expect(await getLog(2, {}, range)(world)).toEqual({ status: 'Rejected' });
    await world.clock.advance(seconds(1));
    finish();
    await world.clock.advance(seconds(1));
    expect(world.central.received('LogStatusNotification')).toEqual([
      { status: 'Uploading', requestId: 1 },
      { status: 'Uploaded', requestId: 1 },
    ]);
  });
});

describe('ExtendedTriggerMessage for LogStatusNotification (N01.FR.12)', () => {
  it('sends Idle without a requestId, and Uploading with it', async () => {
    const world = await start();
    const finish = holdUploads(world);
    const log = await story(
      world,
      [
        [0, extendedTrigger('LogStatusNotification')],
        [10, getLog(4)],
        [20, extendedTrigger('LogStatusNotification')],
        [30, finish],
      ],
      40,
    );
    expect(log).toEqual([
      '0 < ExtendedTriggerMessage = Accepted',
      '0 > LogStatusNotification Idle',
      '10 < GetLog = Accepted',
      '10 > LogStatusNotification Uploading 4',
      '20 < ExtendedTriggerMessage = Accepted',
      '20 > LogStatusNotification Uploading 4',
      '30 > LogStatusNotification Uploaded 4',
    ]);
    expect(world.central.received('LogStatusNotification')[0]).toEqual({ status: 'Idle' });
  });
});

describe('what is in the diagnostics', () => {
  it('are configuration, keys, store, hardware, connectors and link', async () => {
    const world = await start();
    world.board.inputs.setFault(1, 'groundFault', {});
    await getDiagnostics()(world);
    await world.clock.advance(seconds(1));
    const { documents } = world.archives.requests[0] ?? { documents: {} };
    expect(Object.keys(documents)).toEqual(['configuration', 'keys', 'store', 'hardware', 'connectors', 'link']);
    expect(documents).toMatchObject({
      configuration: { chargePoint: { identity: 'cp001' } },
      store: { healthy: true, outbox: 0, rows: { diagnostics: 1 }, deadLetters: [] },
      hardware: { mains: 'on', faults: [{ code: 'groundFault' }] },
      connectors: [{ status: { status: 'Faulted' } }],
      link: { open: true, registration: 'Accepted' },
    });
    expect(JSON.parse(JSON.stringify(documents))).toEqual(documents);
  });

  it('is said to be unknown where the store cannot be read', async () => {
    const world = await start();
    world.disk.failReads(true);
    await getDiagnostics()(world);
    await world.clock.advance(seconds(1));
    expect(world.archives.requests[0]?.documents).toMatchObject({
      store: { rows: { unknown: 'reads are made to fail' } },
    });
    expect(statusesIn(world)).toEqual(['Uploading', 'Uploaded']);
  });

  it('are no secrets: neither password nor AuthorizationKey stands there, in the log, in a report or in an answer', async () => {
    const location = 'ftp://someone:CANARY-PASSWORD@files.example/';
    const world = await start({ keys: { AuthorizationKey: 'CANARY-KEY-0123456789', MeterValueSampleInterval: '0' } });
    world.transfers.refused.set(location, 'refused');
    const since = world.wire.length;
    await during(world, seconds(30), async () => {
      await getDiagnostics({ location, retries: 1, retryInterval: 1 })(world);
      await getLog(1, { retries: 1, retryInterval: 1 }, { remoteLocation: location })(world);
    });
    expect(world.transfers.uploads.map(({ url }) => url)).toContain(location);
    const sent = world.wire.slice(since).filter(({ dir }) => dir === 'tx');
    expect(JSON.stringify(sent)).not.toContain('CANARY');
    expect(JSON.stringify(world.logged)).not.toContain('CANARY');
    expect(JSON.stringify(world.archives.requests)).not.toContain('CANARY');
  });
});
