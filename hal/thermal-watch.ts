/** From the temperature of the enclosure to how much current it leaves, and to the faults that say so. */
import type { DeratingStep } from './board-description.ts';
import type { Derating } from './contract.ts';
import type { FaultBook } from './fault-book.ts';
import { tryAll } from './try-all.ts';

/** As other stations do it (facts/evse.md 2.1). */
export const DERATING_STEPS: readonly DeratingStep[] = [
  { fromC: 65, factor: 0.5 },
  { fromC: 68, factor: 0.25 },
];
export const STOP_C = 70;
/** So much cooler than where it began a step has to be before it ends. */
const STEP_HYSTERESIS_K = 3;
const STOP_HYSTERESIS_K = 10;

export interface ThermalWatchOptions {
  readonly connectorId: number;
  readonly book: Pick<FaultBook, 'raise' | 'clear'>;
  /** From the coolest to the hottest. */
  readonly steps?: readonly DeratingStep[];
  /** Above the hottest step. */
  readonly stopC?: number;
}

export interface ThermalWatch extends Derating {
  /** What has to stop has stopped when it returns. */
  measured(celsius: number): void;
  /** The thermometer does not answer any more. It never ends an over-temperature: only a cool reading does. */
  silent(): void;
}

const SOURCE = 'thermometer';

/** Before the first reading it is as cautious as without a thermometer, but warns of nothing. */
export function thermalWatch(options: ThermalWatchOptions): ThermalWatch {
  const { connectorId, book, steps = DERATING_STEPS, stopC = STOP_C } = options;
  const listeners = new Set<() => void>();
  let celsius: number | undefined;
  /** How many steps are in force. */
  let level = steps.length;
  let isStopped = false;
  /** What the warning is about: a step, or the thermometer. A new text with another one only: each is a message to the central system. */
  let warnsOf: number | 'silence' | undefined;

  const factor = (): number => steps[level - 1]?.factor ?? 1;
  const levelAt = (now: number, before: number): number =>
    steps.filter(({ fromC }, index) => (index < before ? now > fromC - STEP_HYSTERESIS_K : now >= fromC)).length;

  const warn = (about: number | 'silence' | undefined): void => {
    if (about === warnsOf) return;
    warnsOf = about;
    if (about === undefined) book.clear('derated', connectorId, SOURCE);
    else {
      const info = about === 'silence' ? 'Thermometer does not answer' : `Enclosure at ${Math.round(celsius ?? 0)} C`;
      book.raise({ code: 'derated', connectorId, info }, SOURCE);
    }
  };

  const become = (nextLevel: number, stops: boolean, isSilent: boolean): void => {
    const before = { factor: factor(), isStopped };
    level = nextLevel;
    isStopped = stops;
    tryAll([
      () => {
        if (stops && !before.isStopped) book.raise({ code: 'overTemperature', connectorId }, SOURCE);
      },
      // Over-temperature says more than the warning, and takes its place.
      () => warn(isSilent ? 'silence' : stops || factor() === 1 ? undefined : level),
      () => {
        if (before.isStopped && !stops) book.clear('overTemperature', connectorId, SOURCE);
      },
      ...(factor() === before.factor ? [] : listeners),
    ]);
  };

  return {
    get factor() {
      return factor();
    },
    get celsius() {
      return celsius;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    measured(now) {
      const before = celsius === undefined ? 0 : level;
      celsius = now;
      const stops = now >= stopC || (isStopped && now >= stopC - STOP_HYSTERESIS_K);
      become(levelAt(now, before), stops, false);
    },
    silent() {
      celsius = undefined;
      become(steps.length, isStopped, true);
    },
  };
}
