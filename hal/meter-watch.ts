/** Watches what the meter of a connector says while current flows: over-current and voltage, tripped before anybody else sees the reading. */
import type { Protection } from './board-description.ts';
import type { Cancel, EnergyMeter, Evse, Line, Offer, Reading, Timebase } from './contract.ts';
import type { FaultBook } from './fault-book.ts';
import { forgiven, judgeCurrent, judgeVoltage, NO_OVER_CURRENT, type VoltageMemory } from './meter-limits.ts';

/** From one look to the next while current may flow; readings that others ask for count. */
export const LOOK_EVERY_MS = 1000;
/** A meter on a slow or shared line is asked for no more than this share of the time. */
export const SHARE_OF_THE_LINE = 1 / 4;

export interface MeterWatchParts {
  readonly connectorId: number;
  readonly evse: Pick<Evse, 'state' | 'onState'> & { readonly signalled: Offer };
  readonly meter: EnergyMeter;
  /** How many phases are connected at this moment. */
  phases(): 1 | 3;
  readonly protection: Pick<Protection, 'overCurrent' | 'voltage'>;
  readonly book: Pick<FaultBook, 'raise' | 'clear'>;
  readonly clock: Timebase;
}

export interface WatchedMeter extends EnergyMeter {
  /** No further look. */
  close(): void;
}

const SOURCE = 'meter watch';

/** The same meter. It is asked more often than before only while the contactor is closed, or a voltage fault waits for its end. */
export function watchedMeter(parts: MeterWatchParts): WatchedMeter {
  const { connectorId, evse, meter, protection, book, clock } = parts;
  let current = NO_OVER_CURRENT;
  let voltage: VoltageMemory = {};
  /** What is said of the voltage fault. */
  let told: string | undefined;
  /** By us or by anybody else. */
  let askedAt = Number.NEGATIVE_INFINITY;
  let timer: Cancel | undefined;
  let isLooking = false;
  let isClosed = false;

  const isFlowing = (): boolean => evse.state.contactor === 'closed';
  const isWanted = (): boolean => !isClosed && (isFlowing() || voltage.fault !== undefined);

  const lookAtCurrent = ({ values }: Reading, at: number): void => {
    if (protection.overCurrent === undefined) return;
    if (!isFlowing()) {
      current = NO_OVER_CURRENT;
      return;
    }
    const look = { at, current: values.current, offer: evse.signalled };
    const { memory, trip } = judgeCurrent(current, look, protection.overCurrent);
    current = memory;
    if (trip === undefined) return;
    current = NO_OVER_CURRENT;
    book.raise({ code: 'overCurrent', connectorId, info: trip }, SOURCE);
    // Its cause is gone with the current: what remains is the latch.
    book.clear('overCurrent', connectorId, SOURCE);
  };

  const remember = (memory: VoltageMemory): void => {
    voltage = evse.state.pilot === 'A' ? forgiven(memory) : memory;
  };
  const lookAtVoltage = ({ values }: Reading, at: number): void => {
    if (protection.voltage === undefined) return;
    const lines: readonly Line[] = parts.phases() === 3 ? ['L1', 'L2', 'L3'] : ['L1'];
    const volts = lines.flatMap((line) => {
      const volt = values.voltage?.[line];
      return volt === undefined ? [] : [[line, volt] as const];
    });
    const hz = values.frequency?.sum ?? values.frequency?.L1;
    const seen = { at, volts, hz, closed: isFlowing() };
    const { memory, begins, waitsFor, ends } = judgeVoltage(voltage, seen, protection.voltage);
    remember(memory);
    const info = begins ?? waitsFor;
    // Once: each time would open the contactor anew.
    if (memory.fault !== undefined && info !== undefined && info !== told)
      book.raise({ code: memory.fault, connectorId, info }, SOURCE);
    told = memory.fault === undefined ? undefined : (info ?? told);
    if (ends !== undefined) book.clear(ends, connectorId, SOURCE);
  };

  const judged = (reading: Reading): Reading => {
    const at = clock.now();
    try {
      lookAtCurrent(reading, at);
      lookAtVoltage(reading, at);
    } catch (error) {
      // A trip that failed is nothing for who has asked for a reading: the process must not live on with it.
      clock.after(0, () => {
        throw error;
      });
    }
    return reading;
  };
  const read = (): Promise<Reading> => {
    askedAt = clock.now();
    return meter.read().then(judged);
  };
  const untilDueMs = (): number => Math.max(0, askedAt + LOOK_EVERY_MS - clock.now());

  const wake = (): void => {
    if (isLooking || timer !== undefined || !isWanted()) return;
    timer = clock.after(untilDueMs(), look);
  };
  const look = (): void => {
    timer = undefined;
    if (!isWanted()) return;
    // Somebody else has asked meanwhile.
    if (untilDueMs() > 0) {
      wake();
      return;
    }
    isLooking = true;
    const beganAt = clock.now();
    const next = (): void => {
      isLooking = false;
      if (!isWanted()) return;
      const tookMs = clock.now() - beganAt;
      timer = clock.after(Math.max(LOOK_EVERY_MS, tookMs / SHARE_OF_THE_LINE) - tookMs, look);
    };
    // A silent meter is no over-current; who owns it says that it is silent.
    read().then(next, next);
  };

  const unsubscribe = evse.onState(() => {
    remember(voltage);
    wake();
  });
  wake();
  return {
    offers: meter.offers,
    read,
    close() {
      isClosed = true;
      timer?.();
      unsubscribe();
    },
  };
}
