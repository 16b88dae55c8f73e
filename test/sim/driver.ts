/** A driver, a plug and a list for the stories about who may charge: each act gives back every frame that it brought about. */
import type { Payload } from './network.ts';
import { during } from './transcript.ts';
import { seconds } from './virtual-clock.ts';
import { World, type WorldOptions } from './world.ts';

const SILENT = { MeterValueSampleInterval: '0', ConnectionTimeOut: '30' };
export const TWO = [
  { id: 1, cable: 'attached' },
  { id: 2, cable: 'attached' },
] as const;
export const SOCKET = [{ id: 1, cable: 'socket' }] as const;

export const start = (keys: Readonly<Record<string, string>> = {}, options: WorldOptions = {}): Promise<World> =>
  World.start({ ...options, keys: { ...SILENT, ...keys } });

export const tag = (world: World, idTag: string, ms = seconds(5)) => during(world, ms, () => world.present(idTag));
export const plug = (world: World, ms = seconds(5)) => during(world, ms, () => world.plugIn());
export const unplug = (world: World, ms = seconds(5)) => during(world, ms, () => world.unplug());

export const says = (world: World, status: string, more: Payload = {}): void =>
  world.central.answer('Authorize', () => ({ idTagInfo: { status, ...more } }));
/** StartTransaction is answered with this, under consecutive ids. */
export const startSays = (world: World, status: string, more: Payload = {}): void =>
  world.central.answer('StartTransaction', () => ({
    transactionId: world.central.nextTransaction++,
    idTagInfo: { status, ...more },
  }));

export const entry = (idTag: string, status = 'Accepted', more: Payload = {}) => ({
  idTag,
  idTagInfo: { status, ...more },
});
export const full = (listVersion: number, ...localAuthorizationList: Payload[]): Payload => ({
  listVersion,
  updateType: 'Full',
  localAuthorizationList,
});
export const differential = (listVersion: number, ...localAuthorizationList: Payload[]): Payload => ({
  listVersion,
  updateType: 'Differential',
  localAuthorizationList,
});
export const send = (world: World, update: Payload) => world.central.call('SendLocalList', update);
export const version = (world: World) => world.central.call('GetLocalListVersion');
export const coil = (world: World) => world.board.connector(1).observe().contactor;
export const lock = (world: World) => world.board.connector(1).observe().locked;

/** A driver whose tag is known in the cache, and who has left again. */
export async function cached(world: World, idTag: string): Promise<void> {
  await tag(world, idTag);
  await tag(world, idTag);
}
