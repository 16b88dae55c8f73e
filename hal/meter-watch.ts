/** Watches what the meter of a connector says while current flows: over-current and voltage, tripped before anybody else sees the reading. */
import type { Protection } from './board-description.ts';
import type { Cancel, EnergyMeter, Evse, Line, Offer, Reading, Timebase } from './contract.ts';
import type { FaultBook } from './fault-book.ts';
import {
  forgiven,
  interrupted,
  judgeCurrent,
  judgeVoltage,
  NO_OVER_CURRENT,
  NOTED_EVERY_MS,
  noted,
  type VoltageMemory,
} from './meter-limits.ts';

/** From one look to the next while current may flow; readings that others ask for count. */
export const LOOK_EVERY_MS = 1000;
/** A meter on a slow or shared line is asked for no more than this share of the time, ... */
export const SHARE_OF_THE_LINE = 1 / 4;
/** ... unless the looks would come less often than this: an over-current is over within seconds. */
export const LOOK_AT_LEAST_EVERY_MS = 3000;
/** After so many readings that have failed there is nothing to watch: the others on its line get the time. */
const FAILED_UNTIL_SILENT = 3;

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
  let failed = 0;
  let noting: Cancel | undefined;
  /** Whoever asks while a reading is under way may get the same. */
  let lastReading: Reading | undefined;

  const isFlowing = (): boolean => evse.state.contactor === 'closed';
  const isWanted = (): boolean => !isClosed && (isFlowing() || voltage.fault !== undefined);

  const lookAtCurrent = ({ values }: Reading, askedAt: number, at: number): void => {
    if (protection.overCurrent === undefined) return;
    if (!isFlowing()) {
      current = NO_OVER_CURRENT;
      return;
    }
    const look = { askedAt, at, current: values.current, offer: evse.signalled };
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

  const judged = (reading: Reading, from: number): Reading => {
    failed = 0;
    if (reading === lastReading) return reading;
    lastReading = reading;
    const at = clock.now();
    try {
      lookAtCurrent(reading, from, at);
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
    const from = clock.now();
    askedAt = from;
    return meter.read().then(
      (reading) => judged(reading, from),
      (error: unknown) => {
        failed += 1;
        // One that fails now and then is not silent: its other readings count.
        if (failed >= FAILED_UNTIL_SILENT) current = interrupted(current);
        throw error;
      },
    );
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
      const politeMs = Math.max(LOOK_EVERY_MS, tookMs / SHARE_OF_THE_LINE);
      const everyMs = failed < FAILED_UNTIL_SILENT ? Math.min(politeMs, LOOK_AT_LEAST_EVERY_MS) : politeMs;
      timer = clock.after(everyMs - tookMs, look);
    };
    // A silent meter is no over-current; who owns it says that it is silent.
    read().then(next, next);
  };

  const note = (): void => {
    noting = undefined;
    if (!isFlowing() || isClosed || protection.overCurrent === undefined) return;
    current = noted(current, clock.now(), evse.signalled);
    noting = clock.after(NOTED_EVERY_MS, note);
  };

  const onState = (): void => {
    remember(voltage);
    if (!isFlowing()) current = interrupted(current);
    else if (noting === undefined) note();
    wake();
  };
  const unsubscribe = evse.onState(onState);
  onState();
  return {
    offers: meter.offers,
    read,
    close() {
      isClosed = true;
      timer?.();
      noting?.();
      unsubscribe();
    },
  };
}
