/** A site with one supply for several connectors: what each pilot offers, and whether a contactor ever breaks a current. */
import type { Board } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import type { Payload } from './network.ts';
import { offerA, profile, start } from './smart-charging.ts';
import type { World, WorldOptions } from './world.ts';

export const TWO = [
  { id: 1, cable: 'attached' },
  { id: 2, cable: 'attached' },
] as const;

/** A contactor has opened; `amps` flowed until then. */
export interface Opening {
  readonly connectorId: number;
  readonly t: number;
  readonly amps: number;
}

interface Seen {
  readonly connectorId: number;
  readonly t: number;
  readonly amps: number;
}

/** Starts at a whole second of the wall clock, so that stories have whole seconds. */
export async function site(options: WorldOptions = {}) {
  const made: { world?: World } = {};
  const seen: Seen[] = [];
  const openings: Opening[] = [];
  const now = (): number => made.world?.clock.now() ?? 0;

  const furnish = (board: MockBoard): Board => {
    const before = new Map(board.connectors.map(({ id }) => [id, board.connector(id).observe()]));
    const look = (): void => {
      for (const { id: connectorId } of board.connectors) {
        const amps = offerA({ board }, connectorId);
        if (seen.findLast((each) => each.connectorId === connectorId)?.amps !== amps)
          seen.push({ connectorId, t: now(), amps });
        const [was, is] = [before.get(connectorId), board.connector(connectorId).observe()];
        if (was?.contactor === 'closed' && is.contactor === 'open')
          openings.push({ connectorId, t: now(), amps: was.amps });
        before.set(connectorId, is);
      }
    };
    look();
    board.onOutput(look);
    return options.furnish?.(board) ?? board;
  };
  const world = await start({ ...options, furnish });
  made.world = world;
  await world.clock.advance(900);
  return {
    world,
    openings,
    /** `[second, ampere]` of each change of the offer after this time. */
    offers: (connectorId: number, since = 1000): readonly (readonly [number, number])[] =>
      seen
        .filter((each) => each.connectorId === connectorId && each.t >= since)
        .map(({ t, amps }) => [(t - since) / 1000, amps]),
    /** What a contactor has broken under load. */
    broken: (): readonly Opening[] => openings.filter(({ amps }) => amps > 0),
  };
}

/** `t status info` of each StatusNotification of a connector since then, in seconds. */
export const statuses = (world: World, connectorId: number, since = 1000): readonly string[] =>
  world.central
    .calls()
    .filter(({ t, frame }) => t >= since && frame[2] === 'StatusNotification')
    .flatMap(({ t, frame }) => {
      const { connectorId: id, status, info, errorCode } = frame[3] as Record<string, string | number>;
      const told = [status, ...(errorCode === 'NoError' ? [] : [errorCode]), ...(info === undefined ? [] : [info])];
      return id === connectorId ? [`${(t - since) / 1000} ${told.join(' ')}`] : [];
    });

/** ChargePointMaxProfile, in force from the beginning of the year on. */
export const maxProfile = (limit: number, more: Parameters<typeof profile>[0] = {}): Payload =>
  profile({
    id: 99,
    purpose: 'ChargePointMaxProfile',
    kind: 'Absolute',
    periods: [[0, limit]],
    schedule: { startSchedule: '2026-01-01T00:00:00Z' },
    ...more,
  });
