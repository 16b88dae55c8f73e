/** The diagnostics cases of the compliance test tool, each with every frame of its story (octt.md). */
import { describe, expect, it } from 'vitest';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const URL = 'ftp://user:secret@files.example/logs/';
const OPTIONS: WorldOptions = {
  keys: { MeterValueSampleInterval: '0' },
  prepare: (central) => {
    for (const action of ['DiagnosticsStatusNotification', 'LogStatusNotification', 'SecurityEventNotification'])
      central.answer(action, () => ({}));
  },
};

const charging = [
  '20 > StatusNotification 1 Preparing',
  '30 > Authorize TAG = Accepted',
  '30 > StartTransaction 1 TAG = Accepted',
  '31 > StatusNotification 1 Charging',
];

describe('the diagnostics', () => {
  it('TC_045_1: are uploaded: fileName in the answer, Uploading, Uploaded, and the file is on the server', async () => {
    const world = await World.start(OPTIONS);
    const log = await story(world, [[0, play.call('GetDiagnostics', { location: URL, retries: 0 })]], 10);
    expect(log).toEqual([
      '0 < GetDiagnostics',
      '0 > DiagnosticsStatusNotification Uploading',
      '0 > DiagnosticsStatusNotification Uploaded',
    ]);
    const fileName = 'cp001-20260105T080000Z.tar.gz';
    expect(
      world.wire.find(({ frame }) => frame[0] === 3 && (frame[2] as { fileName?: string }).fileName)?.frame[2],
    ).toEqual({
      fileName,
    });
    expect(world.transfers.uploads).toMatchObject([{ url: URL, options: { fileName } }]);
  });

  it('TC_045_2: cannot be uploaded: Uploading, UploadFailed, and the charge point goes on as always', async () => {
    const world = await World.start(OPTIONS);
    world.transfers.refused.set(URL, 'unreachable');
    const log = await story(
      world,
      [
        [0, play.call('GetDiagnostics', { location: URL, retries: 1, retryInterval: 5 })],
        [20, play.plugIn()],
        [30, play.tag('TAG')],
      ],
      40,
    );
    expect(log).toEqual([
      '0 < GetDiagnostics',
      '0 > DiagnosticsStatusNotification Uploading',
      '5 > DiagnosticsStatusNotification Uploading',
      '5 > DiagnosticsStatusNotification UploadFailed',
      ...charging,
    ]);
  });
});

describe('the security log', () => {
  it('TC_079: is uploaded: Accepted with filename, Uploading and Uploaded with the requestId', async () => {
    const world = await World.start(OPTIONS);
    const request = { logType: 'SecurityLog', requestId: 77, log: { remoteLocation: URL } };
    let filename: unknown;
    const log = await story(
      world,
      [[0, async ({ central }) => ({ filename } = (await central.call('GetLog', request)) as { filename?: unknown })]],
      10,
    );
    expect(log).toEqual([
      '0 < GetLog = Accepted',
      '0 > LogStatusNotification Uploading 77',
      '0 > LogStatusNotification Uploaded 77',
    ]);
    expect(filename).toBe('cp001-security-20260105T080000Z-77.jsonl');
    expect(world.transfers.uploads).toMatchObject([{ url: URL, options: { fileName: filename } }]);
  });
});
