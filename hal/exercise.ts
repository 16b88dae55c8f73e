/** The contactor is closed for a moment and opened again, and its mirror contact is watched: a technician's test without an EV. */
import type { Exercise, Timebase } from './contract.ts';
import { EXERCISE_MS, type Interlock } from './interlock.ts';

/** As long as a mirror contact may take before it is a fault, and a little more: by then the monitor has spoken. */
const OPENS_WITHIN_MS = 600;
/** A timer may be so early, by its clock. */
const GRAIN_MS = 1;

/** Rejects with what the driver throws; the coil has been told to open then. */
export function exercised(interlock: Interlock, clock: Timebase): Promise<Exercise> {
  return new Promise((resolve, reject) => {
    const begun = clock.now();
    let closedAt: number | undefined;
    let openedFrom: number | undefined;
    let ended = false;
    const end = (openedAt: number | undefined): void => {
      if (ended || openedFrom === undefined) return;
      ended = true;
      forget();
      cancel();
      resolve({
        ...(closedAt === undefined ? {} : { closedAfterMs: closedAt - begun }),
        ...(openedAt === undefined ? {} : { openedAfterMs: openedAt - openedFrom }),
        ...(openedFrom - begun < EXERCISE_MS - GRAIN_MS ? { cutShort: true } : {}),
      });
    };
    let cancel = (): void => {};
    const forget = interlock.onFeedback((feedback) => {
      if (feedback === 'closed') closedAt ??= clock.now();
      else end(clock.now());
    });
    const over = (): void => {
      openedFrom = clock.now();
      if (interlock.feedback === 'open') end(openedFrom);
      else cancel = clock.after(OPENS_WITHIN_MS, () => end(interlock.feedback === 'open' ? clock.now() : undefined));
    };
    try {
      const refused = interlock.exercise(over);
      if (refused === undefined) {
        if (interlock.feedback === 'closed') closedAt ??= clock.now();
        return;
      }
      ended = true;
      forget();
      resolve({ refused });
    } catch (error) {
      ended = true;
      forget();
      cancel();
      reject(error);
    }
  });
}
