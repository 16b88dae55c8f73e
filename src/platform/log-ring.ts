/** The last lines of the log on disk, for diagnostics: a bounded set of files, written seldom, never waited for. */
import { appendFileSync } from 'node:fs';
import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel, Log } from '../ports.ts';

export interface LogRingOptions {
  readonly directory: string;
  /** Time of the agent: the bench may scale it. */
  readonly after: (delayMs: number, action: () => void) => Cancel;
  /** At most so many files; 8. */
  readonly mostFiles?: number;
  /** At most so many bytes each, but for the last batch; 1 MB. */
  readonly fileBytes?: number;
}

/** The SD card takes whole pages: few writes, and no fsync. */
const BATCH_AFTER_MS = 30_000;
/** What is bad news should be on disk before the power goes. */
const URGENT_AFTER_MS = 1_000;
const BATCH_SIZE = 64 * 1024;
/** What may wait in memory, in characters; then lines are dropped and counted. */
const MOST_WAITING = 256 * 1024;
/** pino's number. */
const WARN = 40;
const DIGITS = 6;

interface LastFile {
  readonly number: number;
  bytes: number;
  /** Another process may have died in the middle of a line. */
  isForeign: boolean;
}

export class LogRing {
  readonly #options: LogRingOptions;
  readonly #mostFiles: number;
  readonly #fileBytes: number;
  #waiting: string[] = [];
  #size = 0;
  #dropped = 0;
  #log: Log | undefined;
  #timer: { readonly urgent: boolean; readonly cancel: Cancel } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #isInTrouble = false;
  #last: LastFile | undefined;

  constructor(options: LogRingOptions) {
    this.#options = options;
    this.#mostFiles = options.mostFiles ?? 8;
    this.#fileBytes = options.fileBytes ?? 1_000_000;
  }

  /** A line with its newline, and pino's number of its level. Never blocks and never throws. Before `open` it only waits. */
  keep(line: string, level: number): void {
    if (this.#size + line.length > MOST_WAITING) {
      this.#dropped++;
      this.#complain('the log comes faster than the disk takes it', undefined);
      return;
    }
    this.#waiting.push(line);
    this.#size += line.length;
    if (this.#log === undefined) return;
    if (level >= WARN || this.#size >= BATCH_SIZE) this.#arm(true);
    else this.#arm(false);
  }

  /** From now on lines go to the disk; what goes wrong is told to `log`. Costs nothing until the first write. */
  open(log: Log): void {
    this.#log = log;
    // A crash ends the process before the next batch; the outputs are safe by then.
    process.on('exit', () => this.#lastWords());
    this.#writing = this.#find().then(
      (last) => {
        this.#last = last;
      },
      // The first write says so.
      () => {},
    );
    if (this.#size > 0) this.#arm(false);
  }

  /** Resolves once everything kept so far has been handed to the system, or could not be; at once if it was never opened. Never rejects. */
  flush(): Promise<void> {
    if (this.#log === undefined) return Promise.resolve();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeBatch());
    return this.#writing;
  }

  /** All files, oldest first, with what was kept until now. Rejects with the system's error. */
  async files(): Promise<readonly string[]> {
    await this.flush();
    return (await this.#numbers()).map((number) => this.#path(number));
  }

  #arm(urgent: boolean): void {
    if (this.#timer !== undefined) {
      if (this.#timer.urgent || !urgent) return;
      this.#timer.cancel();
    }
    const cancel = this.#options.after(urgent ? URGENT_AFTER_MS : BATCH_AFTER_MS, () => {
      this.#timer = undefined;
      // A write that is stuck gets no queue behind it.
      if (!this.#isWriting) void this.flush();
    });
    this.#timer = { urgent, cancel };
  }

  async #writeBatch(): Promise<void> {
    const lines = this.#takeAll();
    if (lines.length === 0) return;
    this.#isWriting = true;
    try {
      await this.#append(lines.join(''));
      this.#recover();
    } catch (cause) {
      this.#dropped += lines.length;
      this.#last = undefined;
      this.#complain('the log cannot be kept on disk', cause);
    } finally {
      this.#isWriting = false;
    }
    if (this.#size > 0 && this.#timer === undefined) this.#arm(false);
  }

  #takeAll(): readonly string[] {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#size = 0;
    return lines;
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const last = await this.#fileFor(bytes.length);
    const content = last.isForeign ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
    await appendFile(this.#path(last.number), content, { mode: 0o600 });
    last.bytes += content.length;
    last.isForeign = false;
  }

  async #fileFor(bytes: number): Promise<LastFile> {
    const last = this.#last ?? (await this.#find());
    if (last.bytes > 0 && last.bytes + bytes > this.#fileBytes) {
      this.#last = { number: last.number + 1, bytes: 0, isForeign: false };
      await this.#prune(this.#last.number);
    } else this.#last = last;
    return this.#last;
  }

  async #find(): Promise<LastFile> {
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 });
    const number = (await this.#numbers()).at(-1);
    if (number === undefined) return { number: 1, bytes: 0, isForeign: false };
    return { number, bytes: (await stat(this.#path(number))).size, isForeign: true };
  }

  async #prune(number: number): Promise<void> {
    for (const old of await this.#numbers())
      if (old <= number - this.#mostFiles) await rm(this.#path(old), { force: true });
  }

  async #numbers(): Promise<readonly number[]> {
    const names = await readdir(this.#options.directory).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return [];
      throw cause;
    });
    return names
      .flatMap((name) => /^(\d{6,9})\.log$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  #path(number: number): string {
    return join(this.#options.directory, `${String(number).padStart(DIGITS, '0')}.log`);
  }

  /** Said once. Not in the turn in which a line is kept: the log is on its way to us. */
  #complain(what: string, cause: unknown): void {
    if (this.#isInTrouble || this.#log === undefined) return;
    this.#isInTrouble = true;
    const log = this.#log;
    this.#options.after(0, () => log.warn(what, cause === undefined ? {} : { cause }));
  }

  #recover(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#isInTrouble = false;
    this.#log?.info('the log is kept on disk again', { dropped });
  }

  /** The blocking way, unless a write is stuck. */
  #lastWords(): void {
    const last = this.#last;
    if (this.#isWriting || last === undefined || this.#size === 0) return;
    try {
      appendFileSync(this.#path(last.number), `${last.isForeign ? '\n' : ''}${this.#takeAll().join('')}`, {
        mode: 0o600,
      });
    } catch {
      // The disk is full or gone, and so are we.
    }
  }
}
