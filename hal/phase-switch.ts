/** Chooses one or three phases behind an open contactor: holds the interlock, waits, selects, waits again. */
import type { Evse, PhaseSwitch, Surroundings } from './contract.ts';
import type { Trippable } from './fault-book.ts';

/** Before and after selecting: the arc is out and the contacts have stopped bouncing (facts/evse.md 1.5). */
export const SETTLE_MS = 100;
/** From selecting to the feedback that agrees. */
export const FEEDBACK_WITHIN_MS = 500;
const LOOK_MS = 10;
const REASON = 'phaseSwitch';

/** What connects one or three phases: a contactor, or the mock. */
export interface PhaseSelector {
  /** Has reached the hardware when it returns. */
  select(phases: 1 | 3): void;
  /** What is connected; absent where nothing tells. */
  read?(): 1 | 3;
}

export interface PhaseSwitchParts extends Surroundings {
  /** Has all three phases selected. */
  readonly selector: PhaseSelector;
  readonly evse: Pick<Evse, 'state'> & Trippable;
}

/** An EV on whose phases something changes under load may break: whatever goes wrong, the contactor is open while it does. */
export function phaseSwitch({ selector, evse, clock, log }: PhaseSwitchParts): PhaseSwitch {
  let selected: 1 | 3 = 3;
  /** Calls that have not resolved yet: the interlock is held for all of them together. */
  let calls = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** Feedback that cannot be read says nothing. */
  const seen = (): 1 | 3 | undefined => {
    try {
      return selector.read?.();
    } catch {
      return undefined;
    }
  };
  const connected = (): 1 | 3 => seen() ?? selected;
  /** A contactor that does not do what it was told may do so later: both have to agree. */
  const isThere = (phases: 1 | 3): boolean => selected === phases && connected() === phases;
  const isOpen = (): boolean => {
    try {
      return evse.state.contactor === 'open';
    } catch {
      return false;
    }
  };
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const select = (phases: 1 | 3): void => {
    selector.select(phases);
    selected = phases;
  };

  const confirmed = async (phases: 1 | 3): Promise<boolean> => {
    const deadline = clock.now() + FEEDBACK_WITHIN_MS;
    await wait(SETTLE_MS);
    if (selector.read === undefined) return true;
    while (seen() !== phases && clock.now() < deadline) await wait(LOOK_MS);
    return seen() === phases;
  };

  const move = async (phases: 1 | 3): Promise<void> => {
    if (isThere(phases)) return;
    await wait(SETTLE_MS);
    if (!isOpen()) return;
    select(phases);
    if (await confirmed(phases)) return;
    log.warn('the phase switch does not follow', { phases, feedback: seen() ?? 'none' });
    if (connected() === selected) return;
    // It must not move minutes later, under load.
    select(connected());
    await wait(SETTLE_MS);
  };

  return {
    get phases() {
      return connected();
    },
    async switchTo(phases) {
      if (calls === 0 && (isThere(phases) || !isOpen())) return connected();
      calls += 1;
      try {
        // In the turn of the call, so that nobody closes the contactor meanwhile.
        if (calls === 1) evse.trip(REASON);
        const moved = last.then(() => move(phases));
        last = moved.catch(() => {});
        await moved;
      } catch (error) {
        log.warn('the phase switch failed', { phases, error: String(error) });
      } finally {
        calls -= 1;
        if (calls === 0) evse.release(REASON);
      }
      return connected();
    },
  };
}
