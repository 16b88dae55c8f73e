/** Phase switch description -> a `PhaseSwitch` on lines. */
import type { PhaseSwitchDescription } from '../board-description.ts';
import type { ContactorState, Evse, PhaseSwitch, Surroundings } from '../contract.ts';
import type { Trippable } from '../fault-book.ts';
import { type PhaseSelector, phaseSwitch } from '../phase-switch.ts';
import { type LineBackend, levelOf, openInput } from './line.ts';

/** As long as a mirror contact may take before a contactor counts as welded. */
const OPEN_WITHIN_MS = 500;
const LOOK_MS = 10;

export interface PhaseSwitchSite {
  readonly connectorId: number;
  /** Its coil is off. */
  readonly evse: Evse & Trippable;
  readonly backend: LineBackend;
  readonly surroundings: Surroundings;
  /** Takes what has to be closed; called in reverse order. */
  keep(close: () => void | Promise<void>): void;
}

/**
 * All three phases selected. A process that died may have left one phase behind a closed contactor: nothing is touched before that
 * is open. Undefined if it does not open: then all stays as it is, and the number of phases cannot be changed.
 */
export async function openPhaseSwitch(
  { onePhase, feedback }: PhaseSwitchDescription,
  { connectorId, evse, backend, surroundings, keep }: PhaseSwitchSite,
): Promise<PhaseSwitch | undefined> {
  const { clock, log } = surroundings;
  const deadline = clock.now() + OPEN_WITHIN_MS;
  while (contactorOf(evse) !== 'open') {
    if (clock.now() >= deadline) {
      log.warn('the phase switch stays as it is: the contactor is not open', { connectorId });
      return undefined;
    }
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
  }
  const raw = await backend.openOutput(onePhase.line, levelOf(false, onePhase), onePhase);
  let isOpen = true;
  keep(() => {
    isOpen = false;
    try {
      if (contactorOf(evse) === 'open') raw.write(levelOf(false, onePhase));
    } finally {
      raw.close();
    }
  });
  const told = feedback === undefined ? undefined : await openInput(backend, feedback);
  if (told !== undefined) keep(() => told.close());
  const selector: PhaseSelector = {
    select(phases) {
      // The board may have been closed while a call was waiting: the line is not ours any more.
      if (isOpen) raw.write(levelOf(phases === 1, onePhase));
    },
    ...(told === undefined ? {} : { read: () => (told.read() ? 1 : 3) }),
  };
  return phaseSwitch({ selector, evse, ...surroundings });
}

/** A mirror contact that cannot be read does not say open. */
function contactorOf(evse: Evse): ContactorState | undefined {
  try {
    return evse.state.contactor;
  } catch {
    return undefined;
  }
}
