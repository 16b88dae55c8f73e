/** What firmware stories share: an image, who has signed it, and the two messages that ask for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FirmwareInputs } from '../../src/bench/inputs.ts';
import type { Payload } from './network.ts';
import * as play from './transcript.ts';
import { World, type WorldOptions } from './world.ts';

const FIXTURES = join(import.meta.dirname, '../features/firmware/fixtures');
export const fixture = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');

export const URL_OF_IMAGE = 'https://files.example/image-2.0';
export const IMAGE = new TextEncoder().encode('firmware 2.0');
export const TAMPERED = new TextEncoder().encode('firmware 2.O');

export interface FirmwareWorldOptions extends WorldOptions {
  readonly inputs?: Partial<FirmwareInputs>;
  /** False: nobody sends InstallCertificate. Default true. */
  readonly installsRoot?: boolean;
}

/** The image is there, the manufacturer's root is installed, and the central system knows all that is said of firmware. */
export async function firmwareWorld({
  inputs = {},
  installsRoot = true,
  ...options
}: FirmwareWorldOptions = {}): Promise<World> {
  const world = await World.start({
    keys: { MeterValueSampleInterval: '0' },
    ...options,
    prepare: (central) => {
      for (const action of [
        'FirmwareStatusNotification',
        'SignedFirmwareStatusNotification',
        'SecurityEventNotification',
      ])
        central.answer(action, () => ({}));
      options.prepare?.(central);
    },
  });
  world.firmware = { ...world.firmware, ...inputs };
  world.transfers.served.set(URL_OF_IMAGE, IMAGE);
  if (!installsRoot) return world;
  const installed = await world.central.call('InstallCertificate', {
    certificateType: 'ManufacturerRootCertificate',
    certificate: fixture('root.pem'),
  });
  if (typeof installed === 'string' || installed['status'] !== 'Accepted')
    throw new Error(`the root is not installed: ${JSON.stringify(installed)}`);
  return world;
}

/** An hour before the world begins. */
const PAST = '2026-01-05T07:00:00Z';

export const update = (more: Payload = {}) =>
  play.call('UpdateFirmware', { location: URL_OF_IMAGE, retrieveDate: PAST, ...more });

export const signedUpdate = (more: Payload = {}, { requestId = 5, ...firmware }: Payload = {}) =>
  play.call('SignedUpdateFirmware', {
    requestId,
    ...more,
    firmware: {
      location: URL_OF_IMAGE,
      retrieveDateTime: PAST,
      signingCertificate: fixture('signer.pem'),
      signature: fixture('signature.txt'),
      ...firmware,
    },
  });

/** Every status that the central system was told, in the order of the wire, however often. */
export const told = ({ central }: World): readonly unknown[] =>
  [...central.calls()]
    .filter(({ frame }) => /^(Signed)?FirmwareStatusNotification$/.test(String(frame[2])))
    .map(({ frame }) => (frame[3] as Payload)['status']);
