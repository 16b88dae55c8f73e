/**
 * An EV that has been offered a current and stays in B may be asleep: the pilot goes to F for 4 s and to x1 for a moment, then the offer comes back
 * (IEC 61851-1 annex A.5.3; facts/evse.md 1.5). Bounded by `wakeUps`, counted anew once the EV has charged. Pure; used by `step` only.
 */
import type { Connector, RunningTransaction } from './state.ts';

export const WAKE_F_MS = 4000;
/** Between F and the offer: some EVs take F without a pause for a fault. */
export const WAKE_X1_MS = 750;
/** So long it may take to answer before it is woken once more. */
export const WAKE_REST_MS = 30_000;

/** What the pilot signals instead of the offer; undefined while nobody is being woken. */
export function wakeSignalOf({ phase }: Connector): 'F' | 'x1' | undefined {
  if (phase.name !== 'transaction' || phase.wakeUp === undefined) return undefined;
  return phase.wakeUp.signal === 'offer' ? undefined : phase.wakeUp.signal;
}

/** The EV has not answered in time. */
export function withWakeUp(phase: RunningTransaction, wakeUps: number, at: number): RunningTransaction {
  const times = phase.wakeUp?.times ?? 0;
  if (times >= wakeUps) return phase.wakeUp === undefined ? phase : { ...phase, wakeUp: { times, signal: 'offer' } };
  return { ...phase, wakeUp: { times: times + 1, signal: 'F', until: at + WAKE_F_MS } };
}

/** The next part of it, if its time has come. */
export function onWakeUpDue(phase: RunningTransaction, wakeUps: number, at: number): RunningTransaction {
  const { wakeUp } = phase;
  if (wakeUp?.until === undefined || at < wakeUp.until) return phase;
  const { times } = wakeUp;
  switch (wakeUp.signal) {
    case 'F':
      return { ...phase, wakeUp: { times, signal: 'x1', until: at + WAKE_X1_MS } };
    case 'x1':
      return { ...phase, wakeUp: { times, signal: 'offer', until: at + WAKE_REST_MS } };
    case 'offer':
      return withWakeUp(phase, wakeUps, at);
  }
}

/** Cut short: something else withdraws the offer. How often it has been woken is remembered. */
export function withoutWakeUp(phase: RunningTransaction): RunningTransaction {
  return phase.wakeUp === undefined ? phase : { ...phase, wakeUp: { times: phase.wakeUp.times, signal: 'offer' } };
}
