/** Plays a recording into a whole agent in virtual time and notes what that does. */
import { startAgent } from '../../agent.ts';
import type { Certificates, Log } from '../../ports.ts';
import type { RecordedEntry } from '../../recorder/recording.ts';
import { type Settle, VirtualClock } from '../virtual-clock.ts';
import { absentPorts } from './absent-ports.ts';
import { beginningOf, configOf, storedAt } from './beginning.ts';
import { memoryStore } from './memory-store.ts';
import { headOf, type Output, outputOf } from './output.ts';
import type { Recording } from './read-recording.ts';
import { RecordedCentral } from './recorded-central.ts';
import { replayBoard } from './replay-board.ts';

export interface ReplayOptions {
  readonly settle: Settle;
  readonly certificates: Certificates;
}

export interface Replayed {
  readonly from: number;
  /** What the recording has before that was not played. */
  readonly skippedMs: number;
  readonly to: number;
  /** The recording begins in the middle: some of what it shows first had been begun before. */
  readonly isPart: boolean;
  /** What was played and what it is compared with. */
  readonly entries: readonly RecordedEntry[];
  /** What the agent has done, in its order. */
  readonly outputs: readonly Output[];
}

/** For an agent that had booted long ago: connecting, BootNotification and the statuses take no time here. */
const BOOT_MS = 1000;

/** Never writes, connects or waits. Rejects only if the agent itself cannot start. */
export async function replay(recording: Recording, { settle, certificates }: ReplayOptions): Promise<Replayed> {
  const { header } = recording;
  const beginning = beginningOf(recording);
  const { at, entries, states, mains, linked, hasBooted, wallOffset } = beginning;
  const start = hasBooted ? at - BOOT_MS : at;
  const clock = new VirtualClock(settle, {
    start,
    wallStart: start + (wallOffset ?? 0),
    trusted: wallOffset !== undefined,
    bootId: header.bootId,
  });
  const outputs: Output[] = [];
  let counts = !hasBooted;
  const note = (output: Output): void => {
    if (counts) outputs.push(output);
  };
  const { connectors } = header;
  const board = replayBoard({ connectors, states, mains, entries, clock, note });
  const heartbeatIntervalS = Number(header.keys['HeartbeatInterval'] ?? 300);
  const central = new RecordedCentral({ entries, clock, heartbeatIntervalS }, hasBooted || linked);
  let uuids = 0;
  const agent = await startAgent({
    config: configOf(recording, beginning),
    board,
    goOnFrom: states.map(({ connector }) => connector),
    ports: {
      ...absentPorts(),
      clock,
      store: memoryStore(storedAt(header, beginning)),
      random: { fraction: () => 0.5, uuid: () => `replay-${++uuids}` },
      log: SILENT,
      sockets: central,
      system: { exit: () => {} },
      certificates,
    },
  });
  agent.wireLog.onFrame((frame) => {
    if (frame.direction === 'tx') note({ at: frame.at, what: 'frame', text: frame.text });
  });
  if (hasBooted) await clock.advance(BOOT_MS);
  counts = true;
  central.begin(linked);
  for (const turn of turnsOf(entries)) {
    await clock.advance(Math.max(0, turn.at - clock.now()));
    for (const entry of turn.entries) central.play(entry);
    board.play(turn.entries);
    if (turn.entries.some(bringsLimits)) {
      // Once what is said now is in force.
      await clock.advance(0);
      board.freeLimits();
    }
  }
  const to = entries.at(-1)?.at ?? at;
  await clock.advance(Math.max(0, to - clock.now()));
  return { from: at, skippedMs: beginning.skippedMs, to, isPart: hasBooted, entries, outputs };
}

interface Turn {
  readonly at: number;
  readonly entries: readonly RecordedEntry[];
}

/**
 * What comes from outside, in turns: what the hardware saw at the same moment, before the agent did anything, is one; whatever follows from
 * an output waits until the agent has had its time.
 */
export function turnsOf(entries: readonly RecordedEntry[]): readonly Turn[] {
  const turns: { readonly at: number; readonly entries: RecordedEntry[] }[] = [];
  let isOpen = false;
  for (const entry of entries) {
    if (outputOf(entry) !== undefined) isOpen = false;
    if (!isPlayed(entry)) continue;
    const turn = turns.at(-1);
    const isAlone = entry.what === 'frame' || entry.what === 'link' || entry.what === 'tag';
    const joins = isOpen && !isAlone && turn?.at === entry.at && !turn.entries.some((other) => isSame(other, entry));
    if (turn !== undefined && joins) turn.entries.push(entry);
    else turns.push({ at: entry.at, entries: [entry] });
    isOpen = !isAlone;
  }
  return turns;
}

const isSame = (a: RecordedEntry, b: RecordedEntry): boolean =>
  a.what === b.what &&
  ('connector' in a && 'connector' in b ? a.connector === b.connector : true) &&
  a.what !== 'fault';

const PLAYED: ReadonlySet<RecordedEntry['what']> = new Set([
  'pilot',
  'feedback',
  'lock',
  'proximity',
  'fault',
  'mains',
  'tag',
  'link',
]);

/** A call that is not whole cannot be played. */
const isPlayed = (entry: RecordedEntry): boolean =>
  PLAYED.has(entry.what) || (entry.what === 'frame' && entry.direction === 'rx' && entry.cut === undefined);

/** The central system says anew what may be offered: what it had said before the recording began is over. */
function bringsLimits(entry: RecordedEntry): boolean {
  const action = entry.what === 'frame' && entry.direction === 'rx' ? headOf(entry.text)?.action : undefined;
  return action === 'SetChargingProfile' || action === 'ClearChargingProfile';
}

const SILENT: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => SILENT,
};
