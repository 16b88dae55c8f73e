/** What tests of meter values share: a quiet charge point, and the values on the wire as plain data. */
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import type { Payload } from './network.ts';
import { seconds } from './virtual-clock.ts';
import { World, type WorldOptions } from './world.ts';

export interface Value {
  readonly value: string;
  readonly context: string;
  readonly measurand: string;
  readonly phase?: string;
  readonly location: string;
  readonly unit?: string;
}
export interface MeterValue {
  readonly timestamp: string;
  readonly sampledValue: readonly Value[];
}

export const REGISTER = 'Energy.Active.Import.Register';
/** Nothing is measured but what a test asks for. */
const QUIET = { MeterValueSampleInterval: '0', MeterValuesSampledData: REGISTER, MeterValuesAlignedData: REGISTER };
export const quiet = (keys: Record<string, string> = {}, more: WorldOptions = {}): WorldOptions => ({
  ...more,
  keys: { ...QUIET, ...keys },
});

export async function begin(world: World, connectorId = 1): Promise<void> {
  world.plugIn(connectorId);
  await world.clock.advance(seconds(1));
  await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId });
}

export async function stop(world: World, transactionId = 1): Promise<void> {
  await world.central.call('RemoteStopTransaction', { transactionId });
  await world.clock.advance(seconds(10));
}

export const charging = async (options: WorldOptions): Promise<World> => {
  const world = await World.start(options);
  await begin(world);
  return world;
};

export const change = (world: World, key: string, value: string) =>
  world.central.call('ChangeConfiguration', { key, value });
export const trigger = (world: World, connectorId?: number) =>
  world.central.call('TriggerMessage', {
    requestedMessage: 'MeterValues',
    ...(connectorId === undefined ? {} : { connectorId }),
  });
export const value = async (world: World, name: string): Promise<string | undefined> => {
  const answer = await world.central.call('GetConfiguration', { key: [name] });
  return (answer as { configurationKey: { value: string }[] }).configurationKey[0]?.value;
};

export const meterValuesOf = (payload: Payload | undefined, member = 'meterValue') =>
  ((payload?.[member] ?? []) as readonly MeterValue[]).map(({ timestamp, sampledValue }) => ({
    timestamp,
    sampledValue,
  }));
export const reports = (world: World) =>
  world.central.received('MeterValues').map((payload) => {
    const [first] = meterValuesOf(payload);
    return {
      connectorId: payload['connectorId'],
      transactionId: payload['transactionId'],
      at: first?.timestamp.slice(11, -1),
      values: first?.sampledValue ?? [],
    };
  });
export const transactionData = (world: World, index = 0) =>
  meterValuesOf(world.central.received('StopTransaction')[index], 'transactionData');
export const contexts = (data: readonly MeterValue[]) => data.map(({ sampledValue }) => sampledValue[0]?.context);

/** Calls of ours since `from`, with the time in ms after it. */
export const calls = (world: World, from: number) =>
  world.central
    .calls()
    .filter(({ t }) => t >= from)
    .map(({ t, frame }) => `${t - from} ${String(frame[2])}`);

/** A board whose first meter can be watched and slowed down. */
export function watchedMeter() {
  const watch = { reads: 0, slowness: (): Promise<unknown> => Promise.resolve() };
  const furnish = (board: MockBoard): MockBoard => {
    const connectors = board.connectors.map((hardware) => {
      const { offers } = hardware.meter;
      const read = async () => {
        watch.reads++;
        const reading = await hardware.meter.read();
        await watch.slowness();
        return reading;
      };
      return { ...hardware, meter: { offers, read } };
    });
    return Object.assign(Object.create(board) as MockBoard, { connectors });
  };
  return { watch, furnish };
}
