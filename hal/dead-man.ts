/** The dead-man output: goes back and forth while the hardware is watched, and stands still, at whatever level, as soon as it is not. */
import type { DeadManDescription } from './board-description.ts';
import type { Cancel, Timebase } from './contract.ts';
import type { FaultBook } from './fault-book.ts';
import type { OutputLine } from './gpio/line.ts';

const DEAD_MAN_PERIOD_MS = 100;

export interface DeadManSite {
  /** `Board.watched`. Asked before each edge: no edge is made in advance, so that a process that hangs makes none. */
  watched(): boolean;
  readonly book: FaultBook;
  readonly clock: Timebase;
}

/** Returns how to end it; the line stays what it is then. A line that cannot be written opens every contactor, as the monostable does. */
export function startDeadMan(
  output: Pick<OutputLine, 'write'>,
  { periodMs = DEAD_MAN_PERIOD_MS }: Pick<DeadManDescription, 'periodMs'>,
  { watched, book, clock }: DeadManSite,
): Cancel {
  let on = false;
  let next: Cancel = () => {};
  const edge = (): void => {
    try {
      output.write(!on);
      on = !on;
      book.clear('internalFault', 0, 'dead man');
    } catch {
      book.raise({ code: 'internalFault', connectorId: 0, info: 'dead-man output cannot be written' }, 'dead man');
    }
  };
  const tick = (): void => {
    next = clock.after(periodMs / 2, tick);
    if (watched()) edge();
  };
  tick();
  return () => next();
}
