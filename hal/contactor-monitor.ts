/** Compares the coil with the mirror contact: a contactor that is welded or does not pull in is a fault, not a wrong status. */
import type { Cancel, Contactor, ContactorState, FaultCode, Timebase } from './contract.ts';

/** Contactors switch within 100 ms; bouncing mirror contacts and interference are over by then, twice (facts/evse.md 2.1). */
export const MIRROR_WITHIN_MS = 500;

export type ContactorFault = Extract<FaultCode, 'contactorWelded' | 'contactorStuckOpen'>;

export interface MonitorOptions {
  readonly clock: Timebase;
  /** How long mirror contact and command may differ, in ms (100..2000). */
  readonly mirrorWithinMs?: number;
  /** `raise` has to trip the interlock before it returns, as the fault book does. */
  raise(code: ContactorFault): void;
  clear(code: ContactorFault): void;
}

const FAULT_WHEN: { readonly [commanded in ContactorState]: ContactorFault } = {
  open: 'contactorWelded',
  closed: 'contactorStuckOpen',
};

/**
 * The same contactor, watched. It goes between driver and interlock, so that the interlock stays the only one to command it.
 * A contactor that stayed open is commanded off by the trip that its fault causes: it must not pull in minutes later.
 */
export function monitoredContactor(contactor: Contactor, options: MonitorOptions): Contactor {
  const withinMs = options.mirrorWithinMs ?? MIRROR_WITHIN_MS;
  let commanded: ContactorState | undefined;
  let waiting: Cancel | undefined;
  let raised: ContactorFault | undefined;

  const stopWaiting = () => {
    waiting?.();
    waiting = undefined;
  };
  const clearRaised = () => {
    const gone = raised;
    raised = undefined;
    if (gone !== undefined) options.clear(gone);
  };
  const overdue = () => {
    waiting = undefined;
    // The contact itself decides, not whether its edge was seen.
    if (commanded === undefined || contactor.feedback === commanded) return;
    raised = FAULT_WHEN[commanded];
    options.raise(raised);
  };
  const compare = () => {
    if (contactor.feedback === commanded) {
      stopWaiting();
      clearRaised();
    } else if (raised === undefined) {
      waiting ??= options.clock.after(withinMs, overdue);
    }
  };
  /** The command has reached the hardware before this is called. */
  const followed = (command: ContactorState) => {
    if (commanded === command) return;
    commanded = command;
    stopWaiting();
    clearRaised();
    compare();
  };

  contactor.onFeedback(() => {
    if (commanded !== undefined) compare();
  });

  return {
    get feedback() {
      return contactor.feedback;
    },
    close() {
      contactor.close();
      followed('closed');
    },
    open() {
      contactor.open();
      followed('open');
    },
    onFeedback: (listener) => contactor.onFeedback(listener),
    onCommand: (look) => contactor.onCommand?.(look) ?? (() => {}),
  };
}
