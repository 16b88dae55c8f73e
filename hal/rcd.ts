/** The residual current device of a connector: its trip is a fault at once, and it is tested where it can be, behind an open contactor. */
import type { Cancel, Evse, FaultCode, Timebase, Unsubscribe } from './contract.ts';
import type { FaultBook, Trippable } from './fault-book.ts';

export const TRIPS_WITHIN_MS = 1000;
const RECOVERS_WITHIN_MS = 3000;
/** No test is older, in ms (facts/evse.md 2.1). */
export const TEST_EVERY_MS = 86_400_000;
/** As of a fault input: a device that chatters does not close a contactor again and again. */
export const CLEARS_AFTER_MS = 1000;
/** After its test it has to be untripped for so long: its contact bounces (facts/evse.md 2.1). */
export const RECOVERED_FOR_MS = 50;
const HOLD = 'rcdTest';
const SOURCE = 'RCD';

/** What a driver or the mock offers. */
export interface RcdDevice {
  readonly tripped: boolean;
  onTripped(listener: (tripped: boolean) => void): Unsubscribe;
  /** Absent where it cannot be tested. Has reached the hardware when it returns. */
  test?(on: boolean): void;
}

export interface RcdParts {
  readonly connectorId: number;
  readonly device: RcdDevice;
  readonly evse: Pick<Evse, 'state' | 'onState'> & Trippable;
  readonly book: Pick<FaultBook, 'raise' | 'clear' | 'onChange'>;
  readonly clock: Timebase;
  /** `session`: due again when an EV has left. After 24 h it is due in any case, and waits only for the contactor to open. */
  readonly every: 'session' | 'day';
  readonly tripsWithinMs?: number;
  readonly recoversWithinMs?: number;
}

/** `due`: waits for its moment. `tripping`, `recovering`: under way. `failed`: until the fault has been reset. */
type Test = 'done' | 'due' | 'tripping' | 'recovering' | 'failed';

/** From power-up to the first test that the device has passed, and during each further one, the interlock is held. Ends with `close`. */
export function watchRcd(parts: RcdParts): { close(): void } {
  const { device, evse, book, clock, connectorId, every } = parts;
  const fault = (code: FaultCode, info: string) => ({ code, connectorId, info });
  let test: Test = 'done';
  let last = evse.state.pilot;
  let waiting: Cancel | undefined;
  let settling: Cancel | undefined;
  let clearing: Cancel | undefined;
  let nextTest: Cancel | undefined;

  const isUnderWay = (): boolean => test === 'tripping' || test === 'recovering';
  const stopWaiting = (): void => {
    waiting?.();
    settling?.();
    waiting = undefined;
    settling = undefined;
  };
  /** An EV that comes meanwhile sees no offer, and gets one afterwards. */
  const tellTheEv = (): void => {
    if (isUnderWay() && evse.state.pilot !== 'A') book.raise({ code: 'rcdTesting', connectorId }, SOURCE);
    else book.clear('rcdTesting', connectorId, SOURCE);
  };

  const failed = (info: string): void => {
    stopWaiting();
    test = 'failed';
    book.raise(fault('rcdTestFailed', info), SOURCE);
    try {
      device.test?.(false);
    } finally {
      // It stays until somebody resets it, and then the device is tested again before anything else.
      book.clear('rcdTestFailed', connectorId, SOURCE);
      // One that stays tripped cannot be tested: that has to be seen after the reset.
      if (device.tripped) onTripped(true);
      tellTheEv();
    }
  };
  const passed = (): void => {
    stopWaiting();
    test = 'done';
    nextTest = clock.after(TEST_EVERY_MS, () => {
      test = 'due';
      review();
    });
    evse.release(HOLD);
    tellTheEv();
  };
  const settle = (): void => {
    settling?.();
    settling = device.tripped ? undefined : clock.after(RECOVERED_FOR_MS, passed);
  };
  const recover = (): void => {
    stopWaiting();
    test = 'recovering';
    device.test?.(false);
    waiting = clock.after(parts.recoversWithinMs ?? RECOVERS_WITHIN_MS, () =>
      failed('RCD does not recover from its test'),
    );
    settle();
  };
  const begin = (): void => {
    nextTest?.();
    evse.trip(HOLD);
    test = 'tripping';
    tellTheEv();
    waiting = clock.after(parts.tripsWithinMs ?? TRIPS_WITHIN_MS, () => failed('RCD does not trip in its test'));
    try {
      device.test?.(true);
    } catch {
      failed('RCD cannot be tested');
    }
    if (test === 'tripping' && device.tripped) recover();
  };
  /** Nothing is charged before it. */
  const demand = (): void => {
    test = 'due';
    evse.trip(HOLD);
  };
  /** Whoever is plugged in: the contactor is open, and is held so (facts/evse.md 2.1). An EV that stays for days must not put it off. */
  const review = (): void => {
    if (test === 'due' && !device.tripped && evse.state.contactor === 'open') begin();
  };

  const onTripped = (tripped: boolean): void => {
    clearing?.();
    clearing = undefined;
    if (test === 'tripping' && tripped) recover();
    else if (test === 'recovering') settle();
    else if (isUnderWay()) return;
    else if (tripped) book.raise(fault('groundFault', 'RCD tripped'), SOURCE);
    else
      clearing = clock.after(CLEARS_AFTER_MS, () => {
        book.clear('groundFault', connectorId, SOURCE);
        review();
      });
  };

  if (device.test !== undefined) demand();
  if (device.tripped) onTripped(true);
  const subscriptions = [
    device.onTripped(onTripped),
    evse.onState(({ pilot }) => {
      const hasLeft = last !== 'A' && pilot === 'A';
      last = pilot;
      const mayBeTested = device.test !== undefined && (test === 'done' || test === 'due');
      if (hasLeft && every === 'session' && mayBeTested) demand();
      if (isUnderWay()) tellTheEv();
      review();
    }),
    book.onChange(({ fault: { code, connectorId: at }, raised }) => {
      if (test !== 'failed' || raised || code !== 'rcdTestFailed' || at !== connectorId) return;
      demand();
      review();
    }),
  ];
  review();
  return {
    close() {
      for (const unsubscribe of subscriptions) unsubscribe();
      for (const cancel of [waiting, settling, clearing, nextTest]) cancel?.();
      if (isUnderWay()) device.test?.(false);
    },
  };
}
