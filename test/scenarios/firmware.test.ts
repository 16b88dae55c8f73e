/** Firmware updates beyond the test tool: what waits, what is tried again, what is taken back, and a kill at every status. */
import { describe, expect, it } from 'vitest';
import type { TransferErrorCode } from '../../src/errors.ts';
import { firmwareWorld, fixture, IMAGE, signedUpdate, TAMPERED, told, URL_OF_IMAGE, update } from '../sim/firmware.ts';
import type { Payload } from '../sim/network.ts';
import * as play from '../sim/transcript.ts';
import { asking, story } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const TWO: WorldOptions = {
  connectors: [
    { id: 1, cable: 'attached' },
    { id: 2, cable: 'attached' },
  ],
};

/** So many seconds from now, on the wall. */
const inS = ({ clock }: World, s: number): string => new Date(clock.wall(clock.now()) + seconds(s)).toISOString();

const charge = async (world: World): Promise<void> => {
  play.plugIn()(world);
  play.tag('ABC', [1])(world);
  await world.clock.advance(seconds(10));
};

const signed = (status: string) => `SignedFirmwareStatusNotification ${status} 5`;
const plain = (status: string) => `FirmwareStatusNotification ${status}`;
const RETRIEVED = ['Downloading', 'Downloaded', 'SignatureVerified'];

describe('an update that has to wait', () => {
  it('waits for the end of the transaction; what is free is Unavailable meanwhile (L01.FR.06, L01.FR.07)', async () => {
    const world = await firmwareWorld(TWO);
    await charge(world);
    const log = await story(
      world,
      [
        [0, signedUpdate()],
        [60, play.tag('OTHER', [2])],
        [60, ({ exits }) => expect(exits).toEqual([])],
        [100, play.tag('ABC', [1])],
        [110, play.unplug()],
      ],
      120,
    );
    expect(log).toEqual([
      '0 < SignedUpdateFirmware = Accepted',
      ...RETRIEVED.map((status) => `0 > ${signed(status)}`),
      '0 > StatusNotification 2 Unavailable',
      `0 > ${signed('InstallScheduled')}`,
      '100 > StatusNotification 1 Finishing',
      '100 > StopTransaction 1 ABC Local',
      '100 > StatusNotification 1 Unavailable',
      `100 > ${signed('Installing')}`,
      `101 > ${signed('InstallRebooting')}`,
    ]);
    expect(world.exits).toEqual(['reset']);
  });

  it('UpdateFirmware waits as well, without a word', async () => {
    const world = await firmwareWorld();
    await charge(world);
    const log = await story(
      world,
      [
        [0, update()],
        [100, play.tag('ABC', [1])],
      ],
      120,
    );
    expect(log.filter((line) => line.includes('Firmware'))).toEqual([
      '0 < UpdateFirmware',
      `0 > ${plain('Downloading')}`,
      `0 > ${plain('Downloaded')}`,
      expect.stringMatching(/ > FirmwareStatusNotification Installing$/),
    ]);
    expect(world.central.transactions[0]?.stop).toMatchObject({ reason: 'Local' });
    expect(world.exits).toEqual(['reset']);
  });

  it('stays Unavailable whatever ChangeAvailability says, and after a restart from the first status on', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, (world) => signedUpdate({}, { installDateTime: inS(world, 30) })(world)],
        // Its connector is in use again when the time comes.
        [10, charge],
        [40, play.call('ChangeAvailability', { connectorId: 1, type: 'Operative' })],
        [50, play.restart('kill', 1)],
      ],
      55,
    );
    expect(log).toContain(`0 > ${signed('InstallScheduled')}`);
    expect(log.filter((line) => line.includes('InstallScheduled'))).toHaveLength(1);
    const afterRestart = log.slice(log.indexOf('51 > BootNotification = Accepted'));
    expect(afterRestart).toContain('51 > StatusNotification 1 Unavailable');
    expect(afterRestart).not.toContain('51 > StatusNotification 1 Available');
    expect(told(world).slice(-3)).toEqual(['InstallScheduled', 'Installing', 'InstallRebooting']);
  });

  it('gives back only what ChangeAvailability has not taken', async () => {
    const world = await firmwareWorld({ ...TWO, inputs: { result: 'installFail' } });
    const log = await story(
      world,
      [
        [0, play.call('ChangeAvailability', { connectorId: 2, type: 'Inoperative' })],
        [5, update()],
      ],
      20,
    );
    expect(log.filter((line) => / StatusNotification \d/.test(line))).toEqual([
      '0 > StatusNotification 2 Unavailable',
      '5 > StatusNotification 1 Unavailable',
      '6 > StatusNotification 1 Available',
    ]);
  });

  it('retrieves at retrieveDateTime, also after a restart, and says once that it waits (L01.FR.13)', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, (world) => signedUpdate({}, { retrieveDateTime: inS(world, 600) })(world)],
        [100, play.restart('kill', 100)],
      ],
      599,
    );
    expect(log.filter((line) => line.includes('Firmware'))).toEqual([
      '0 < SignedUpdateFirmware = Accepted',
      `0 > ${signed('DownloadScheduled')}`,
    ]);
    expect(world.transfers.downloads).toEqual([]);
    await world.clock.advance(seconds(5));
    expect(told(world)).toEqual(['DownloadScheduled', ...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('UpdateFirmware retrieves at retrieveDate, also after a power cut', async () => {
    const world = await firmwareWorld();
    const retrieveDate = inS(world, 600);
    await story(
      world,
      [
        [0, update({ retrieveDate })],
        [100, play.restart('powerCut', 100)],
      ],
      599,
    );
    expect(told(world)).toEqual([]);
    await world.clock.advance(seconds(5));
    expect(told(world)).toEqual(['Downloading', 'Downloaded', 'Installing']);
  });

  it('installs at installDateTime; until then the connectors are free (L01.FR.16)', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [[0, (world) => signedUpdate({}, { installDateTime: inS(world, 300) })(world)]],
      320,
    );
    expect(log).toEqual([
      '0 < SignedUpdateFirmware = Accepted',
      ...[...RETRIEVED, 'InstallScheduled'].map((status) => `0 > ${signed(status)}`),
      '300 > StatusNotification 1 Unavailable',
      `300 > ${signed('Installing')}`,
      `301 > ${signed('InstallRebooting')}`,
    ]);
  });

  it('installs at once what should have been installed long ago', async () => {
    const world = await firmwareWorld();
    await story(world, [[0, signedUpdate({}, { installDateTime: '2020-01-01T00:00:00Z' })]], 20);
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('leaves the connectors as they are where the installer does not mind', async () => {
    const world = await firmwareWorld({ inputs: { keepAvailable: true, reboot: false } });
    const log = await story(world, [[0, update()]], 20);
    expect(log.filter((line) => line.includes('StatusNotification 1'))).toEqual([]);
    expect(told(world)).toEqual(['Downloading', 'Downloaded', 'Installing', 'Installed']);
  });

  it('a transaction that began meanwhile is over before the restart', async () => {
    const world = await firmwareWorld({ inputs: { keepAvailable: true, installMs: seconds(30) } });
    await story(
      world,
      [
        [0, update()],
        [5, charge],
        [60, ({ exits }) => expect(exits).toEqual([])],
        [60, play.tag('ABC', [1])],
      ],
      80,
    );
    expect(world.central.transactions[0]?.stop).toMatchObject({ reason: 'Local' });
    expect(world.exits).toEqual(['reset']);
  });
});

describe('downloading', () => {
  it('tries 1 + retries times, retryInterval apart, and says so each time', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, 'unreachable');
    const log = await story(world, [[0, update({ retries: 2, retryInterval: 10 })]], 60);
    expect(log).toEqual([
      '0 < UpdateFirmware',
      `0 > ${plain('Downloading')}`,
      `10 > ${plain('Downloading')}`,
      `20 > ${plain('Downloading')}`,
      `20 > ${plain('DownloadFailed')}`,
    ]);
    expect(world.transfers.downloads.map(({ options }) => options.resume)).toEqual([true, true, true]);
  });

  it('goes on when a later attempt succeeds', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, 'truncated');
    await story(
      world,
      [
        [0, signedUpdate({ retries: 5, retryInterval: 10 })],
        [15, ({ transfers }) => transfers.served.set(URL_OF_IMAGE, IMAGE)],
      ],
      40,
    );
    const broken = ['Downloading', 'DownloadPaused'];
    expect(told(world)).toEqual([...broken, ...broken, ...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('goes on after a restart in a pause, and says so (L01.FR.14)', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, 'truncated');
    await story(
      world,
      [
        [0, signedUpdate({ retries: 1, retryInterval: 60 })],
        [10, play.restart('kill', 1)],
        [20, ({ transfers }) => transfers.served.set(URL_OF_IMAGE, IMAGE)],
      ],
      90,
    );
    expect(told(world)).toEqual(['Downloading', 'DownloadPaused', ...RETRIEVED, 'Installing', 'InstallRebooting']);
    expect(world.transfers.downloads).toHaveLength(2);
  });

  it.each<[string, TransferErrorCode, number]>([
    ['nothing has come', 'unreachable', 10],
    ['the next attempt is made at once', 'truncated', 0],
  ])('is not paused where %s', async (_, code, retryInterval) => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, code);
    await story(world, [[0, signedUpdate({ retries: 1, retryInterval })]], 30);
    expect(world.transfers.downloads).toHaveLength(2);
    expect(new Set(told(world))).toEqual(new Set(['Downloading', 'DownloadFailed']));
  });

  it('UpdateFirmware has no word for a pause', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, 'truncated');
    await story(world, [[0, update({ retries: 1, retryInterval: 10 })]], 30);
    expect(told(world)).toEqual(['Downloading', 'Downloading', 'DownloadFailed']);
  });

  it.each<TransferErrorCode>(['diskFull', 'truncated', 'notFound', 'tls', 'timeout', 'tooLarge'])(
    'fails with %s: nothing is installed, nothing is left, and the connector was never taken away',
    async (code) => {
      const world = await firmwareWorld();
      world.transfers.served.set(URL_OF_IMAGE, code);
      const log = await story(world, [[0, signedUpdate()]], 60);
      expect(log).toEqual([
        '0 < SignedUpdateFirmware = Accepted',
        `0 > ${signed('Downloading')}`,
        `0 > ${signed('DownloadFailed')}`,
      ]);
      expect(world.firmwareFile.files.size).toBe(0);
    },
  );

  it('does not try again what cannot succeed', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set(URL_OF_IMAGE, 'unsupported');
    await story(world, [[0, update({ retries: 5, retryInterval: 1 })]], 60);
    expect(told(world)).toEqual(['Downloading', 'DownloadFailed']);
  });

  it('fails where the disk cannot be written', async () => {
    const world = await firmwareWorld();
    world.firmwareFile.broken = true;
    await story(world, [[0, update()]], 60);
    expect(told(world)).toEqual(['DownloadFailed']);
  });

  it('trusts the roots of the central system', async () => {
    const world = await firmwareWorld();
    await story(world, [[0, update()]], 1);
    expect(world.transfers.downloads[0]?.options.certificateAuthorities).toEqual([]);
  });
});

describe('the signing certificate (L01.FR.23, L01.FR.24)', () => {
  it.each<[string, Payload]>([
    ['of another manufacturer', { signingCertificate: fixture('stranger.pem') }],
    ['that has expired', { signingCertificate: fixture('expired.pem') }],
    ['that is not for signing', { signingCertificate: fixture('encipherer.pem') }],
    ['that is none', { signingCertificate: 'no certificate' }],
  ])('%s: InvalidCertificate, and the event (L01.FR.02)', async (_, firmware) => {
    const world = await firmwareWorld();
    expect(await story(world, [[0, signedUpdate({}, firmware)]], 60)).toEqual([
      '0 < SignedUpdateFirmware = InvalidCertificate',
      '0 > SecurityEventNotification InvalidFirmwareSigningCertificate',
    ]);
    expect(world.transfers.downloads).toEqual([]);
  });

  it('is checked before a running update is cancelled', async () => {
    const world = await firmwareWorld();
    await story(
      world,
      [
        [0, (world) => signedUpdate({}, { retrieveDateTime: inS(world, 30) })(world)],
        [10, signedUpdate({}, { requestId: 6, signingCertificate: fixture('stranger.pem') })],
      ],
      60,
    );
    expect(told(world)).toEqual(['DownloadScheduled', ...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('is checked again before its signature is believed', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, (world) => signedUpdate({}, { retrieveDateTime: inS(world, 30) })(world)],
        [10, ({ clock }) => clock.jumpTo(Date.UTC(2130, 0, 1))],
      ],
      60,
    );
    expect(log.slice(-2)).toEqual([
      expect.stringContaining('SecurityEventNotification InvalidFirmwareSigningCertificate'),
      expect.stringContaining(signed('InvalidSignature')),
    ]);
  });
});

describe('a second request (L01.FR.26, L01.FR.27)', () => {
  it('takes the place of one that waits', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, (world) => signedUpdate({}, { installDateTime: inS(world, 300) })(world)],
        [10, signedUpdate({}, { requestId: 6 })],
      ],
      20,
    );
    expect(log.slice(5)).toEqual([
      '10 < SignedUpdateFirmware = AcceptedCanceled',
      ...RETRIEVED.map((status) => `10 > SignedFirmwareStatusNotification ${status} 6`),
      '10 > StatusNotification 1 Unavailable',
      '10 > SignedFirmwareStatusNotification Installing 6',
      '11 > SignedFirmwareStatusNotification InstallRebooting 6',
    ]);
  });

  it('gives the connectors back when it cancels one that waited for a transaction', async () => {
    const world = await firmwareWorld(TWO);
    await charge(world);
    const log = await story(
      world,
      [
        [0, signedUpdate()],
        [10, signedUpdate({}, { requestId: 6, location: 'https://files.example/none' })],
      ],
      20,
    );
    expect(log.slice(-4)).toEqual([
      '10 < SignedUpdateFirmware = AcceptedCanceled',
      '10 > StatusNotification 2 Available',
      '10 > SignedFirmwareStatusNotification Downloading 6',
      '10 > SignedFirmwareStatusNotification DownloadFailed 6',
    ]);
  });

  it('never installs the image of the one before', async () => {
    const world = await firmwareWorld();
    world.transfers.served.set('https://files.example/other', TAMPERED);
    await story(
      world,
      [
        [0, (world) => signedUpdate({}, { installDateTime: inS(world, 300) })(world)],
        [10, signedUpdate({}, { requestId: 6, location: 'https://files.example/other' })],
      ],
      20,
    );
    expect(told(world).at(-1)).toBe('InvalidSignature');
  });

  it('is Rejected while one is being installed, and changes nothing', async () => {
    const world = await firmwareWorld({ inputs: { installMs: seconds(30), reboot: false } });
    const log = await story(
      world,
      [
        [0, signedUpdate()],
        [10, signedUpdate({}, { requestId: 6 })],
        [11, update()],
      ],
      60,
    );
    expect(log).toContain('10 < SignedUpdateFirmware = Rejected');
    expect(log).toContain('11 < UpdateFirmware = CALLERROR GenericError');
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'Installed']);
  });

  it('is Rejected when it cannot be stored, and the one before goes on', async () => {
    const world = await firmwareWorld();
    const log = await story(
      world,
      [
        [0, (world) => signedUpdate({}, { installDateTime: inS(world, 30) })(world)],
        [10, ({ disk }) => disk.failWrites(true)],
        [10, signedUpdate({}, { requestId: 6 })],
        [11, ({ disk }) => disk.failWrites(false)],
      ],
      60,
    );
    expect(log).toContain('10 < SignedUpdateFirmware = Rejected');
    expect(told(world)).toEqual([...RETRIEVED, 'InstallScheduled', 'Installing', 'InstallRebooting']);
  });
});

describe('what is not supported', () => {
  it('UpdateFirmware where only signed firmware is installed (L01.FR.20)', async () => {
    const world = await firmwareWorld({ firmwareConfig: { allowUnsigned: false } });
    const log = await story(
      world,
      [
        [0, update()],
        [5, signedUpdate()],
      ],
      20,
    );
    expect(log[0]).toBe('0 < UpdateFirmware = CALLERROR NotSupported');
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('UpdateFirmware where the profile is off; SignedUpdateFirmware is no part of it', async () => {
    const world = await firmwareWorld({ keys: { SupportedFeatureProfiles: 'Core,RemoteTrigger' } });
    const log = await story(
      world,
      [
        [0, update()],
        [1, play.call('TriggerMessage', { requestedMessage: 'FirmwareStatusNotification' })],
        [5, signedUpdate()],
      ],
      20,
    );
    expect(log.slice(0, 3)).toEqual([
      '0 < UpdateFirmware = CALLERROR NotSupported',
      '1 < TriggerMessage = NotImplemented',
      '5 < SignedUpdateFirmware = Accepted',
    ]);
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting']);
  });
});

describe('the status on request', () => {
  const trigger = (world: World) =>
    asking(world, 'TriggerMessage', { requestedMessage: 'FirmwareStatusNotification' }, 1);
  const extended = (world: World) =>
    asking(world, 'ExtendedTriggerMessage', { requestedMessage: 'FirmwareStatusNotification' }, 1);

  it('TC_054: FirmwareStatusNotification is Idle where nothing goes on', async () => {
    const world = await firmwareWorld();
    expect(await trigger(world)).toEqual(['0 < TriggerMessage = Accepted', `0 > ${plain('Idle')}`]);
    expect(await extended(world)).toEqual([
      '0 < ExtendedTriggerMessage = Accepted',
      '0 > SignedFirmwareStatusNotification Idle',
    ]);
  });

  it('is the present one during an update', async () => {
    const world = await firmwareWorld();
    await charge(world);
    await story(world, [[0, signedUpdate()]], 5);
    expect(await trigger(world)).toEqual(['0 < TriggerMessage = Accepted', `0 > ${plain('Downloaded')}`]);
    expect(await extended(world)).toContain(`0 > ${signed('InstallScheduled')}`);
  });

  it('is the last one after a failure, and Idle after Installed (L01.FR.28, L01.FR.29)', async () => {
    const world = await firmwareWorld({ inputs: { reboot: false } });
    world.transfers.served.set(URL_OF_IMAGE, TAMPERED);
    await story(world, [[0, signedUpdate()]], 5);
    expect(await trigger(world)).toContain(`0 > ${plain('Idle')}`);
    expect(await extended(world)).toContain(`0 > ${signed('InvalidSignature')}`);
    world.transfers.served.set(URL_OF_IMAGE, IMAGE);
    await story(world, [[0, signedUpdate()]], 5);
    expect(told(world).at(-1)).toBe('Installed');
    expect(await extended(world)).toContain('0 > SignedFirmwareStatusNotification Idle');
  });

  it('of UpdateFirmware is none of SignedUpdateFirmware', async () => {
    const world = await firmwareWorld({ inputs: { installMs: seconds(30) } });
    await story(world, [[0, update()]], 5);
    expect(await trigger(world)).toContain(`0 > ${plain('Installing')}`);
    expect(await extended(world)).toContain('0 > SignedFirmwareStatusNotification Idle');
  });
});

describe('the statuses', () => {
  it('wait for the link, and go in order', async () => {
    const world = await firmwareWorld({ inputs: { reboot: false } });
    await story(
      world,
      [
        [0, (world) => update({ retrieveDate: inS(world, 10) })(world)],
        [5, play.cut],
        [60, play.restore],
      ],
      70,
    );
    expect(told(world)).toEqual(['Downloading', 'Downloaded', 'Installing', 'Installed']);
  });

  it('are given up where the central system does not know them', async () => {
    const world = await firmwareWorld({ inputs: { reboot: false } });
    world.central.answer('FirmwareStatusNotification', () => ['callError', 'NotImplemented']);
    await story(world, [[0, update()]], 20);
    expect(told(world)).toEqual(['Downloading', 'Downloaded', 'Installing', 'Installed']);
  });

  it('are said three times to a central system that does not answer, and the update does not wait for it', async () => {
    const world = await firmwareWorld();
    world.central.answer('FirmwareStatusNotification', () => 'silence');
    await story(world, [[0, update()]], 60);
    expect(world.exits).toEqual(['reset']);
  });
});

describe('the security event FirmwareUpdated', () => {
  const events = async (world: World) =>
    (await world.disk.read<{ type: string; techInfo?: string }>({ from: 'security/log/', to: 'security/log0' }))
      .filter(([, { type }]) => type !== 'StartupOfTheDevice' && type !== 'ReconfigurationOfSecurityParameters')
      .map(([, { type, techInfo }]) => `${type}: ${techInfo}`);
  const UNSIGNED = 'FirmwareUpdated: UpdateFirmware';
  const SIGNED = 'FirmwareUpdated: requestId 5';
  const REBOOT = 'ResetOrReboot: firmware update';

  it.each([
    ['signed', signedUpdate(), SIGNED],
    ['unsigned', update(), UNSIGNED],
  ])(
    'comes once after a %s update without a restart, also where the next start is the first of it',
    async (_, ask, event) => {
      const world = await firmwareWorld({ inputs: { reboot: false }, version: '1.0' });
      await story(world, [[0, ask]], 5);
      expect(told(world).at(-1)).toBe('Installed');
      expect(await events(world)).toEqual([event]);
      for (const version of ['2.0', '2.0']) {
        world.edit({ version });
        await story(world, [[0, play.restart('powerCut', 1)]], 5);
      }
      expect(await events(world)).toEqual([event]);
    },
  );

  it.each([
    ['signed', signedUpdate(), SIGNED],
    ['unsigned', update(), UNSIGNED],
  ])('comes once after a %s update with a restart, which is told as well', async (_, ask, event) => {
    const world = await firmwareWorld({ version: '1.0', prepare: (central) => (central.showsBootEvents = true) });
    await story(world, [[0, ask]], 5);
    expect(world.exits).toEqual(['reset']);
    world.edit({ version: '2.0' });
    for (let starts = 0; starts < 2; starts++) await story(world, [[0, play.restart('kill', 1)]], 5);
    expect(await events(world)).toEqual([REBOOT, event]);
    const types = world.central.received('SecurityEventNotification').map(({ type }) => type);
    expect(types.filter((type) => type !== 'StartupOfTheDevice')).toEqual(['ResetOrReboot', 'FirmwareUpdated']);
  });

  it.each([
    ['stays', ['2.0', '2.0', '2.0'], [REBOOT, UNSIGNED]],
    ['is given up', ['2.0', '1.0', '1.0'], [REBOOT]],
  ])('comes after the trial of what was installed, where that %s', async (_, versions, expected) => {
    const world = await firmwareWorld({ version: '1.0' });
    await story(world, [[0, update()]], 5);
    for (const [index, version] of versions.entries()) {
      world.edit({ version });
      world.onTrial = index === 0;
      world.exits.length = 0;
      await world.kill();
      if (version === '1.0') {
        // What a boot counter does with a release that does not come up.
        const store = world.disk.open();
        await store.batch([{ type: 'put', key: 'bench/firmware', value: 0 }], 'durable');
        await store.close();
      }
      await world.boot();
      await world.clock.advance(seconds(5));
      if (index === 0) expect(await events(world)).toEqual([REBOOT]);
    }
    expect(await events(world)).toEqual(expected);
  });

  it('does not come after one that has failed', async () => {
    const world = await firmwareWorld({ inputs: { result: 'installFail' } });
    await story(world, [[0, update()]], 5);
    expect(told(world).at(-1)).toBe('InstallationFailed');
    expect(await events(world)).toEqual([]);
  });

  it('comes once after an update by hand, also a power cut later; the first start is none', async () => {
    const world = await World.start({ version: '1.0' });
    expect(await events(world)).toEqual([]);
    for (const version of ['2.0', '2.0', '1.5']) {
      world.edit({ version });
      await story(world, [[0, play.restart('powerCut', 1)]], 5);
    }
    expect(await events(world)).toEqual([
      'FirmwareUpdated: by hand: 2.0, before 1.0',
      'FirmwareUpdated: by hand: 1.5, before 2.0',
    ]);
  });

  it('comes after the trial of an update by hand, and not at all where the version before returns', async () => {
    const world = await World.start({ version: '1.0' });
    world.onTrial = true;
    world.edit({ version: '2.0' });
    await story(world, [[0, play.restart('kill', 1)]], 60);
    world.onTrial = false;
    world.edit({ version: '1.0' });
    await story(world, [[0, play.restart('kill', 1)]], 60);
    expect(await events(world)).toEqual([]);
    world.onTrial = true;
    world.edit({ version: '2.1' });
    await story(world, [[0, play.restart('kill', 1)]], 60);
    expect(await events(world)).toEqual([]);
    world.onTrial = false;
    await world.clock.advance(seconds(5));
    await story(world, [[0, play.restart('kill', 1)]], 60);
    expect(await events(world)).toEqual(['FirmwareUpdated: by hand: 2.1, before 1.0']);
  });
});

describe('secrets', () => {
  it('of the location are in no log and in nothing that we say', async () => {
    const world = await firmwareWorld();
    const location = 'https://user:CANARY1@files.example/image?token=CANARY2';
    await story(world, [[0, update({ location, retries: 1, retryInterval: 1 })]], 20);
    expect(told(world).at(-1)).toBe('DownloadFailed');
    expect(JSON.stringify(world.logged)).not.toMatch(/CANARY/);
    const said = world.wire.filter(({ dir }) => dir === 'tx').map(({ frame }) => frame);
    expect(JSON.stringify(said)).not.toMatch(/CANARY/);
  });
});

describe('a kill at any status', () => {
  const SIGNED = [...RETRIEVED, 'Installing', 'InstallRebooting', 'Installed'];
  const SCHEDULED = [
    'DownloadScheduled',
    ...RETRIEVED,
    'InstallScheduled',
    'Installing',
    'InstallRebooting',
    'Installed',
  ];
  const PLAIN = ['Downloading', 'Downloaded', 'Installing', 'Installed'];
  const scheduled = (world: World): Payload => ({
    retrieveDateTime: inS(world, 5),
    installDateTime: inS(world, 10),
  });
  const asked = {
    signed: signedUpdate(),
    scheduled: (world: World) => signedUpdate({}, scheduled(world))(world),
    plain: update(),
  };
  const moments = (['settled', 'in flight'] as const).flatMap((how) => [
    ...SIGNED.map((status) => ['signed', status, how, SIGNED] as const),
    ...SCHEDULED.map((status) => ['scheduled', status, how, SCHEDULED] as const),
    ...PLAIN.map((status) => ['plain', status, how, PLAIN] as const),
  ]);

  /** `in flight`: the frame has arrived, its answer is never seen. `settled`: a moment later. */
  async function killedAt(
    world: World,
    ask: (world: World) => unknown,
    at: string,
    how: 'settled' | 'in flight',
  ): Promise<readonly unknown[]> {
    let isDue = false;
    let isOver = false;
    let killed: Promise<void> | undefined;
    let before: readonly unknown[] = [];
    const answer = ({ status }: Payload) => {
      if (status !== at || isOver) return {};
      isOver = true;
      isDue = how === 'settled';
      if (isDue) return {};
      // What this frame says is on the wire, and no more.
      killed = world.kill();
      // What is left of this step of the clock must not see the dead process dial again.
      world.network.reachable = false;
      before = [...told(world)];
      return 'silence';
    };
    for (const action of ['FirmwareStatusNotification', 'SignedFirmwareStatusNotification'])
      world.central.answer(action, answer);
    // The answer is not waited for: the kill may be faster.
    void ask(world);
    for (let step = 0; step < 100; step++) {
      await world.clock.advance(200);
      if (isDue) {
        isDue = false;
        before = [...told(world)];
        killed = world.kill();
      }
      if (killed !== undefined) {
        await killed;
        killed = undefined;
        world.network.reachable = true;
        world.exits.length = 0;
        await world.boot();
      } else if (world.exits.length > 0) await play.restart('kill', 1)(world);
    }
    return before;
  }

  it.each(moments)('%s, %s, %s: nothing lost, nothing twice', async (kind, at, how, all) => {
    const world = await firmwareWorld();
    // A download takes a while, so that there is something to be killed.
    const keep = world.transfers.onDownloaded;
    world.transfers.onDownloaded = async (file, content) => {
      await new Promise<void>((resolve) => void world.clock.after(seconds(1), resolve));
      await keep(file, content);
    };
    const before = await killedAt(world, asked[kind], at, how);
    if (how === 'in flight') expect(before.at(-1)).toBe(at);
    else expect(before).toContain(at);
    // In the middle of the installation: the old version runs.
    const isCutOff = before.at(-1) === 'Installing';
    const expected = isCutOff ? [...all.slice(0, all.indexOf('Installing') + 1), 'InstallationFailed'] : all;
    const seen = told(world);
    expect(seen.filter((status, index) => status !== seen[index - 1])).toEqual(expected);
    // The one in flight at a kill may be repeated once, as every fact in the outbox.
    const repeated = seen.filter((status, index) => status === seen[index - 1]);
    expect(repeated).toEqual(how === 'in flight' ? [at] : []);
    expect(world.agent.view().connectors).toMatchObject([{ status: 'Available' }]);
    expect(world.firmwareFile.files.size).toBe(0);
  });

  it('the old version is back after the restart: InstallationFailed', async () => {
    const world = await firmwareWorld();
    await story(world, [[0, signedUpdate()]], 5);
    expect(world.exits).toEqual(['reset']);
    await world.kill();
    // What a boot counter does with a release that does not come up.
    const store = world.disk.open();
    await store.batch([{ type: 'put', key: 'bench/firmware', value: 0 }], 'durable');
    await store.close();
    await world.boot();
    await world.clock.advance(minutes(1));
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting', 'InstallationFailed']);
  });

  it('a version on trial says that it is installed once it stays', async () => {
    const world = await firmwareWorld();
    await story(
      world,
      [
        [0, signedUpdate()],
        [5, (world) => Object.assign(world, { onTrial: true })],
        [5, play.restart('kill', 1)],
        [60, signedUpdate({}, { requestId: 6 })],
        [70, play.restart('kill', 1)],
      ],
      90,
    );
    expect(told(world).at(-1)).toBe('InstallRebooting');
    expect(world.central.wire.map(({ frame }) => frame)).toContainEqual([
      3,
      expect.any(String),
      { status: 'Rejected' },
    ]);
    expect(world.agent.view().connectors).toMatchObject([{ status: 'Available' }]);
    world.onTrial = false;
    await world.clock.advance(seconds(5));
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting', 'Installed']);
    expect(world.exits).toEqual([]);
  });

  it('an image that was whole before the kill is not downloaded again', async () => {
    const world = await firmwareWorld();
    const keep = world.transfers.onDownloaded;
    world.transfers.onDownloaded = async (file, content) => {
      await keep(file, content);
      await new Promise(() => {});
    };
    await story(
      world,
      [
        [0, signedUpdate()],
        [5, play.restart('kill', 1)],
      ],
      20,
    );
    expect(world.transfers.downloads).toHaveLength(1);
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('what was left of an update that is over is removed at the next start', async () => {
    const world = await firmwareWorld();
    world.firmwareFile.files.set('/virtual/state/firmware/image.part', IMAGE);
    world.transfers.served.set(URL_OF_IMAGE, 'truncated');
    await story(
      world,
      [
        [0, update()],
        [5, play.restart('kill', 1)],
      ],
      20,
    );
    expect(world.firmwareFile.files.size).toBe(0);
  });
});

describe('a fresh charge point', () => {
  const shippedWith = (manufacturerRoots: readonly string[]) =>
    firmwareWorld({ firmwareConfig: { allowUnsigned: false, manufacturerRoots }, installsRoot: false });

  it('takes an update that is signed below the root in firmware.rootFile, which nobody has sent to it', async () => {
    const world = await shippedWith([fixture('root.pem')]);
    const log = await story(world, [[0, signedUpdate()]], 30);
    expect(log[0]).toBe('0 < SignedUpdateFirmware = Accepted');
    expect(told(world)).toEqual([...RETRIEVED, 'Installing', 'InstallRebooting']);
  });

  it('without a root takes none', async () => {
    const world = await shippedWith([]);
    const log = await story(world, [[0, signedUpdate()]], 30);
    expect(log).toContain('0 < SignedUpdateFirmware = InvalidCertificate');
    expect(told(world)).toEqual([]);
  });
});
