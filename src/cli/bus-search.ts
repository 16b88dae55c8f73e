/** Who is on a bus on which the configured meter does not answer: the doctor looks around, for a bounded time. */
import type { Surroundings } from '../../hal/contract.ts';
import type { SerialSettings } from '../../hal/modbus/register-map.ts';
import { type FoundDevice, type ScanOptions, type ScanResult, scanBus } from '../../hal/modbus/scan.ts';
import { GUESSES, settingsText } from '../../hal/modbus/scan-order.ts';

/** The configured unit at every guess takes 14 s, the other units at the configured settings 7 s; what is left goes into other guesses. */
export const SEARCH_WITHIN_MS = 40_000;
const UNITS: readonly number[] = Array.from({ length: 10 }, (_, index) => index + 1);

export interface Missed {
  readonly port: string;
  readonly unit: number;
  readonly settings: SerialSettings;
}

type Search = Pick<ScanOptions, 'models' | 'signal' | 'openPort'>;

/** Rejects as `scanBus` does. */
export async function searchedBus({ port, unit, settings }: Missed, search: Search, surroundings: Surroundings) {
  const bound = new AbortController();
  const stop = (): void => bound.abort();
  const cancel = surroundings.clock.after(SEARCH_WITHIN_MS, stop);
  search.signal.addEventListener('abort', stop);
  if (search.signal.aborted) stop();
  try {
    const guesses = [settings, ...GUESSES.filter((guess) => settingsText(guess) !== settingsText(settings))];
    const units = [unit, ...UNITS.filter((other) => other !== unit)];
    return await scanBus({ ...search, path: port, guesses, units, signal: bound.signal }, surroundings);
  } finally {
    cancel();
    search.signal.removeEventListener('abort', stop);
  }
}

const nameOf = ({ fits, other }: FoundDevice): string => {
  if (fits.length > 0) return fits.map(({ map }) => map.model).join(' or ');
  return other ?? 'no known meter';
};

/** What the search has found: one sentence, and what to do about it. Undefined if nobody answers. */
export function foundText({ devices }: Pick<ScanResult, 'devices'>): { found: string; next: string } | undefined {
  const [first] = devices;
  if (first === undefined) return undefined;
  const found = devices.map((device) => `unit ${device.unit} (${nameOf(device)})`).join(', ');
  const { baudRate, parity, stopBits } = first.settings;
  return {
    found: `at ${settingsText(first.settings)} there is ${found}`,
    next: `If that is the meter, set it, or write into the configuration: unit: ${first.unit}; in bus: baudRate: ${baudRate}, parity: ${parity}, stopBits: ${stopBits}.`,
  };
}
