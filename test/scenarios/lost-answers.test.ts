/**
 * The link goes while what the central system has asked for is on its way to the disk: what is durable is in force although nobody was
 * told, and what only makes sense if somebody was told has come to nothing.
 */
import { describe, expect, it } from 'vitest';
import { firmwareWorld, fixture, URL_OF_IMAGE } from '../sim/firmware.ts';
import type { Payload } from '../sim/network.ts';
import { charge, inS, ofAll, offerA, profile, starts, TWO } from '../sim/smart-charging.ts';
import { minutes, seconds, settle } from '../sim/virtual-clock.ts';
import type { World } from '../sim/world.ts';

const reservation = (world: World): Payload => ({
  connectorId: 2,
  expiryDate: inS(world, 24 * 3600),
  idTag: 'MINE',
  reservationId: 7,
});
const LIMIT = { connectorId: 0, csChargingProfiles: ofAll({ periods: [[0, 10]] }) };
/** Seconds. Between the two looks. */
const LATER = 1800;

interface Command {
  readonly action: string;
  readonly payload: (world: World) => Payload;
  /** Where the disk keeps it. */
  readonly key: string;
  readonly before?: (world: World) => Promise<unknown>;
}

const COMMANDS: readonly Command[] = [
  { action: 'SetChargingProfile', payload: () => LIMIT, key: 'charging-profile/' },
  {
    action: 'ClearChargingProfile',
    payload: () => ({}),
    key: 'charging-profile/',
    before: ({ central }) => central.call('SetChargingProfile', LIMIT),
  },
  { action: 'ReserveNow', payload: reservation, key: 'reservation/' },
  {
    action: 'CancelReservation',
    payload: () => ({ reservationId: 7 }),
    key: 'reservation/',
    before: (world) => world.central.call('ReserveNow', reservation(world)),
  },
  {
    action: 'ChangeAvailability',
    payload: () => ({ connectorId: 2, type: 'Inoperative' }),
    key: 'availability/',
  },
  {
    action: 'UpdateFirmware',
    payload: (world) => ({ location: URL_OF_IMAGE, retrieveDate: inS(world, LATER) }),
    key: 'firmware/',
  },
  {
    action: 'SignedUpdateFirmware',
    payload: (world) => ({
      requestId: 5,
      firmware: {
        location: URL_OF_IMAGE,
        retrieveDateTime: inS(world, LATER),
        signingCertificate: fixture('signer.pem'),
        signature: fixture('signature.txt'),
      },
    }),
    key: 'firmware/',
  },
];

/** All that a command may have an effect on: what is said, offered and downloaded. */
const inForce = (world: World): unknown => ({
  said: TWO.map(
    ({ id }) => world.central.received('StatusNotification').findLast((each) => each['connectorId'] === id)?.['status'],
  ),
  connectors: world.agent.view().connectors.map(({ status, limitA }) => ({ status, limitA })),
  offered: offerA(world),
  downloads: world.transfers.downloads.length,
});

/** An EV charges on connector 1 when the command comes. */
async function commanded(
  { action, payload, key, before }: Command,
  meanwhile: (world: World) => unknown,
): Promise<World> {
  const world = await firmwareWorld({ connectors: TWO });
  await charge(world);
  await before?.(world);
  await world.clock.advance(seconds(5));
  world.disk.during(key, () => meanwhile(world));
  void world.central.call(action, payload(world));
  await settle();
  return world;
}

describe.each(COMMANDS)('$action whose answer got lost', (command) => {
  it.each([1, 120])('is in force as if it had been heard, %i minutes later', async (n) => {
    const worlds = await Promise.all([
      commanded(command, () => {}),
      commanded(command, ({ central }) => central.close()),
    ]);
    for (const { clock } of worlds) await clock.advance(minutes(n));
    const [heard, unheard] = worlds;
    expect(unheard.central.connected).toBe(true);
    expect(inForce(unheard)).toEqual(inForce(heard));
  });
});

describe.each(COMMANDS)('$action that is stored when the process has ended', ({ action, payload, key, before }) => {
  it('begins nothing any more', async () => {
    const world = await firmwareWorld({ connectors: TWO });
    await before?.(world);
    world.disk.during(key, () => {
      void world.agent.stop('Reboot');
      return new Promise<void>((resolve) => world.clock.after(seconds(10), resolve));
    });
    void world.central.call(action, payload(world));
    await world.clock.advance(minutes(1));
    const { armed } = world.clock;
    await world.clock.advance(minutes(120));
    expect({ armed, downloads: world.transfers.downloads.length }).toEqual({ armed: 0, downloads: 0 });
  });
});

describe('ChangeAvailability', () => {
  it('that is still on its way when the next one comes on another link is not undone by it', async () => {
    const world = await firmwareWorld({ connectors: TWO });
    const off = (connectorId: number) => world.central.call('ChangeAvailability', { connectorId, type: 'Inoperative' });
    world.disk.during('availability/', () => {
      world.central.close();
      return new Promise<void>((resolve) => world.clock.after(seconds(20), resolve));
    });
    void off(1);
    await world.clock.advance(seconds(10));
    expect(world.central.connected).toBe(true);
    void off(2);
    await world.clock.advance(seconds(20));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(world.agent.view().connectors.map(({ status }) => status)).toEqual(['Unavailable', 'Unavailable']);
  });
});

describe('RemoteStartTransaction with a profile', () => {
  it('that was not answered has come to nothing: its profile bounds no later transaction', async () => {
    const world = await firmwareWorld({ connectors: TWO });
    world.disk.during('charging-profile-awaited/', () => world.central.close());
    void world.central.call('RemoteStartTransaction', { connectorId: 1, idTag: 'ABC', chargingProfile: profile() });
    await world.clock.advance(minutes(1));
    expect(starts(world)).toEqual([]);
    await charge(world);
    expect([starts(world).length, offerA(world)]).toEqual([1, 32]);
    expect(await world.disk.read({ from: 'charging-profile-awaited/', to: 'charging-profile-awaited0' })).toEqual([]);
  });
});

describe.each([
  ['GetDiagnostics', { location: 'https://files.example/' }],
  ['GetLog', { logType: 'SecurityLog', requestId: 5, log: { remoteLocation: 'https://files.example/' } }],
])('%s', (action, payload) => {
  it('that was not answered has come to nothing: nothing is said of it, also after a restart', async () => {
    const world = await firmwareWorld();
    for (const report of ['DiagnosticsStatusNotification', 'LogStatusNotification'])
      world.central.answer(report, () => ({}));
    world.disk.during('diagnostics/', () => world.central.close());
    void world.central.call(action, payload);
    await world.clock.advance(minutes(1));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(minutes(1));
    expect(world.story().filter((line) => /^(Diagnostics|Log)Status/.test(line))).toEqual([]);
    expect(world.transfers.uploads).toEqual([]);
  });
});

describe('a bad certificate', () => {
  it.each<[string, Payload, string]>([
    [
      'InstallCertificate',
      { certificateType: 'CentralSystemRootCertificate', certificate: 'none' },
      'InvalidCentralSystemCertificate',
    ],
    ['CertificateSigned', { certificateChain: 'none' }, 'InvalidChargePointCertificate'],
    [
      'SignedUpdateFirmware',
      {
        requestId: 5,
        firmware: {
          location: URL_OF_IMAGE,
          retrieveDateTime: '2026-01-05T07:00:00Z',
          signingCertificate: 'none',
          signature: 'x',
        },
      },
      'InvalidFirmwareSigningCertificate',
    ],
  ])('in %s is told of, although the answer got lost', async (action, payload, event) => {
    const world = await firmwareWorld();
    void world.central.call(action, payload);
    world.central.close();
    await world.clock.advance(minutes(1));
    expect(world.central.received('SecurityEventNotification').map(({ type }) => type)).toEqual([event]);
  });
});
