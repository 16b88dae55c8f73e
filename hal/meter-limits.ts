/** What a reading of the meter says about too much current and about the voltage: pure, with memory as data. */
import type { OverCurrentLimits, VoltageLimits } from './board-description.ts';
import type { Line, Lines, Monotonic, Offer } from './contract.ts';

/** IEC 61851-1 sequence 6: so long an EV may take to follow a smaller offer, in ms. */
export const EV_FOLLOWS_MS = 5000;
/** What is signalled is noted so often, however long a reading takes. */
export const NOTED_EVERY_MS = 1000;
/** A minute of it: no reading takes longer. */
const MOST_NOTED = 60;
/** Below this there is no voltage: the meter sits behind an open contactor, or a phase is gone. */
export const NO_VOLTAGE_V = 50;

interface Signalled {
  readonly at: Monotonic;
  readonly amps: number;
}

export interface OverCurrentMemory {
  /** What was signalled lately. */
  readonly signalled: readonly Signalled[];
  /** At every look since then there was too much. */
  readonly since?: Monotonic;
  readonly lookedAt?: Monotonic;
  /** Since that look the meter has fallen silent, or the contactor has opened. */
  readonly isInterrupted?: boolean;
}

export const NO_OVER_CURRENT: OverCurrentMemory = { signalled: [] };

/** An offer that falls while a reading is under way is not forgotten. */
export function noted(before: OverCurrentMemory, at: Monotonic, offer: Offer): OverCurrentMemory {
  if (typeof offer !== 'number') return before;
  return { ...before, signalled: [...before.signalled.slice(1 - MOST_NOTED), { at, amps: offer }] };
}

export const interrupted = (before: OverCurrentMemory): OverCurrentMemory => ({ ...before, isInterrupted: true });

export interface CurrentLook {
  /** The current flowed between the two. */
  readonly askedAt: Monotonic;
  readonly at: Monotonic;
  readonly current: Lines | undefined;
  readonly offer: Offer;
}

export interface OverCurrentVerdict {
  readonly memory: OverCurrentMemory;
  /** What is too much, in words; absent: nothing, or not for long enough. */
  readonly trip?: string;
}

/** Without an offer nothing is judged here: the interlock ends that after 6 s. */
export function judgeCurrent(
  before: OverCurrentMemory,
  { askedAt, at, current, offer }: CurrentLook,
  { factor, marginA, forS }: OverCurrentLimits,
): OverCurrentVerdict {
  // What was signalled before still counts for an EV that is offered less after that.
  if (typeof offer !== 'number') return { memory: { signalled: before.signalled } };
  const forMs = forS * 1000;
  const mostAt = (signalledA: number) => (signalledA + marginA) * factor;
  const [line, amps] = greatest(current);
  const { signalled, lookedAt, isInterrupted } = noted(before, at, offer);
  if (amps <= mostAt(offer)) return { memory: { signalled, lookedAt: at } };
  // Nobody knows what flowed while the meter was silent for so long. One that is slow is not silent.
  const isUnbroken = isInterrupted !== true || (lookedAt !== undefined && at - lookedAt < forMs);
  const since = (isUnbroken ? before.since : undefined) ?? at;
  const memory = { signalled, since, lookedAt: at };
  const from = askedAt - EV_FOLLOWS_MS - NOTED_EVERY_MS;
  const lately = Math.max(...signalled.filter((note) => note.at >= from).map((note) => note.amps));
  if (at - since < forMs || amps <= mostAt(lately)) return { memory };
  return { memory, trip: `${line} draws ${amps.toFixed(1)} A of ${offer.toFixed(1)} A` };
}

const PHASES = ['L1', 'L2', 'L3'] as const;

/** The phase with the greatest current; a meter that has but a sum measures one phase. */
function greatest(current: Lines | undefined): readonly [line: Line, amps: number] {
  const lines = PHASES.some((line) => current?.[line] !== undefined) ? PHASES : (['sum'] as const);
  return lines
    .map((line): readonly [Line, number] => [line, Math.abs(current?.[line] ?? 0)])
    .reduce((most, each) => (each[1] > most[1] ? each : most));
}

/** A voltage fault that comes back so soon after its end lasts twice as long as before, and never longer than this, in ms. */
export const COMES_BACK_WITHIN_MS = 3_600_000;

export type VoltageFault = 'overVoltage' | 'underVoltage';

export interface VoltageMemory {
  readonly fault?: VoltageFault;
  /** How often in a row it has come back. */
  readonly again?: number;
  /** The end of the last one, while its coming back would count. */
  readonly endedAt?: Monotonic;
  /** Outside of the window, or within the one for reconnecting, at every look since then. */
  readonly since?: Monotonic;
  readonly outside?: VoltageFault;
}

export interface VoltageLook {
  readonly at: Monotonic;
  /** Of the phases that are connected. */
  readonly volts: readonly (readonly [line: Line, volts: number])[];
  /** Absent where the meter does not measure it: then it hinders nobody. */
  readonly hz?: number | undefined;
  /** The contactor is closed. */
  readonly closed: boolean;
}

export interface VoltageVerdict {
  readonly memory: VoltageMemory;
  /** The fault that begins here, in words. */
  readonly begins?: string;
  /** All that keeps it from ending, in words; absent: the voltage, or time. */
  readonly waitsFor?: string;
  /** The fault that is over. */
  readonly ends?: VoltageFault;
}

/** A fault begins only while the contactor is closed: an open one may have the meter behind it. */
export function judgeVoltage(before: VoltageMemory, look: VoltageLook, limits: VoltageLimits): VoltageVerdict {
  return before.fault === undefined
    ? judgeUndisturbed(before, look, limits)
    : judgeDisturbed(before, before.fault, look, limits);
}

function judgeUndisturbed(
  before: VoltageMemory,
  { at, volts, closed }: VoltageLook,
  limits: VoltageLimits,
): VoltageVerdict {
  const past = pastOf(before, at);
  const worst = volts.find(([, volt]) => volt < limits.leastV || volt > limits.mostV);
  if (!closed || worst === undefined) return { memory: past };
  const [line, volt] = worst;
  const outside = volt < limits.leastV ? 'underVoltage' : 'overVoltage';
  const since = (before.outside === outside ? before.since : undefined) ?? at;
  if (at - since < limits.forS * 1000) return { memory: { ...past, outside, since } };
  const again = past.endedAt === undefined ? 0 : (past.again ?? 0) + 1;
  return { memory: { fault: outside, again }, begins: `${line} at ${volt.toFixed(1)} V` };
}

function pastOf({ again = 0, endedAt }: VoltageMemory, at: Monotonic): VoltageMemory {
  return endedAt === undefined || at - endedAt >= COMES_BACK_WITHIN_MS ? {} : { again, endedAt };
}

/** No EV is there: whoever comes next begins anew. */
export function forgiven({ again: _, endedAt: __, ...rest }: VoltageMemory): VoltageMemory {
  return rest;
}

/**
 * A meter behind the open contactor measures nothing, which says nothing against the grid: then time alone decides. The contactor then
 * closes on what has opened it, so that the time doubles.
 */
function judgeDisturbed(
  before: VoltageMemory,
  fault: VoltageFault,
  { at, volts, hz, closed }: VoltageLook,
  limits: VoltageLimits,
): VoltageVerdict {
  const { again = 0 } = before;
  const { reconnectLeastV, reconnectMostV, reconnectAfterS } = limits;
  const isBehind = !closed && volts.every(([, volt]) => volt < NO_VOLTAGE_V);
  const isWell = volts.every(([, volt]) => volt >= reconnectLeastV && volt <= reconnectMostV);
  if (!isWell && !isBehind) return { memory: { fault, again } };
  if (!isBehind && !isFrequencyWell(hz, limits))
    return { memory: { fault, again }, waitsFor: 'waits for the frequency of the grid' };
  const since = before.since ?? at;
  const afterMs = reconnectAfterS * 1000;
  const waitMs = Math.max(afterMs, Math.min(afterMs * 2 ** again, COMES_BACK_WITHIN_MS));
  if (at - since < waitMs) return { memory: { fault, again, since } };
  return { memory: { again, endedAt: at }, ends: fault };
}

/** OVE R 37, 5.7.4.2: it decides whether to reconnect, and never ends what is charging. */
const isFrequencyWell = (hz: number | undefined, { reconnectLeastHz, reconnectMostHz }: VoltageLimits): boolean =>
  hz === undefined ||
  (hz >= (reconnectLeastHz ?? Number.NEGATIVE_INFINITY) && hz <= (reconnectMostHz ?? Number.POSITIVE_INFINITY));
