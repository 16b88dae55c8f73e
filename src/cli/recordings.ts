/** `chargepoint recordings`: which flight recordings there are, and one more of what has just happened. */
import type { ExitCode } from '../platform/system.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';

export interface RecordingsOptions extends AgentOptions {
  readonly json?: boolean;
}

/** A file name is to be copied: it is never cut. */
const WIDE = 1_000;

export const listRecordings = (io: Io, options: RecordingsOptions): Promise<ExitCode> =>
  askAgent(io, options, { path: '/recordings' }, (answer) =>
    io.out(options.json === true ? json(answer) : recordingsText(recordOf(answer))),
  );

export const saveRecording = (io: Io, options: RecordingsOptions): Promise<ExitCode> =>
  askAgent(io, options, { method: 'POST', path: '/recordings' }, (answer) =>
    io.out(options.json === true ? json(answer) : savedText(recordOf(answer))),
  );

export function recordingsText({ recordings }: { readonly recordings?: unknown }): string {
  const rows = listOf(recordings).map((recording) => {
    const { file, bytes } = recordOf(recording) as { readonly file?: unknown; readonly bytes?: unknown };
    return [kilobytes(bytes), textOf(file)];
  });
  if (rows.length === 0) return 'No flight recording has been saved.\n';
  return columns([['Size', 'File, the oldest first'], ...rows], WIDE);
}

function savedText({ saved }: { readonly saved?: unknown }): string {
  const { file, bytes } = recordOf(saved) as { readonly file?: unknown; readonly bytes?: unknown };
  return columns([[`Saved ${kilobytes(bytes)}: ${textOf(file)}`]], WIDE);
}

const kilobytes = (bytes: unknown): string =>
  typeof bytes === 'number' ? `${Math.max(1, Math.round(bytes / 1024))} kB` : '-';
