/** Closes a contactor once for a technician: an offer, the EV's answer, the interlock's consent; and opens it, whatever happens. */
import type { Evse, EvseState, Timebase } from '../../hal/contract.ts';

export interface Closing {
  readonly amps: number;
  /** Closed so long at most. */
  readonly forMs: number;
  /** For the EV to ask for power. */
  readonly waitMs: number;
  readonly clock: Timebase;
  readonly ended: AbortSignal;
  /** The mirror contact says so. */
  closed(): void;
}

export interface Outcome {
  readonly how: 'noEv' | 'stuck' | 'opened' | 'done' | 'ended' | 'welded';
  /** From the permit to the mirror contact. */
  readonly closedAfterMs?: number;
  readonly closedForMs?: number;
}

/** The EV gets so long to let go before its current is broken; the interlock would give it 6 s. */
const LETS_GO_WITHIN_MS = 3_000;
/** As long as a mirror contact may take before it is a fault. */
const MIRROR_WITHIN_MS = 600;

const asks = ({ pilot }: EvseState): boolean => pilot === 'C' || pilot === 'D';

/** Rejects with what the driver throws; the contactor has been told to open then, and x1 is signalled. */
export async function closedFor(evse: Evse, closing: Closing): Promise<Outcome> {
  const { amps, forMs, waitMs, clock, ended, closed } = closing;
  const until = (isSo: (state: EvseState) => boolean, withinMs: number): Promise<'so' | 'late' | 'ended'> =>
    settled(evse, { isSo, withinMs, clock, ended });
  let outcome: Outcome;
  try {
    evse.offer(amps);
    // Whoever unplugs is offered nothing any more.
    const forget = evse.onState(({ pilot }) => {
      if (pilot === 'B') evse.offer(amps);
    });
    const answered = await until(asks, waitMs).finally(forget);
    if (answered !== 'so') return { how: answered === 'late' ? 'noEv' : 'ended' };
    const permitted = clock.now();
    evse.permit(true);
    const followed = await until(({ contactor }) => contactor === 'closed', MIRROR_WITHIN_MS);
    if (followed !== 'so') return { how: followed === 'late' ? 'stuck' : 'ended' };
    const since = clock.now();
    closed();
    const opened = await until(({ contactor }) => contactor === 'open', forMs);
    if (opened === 'late') {
      // The EV is to end its current itself.
      evse.offer('x1');
      await until((state) => !asks(state) || state.contactor === 'open', LETS_GO_WITHIN_MS);
    }
    const how = opened === 'late' ? 'done' : opened === 'so' ? 'opened' : 'ended';
    outcome = { how, closedAfterMs: since - permitted, closedForMs: clock.now() - since };
  } finally {
    try {
      evse.permit(false);
    } finally {
      evse.offer('x1');
    }
  }
  const never = new AbortController().signal;
  const isOpen = ({ contactor }: EvseState): boolean => contactor === 'open';
  const open = await settled(evse, { isSo: isOpen, withinMs: MIRROR_WITHIN_MS, clock, ended: never });
  return open === 'so' ? outcome : { ...outcome, how: 'welded' };
}

interface Condition {
  readonly isSo: (state: EvseState) => boolean;
  readonly withinMs: number;
  readonly clock: Timebase;
  readonly ended: AbortSignal;
}

function settled(evse: Evse, { isSo, withinMs, clock, ended }: Condition): Promise<'so' | 'late' | 'ended'> {
  if (ended.aborted) return Promise.resolve('ended');
  if (isSo(evse.state)) return Promise.resolve('so');
  return new Promise((resolve) => {
    const over = (how: 'so' | 'late' | 'ended'): void => {
      forget();
      cancel();
      ended.removeEventListener('abort', abort);
      resolve(how);
    };
    const abort = (): void => {
      // In the turn of the signal, not when somebody comes round to it.
      forget();
      try {
        evse.permit(false);
      } finally {
        over('ended');
      }
    };
    const forget = evse.onState((state) => {
      if (isSo(state)) over('so');
    });
    const cancel = clock.after(withinMs, () => over('late'));
    ended.addEventListener('abort', abort);
  });
}
