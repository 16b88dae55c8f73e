/** Flight recordings of virtual sessions, played back: the same agent does the same, and what was altered is told. */
import { describe, expect, it } from 'vitest';
import { compare, type Difference } from '../../src/bench/replay/compare.ts';
import { type Replayed, replay } from '../../src/bench/replay/play.ts';
import { type Recording, readRecording } from '../../src/bench/replay/read-recording.ts';
import { DEFAULT_OPTIONS } from '../../src/config/options.ts';
import { certificates } from '../../src/platform/x509/certificates.ts';
import type { RecordedEntry } from '../../src/recorder/recording.ts';
import { minutes, seconds, settle } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const KEYS = { MeterValueSampleInterval: '30', MeterValuesSampledData: 'Energy.Active.Import.Register,Current.Import' };

const at1 = (world: World) => world.board.inputs;

/** Saves a recording as a technician asks for it. */
async function recorded(world: World): Promise<Recording> {
  await world.control('POST', '/recordings');
  const text = [...world.recordings.files.values()].at(-1) ?? '';
  const read = readRecording(text);
  if (!read.ok) throw new Error(`line ${read.problem.line}: ${read.problem.message}`);
  return read.recording;
}

const replayed = (recording: Recording): Promise<Replayed> => replay(recording, { settle, certificates });
const differences = async (recording: Recording): Promise<readonly Difference[]> =>
  compare(await replayed(recording)).differences;

/** Remote start, charging, a ground fault in the middle, its end, unplugged. */
async function session(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({ keys: KEYS, ...options });
  await world.clock.advance(seconds(5));
  await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
  await world.clock.advance(seconds(3));
  at1(world).patchConnector(1, { ev: { plugged: true } });
  await world.clock.advance(minutes(2));
  at1(world).setFault(1, 'groundFault', { info: 'RCD has tripped' });
  await world.clock.advance(seconds(20));
  at1(world).setFault(1, 'groundFault', null);
  await world.clock.advance(minutes(1));
  at1(world).patchConnector(1, { ev: { plugged: false } });
  await world.clock.advance(seconds(15));
  return world;
}

const altered = (recording: Recording, change: (entry: RecordedEntry) => RecordedEntry | undefined): Recording => ({
  ...recording,
  entries: recording.entries.flatMap((entry) => change(entry) ?? []),
});

/** As if the ring had dropped what is before the `state` at or after this time. */
function from(recording: Recording, at: number): Recording {
  const index = recording.entries.findIndex((entry) => entry.what === 'state' && entry.at >= at);
  if (index < 0) throw new Error('the recording has no such state');
  return { ...recording, entries: recording.entries.slice(index) };
}

interface Story {
  /** What it tells of happened at once, and means something else where it does not. */
  readonly inOneTurn?: true;
  readonly what: string;
  readonly story: () => Promise<World>;
  /** The ring has dropped what was before. */
  readonly begins?: number;
}

/** As on a real charge point, where no two things happen at the same time. */
const slowed = ({ header, entries }: Recording): Recording => ({
  header,
  entries: entries.map((entry, index) => ({ ...entry, at: entry.at + 3 * index })),
});

const STORIES: readonly Story[] = [
  { what: 'a remote start, a ground fault that clears, and an EV that leaves', story: session },
  { what: 'the same from the middle of the transaction on', story: session, begins: seconds(60) },
  { what: 'the same from its end on', story: session, begins: seconds(130) },
  {
    what: 'a tag, a plug that is locked, and the same tag',
    story: async () => {
      const world = await World.start({ keys: KEYS, connectors: [{ id: 1, cable: 'socket' }] });
      world.plugIn();
      await world.clock.advance(seconds(5));
      world.present('ABC');
      await world.clock.advance(seconds(90));
      world.present('ABC');
      await world.clock.advance(seconds(10));
      world.unplug();
      await world.clock.advance(seconds(5));
      return world;
    },
  },
  {
    what: 'a lock that jams',
    story: async () => {
      const world = await World.start({ connectors: [{ id: 1, cable: 'socket' }] });
      at1(world).patchConnector(1, { jam: 'lock' });
      world.plugIn();
      world.present('ABC');
      await world.clock.advance(seconds(30));
      world.unplug();
      await world.clock.advance(seconds(5));
      return world;
    },
  },
  {
    what: 'a socket that is unplugged while it charges',
    inOneTurn: true,
    story: async () => {
      const world = await charging({ connectors: [{ id: 1, cable: 'socket' }] });
      world.unplug();
      await world.clock.advance(seconds(10));
      return world;
    },
  },
  {
    what: 'a remote start that names none of two connectors, and no EV on either',
    story: async () => {
      const connectors = [1, 2].map((id) => ({ id, cable: 'attached' }) as const);
      const world = await World.start({ connectors, options: DEFAULT_OPTIONS });
      await world.clock.advance(seconds(5));
      expect(await world.central.call('RemoteStartTransaction', { idTag: 'ABC' })).toEqual({ status: 'Rejected' });
      await world.clock.advance(seconds(15));
      return world;
    },
  },
  { what: 'two connectors of which one has a fault', story: twoConnectors },
  { what: 'the same from the middle on', story: twoConnectors, begins: seconds(60) },
  { what: 'a transaction that begins and goes on without a link', story: offline },
  { what: 'the same from the middle on, with a start that is not confirmed', story: offline, begins: seconds(60) },
  { what: 'a fault that lasts, from the middle of it on', story: lasting, begins: seconds(120) },
  {
    what: 'an emergency stop while charging',
    story: async () => {
      const world = await charging();
      at1(world).setFault(0, 'emergencyStop', {});
      await world.clock.advance(seconds(10));
      at1(world).setFault(0, 'emergencyStop', null);
      await world.clock.advance(seconds(10));
      return world;
    },
  },
  {
    what: 'mains that fail',
    story: async () => {
      const world = await charging();
      at1(world).setMains('failing');
      await world.clock.advance(seconds(10));
      return world;
    },
  },
  {
    what: 'a hard reset',
    story: async () => {
      const world = await charging();
      await world.central.call('Reset', { type: 'Hard' });
      await world.clock.advance(seconds(5));
      return world;
    },
  },
  { what: 'a limit that falls and rises again', story: limited },
  { what: 'the same from the middle on, where the limit is in force already', story: limited, begins: seconds(120) },
];

const NAMED = STORIES.map((story) => [story.what, story] as const);

async function charging(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({ keys: KEYS, ...options });
  world.plugIn();
  await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
  await world.clock.advance(seconds(100));
  return world;
}

/** Grace ends before the fault does. */
async function lasting(): Promise<World> {
  const world = await charging({ faultGraceS: 90 });
  at1(world).setFault(1, 'overTemperature', {});
  await world.clock.advance(seconds(70));
  world.plugIn();
  at1(world).setFault(1, 'derated', {});
  await world.clock.advance(seconds(40));
  at1(world).setFault(1, 'derated', null);
  at1(world).setFault(1, 'overTemperature', null);
  await world.clock.advance(seconds(20));
  return world;
}

async function twoConnectors(): Promise<World> {
  const world = await charging({
    connectors: [
      { id: 1, cable: 'attached' },
      { id: 2, cable: 'socket' },
    ],
  });
  world.present('DEF', [2]);
  await world.clock.advance(seconds(5));
  world.plugIn(2);
  await world.clock.advance(seconds(30));
  at1(world).setFault(2, 'overCurrent', {});
  await world.clock.advance(seconds(30));
  world.unplug(2);
  await world.clock.advance(seconds(30));
  return world;
}

async function offline(): Promise<World> {
  const world = await World.start({ keys: { ...KEYS, LocalPreAuthorize: 'true', AllowOfflineTxForUnknownId: 'true' } });
  await world.clock.advance(seconds(5));
  world.network.cut();
  await world.clock.advance(seconds(5));
  world.present('ABC');
  world.plugIn();
  await world.clock.advance(seconds(70));
  world.network.restore();
  await world.clock.advance(seconds(70));
  world.present('ABC');
  await world.clock.advance(seconds(10));
  return world;
}

async function limited(): Promise<World> {
  const world = await charging();
  const profile = (limit: number) => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
  });
  await world.central.call('SetChargingProfile', profile(10));
  await world.clock.advance(seconds(75));
  at1(world).setFault(1, 'overTemperature', {});
  await world.clock.advance(seconds(5));
  at1(world).setFault(1, 'overTemperature', null);
  await world.clock.advance(seconds(10));
  await world.central.call('SetChargingProfile', profile(20));
  await world.clock.advance(seconds(70));
  return world;
}

describe('a flight recording that is played into the simulation', () => {
  it.each(NAMED)('shows that the agent does the same: %s', async (_what, { story, begins }) => {
    const whole = await recorded(await story());
    const recording = begins === undefined ? whole : from(whole, begins);
    const result = await replayed(recording);
    expect(compare(result).differences).toEqual([]);
    expect(result.isPart).toBe(begins !== undefined);
    // What was compared is there: offers, permits and messages.
    expect(result.outputs.length).toBeGreaterThan(3);
  });

  it.each(NAMED.filter(([, { inOneTurn }]) => !inOneTurn))(
    'takes no notice of how long the charge point took: %s',
    async (_what, { story, begins }) => {
      const whole = await recorded(await story());
      const recording = slowed(begins === undefined ? whole : from(whole, begins));
      expect(compare(await replayed(recording)).differences).toEqual([]);
    },
  );

  it('begins where everything is known: not while messages wait in the outbox', async () => {
    const recording = from(await recorded(await offline()), seconds(60));
    const [first] = recording.entries;
    expect(first?.what === 'state' && [first.linked, first.connectors[0]?.transactionId]).toEqual([false, null]);
    const { skippedMs, outputs } = await replayed(recording);
    expect(skippedMs).toBeGreaterThan(seconds(20));
    expect(outputs.some((output) => output.what === 'frame' && output.text.includes('"StopTransaction"'))).toBe(true);
  });

  it('samples at the times of a transaction whose begin is not in the recording', async () => {
    const { header, entries } = from(await recorded(await session()), seconds(60));
    // Nothing has happened in these seconds.
    const [state, ...rest] = entries.map((entry, index) => (index === 0 ? { ...entry, at: entry.at - 7000 } : entry));
    if (state === undefined) throw new Error('the recording is empty');
    expect(await differences({ header, entries: [state, ...rest] })).toEqual([]);
  });

  it('begins without a link where the cause came before anything else is known', async () => {
    const { header, entries } = from(await recorded(await offline()), seconds(60));
    const first = entries[0]?.at ?? 0;
    const result = await replayed({ header: { ...header, at: first, wall: '2026-01-05T08:01:10.000Z' }, entries });
    expect([result.from, result.skippedMs]).toEqual([first, 0]);
    const opens = entries.find((entry) => entry.what === 'link' && entry.open)?.at ?? 0;
    const frames = result.outputs.filter(({ what }) => what === 'frame');
    expect(opens).toBeGreaterThan(first);
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.filter(({ at }) => at < opens)).toEqual([]);
  });

  it('opens the contactor of a recorded trip before it says that it is Faulted', async () => {
    const { outputs } = await replayed(await recorded(await session()));
    const withdrawn = outputs.findIndex((output) => output.what === 'permit' && !output.given);
    const faulted = outputs.findIndex((output) => output.what === 'frame' && output.text.includes('"Faulted"'));
    expect(withdrawn).toBeGreaterThan(0);
    expect(faulted).toBeGreaterThan(withdrawn);
  });

  it('follows the inputs and not the outputs: another offer in the recording is a difference', async () => {
    const recording = altered(await recorded(await session()), (entry) =>
      entry.what === 'offer' && entry.offer === 32 ? { ...entry, offer: 16 } : entry,
    );
    const found = await differences(recording);
    expect(found.map(({ kind, recorded: then, replayed: now }) => [kind, offerOf(then), offerOf(now)])).toEqual([
      ['different', 16, 32],
      ['different', 16, 32],
    ]);
  });

  it('tells what is different where the contactor did not open', async () => {
    const recording = altered(await recorded(await session()), (entry) =>
      entry.what === 'feedback' && entry.contactor === 'closed' ? undefined : entry,
    );
    const found = await differences(recording);
    const charging = found.find(({ recorded: then }) => then?.what === 'frame' && then.text.includes('"Charging"'));
    expect(charging?.kind).toBe('different');
    expect(charging?.replayed).toMatchObject({ text: expect.stringContaining('"SuspendedEV"') });
  });

  it('tells that without the fault the current would still be offered, and nobody would have said Faulted', async () => {
    const recording = altered(await recorded(await session()), (entry) => (entry.what === 'fault' ? undefined : entry));
    const found = await differences(recording);
    expect(found[0]).toMatchObject({ kind: 'missing', recorded: { what: 'offer', offer: 'x1', connector: 1 } });
    const faulted = found.filter(({ recorded: then }) => then?.what === 'frame' && then.text.includes('"Faulted"'));
    expect(faulted).toHaveLength(1);
  });

  it('answers a call under its new message id with what was answered then', async () => {
    const recording = await recorded(await charging());
    const other = altered(recording, (entry) =>
      entry.what === 'frame' && entry.direction === 'rx'
        ? { ...entry, text: entry.text.replace('"transactionId":1', '"transactionId":77') }
        : entry,
    );
    const { outputs } = await replayed(other);
    const samples = outputs.filter((output) => output.what === 'frame' && output.text.includes('"MeterValues"'));
    expect(samples.length).toBeGreaterThan(1);
    for (const sample of samples) expect(sample).toMatchObject({ text: expect.stringContaining('"transactionId":77') });
  });
});

const offerOf = (output: Difference['recorded']) => (output?.what === 'offer' ? output.offer : undefined);
