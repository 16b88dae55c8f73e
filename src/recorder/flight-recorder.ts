/** The flight recorder: what has just happened, in memory; on disk when a fault makes it worth keeping, or when somebody asks for it. */
import type { Cancel, Clock, Log, Recordings, SavedRecording } from '../ports.ts';
import { type Cause, causeOf, onCrash, onRequest, onUpload } from './causes.ts';
import { type Note, RECORDING_FORMAT, type RecordedConnector, type RecordingHeader } from './recording.ts';
import type { RingSize } from './ring.ts';
import { type Release, type Standing, Tape, toMicroseconds } from './tape.ts';

export interface RecorderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly recordings: Recordings;
  readonly version: string;
  readonly connectors: readonly RecordedConnector[];
  /** Those that may be shown. */
  readonly keys: () => RecordingHeader['keys'];
  readonly size?: RingSize;
}

/** A storm of faults must not wear the card out, nor push out what was saved before it. */
const LEAST_BETWEEN_MS = 60_000;
const MOST_AN_HOUR = 6;
const HOUR_MS = 3_600_000;
const MOST_ALSO = 20;
/** A process that ends waits so long for the disk, in real time. */
const END_WITHIN_MS = 300;
/** Of a frame; messages of everyday size are shorter. */
const LONGEST_FRAME = 4096;

interface Happened extends Cause {
  readonly at: number;
}

interface Pending {
  readonly cause: Happened;
  readonly also: string[];
  readonly due: number;
  readonly cancel: Cancel;
}

export class FlightRecorder {
  readonly #options: RecorderOptions;
  readonly #tape: Tape;
  readonly #savedAt: number[] = [];
  #isArmed = false;
  #pending: Pending | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { clock, log, size } = options;
    this.#tape = new Tape({ clock, log, noted: (note, at) => this.#noted(note, at), ...(size && { size }) });
  }

  /** Nothing is recorded before. What `look` notes was there already and is nothing to save. */
  begin(standing: () => Standing, look: () => void): void {
    this.#tape.begin(standing);
    look();
    this.#isArmed = true;
  }

  now(): number {
    return this.#options.clock.now();
  }

  note(note: Note): void {
    this.#tape.note(note);
  }

  hold(): Release {
    return this.#tape.hold();
  }

  frame(direction: 'tx' | 'rx', text: string): void {
    if (text.length <= LONGEST_FRAME) this.note({ what: 'frame', direction, text });
    else this.note({ what: 'frame', direction, text: text.slice(0, LONGEST_FRAME), cut: text.length });
  }

  /** Saves what there is because somebody asks for it. Rejects with StoreError. */
  save(): Promise<SavedRecording> {
    return this.#save({ ...onRequest, at: this.now() }, []);
  }

  /** As it would be saved now. */
  get content(): readonly Uint8Array[] {
    return this.#content({ ...onUpload, at: this.now() }, []);
  }

  /** What has been saved, oldest first. Rejects with StoreError. */
  saved(): Promise<readonly SavedRecording[]> {
    return this.#options.recordings.list();
  }

  /** Undefined if it has made room for another one meanwhile. Rejects with StoreError. */
  read(name: string): Promise<Uint8Array | undefined> {
    return this.#options.recordings.read(name);
  }

  /** The process ends: what waits for its aftermath is saved without, after a crash in any case. Bounded in time, never rejects. */
  async end(how: 'orderly' | 'crash'): Promise<void> {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    const pending = this.#pending;
    pending?.cancel();
    this.#pending = undefined;
    if (pending === undefined && how === 'orderly') return;
    const cause = pending?.cause ?? { ...onCrash, at: this.now() };
    const saving = this.#saveQuietly(cause, pending?.also ?? []);
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.afterReal(END_WITHIN_MS, resolve);
      void saving.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #noted(note: Note, at: number): void {
    const cause = this.#isArmed ? causeOf(note) : undefined;
    if (cause !== undefined) this.#await({ ...cause, at });
  }

  /** The first one names the file; those that come until it is saved are in it. */
  #await(cause: Happened): void {
    const pending = this.#pending;
    const due = Math.max(this.now() + cause.aftermathMs, this.#earliest(cause));
    if (pending === undefined) this.#arm(cause, [], due);
    else {
      if (pending.also.length < MOST_ALSO) pending.also.push(cause.text);
      if (due >= pending.due) return;
      pending.cancel();
      this.#arm(pending.cause, pending.also, due);
    }
  }

  #arm(cause: Happened, also: string[], due: number): void {
    const cancel = this.#options.clock.after(due - this.now(), () => {
      this.#pending = undefined;
      void this.#saveQuietly(cause, also);
    });
    this.#pending = { cause, also, due, cancel };
  }

  #earliest({ isLast }: Cause): number {
    const last = (isLast ? undefined : this.#savedAt.at(-1)) ?? Number.NEGATIVE_INFINITY;
    const first = this.#savedAt.at(-MOST_AN_HOUR) ?? Number.NEGATIVE_INFINITY;
    return Math.max(last + LEAST_BETWEEN_MS, first + HOUR_MS);
  }

  async #saveQuietly(cause: Happened, also: readonly string[]): Promise<void> {
    const { log } = this.#options;
    this.#savedAt.push(this.now());
    if (this.#savedAt.length > MOST_AN_HOUR) this.#savedAt.shift();
    try {
      await this.#save(cause, also);
    } catch (error) {
      log.warn('a flight recording could not be saved', { of: cause.text, cause: error });
    }
  }

  async #save(cause: Happened, also: readonly string[]): Promise<SavedRecording> {
    const { log, recordings } = this.#options;
    const saved = await recordings.save(`${this.#momentOf(cause.at)}-${cause.slug}`, this.#content(cause, also));
    log.info('a flight recording was saved', { of: cause.text, ...saved });
    return saved;
  }

  #content({ text, at }: Happened, also: readonly string[]): readonly Uint8Array[] {
    const { clock, version, connectors, keys } = this.#options;
    const header: RecordingHeader = {
      recording: RECORDING_FORMAT,
      version,
      cause: text,
      ...(also.length === 0 ? {} : { also }),
      at: toMicroseconds(at),
      ...(clock.trusted ? { wall: new Date(clock.wall(at)).toISOString() } : {}),
      bootId: clock.bootId,
      connectors,
      keys: withoutPasswords(keys()),
    };
    return [new TextEncoder().encode(`${JSON.stringify(header)}\n`), ...this.#tape.content];
  }

  /** As the name of a file has it: UTC, or how long the machine had been running. */
  #momentOf(at: number): string {
    const { clock } = this.#options;
    if (!clock.trusted) return `uptime${Math.floor(at / 1000)}s`;
    return new Date(clock.wall(at)).toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
  }
}

/** Those in addresses; what is a secret as a whole nobody hands in here. */
const withoutPasswords = (keys: RecordingHeader['keys']): RecordingHeader['keys'] =>
  Object.fromEntries(
    Object.entries(keys).map(([name, value]) => [name, value.replace(/(:\/\/[^/\s@:]*):[^/\s]*@/g, '$1:***@')]),
  );
