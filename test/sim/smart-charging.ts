/** Charging profiles and what becomes of them, for the stories about smart charging. */
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import { formatTimestamp } from '../../src/ocpp/timestamp.ts';
import type { Payload } from './network.ts';
import { seconds } from './virtual-clock.ts';
import { World, type WorldOptions } from './world.ts';

/** Periods as [startPeriod, limit] or [startPeriod, limit, numberPhases]. */
export type Periods = readonly (readonly [startS: number, limit: number, numberPhases?: number])[];

interface ProfileOptions {
  readonly id?: number;
  readonly purpose?: 'ChargePointMaxProfile' | 'TxDefaultProfile' | 'TxProfile';
  readonly kind?: 'Absolute' | 'Recurring' | 'Relative';
  readonly unit?: 'A' | 'W';
  readonly level?: number;
  readonly periods?: Periods;
  /** Further members of the schedule. */
  readonly schedule?: Payload;
  /** Further members of the profile. */
  readonly more?: Payload;
}

export const profile = ({
  id = 1,
  purpose = 'TxProfile',
  kind = 'Relative',
  unit = 'A',
  level = 0,
  periods = [[0, 10]],
  schedule = {},
  more = {},
}: ProfileOptions = {}): Payload => ({
  chargingProfileId: id,
  stackLevel: level,
  chargingProfilePurpose: purpose,
  chargingProfileKind: kind,
  chargingSchedule: {
    chargingRateUnit: unit,
    chargingSchedulePeriod: periods.map(([startPeriod, limit, numberPhases]) => ({
      startPeriod,
      limit,
      ...(numberPhases === undefined ? {} : { numberPhases }),
    })),
    ...schedule,
  },
  ...more,
});

/** ISO text of a moment, so many seconds from now. */
export const inS = (world: World, s: number): string =>
  formatTimestamp(world.clock.wall(world.clock.now()) + seconds(s));

export const set = (world: World, csChargingProfiles: Payload, connectorId = 1) =>
  world.central.call('SetChargingProfile', { connectorId, csChargingProfiles });

export const clear = (world: World, criteria: Payload = {}) => world.central.call('ClearChargingProfile', criteria);

export const composite = (world: World, duration = 400, more: Payload = {}) =>
  world.central.call('GetCompositeSchedule', { connectorId: 1, duration, ...more });

/** `[startPeriod, limit]` of each period of a composite schedule. */
export async function limits(
  world: World,
  duration = 400,
  more: Payload = {},
): Promise<readonly (readonly [number, number])[]> {
  const { chargingSchedule } = (await composite(world, duration, more)) as {
    chargingSchedule?: { chargingSchedulePeriod: { startPeriod: number; limit: number }[] };
  };
  return (chargingSchedule?.chargingSchedulePeriod ?? []).map(({ startPeriod, limit }) => [startPeriod, limit]);
}

/** Nothing is measured but what a test asks for, and no profile is offered its time. */
export const start = (options: WorldOptions = {}): Promise<World> =>
  World.start({ ...options, keys: { MeterValueSampleInterval: '0', ...options.keys } });

/** An EV charges on the connector, in a transaction of the tag ABC. */
export async function charging(options: WorldOptions = {}, connectorId = 1): Promise<World> {
  const world = await start(options);
  await charge(world, connectorId);
  return world;
}

export async function charge(world: World, connectorId = 1, idTag = 'ABC'): Promise<void> {
  world.plugIn(connectorId);
  await world.clock.advance(seconds(1));
  world.present(idTag, [connectorId]);
  await world.clock.advance(seconds(4));
}

/** What the pilot offers now, in ampere; 0: nothing (x1). */
export const offerA = ({ board }: { readonly board: MockBoard }, connectorId = 1): number => {
  const { pwm } = board.connector(connectorId).observe();
  return pwm >= 100 ? 0 : Math.round(pwm * (pwm <= 85 ? 0.6 : 1) * 10) / 10;
};

/** A world with every offer of one pilot from the very first on, over restarts too. */
export async function watched(options: WorldOptions = {}, connectorId = 1) {
  const seen: { readonly t: number; readonly amps: number }[] = [];
  const made: { world?: World } = {};
  const furnish = (board: MockBoard): MockBoard => {
    const look = (): void => {
      const amps = offerA({ board }, connectorId);
      if (seen.at(-1)?.amps !== amps) seen.push({ t: made.world?.clock.now() ?? 0, amps });
    };
    look();
    board.onOutput(look);
    return board;
  };
  const world = await start({ ...options, furnish });
  made.world = world;
  return {
    world,
    /** In their order, in ampere; the first is 0. */
    offers: (): readonly number[] => seen.map(({ amps }) => amps),
    /** `[second, ampere]` of each change after this time. */
    offersSince: (t: number): readonly (readonly [number, number])[] =>
      seen.filter((each) => each.t > t).map((each) => [(each.t - t) / 1000, each.amps]),
  };
}

/** What the charge point has answered to the calls of this action, oldest first. */
export function answers(world: World, action: string): readonly Payload[] {
  const asked = new Set(
    world.wire.flatMap(({ dir, frame }) => (dir === 'rx' && frame[2] === action ? [frame[1]] : [])),
  );
  return world.wire.flatMap(({ dir, frame }) =>
    dir === 'tx' && frame[0] === 3 && asked.has(frame[1]) ? [frame[2] as Payload] : [],
  );
}

export const ACCEPTED = { status: 'Accepted' };
export const REJECTED = { status: 'Rejected' };
export const UNKNOWN = { status: 'Unknown' };
export const TWO = [
  { id: 1, cable: 'attached' },
  { id: 2, cable: 'attached' },
] as const;

/** A transaction goes on after a loss of power. */
export const LASTING: WorldOptions = { resumeWithinS: 90, lasting: true };

export const starts = (world: World) => world.central.received('StartTransaction');
export const stops = (world: World) => world.central.received('StopTransaction');
/** Each status of connector 1 from now on, with its info. */
export function statuses(world: World) {
  const from = world.central.received('StatusNotification').length;
  return () =>
    world.central
      .received('StatusNotification')
      .slice(from)
      .map(({ status, info }) => (info === undefined ? status : `${status}: ${info}`));
}

/** Ends the transaction on a connector and takes the plug out. */
export async function leave(world: World, connectorId = 1): Promise<void> {
  world.unplug(connectorId);
  await world.clock.advance(seconds(10));
}

/** Whether it is installed; it is not afterwards. */
export const wasInstalled = async (world: World, id: number): Promise<boolean> =>
  ((await clear(world, { id })) as Payload)['status'] === 'Accepted';

export const byDefault = (options: Parameters<typeof profile>[0] = {}) =>
  profile({ purpose: 'TxDefaultProfile', ...options });
export const ofAll = (options: Parameters<typeof profile>[0] = {}) =>
  profile({ purpose: 'ChargePointMaxProfile', kind: 'Absolute', ...options });

export const remoteStart = (world: World, chargingProfile: Payload, idTag = 'ABC') =>
  world.central.call('RemoteStartTransaction', { idTag, connectorId: 1, chargingProfile });
