/** A contactor is exercised behind interlock and monitor: what its mirror contact tells, and which faults are heard. */
import { describe, expect, it } from 'vitest';
import { monitoredContactor } from '../../hal/contactor-monitor.ts';
import type { Contactor, ContactorState, ControlPilot, Exercise, PilotState } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { EXERCISE_MS } from '../../hal/interlock.ts';
import { ownPilotEvse } from '../../hal/own-pilot-evse.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** A contactor of which each way takes its time; undefined: it does not move. */
class Slow implements Contactor {
  feedback: ContactorState = 'open';
  readonly commands: string[] = [];
  readonly #clock: VirtualClock;
  readonly #ms: { readonly closes: number | undefined; readonly opens: number | undefined };
  readonly #listeners = new Set<(feedback: ContactorState) => void>();
  #cancel = (): void => {};

  constructor(clock: VirtualClock, ms: { readonly closes: number | undefined; readonly opens: number | undefined }) {
    this.#clock = clock;
    this.#ms = ms;
  }
  close(): void {
    this.#become('closed', this.#ms.closes);
  }
  open(): void {
    this.#become('open', this.#ms.opens);
  }
  onFeedback(listener: (feedback: ContactorState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  #become(state: ContactorState, afterMs: number | undefined): void {
    this.commands.push(state);
    this.#cancel();
    if (afterMs === undefined || this.feedback === state) return;
    this.#cancel = this.#clock.after(afterMs, () => {
      this.feedback = state;
      for (const listener of [...this.#listeners]) listener(state);
    });
  }
}

function setUp(ms: ConstructorParameters<typeof Slow>[1], mirrorWithinMs?: number) {
  const clock = new VirtualClock();
  const book = new FaultBook();
  const slow = new Slow(clock, ms);
  const listeners = new Set<(state: PilotState) => void>();
  let state: PilotState = 'A';
  const pilot: ControlPilot = {
    get state() {
      return state;
    },
    lookedAt: 0,
    signal: () => {},
    onState: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const contactor = monitoredContactor(slow, {
    clock,
    ...(mirrorWithinMs === undefined ? {} : { mirrorWithinMs }),
    raise: (code) => book.raise({ code, connectorId: 1 }, 'mirror contact'),
    clear: (code) => book.clear(code, 1, 'mirror contact'),
  });
  const evse = ownPilotEvse({ pilot, contactor, ventilated: false, clock });
  book.attach(1, evse);
  const become = (next: PilotState): void => {
    state = next;
    for (const listener of [...listeners]) listener(next);
  };
  const exercise = async (advanceMs = 2000): Promise<Exercise | undefined> => {
    const listening = slow.listeners;
    const done = evse.exercise?.();
    await clock.advance(advanceMs);
    const seen = await done;
    expect(slow.listeners).toBe(listening);
    return seen;
  };
  return { clock, book, slow, evse, become, exercise };
}

const codes = (book: FaultBook): readonly string[] => book.current.map(({ code }) => code);

describe('a contactor that is exercised', () => {
  it('tells how long its mirror contact takes either way, and raises no fault', async () => {
    const { book, exercise, slow } = setUp({ closes: 40, opens: 25 });
    expect(await exercise()).toEqual({ closedAfterMs: 40, openedAfterMs: 25 });
    expect(slow.commands.slice(-2)).toEqual(['closed', 'open']);
    expect(codes(book)).toEqual([]);
  });

  it('that does not close has the coil on for 300 ms only', async () => {
    const { book, exercise, slow } = setUp({ closes: undefined, opens: 25 });
    expect(await exercise()).toEqual({ openedAfterMs: 0 });
    expect(slow.commands.at(-1)).toBe('open');
    expect(codes(book)).toEqual([]);
  });

  it('that does not close within the time of its board file is a fault, and off at once', async () => {
    const { book, clock, exercise, slow } = setUp({ closes: undefined, opens: 25 }, 100);
    const seen = exercise(150);
    expect(await seen).toEqual({ openedAfterMs: 0, cutShort: true });
    expect(clock.now()).toBeLessThan(EXERCISE_MS);
    expect(slow.commands.at(-1)).toBe('open');
    expect(codes(book)).toEqual(['contactorStuckOpen']);
  });

  it('that does not open again is welded, and a fault', async () => {
    const { book, exercise } = setUp({ closes: 40, opens: undefined });
    expect(await exercise()).toEqual({ closedAfterMs: 40 });
    expect(codes(book)).toEqual(['contactorWelded']);
  });

  it('opens at once when somebody plugs in, even into C', async () => {
    const { become, clock, evse, slow } = setUp({ closes: 40, opens: 25 });
    const done = evse.exercise?.();
    await clock.advance(100);
    become('C');
    expect(slow.commands.at(-1)).toBe('open');
    await clock.advance(100);
    expect(await done).toEqual({ closedAfterMs: 40, openedAfterMs: 25, cutShort: true });
  });

  it('rejects with what the driver throws: nobody has cut it short', async () => {
    const { clock, evse, slow } = setUp({ closes: 40, opens: 25 });
    const listening = slow.listeners;
    slow.close = () => {
      throw new Error('EIO');
    };
    await expect(evse.exercise?.()).rejects.toThrow('EIO');
    expect([slow.commands.at(-1), slow.listeners, clock.armed]).toEqual(['open', listening, 0]);
  });

  it('is refused with an EV there, and nothing is listened to any more', async () => {
    const { become, exercise, slow } = setUp({ closes: 40, opens: 25 });
    become('B');
    expect(await exercise()).toEqual({ refused: 'pilot' });
    expect(slow.commands).not.toContain('closed');
  });
});
