/** A story told from a moment on: what is played, and every frame that came of it. */
import { frames, type Moment, now } from './frames.ts';
import type { Payload } from './network.ts';
import { seconds } from './virtual-clock.ts';
import type { World } from './world.ts';

/** From the first frame of the first boot on. */
export const BEGINNING: Moment = { t: 0, index: 0 };

/** Plays something and gives back every frame from its beginning to `ms` later. */
export async function during(world: World, ms: number, play: () => unknown): Promise<readonly string[]> {
  const since = now(world);
  const played = play();
  await world.clock.advance(ms);
  await played;
  return frames(world, since);
}

/** A call of the central system, its answer and all that follows within `ms`, as frames. */
export const asking = (
  world: World,
  action: string,
  payload: Payload = {},
  ms = seconds(5),
): Promise<readonly string[]> => during(world, ms, () => world.central.call(action, payload));

/** Plays the parts one after the other, each at its second of the story, and gives back every frame until `untilS`. */
export async function story(
  world: World,
  parts: readonly (readonly [atS: number, play: (world: World) => unknown])[],
  untilS: number,
): Promise<readonly string[]> {
  const since = now(world);
  const waitUntil = (s: number): Promise<void> => world.clock.advance(since.t + seconds(s) - world.clock.now());
  for (const [atS, play] of parts) {
    await waitUntil(atS);
    await play(world);
  }
  await waitUntil(untilS);
  return frames(world, since);
}

export const plugIn =
  (connectorId = 1) =>
  ({ board }: World): void =>
    board.inputs.patchConnector(connectorId, { ev: { plugged: true } });

export const unplug =
  (connectorId = 1) =>
  ({ board }: World): void =>
    board.inputs.patchConnector(connectorId, { ev: { plugged: false, end: 'cable' } });

export const tag =
  (idTag: string, connectors?: readonly number[]) =>
  ({ board }: World): void =>
    board.inputs.present(idTag, connectors);

export const call =
  (action: string, payload: Payload = {}) =>
  ({ central }: World): Promise<Payload | string> =>
    central.call(action, payload);

export const cut = ({ network }: World): void => network.cut();
export const restore = ({ network }: World): void => network.restore();

/** The process ends and is started again, `off` seconds later; the EVs of these connectors are still there. */
export const restart =
  (how: 'kill' | 'powerCut', offS: number, plugged: readonly number[] = []) =>
  async (world: World): Promise<void> => {
    world.exits.length = 0;
    await world[how]();
    await world.clock.advance(seconds(offS));
    await world.boot();
    for (const id of plugged) plugIn(id)(world);
  };
