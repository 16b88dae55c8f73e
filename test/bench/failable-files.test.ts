/** `storage: fail` of the bench for files: a full disk, before and in the middle of a transfer. */
import { describe, expect, it } from 'vitest';
import { failableFiles } from '../../src/bench/failable-files.ts';
import type { Transfers } from '../../src/ports.ts';
import { MemoryArchives } from '../sim/memory-archives.ts';
import { MemoryRecordings } from '../sim/memory-recordings.ts';
import { SimFirmwareFile } from '../sim/sim-firmware.ts';
import { SimTransfers } from '../sim/sim-transfers.ts';

const URL_OF_IMAGE = 'http://files.example/image';
const TO = { toFile: '/virtual/state/firmware/image' };
const request = { fileName: 'diagnostics.tar.gz', range: {}, documents: {} };

function disk(transfers: Transfers = new SimTransfers()) {
  const archives = new MemoryArchives();
  const firmwareFile = new SimFirmwareFile(new SimTransfers());
  return {
    archives,
    firmwareFile,
    ...failableFiles({ archives, recordings: new MemoryRecordings(), transfers, firmwareFile }),
  };
}

describe('storage: fail', () => {
  it('lets nothing be written while it is set, and everything afterwards', async () => {
    const server = new SimTransfers();
    server.served.set(URL_OF_IMAGE, new Uint8Array(3));
    const { ports, archives, fail } = disk(server);
    fail(true);
    await expect(ports.archives.diagnostics(request)).rejects.toMatchObject({ code: 'storeFull' });
    await expect(ports.archives.text(['line'])).rejects.toMatchObject({ code: 'storeFull' });
    await expect(ports.recordings.save('asked', [])).rejects.toMatchObject({ code: 'storeFull' });
    expect(await ports.recordings.list()).toEqual([]);
    await expect(ports.transfers.download(URL_OF_IMAGE, TO)).rejects.toMatchObject({ code: 'diskFull' });
    await expect(ports.firmwareFile.place()).rejects.toMatchObject({ code: 'storeFull' });
    await expect(ports.firmwareFile.remove('all')).rejects.toMatchObject({ code: 'storeFull' });
    expect([archives.files.size, server.downloads]).toEqual([0, []]);
    fail(false);
    await ports.archives.text(['line']);
    expect([...archives.files.values()]).toEqual(['line\n']);
    expect(await ports.transfers.download(URL_OF_IMAGE, TO)).toEqual({ bytes: 3 });
    await ports.firmwareFile.remove('all');
  });

  it('breaks off a download that is under way, and only for that reason', async () => {
    const begun: AbortSignal[] = [];
    const { ports, fail } = disk({
      upload: () => Promise.reject(new Error('no upload')),
      download: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          if (signal === undefined) throw new Error('no signal');
          begun.push(signal);
          signal.addEventListener('abort', () => reject(new Error('given up')));
        }),
    });
    const first = ports.transfers.download(URL_OF_IMAGE, TO);
    fail(true);
    await expect(first).rejects.toMatchObject({ code: 'diskFull' });
    fail(false);
    const ours = new AbortController();
    const second = ports.transfers.download(URL_OF_IMAGE, { ...TO, signal: ours.signal });
    ours.abort();
    await expect(second).rejects.toThrow('given up');
    expect(begun).toHaveLength(2);
  });

  it('leaves nothing of an archive that was being made', async () => {
    const { ports, archives, fail } = disk();
    archives.onMake = () => fail(true);
    await expect(ports.archives.diagnostics(request)).rejects.toMatchObject({ code: 'storeFull' });
    expect(archives.files.size).toBe(0);
  });
});
