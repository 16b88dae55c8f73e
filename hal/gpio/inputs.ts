/** Lines that say that something is wrong (emergency stop, RCD, over-temperature, a failing supply), or that less power is asked for. */
import type { FaultInputDescription } from '../board-description.ts';
import type { Cancel, DimmingContact, Fault, Mains, Timebase, Unsubscribe } from '../contract.ts';
import type { FaultBook } from '../fault-book.ts';
import { tryAll } from '../try-all.ts';
import type { InputLine } from './line.ts';

/** A fault has to be gone for so long before it clears: a chattering contact would close the contactor again and again. */
export const CLEARS_AFTER_MS = 1000;

/** The EV is cut off in the turn in which the line becomes active; clearing waits until the line has been quiet. */
export function faultInput(
  line: InputLine,
  description: FaultInputDescription,
  book: FaultBook,
  clock: Timebase,
): Unsubscribe {
  const { fault: code, connector: connectorId, info, vendorErrorCode } = description;
  const source = `line ${description.line}`;
  const fault: Fault = {
    code,
    connectorId,
    ...(info === undefined ? {} : { info }),
    ...(vendorErrorCode === undefined ? {} : { vendorErrorCode }),
  };
  let clearing: Cancel | undefined;
  const follow = (active: boolean) => {
    clearing?.();
    clearing = undefined;
    if (active) book.raise(fault, source);
    else {
      clearing = clock.after(description.clearsAfterMs ?? CLEARS_AFTER_MS, () => book.clear(code, connectorId, source));
    }
  };
  if (line.read()) follow(true);
  const unsubscribe = line.onChange(follow);
  return () => {
    clearing?.();
    unsubscribe();
  };
}

export interface MainsInput {
  readonly mains: Mains;
  onMains(listener: (mains: Mains) => void): Unsubscribe;
}

export const MAINS_ALWAYS_ON: MainsInput = { mains: 'on', onMains: () => () => {} };

/** `trip` and `release` reach every connector and are called before a listener hears of it. */
export function mainsInput(failing: InputLine, trip: () => void, release: () => void): MainsInput {
  const listeners = new Set<(mains: Mains) => void>();
  let mains: Mains = 'on';
  const follow = (fails: boolean) => {
    mains = fails ? 'failing' : 'on';
    tryAll([fails ? trip : release, ...[...listeners].map((listener) => () => listener(mains))]);
  };
  if (failing.read()) follow(true);
  failing.onChange(follow);
  return {
    get mains() {
      return mains;
    },
    onMains(listener): Unsubscribe {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A contact of a ripple-control receiver or a smart-meter gateway bounces, and its long wire catches pulses. */
export const DIMMING_STEADY_MS = 100;

export interface DimmingInput extends DimmingContact {
  close(): void;
}

/** Follows the line once it has been steady for 100 ms, either way. */
export function dimmingInput(line: InputLine, clock: Timebase): DimmingInput {
  const listeners = new Set<(active: boolean) => void>();
  let active = line.read();
  let settling: Cancel | undefined;
  const unsubscribe = line.onChange((on) => {
    settling?.();
    settling = undefined;
    if (on === active) return;
    settling = clock.after(DIMMING_STEADY_MS, () => {
      settling = undefined;
      active = on;
      tryAll([...listeners].map((listener) => () => listener(on)));
    });
  });
  return {
    get active() {
      return active;
    },
    onChange(listener): Unsubscribe {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      settling?.();
      unsubscribe();
    },
  };
}
