/** The firmware cases of the compliance test tool, each with every frame of its story (octt.md). */
import { describe, expect, it } from 'vitest';
import { firmwareWorld, signedUpdate, TAMPERED, told, URL_OF_IMAGE, update } from '../sim/firmware.ts';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';

describe('UpdateFirmware', () => {
  it('TC_044_1: download and install, with a reboot: each status once, and Installed from the new version', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, update()],
        [5, ({ exits }) => expect(exits).toEqual(['reset'])],
        [5, play.restart('kill', 5)],
      ],
      30,
    );
    expect(log).toEqual([
      '0 < UpdateFirmware',
      '0 > FirmwareStatusNotification Downloading',
      '0 > FirmwareStatusNotification Downloaded',
      '0 > StatusNotification 1 Unavailable',
      '0 > FirmwareStatusNotification Installing',
      '10 > BootNotification = Accepted',
      '10 > FirmwareStatusNotification Installed',
      '10 > StatusNotification 0 Available',
      '10 > StatusNotification 1 Available',
      '10 > SecurityEventNotification FirmwareUpdated',
    ]);
    expect(world.exits).toEqual([]);
    expect(world.firmwareFile.files.size).toBe(0);
  });

  it('TC_044_1: without a reboot', async () => {
    const world = await firmwareWorld({ inputs: { reboot: false } });
    expect(await story(world, [[0, update()]], 30)).toEqual([
      '0 < UpdateFirmware',
      '0 > FirmwareStatusNotification Downloading',
      '0 > FirmwareStatusNotification Downloaded',
      '0 > StatusNotification 1 Unavailable',
      '0 > FirmwareStatusNotification Installing',
      '1 > SecurityEventNotification FirmwareUpdated',
      '1 > FirmwareStatusNotification Installed',
      '1 > StatusNotification 1 Available',
    ]);
    expect(world.exits).toEqual([]);
  });

  it('TC_044_2: the download fails', async () => {
    const world = await firmwareWorld();
    world.transfers.served.delete(URL_OF_IMAGE);
    expect(await story(world, [[0, update()]], 30)).toEqual([
      '0 < UpdateFirmware',
      '0 > FirmwareStatusNotification Downloading',
      '0 > FirmwareStatusNotification DownloadFailed',
    ]);
    expect(world.exits).toEqual([]);
  });

  it('TC_044_3: the installation fails: the old version stays, Available', async () => {
    const world = await firmwareWorld({ inputs: { result: 'installFail' } });
    expect(await story(world, [[0, update()]], 30)).toEqual([
      '0 < UpdateFirmware',
      '0 > FirmwareStatusNotification Downloading',
      '0 > FirmwareStatusNotification Downloaded',
      '0 > StatusNotification 1 Unavailable',
      '0 > FirmwareStatusNotification Installing',
      '1 > FirmwareStatusNotification InstallationFailed',
      '1 > StatusNotification 1 Available',
    ]);
    expect(world.exits).toEqual([]);
    expect(world.firmwareFile.files.size).toBe(0);
  });
});

describe('SignedUpdateFirmware (security whitepaper L01)', () => {
  it('TC_080: download, signature, installation and reboot, all with the requestId', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, signedUpdate()],
        [5, ({ exits }) => expect(exits).toEqual(['reset'])],
        [5, play.restart('kill', 5)],
      ],
      30,
    );
    expect(log).toEqual([
      '0 < SignedUpdateFirmware = Accepted',
      '0 > SignedFirmwareStatusNotification Downloading 5',
      '0 > SignedFirmwareStatusNotification Downloaded 5',
      '0 > SignedFirmwareStatusNotification SignatureVerified 5',
      '0 > StatusNotification 1 Unavailable',
      '0 > SignedFirmwareStatusNotification Installing 5',
      '1 > SignedFirmwareStatusNotification InstallRebooting 5',
      '10 > BootNotification = Accepted',
      '10 > SignedFirmwareStatusNotification Installed 5',
      '10 > StatusNotification 0 Available',
      '10 > StatusNotification 1 Available',
      '10 > SecurityEventNotification FirmwareUpdated',
    ]);
  });

  it('TC_081: the image is not what was signed: it is not installed', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, TAMPERED);
    const log = await story(world, [[0, signedUpdate()]], 30);
    expect(log).toHaveLength(5);
    expect(log.slice(0, 3)).toEqual([
      '0 < SignedUpdateFirmware = Accepted',
      '0 > SignedFirmwareStatusNotification Downloading 5',
      '0 > SignedFirmwareStatusNotification Downloaded 5',
    ]);
    expect(log.slice(3)).toEqual(
      expect.arrayContaining([
        '0 > SignedFirmwareStatusNotification InvalidSignature 5',
        '0 > SecurityEventNotification InvalidFirmwareSignature',
      ]),
    );
    expect(told(world)).not.toContain('Installing');
    expect(world.exits).toEqual([]);
    expect(world.firmwareFile.files.size).toBe(0);
  });
});
