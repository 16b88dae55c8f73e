/** A thermometer that the kernel shows as a file in thousandths of a degree Celsius: hwmon `tempN_input`, 1-wire `temperature`. */
import { readFile } from 'node:fs/promises';
import type { Surroundings } from './contract.ts';
import type { ThermalWatch } from './thermal-watch.ts';

export const READ_EVERY_MS = 5000;
const FAILED_READS_UNTIL_SILENT = 3;
/** A 1-wire sensor takes 750 ms to answer. */
export const FIRST_READ_WITHIN_MS = 2000;
/** What sensors of this kind can measure, in degree Celsius. */
const LEAST_C = -55;
const MOST_C = 150;

export type ReadText = (file: string) => Promise<string>;

/** One read at a time for a whole board: a read that the kernel holds back keeps one of the few threads that all files share. */
export function oneReadAtATime(read: ReadText): ReadText {
  let last: Promise<unknown> = Promise.resolve();
  return (file) => {
    const text = last.then(() => read(file));
    last = text.catch(() => {});
    return text;
  };
}

export const readTextFile: ReadText = (file) => readFile(file, 'utf8');

export interface ThermometerParts extends Surroundings {
  readonly file: string;
  readonly read: ReadText;
  readonly watch: Pick<ThermalWatch, 'measured' | 'silent'>;
}

export interface Thermometer {
  /** Resolves once it was read for the first time, or has not answered for two seconds. Never rejects. */
  readonly ready: Promise<void>;
  close(): void;
}

/** Reads at once and then every five seconds; a read that is still under way counts as one that failed and is not joined by another. */
export function openThermometer({ file, read, watch, clock, log }: ThermometerParts): Thermometer {
  let failures = 0;
  let isUnderWay = false;
  let isClosed = false;
  let firstIsOver = () => {};
  const ready = new Promise<void>((resolve) => {
    const cancel = clock.after(FIRST_READ_WITHIN_MS, resolve);
    firstIsOver = () => {
      cancel();
      resolve();
    };
  });

  const failed = (error: unknown): void => {
    failures += 1;
    if (failures !== FAILED_READS_UNTIL_SILENT) return;
    log.warn('the thermometer does not answer', { file, error: String(error) });
    watch.silent();
  };
  const succeeded = (celsius: number): void => {
    if (failures >= FAILED_READS_UNTIL_SILENT) log.info('the thermometer answers again', { file, celsius });
    failures = 0;
    watch.measured(celsius);
  };
  const look = async (): Promise<void> => {
    isUnderWay = true;
    const answer = await read(file).then(celsiusIn, (error: unknown) => String(error));
    isUnderWay = false;
    try {
      if (isClosed) return;
      if (typeof answer === 'number') succeeded(answer);
      else failed(answer);
    } finally {
      firstIsOver();
    }
  };
  const tick = (): void => {
    next = clock.after(READ_EVERY_MS, tick);
    if (isUnderWay) failed('it takes too long');
    else void look();
  };
  let next = clock.after(READ_EVERY_MS, tick);
  void look();
  return {
    ready,
    close() {
      isClosed = true;
      next();
      firstIsOver();
    },
  };
}

/** The temperature, or what is wrong with the text; an empty one is what a sensor leaves that was pulled out. */
function celsiusIn(text: string): number | string {
  const celsius = /^-?\d{1,6}$/.test(text.trim()) ? Number(text) / 1000 : Number.NaN;
  return celsius >= LEAST_C && celsius <= MOST_C ? celsius : `no temperature: ${JSON.stringify(text.slice(0, 40))}`;
}
