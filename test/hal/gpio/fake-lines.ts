/** Lines and a PWM channel in memory: a test moves the inputs and reads what was written, in order. */
import type { InputLine, Level, LineBackend, OutputLine } from '../../../hal/gpio/line.ts';
import type { Pwm } from '../../../hal/gpio/pwm.ts';

export class FakeInput implements InputLine {
  broken = false;
  #on: boolean;
  readonly #listeners = new Set<(on: boolean) => void>();
  constructor(on = false) {
    this.#on = on;
  }
  read(): boolean {
    if (this.broken) throw new Error('EIO');
    return this.#on;
  }
  set(on: boolean): void {
    if (this.#on === on) return;
    this.#on = on;
    for (const listener of [...this.#listeners]) listener(on);
  }
  onChange(listener: (on: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  close(): void {
    this.#listeners.clear();
  }
}

export class FakeOutput implements OutputLine {
  on = false;
  broken = false;
  readonly history: boolean[] = [];
  onWrite: (on: boolean) => void = () => {};
  write(on: boolean): void {
    if (this.broken) throw new Error('EIO');
    this.on = on;
    this.history.push(on);
    this.onWrite(on);
  }
  close(): void {
    this.on = false;
  }
}

export class FakePwm implements Pwm {
  percent = 100;
  readonly history: number[] = [];
  closed = false;
  duty(percent: number): void {
    this.percent = percent;
    this.history.push(percent);
  }
  close(): void {
    this.percent = 100;
    this.closed = true;
  }
}

/** A chip in memory, by physical levels. `log` holds every operation in order. */
export class FakeChip implements LineBackend {
  readonly log: string[] = [];
  readonly levels = new Map<number, Level>();
  readonly open = new Set<number>();
  /** Opening this line fails. */
  refuses: number | undefined;
  /** Writing to these lines fails. */
  readonly broken = new Set<number>();
  /** Called after every write, so that a test can play the contactor. */
  onWrite: (line: number, level: Level) => void = () => {};
  readonly #edges = new Map<number, () => void>();

  async openOutput(line: number, initial: Level) {
    this.#claim(line);
    this.levels.set(line, initial);
    this.log.push(`out ${line}=${initial}`);
    return {
      write: (level: Level) => {
        if (this.broken.has(line)) throw new Error(`EIO on line ${line}`);
        this.levels.set(line, level);
        this.log.push(`${line}=${level}`);
        this.onWrite(line, level);
      },
      close: () => this.#release(line),
    };
  }

  async openInput(line: number) {
    this.#claim(line);
    this.log.push(`in ${line}`);
    return {
      read: (): Level => this.levels.get(line) ?? 0,
      onEdge: (listener: () => void) => {
        this.#edges.set(line, listener);
      },
      close: () => this.#release(line),
    };
  }

  /** Pulls an input. */
  pull(line: number, level: Level): void {
    this.levels.set(line, level);
    this.#edges.get(line)?.();
  }

  #claim(line: number): void {
    if (this.refuses === line) throw new Error(`line ${line} refused`);
    this.open.add(line);
  }

  #release(line: number): void {
    this.open.delete(line);
    this.#edges.delete(line);
    this.log.push(`close ${line}`);
  }
}
