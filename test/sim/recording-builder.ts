/** Flight recordings as a test writes them. */
import type { Recording } from '../../src/bench/replay/read-recording.ts';
import { RECORDING_FORMAT, type RecordedEntry, type RecordingHeader } from '../../src/recorder/recording.ts';

const aHeader = (members: Partial<RecordingHeader> = {}): RecordingHeader => ({
  recording: RECORDING_FORMAT,
  version: '0.0.1',
  cause: 'asked for',
  at: 0,
  wall: '2026-01-05T08:00:00.000Z',
  bootId: 'boot-1',
  connectors: [{ id: 1, maxA: 32, phases: 3, cable: 'attached', ventilated: false }],
  keys: {},
  ...members,
});

export const aRecording = (entries: readonly RecordedEntry[], header: Partial<RecordingHeader> = {}): Recording => ({
  header: aHeader(header),
  entries,
});

/** As it is in the file. */
export const textOf = ({ header, entries }: Recording): string =>
  [header, ...entries].map((line) => `${JSON.stringify(line)}\n`).join('');
