/** What the central system of a virtual world does with certificates. */
import type { Payload } from './network.ts';
import * as play from './transcript.ts';
import { seconds } from './virtual-clock.ts';
import { World, type WorldOptions } from './world.ts';

export const CENTRAL_SYSTEM = 'CentralSystemRootCertificate';
export const MANUFACTURER = 'ManufacturerRootCertificate';

/** With a serial number and the name of its operator. */
export const operated = (more: WorldOptions = {}): WorldOptions => ({
  chargePoint: { serialNumber: 'SN-0001' },
  ...more,
  keys: { CpoName: 'Test CPO', ...more.keys },
});

/** Takes every signing request. */
export async function startWorld(options: WorldOptions = operated()): Promise<World> {
  return World.start({
    ...options,
    prepare: (central) => {
      central.answer('SignCertificate', () => ({ status: 'Accepted' }));
      central.answer('SecurityEventNotification', () => ({}));
      options.prepare?.(central);
    },
  });
}

/** The status of a call, its conf as it stands if it has none, or the code of a CALLERROR. */
export async function asked(world: World, action: string, payload: Payload): Promise<unknown> {
  let answer: Payload | string | undefined;
  const call = world.central.call(action, payload).then((given) => {
    answer = given;
  });
  // Signing and verifying take turns of the event loop, not of the virtual clock.
  for (let i = 0; i < 50 && answer === undefined; i++) await world.clock.advance(0);
  await call;
  return typeof answer === 'string' ? answer : answer?.['status'];
}

export const install = (world: World, certificate: string, certificateType = CENTRAL_SYSTEM): Promise<unknown> =>
  asked(world, 'InstallCertificate', { certificateType, certificate });

export const trigger = (world: World, requestedMessage = 'SignChargePointCertificate'): Promise<unknown> =>
  asked(world, 'ExtendedTriggerMessage', { requestedMessage });

export const signed = (world: World, certificateChain: string): Promise<unknown> =>
  asked(world, 'CertificateSigned', { certificateChain });

export async function installed(world: World, certificateType = CENTRAL_SYSTEM): Promise<readonly Payload[]> {
  const answer = (await world.central.call('GetInstalledCertificateIds', { certificateType })) as Payload;
  return (answer['certificateHashData'] as readonly Payload[] | undefined) ?? [];
}

/** Every signing request so far. */
export const requests = ({ central }: World): readonly string[] =>
  central.received('SignCertificate').map(({ csr }) => String(csr));

/** The next signing request after a trigger. */
export async function request(world: World): Promise<string> {
  const before = requests(world).length;
  const status = await trigger(world);
  for (let i = 0; i < 20 && requests(world).length === before; i++) await world.clock.advance(100);
  const csr = requests(world)[before];
  if (csr === undefined) throw new Error(`no signing request after ${String(status)}`);
  await world.clock.advance(100);
  return csr;
}

export const eventsOf = ({ central }: World): readonly unknown[] =>
  central.received('SecurityEventNotification').map(({ type }) => type);

export const restart = (how: 'kill' | 'powerCut') => async (world: World) => {
  await play.restart(how, 1)(world);
  await world.clock.advance(seconds(5));
};
