/** Digital lines as drivers see them: on or off. Which level that is, and how lines are reached, stays in here and in the back end. */
import type { DebouncedInputDescription, LineDescription } from '../board-description.ts';
import type { Unsubscribe } from '../contract.ts';

export type Level = 0 | 1;

/** Physical levels; what a back end gives. Every method throws what the kernel says if the line is lost. */
export interface RawOutput {
  /** Has reached the pin when it returns. */
  write(level: Level): void;
  /** Releases the line at the level it has. */
  close(): void;
}

export interface RawInput {
  read(): Level;
  /** Called after every edge, with the level where the back end has just read it; several edges may be one call. One listener. */
  onEdge(listener: (level?: Level) => void): void;
  close(): void;
}

/** What else a back end may be asked for. Levels stay physical: `activeLow` is what the kernel tells others about the line. */
export type LineOptions = Omit<LineDescription, 'line'>;
export type InputOptions = Omit<DebouncedInputDescription, 'line'>;

/** A way to reach the lines of one chip. Rejects with a HalError: noSuchLine, lineBusy, noPermission, driverMissing, badBoard. */
export interface LineBackend {
  /** The pin has the level `initial` before it becomes an output, so that a relay never clicks. */
  openOutput(line: number, initial: Level, options: LineOptions): Promise<RawOutput>;
  openInput(line: number, options: InputOptions): Promise<RawInput>;
}

export interface OutputLine {
  write(on: boolean): void;
  /** Off, then released. Safe to call twice. */
  close(): void;
}

export interface InputLine {
  /** The pin at this moment, not what the last edge said; after `close` what it was last known to be. */
  read(): boolean;
  /** Called after each change, never twice with the same value. */
  onChange(listener: (on: boolean) => void): Unsubscribe;
  /** Safe to call twice. */
  close(): void;
}

export const levelOf = (on: boolean, { activeLow = false }: LineDescription): Level => (on !== activeLow ? 1 : 0);

/** An output that is off from before the first moment it drives. */
export async function openOutput(backend: LineBackend, description: LineDescription): Promise<OutputLine> {
  const raw = await backend.openOutput(description.line, levelOf(false, description), description);
  let open = true;
  return {
    write: (on) => raw.write(levelOf(on, description)),
    close() {
      if (!open) return;
      open = false;
      try {
        raw.write(levelOf(false, description));
      } finally {
        raw.close();
      }
    },
  };
}

export async function openInput(backend: LineBackend, description: DebouncedInputDescription): Promise<InputLine> {
  const raw = await backend.openInput(description.line, description);
  const listeners = new Set<(on: boolean) => void>();
  const read = () => raw.read() === levelOf(true, description);
  let last = read();
  let open = true;
  raw.onEdge((level) => {
    // A contactor waits for this: nothing is read twice.
    const now = level === undefined ? read() : level === levelOf(true, description);
    if (now === last) return;
    last = now;
    for (const listener of [...listeners]) listener(now);
  });
  return {
    read: () => (open ? read() : last),
    onChange(listener): Unsubscribe {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      if (!open) return;
      last = read();
      open = false;
      listeners.clear();
      raw.close();
    },
  };
}
