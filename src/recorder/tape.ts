/** Notes become lines of the ring, in the order of cause and effect. Nothing here ever throws: nobody waits for what is written down. */
import type { Clock, Log } from '../ports.ts';
import type { Note, RecordedEntry } from './recording.ts';
import { Ring, type RingSize } from './ring.ts';

/** Where everything stands, for `state`. */
export type Standing = Omit<Extract<Note, { what: 'state' }>, 'what'>;

export interface TapeOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly size?: RingSize;
  /** Called with each note once it is on the tape. */
  readonly noted: (note: Note, at: number) => void;
}

/** Ends a group: the note that goes before all of it, if what was begun has come to pass. */
export type Release = (first?: () => Note) => void;

/** What a recorder takes in. */
export interface Notes {
  note(note: Note): void;
  /** From here on notes wait, and come after the first one that the release brings: an output is written before it is noted. */
  hold(): Release;
}

/** While something happens, so often there is a `state` in between. */
const STATE_EVERY_MS = 60_000;

type Waiting = { readonly note: Note; readonly at: number }[];

export class Tape implements Notes {
  readonly #options: TapeOptions;
  readonly #ring: Ring;
  #standing: (() => Standing) | undefined;
  #stateAt = 0;
  #held: Waiting | undefined;
  #hasFailed = false;

  constructor(options: TapeOptions) {
    this.#options = options;
    this.#ring = new Ring(options.size);
  }

  /** What was noted before is not on the tape. */
  begin(standing: () => Standing): void {
    this.#standing = standing;
    this.#quietly(() => this.#beginStretch(this.#options.clock.now()));
  }

  note(note: Note): void {
    if (this.#standing === undefined) return;
    this.#put(note, this.#options.clock.now());
  }

  hold(): Release {
    const at = this.#options.clock.now();
    const outer = this.#held;
    const held: Waiting = [];
    this.#held = held;
    return (first) => {
      this.#held = outer;
      if (first !== undefined) this.#quietly(() => this.#put(first(), at));
      for (const { note, at } of held) this.#put(note, at);
    };
  }

  /** Lines of JSON, the first one a `state`; a piece ends with the end of a line. */
  get content(): readonly Uint8Array[] {
    return this.#ring.content;
  }

  #put(note: Note, at: number): void {
    if (this.#held !== undefined) this.#held.push({ note, at });
    else if (this.#standing !== undefined) this.#quietly(() => this.#write(note, at));
  }

  #write(note: Note, at: number): void {
    if (at - this.#stateAt >= STATE_EVERY_MS) {
      this.#stateAt = at;
      const state = this.#state(at);
      if (!this.#ring.add(state)) this.#ring.begin(state);
    }
    const line = lineOf(note, at);
    if (!this.#ring.add(line)) {
      this.#beginStretch(at);
      this.#ring.add(line);
    }
    this.#options.noted(note, at);
  }

  #beginStretch(at: number): void {
    this.#stateAt = at;
    this.#ring.begin(this.#state(at));
  }

  #state(at: number): string {
    if (this.#standing === undefined) throw new Error('the tape has not begun');
    return lineOf({ what: 'state', ...this.#standing() }, at);
  }

  #quietly(action: () => void): void {
    try {
      action();
    } catch (cause) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#options.log.warn('the flight recorder could not note something', { cause });
    }
  }
}

const lineOf = (note: Note, at: number): string =>
  JSON.stringify({ at: toMicroseconds(at), ...note } satisfies RecordedEntry);

export const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;
