/** `chargepoint config edit`: an editor on a copy, which takes the place of the file only once `check` finds nothing wrong with it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { problemText } from '../config/examine.ts';
import { giveLike, nodeFiles, replaceFile } from '../platform/files.ts';
import { isListening } from '../platform/socket-file.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { loadText } from './configuration.ts';
import { json } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';

export interface EditOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Exit code 0; 70 if the file or the editor cannot be used, 78 if the new text is wrong: then the file is as it was. */
export async function editConfig(io: Io, options: EditOptions): Promise<ExitCode> {
  const given = options.config ?? DEFAULT_CONFIG;
  let file: string;
  let text: string;
  try {
    // A link stays a link.
    file = realpathSync(given);
    text = nodeFiles.read(file);
  } catch (error) {
    return trouble(io, given, error);
  }
  const ending = untilEnded();
  const directory = mkdtempSync(join(tmpdir(), 'chargepoint-edit-'));
  const copy = join(directory, basename(file));
  writeFileSync(copy, text, { mode: 0o600 });
  let keepsCopy = false;
  try {
    const edited = await goodText(io, { file, given, copy, before: text, ending, ...options });
    if (ending.signal.aborted) {
      io.err(`Ended by ${ending.signal.reason}: ${given} is as it was.\n`);
      keepsCopy = readFileSync(copy, 'utf8') !== text;
      return EXIT.internal;
    }
    if (edited === text) {
      io.out(options.json === true ? json({ file, replaced: false }) : 'Nothing was changed.\n');
      return EXIT.ok;
    }
    const result = typeof edited === 'number' ? edited : put(io, { file, before: text, edited });
    keepsCopy = result !== EXIT.ok;
    if (typeof edited === 'number' || result !== EXIT.ok) return result;
    const next = { file, backup: backupOf(file), agentRuns: await runsWith(io, given, edited) };
    io.out(options.json === true ? json({ ...next, replaced: true }) : nextText(next));
    return EXIT.ok;
  } finally {
    ending.forget();
    if (keepsCopy) io.err(`Your text is kept: ${copy}\n`);
    else rmSync(directory, { recursive: true, force: true });
  }
}

interface Ending {
  /** Its reason is the name of what has ended it. */
  readonly signal: AbortSignal;
  forget(): void;
}

/** Ctrl-C is not among them: it reaches the editor as well, and is the editor's to understand. */
const ENDS = ['SIGTERM', 'SIGHUP'] as const;

function untilEnded(): Ending {
  const ended = new AbortController();
  const end = (signal: string): void => ended.abort(signal);
  for (const each of ENDS) process.on(each, end);
  return {
    signal: ended.signal,
    forget: () => {
      for (const each of ENDS) process.off(each, end);
    },
  };
}

interface Editing {
  readonly file: string;
  /** As it was named: what stands in it is found from there. */
  readonly given: string;
  readonly copy: string;
  readonly before: string;
  readonly ending: Ending;
  readonly json?: boolean;
}

/** The new text once nothing is wrong with it, or the old one; the exit code if there is none. */
async function goodText(io: Io, { given, copy, before, ending, json: asJson }: Editing): Promise<string | ExitCode> {
  for (;;) {
    const failure = await runEditor(io, copy, asJson === true, ending.signal);
    if (ending.signal.aborted) return EXIT.internal;
    if (failure !== undefined) {
      io.err(`${failure}\n`);
      return EXIT.internal;
    }
    const edited = readFileSync(copy, 'utf8');
    if (edited === before) return edited;
    const loaded = loadText(io, given, edited);
    for (const warning of loaded.warnings) io.err(`warning ${problemText(warning)}\n`);
    if ('config' in loaded) return edited;
    for (const error of loaded.errors) io.err(`error ${problemText(error)}\n`);
    io.err(`\n${given} is as it was.\n`);
    const answer = await io.ask?.('Edit again? [Y/n] ', ending.signal);
    if (answer === undefined || /^n/i.test(answer.trim())) return EXIT.config;
  }
}

const STDERR = 2;

interface Ended {
  readonly error?: Error;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** As git, crontab and others do it: a command line, with the file behind it. With JSON its screen is not ours to mix into. */
async function runEditor(
  { environment }: Io,
  copy: string,
  asJson: boolean,
  ended: AbortSignal,
): Promise<string | undefined> {
  const editor = environment['VISUAL'] || environment['EDITOR'] || 'editor';
  // In place of the shell, so that a signal to it ends the editor; anything but a name and options is left to the shell.
  const isPlain = /^[\w./ -]+$/.test(editor);
  const child = spawn('/bin/sh', ['-c', `${isPlain ? 'exec ' : ''}${editor} "$1"`, editor, copy], {
    stdio: ['inherit', asJson ? STDERR : 'inherit', 'inherit'],
  });
  const end = (): void => void child.kill();
  const ignore = (): void => {};
  ended.addEventListener('abort', end);
  process.on('SIGINT', ignore);
  const { error, status, signal } = await new Promise<Ended>((done) => {
    child.once('error', (cause) => done({ error: cause, status: null, signal: null }));
    child.once('exit', (code, by) => done({ status: code, signal: by }));
  });
  process.off('SIGINT', ignore);
  ended.removeEventListener('abort', end);
  if (error !== undefined) return `The editor cannot be started: ${error.message}.`;
  if (status === 127) return `There is no ${editor}: set EDITOR, as in EDITOR=nano chargepoint config edit.`;
  if (status !== 0) return `The editor ended with ${signal ?? `exit code ${status}`}: nothing was changed.`;
  return undefined;
}

/** The old text beside it first; then one rename. */
function put(
  io: Io,
  { file, before, edited }: { readonly file: string; readonly before: string; readonly edited: string },
): ExitCode {
  try {
    if (readFileSync(file, 'utf8') !== before) {
      io.err(`${file} was changed by somebody else meanwhile and is left as it is.\n`);
      return EXIT.internal;
    }
    const mode = statSync(file).mode & 0o777;
    const old = backupOf(file);
    replaceFile(old, before, mode);
    giveLike(file, old);
    replaceFile(file, edited, mode);
    return EXIT.ok;
  } catch (error) {
    return trouble(io, file, error);
  }
}

const backupOf = (file: string): string => `${file}.bak`;

async function runsWith(io: Io, given: string, edited: string): Promise<boolean> {
  const loaded = loadText(io, given, edited);
  const socket = 'config' in loaded ? loaded.config.control.socket : undefined;
  return socket !== undefined && (await isListening(socket));
}

interface Replaced {
  readonly file: string;
  readonly backup: string;
  readonly agentRuns: boolean;
}

const nextText = ({ file, backup, agentRuns }: Replaced): string =>
  `${file} is replaced; what was in it before: ${backup}\n${
    agentRuns
      ? 'The agent goes on with the old one until it is started again: chargepoint config diff,\nthen sudo systemctl restart chargepoint (nobody should be charging).\n'
      : 'It is read at the next start.\n'
  }`;

function trouble(io: Io, path: string, error: unknown): ExitCode {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    const folder = dirname(resolve(path));
    io.err(existsSync(folder) ? `There is no ${path}.\n` : `There is no folder ${folder}.\n`);
    io.err(`To write one: chargepoint setup --config ${path}\n`);
    return EXIT.internal;
  }
  if (code === undefined) throw error;
  const isForbidden = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  io.err(isForbidden ? `No permission for ${path}: use sudo.\n` : `${path} cannot be used: ${message}.\n`);
  return EXIT.internal;
}
