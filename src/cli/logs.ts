/** `chargepoint logs`: the log that the agent keeps on disk, in lines for people or as it is; `--follow` goes on. Secrets are masked in it. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { readable } from '../platform/log.ts';
import { EXIT, type ExitCode, onEndSignals } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import { escapedRest, recordOf } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import { logDirectory } from './store-directory.ts';
import { pause } from './technician.ts';

export interface LogsOptions extends AgentOptions {
  /** Milliseconds from now back. */
  readonly since?: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly follow?: boolean;
  readonly json?: boolean;
  /** With --follow: so long, then end. */
  readonly seconds?: number;
}

/** pino's numbers. */
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
/** What the agent has not written yet is asked for so often: nothing is written where there is nothing new. */
const LOOK_EVERY_MS = 1_000;
/** With --follow alone: a little of what was before. */
const JUST_NOW_MS = 60_000;
/** Of a date that JavaScript knows. */
const MOST_MS = 8.64e15;

/** Exit code 0; 70 if the log cannot be read, 78 for the configuration. */
export async function logs(io: Io, options: LogsOptions): Promise<ExitCode> {
  const { loadFor } = await import('./configuration.ts');
  const loaded = loadFor(io, options.config ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  const { stateDir, control } = loaded.config;
  const directory = logDirectory(stateDir);
  const socket = options.socket ?? control.socket;
  const since = options.since ?? (options.follow === true ? JUST_NOW_MS : undefined);
  const from = since === undefined ? 0 : Date.now() - since;
  const show = (text: string): void => showLines(io, text, from, options);
  try {
    await written(socket);
    let place = await showAll(directory, show);
    if (place === undefined && options.follow !== true) io.err(`There is no log in ${directory} yet.\n`);
    if (options.follow !== true) return EXIT.ok;
    const ended = new AbortController();
    const forget = onEndSignals(
      () => ended.abort(),
      () => process.exit(EXIT.internal),
    );
    const until = options.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.seconds * 1000;
    while (!ended.signal.aborted && performance.now() < until) {
      await pause(LOOK_EVERY_MS, ended.signal);
      await written(socket);
      place = await showFrom(directory, place, show);
    }
    forget();
    return EXIT.ok;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    io.err(`No permission for ${directory}: use sudo.\n`);
    return EXIT.internal;
  }
}

/** The agent keeps lines in memory for a while: now they go to the disk. Where none runs, everything is there. */
async function written(socket: string | undefined): Promise<void> {
  if (socket === undefined) return;
  try {
    await callAgent(socket, { method: 'POST', path: '/log/flush' });
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
  }
}

/** How far has been read. */
interface Place {
  readonly file: string;
  /** In bytes, up to the end of a whole line. */
  readonly offset: number;
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  return names
    .filter((name) => /^\d{6,9}\.log$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

async function showAll(directory: string, show: (text: string) => void): Promise<Place | undefined> {
  let place: Place | undefined;
  for (const file of await filesIn(directory)) place = await showFile(directory, { file, offset: 0 }, show);
  return place;
}

async function showFrom(
  directory: string,
  place: Place | undefined,
  show: (text: string) => void,
): Promise<Place | undefined> {
  let next = place;
  for (const file of await filesIn(directory)) {
    if (next !== undefined && Number.parseInt(file, 10) < Number.parseInt(next.file, 10)) continue;
    next = await showFile(directory, file === next?.file ? next : { file, offset: 0 }, show);
  }
  return next;
}

/** A file that has made room for a newer one meanwhile has nothing more to say. */
async function showFile(directory: string, { file, offset }: Place, show: (text: string) => void): Promise<Place> {
  const path = join(directory, file);
  const bytes = await bytesFrom(path, offset).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return Buffer.alloc(0);
    throw cause;
  });
  const end = bytes.lastIndexOf(0x0a) + 1;
  show(bytes.subarray(0, end).toString());
  return { file, offset: offset + end };
}

async function bytesFrom(path: string, offset: number): Promise<Buffer> {
  if (offset === 0) return readFile(path);
  const { size } = await stat(path);
  if (size <= offset) return Buffer.alloc(0);
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(size - offset);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function showLines(io: Io, text: string, from: number, { level, json }: LogsOptions): void {
  for (const line of text.split('\n')) {
    const { time, level: number } = entryOf(line) as { readonly time?: unknown; readonly level?: unknown };
    // Half a line, after a crash.
    if (typeof time !== 'number' || typeof number !== 'number' || Math.abs(time) > MOST_MS) continue;
    if (time < from || number < LEVELS[level]) continue;
    io.out(json === true ? `${escapedRest(line)}\n` : `${new Date(time).toISOString().slice(0, 10)} ${readable(line)}`);
  }
}

function entryOf(line: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(line));
  } catch {
    return {};
  }
}
